/* What two configurations have in common, and what not. */
#pragma once

#include "ahoyd/config.h"

/* '+': only the later says it, '-': only the earlier, '~': both, and not the same. */
struct ahoyd_difference {
    char sign;
    const char *word;
    struct span name; /* The first text behind the word, or empty. */
    size_t number;    /* Of a route, from 1 on; else 0. */
    int line;         /* In the later file, or in the earlier for '-'. */
};

/* Calls |told| for each difference, in the order of the later file. */
void ahoyd_difference_find(const struct ahoyd_config *before, const struct ahoyd_config *after,
                           void (*told)(void *context, const struct ahoyd_difference *difference),
                           void *context);
/* Whether |difference| is in what a server that runs cannot change. */
bool ahoyd_difference_needs_restart(const struct ahoyd_difference *difference);
/* "~ route 3", at most AHOYD_DIFFERENCE_SIZE bytes of it. */
enum { AHOYD_DIFFERENCE_SIZE = 160 };
void ahoyd_difference_print(const struct ahoyd_difference *difference, struct ahoy_buf *buf);
