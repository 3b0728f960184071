/* Phones are pushed in time before their bindings end, so that those who cannot wake by themselves
 * stay registered (RFC 8599 5.5). */
#pragma once

#include "ahoyd/pusher.h"
#include "ahoyd/store/store.h"

enum { AHOYD_PUSH_AHEAD_S = 150 /* 120 are recommended, and we look each 30. */ };

struct ahoyd_push_refresh {
    const struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoyd_pusher *pusher;
    uint64_t until_ms; /* Those that end up to here have been pushed; at first: now. */
    uint64_t from_ms;  /* Its own: where the look at hand begins. */
};

/* Once in a while: pushes those that end soon and were not pushed before. */
void ahoyd_push_refresh(struct ahoyd_push_refresh *refresh, uint64_t now_ms);
