/* What an engine has been asked and has not answered: requests with their own copy of all texts,
 * and queues of them, oldest first.  An engine's own request has one of these as its first
 * member. */
#pragma once

#include "ahoyd/store/shared_engine.h"

struct shared_request {
    struct shared_request *next;
    bool is_swap;            /* Else a row is looked at, or it is the engine's own affair. */
    bool is_dropped;         /* Nobody waits for it. */
    struct shared_swap swap; /* Of what is no swap at most its key. */
};

struct shared_requests {
    struct shared_request *first, **last;
};

/* One of |size| bytes, zeroed behind its first member, with room for its texts behind them.  NULL
 * where memory is refused. */
void *shared_request_new(size_t size, bool is_swap, const struct shared_swap *swap);
/* Wipes the texts, which may be what a password has become.  NULL is none. */
void shared_request_free(struct shared_request *request);

void shared_requests_init(struct shared_requests *requests);
void shared_requests_put(struct shared_requests *requests, struct shared_request *request);
/* NULL where there is none. */
void *shared_requests_take(struct shared_requests *requests);
/* Puts all of |from| behind, and leaves that empty. */
void shared_requests_move(struct shared_requests *requests, struct shared_requests *from);
/* The swap of that ticket, if it is there, is waited for no more. */
void shared_requests_drop(struct shared_requests *requests, uint64_t ticket);
void shared_requests_free(struct shared_requests *requests);
