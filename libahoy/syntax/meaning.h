/* What a word of the protocol means, for a person, and where that is written. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_meaning {
    struct span text;   /* "the callee's phone rings": without a capital and a full stop. */
    struct span source; /* "RFC 3261 21.1.2" */
};

/* A row of a table of such words. */
struct ahoy_word {
    struct span name;
    struct ahoy_meaning meaning;
};

#define AHOY_WORD(name, meaning, source)                                                           \
    {                                                                                              \
        SPAN_INIT(name),                                                                           \
        {                                                                                          \
            SPAN_INIT(meaning), SPAN_INIT(source)                                                  \
        }                                                                                          \
    }

/* What |name| means by a table, case aside (RFC 3261 7.3.1); NULL where it is not there. */
const struct ahoy_meaning *ahoy_meaning_find(const struct ahoy_word *words, size_t count,
                                             struct span name);
