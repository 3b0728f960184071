/* Who asks push services to wake phones (RFC 8599 5.1).  The server knows no more of it than this;
 * pusher_http.h does it by the hook of the configuration. */
#pragma once

#include "libahoy/base/buf.h"

struct ahoyd_push_owner {
    /* What was asked for under |key| cannot be done.  Called on whichever thread finds out, so it
     * queues and returns. */
    void (*failed)(struct ahoyd_push_owner *owner, uint64_t key);
};

/* Whom to wake, and why. */
struct ahoyd_push {
    struct span provider, param, prid; /* As a Contact has them, escaped; |param| may be empty. */
    struct span aor;                   /* "user@domain" */
    struct span method, call_id;       /* Of the request that waits; empty where none does. */
    uint64_t key;                      /* The owner's. */
    struct ahoyd_push_owner *owner;    /* NULL: nobody wants to know. */
};

struct ahoyd_pusher {
    /* Copies what it needs and returns at once.  False where there is no room, or |push| cannot be
     * told to anybody. */
    bool (*ask)(struct ahoyd_pusher *pusher, const struct ahoyd_push *push);
};
