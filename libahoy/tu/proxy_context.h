/* What the proxy's files share: the response context (RFC 3261 16.2, 16.7 step 1) and its
 * branches, in the order in which a request passes through them. */
#pragma once

#include "libahoy/base/arena.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/tu/proxy.h"

enum {
    PROXY_TEXT_LIMIT = AHOY_MESSAGE_LIMIT + 16384,
    PROXY_NO_BRANCH = 31 /* A CANCEL's own server transaction: its events mean nothing to us. */
};

/* What ahoy_timer.which says.  Only the first branch has the last two. */
enum proxy_timer {
    PROXY_TIMER_C = 1,  /* An INVITE rings for too long: 16.8. */
    PROXY_TIMER_TRYING, /* A request that is no INVITE is owed a 100: RFC 4320 4.1. */
    PROXY_TIMER_AGAIN   /* The final response could not be sent. */
};

struct proxy_branch {
    struct ahoy_timer timer;
    struct ahoy_handle client; /* Null where it was never made, and once it has ended. */
    bool provisional;          /* One has come, 100 included. */
    bool cancelled;            /* CANCEL has been asked for. */
    bool done;                 /* It has its final response, or counts as if. */
};

/* What is kept of final responses that were not forwarded (16.7 step 4). */
struct proxy_failure {
    struct ahoy_arena arena; /* Of |best| alone, so that a better one takes its place. */
    struct span best;        /* The best one, our Via popped; empty where we make it ourselves. */
    size_t headers_end;      /* In it. */
    struct proxy_challenges *challenges; /* Of the other 401 and 407, in the order they came. */
    size_t challenges_size;
};

struct proxy_challenges {
    struct proxy_challenges *next;
    struct span rows;
};

struct proxy_context {
    struct ahoy_handle handle; /* Its own. */
    struct ahoy_handle server; /* Null once it has ended. */
    struct ahoy_arena arena;   /* Head, the branches but the first, failure, challenges. */
    struct span head;          /* The 100 to the request: what our own answers are made from. */
    struct proxy_branch first; /* Most requests have no other. */
    struct proxy_branch *more;
    struct proxy_failure *failure; /* NULL until there is one to keep. */
    uint64_t serial;               /* What its To tag is made from. */
    uint16_t best_status;          /* Of the best failure so far; 0 for none. */
    uint8_t count;                 /* Branches. */
    uint8_t pending;               /* Of them, those not done. */
    uint8_t living;                /* Transactions that have not ended. */
    bool is_invite;
    bool closed; /* The final response was sent, or there is nobody to send one to. */
};

struct ahoy_proxy {
    struct ahoy_transactions *transactions;
    uint32_t timer_c_ms;
    struct ahoy_rng rng; /* Of To tags: never drawn from, only read at a context's serial. */
    uint64_t serial;     /* Of the next context. */
    uint32_t open;       /* Contexts that are not closed. */
    struct ahoy_pool contexts;
    struct ahoy_chunks chunks;
    struct ahoy_timers timers;
    /* Room to work in; nothing stays from one call to the next. */
    struct ahoy_edits edits;
    struct span pieces[AHOY_PIECES_LIMIT];
    struct ahoy_message head;
    char text[PROXY_TEXT_LIMIT];
};

/* Which Route values stay (16.4, 16.6 step 6): those numbered |begin| to before |end|. */
struct proxy_routes {
    size_t count;
    size_t begin, end;
    bool top_is_sips;   /* The first that stays. */
    struct span strict; /* The URI of the strict router that comes next, or empty. */
};

static inline struct proxy_branch *proxy_branch_at(struct proxy_context *context, unsigned index)
{
    return index == 0 ? &context->first : &context->more[index - 1];
}

/* proxy.c: what transactions and timers know a context's branch by. */
uint64_t ahoy_proxy_name(const struct proxy_context *context, unsigned index);

/* proxy_route.c.  Reading fails where a value cannot be read.  |uri| is the Request-URI that a
 * strict router is to find in the last value. */
bool ahoy_proxy_read_routes(const struct ahoy_message *message, const struct ahoy_proxy_plan *plan,
                            struct proxy_routes *routes);
void ahoy_proxy_edit_routes(struct ahoy_edits *edits, const struct ahoy_message *message,
                            const struct proxy_routes *routes, struct span uri,
                            struct ahoy_buf *text);

/* proxy_record_route.c: adds our own values before |at|. */
void ahoy_proxy_record_route(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                             const struct ahoy_proxy_plan *plan, const struct ahoy_hop *hop,
                             bool is_sips, const char *at, struct ahoy_buf *text);

/* proxy_forward.c: the request for |target| (16.6), in |proxy|'s room.  False where it has more
 * values to be edited than anybody honest sends. */
bool ahoy_proxy_make_request(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                             const struct ahoy_proxy_plan *plan, const struct proxy_routes *routes,
                             const struct ahoy_proxy_target *target, struct ahoy_outgoing *request);

/* proxy_answer.c: what we say ourselves.  Refusing is done without state. */
void ahoy_proxy_refuse(struct ahoy_proxy *proxy, const struct ahoy_event *event, unsigned status);
bool ahoy_proxy_keep_head(struct ahoy_proxy *proxy, struct proxy_context *context,
                          const struct ahoy_event *event);
void ahoy_proxy_send_trying(struct ahoy_proxy *proxy, struct proxy_context *context,
                            uint64_t now_ms);
bool ahoy_proxy_send_own(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned status,
                         uint64_t now_ms);
void ahoy_proxy_answer_cancel(struct ahoy_proxy *proxy, const struct proxy_context *context,
                              const struct ahoy_event *event, uint64_t now_ms);

/* proxy_response.c (16.7).  Finishing: |branch| has its final response |status|; |message| where
 * there is one, NULL where it only counts as if.  Closing: no final response is owed any more. */
void ahoy_proxy_response(struct ahoy_proxy *proxy, struct proxy_context *context,
                         struct proxy_branch *branch, const struct ahoy_message *message,
                         uint64_t now_ms);
void ahoy_proxy_finish(struct ahoy_proxy *proxy, struct proxy_context *context,
                       struct proxy_branch *branch, unsigned status,
                       const struct ahoy_message *message, uint64_t now_ms);
void ahoy_proxy_close(struct ahoy_proxy *proxy, struct proxy_context *context);
/* The response without our Via, in proxy->pieces; 0 where none but ours is there. */
size_t ahoy_proxy_pop_via(struct ahoy_proxy *proxy, const struct ahoy_message *message);

/* proxy_choice.c (16.7 steps 4, 6 and 7).  Whether a response is better than all so far, and not
 * one that we answer in place of.  Choosing: all branches are done and nothing final has been
 * sent. */
bool ahoy_proxy_is_forwarded(const struct proxy_context *context, unsigned status);
void ahoy_proxy_keep(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned status,
                     const struct ahoy_message *message);
void ahoy_proxy_choose(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms);

/* proxy_cancel.c (16.7 step 10, 16.8, 16.10).  |reason| are rows for the CANCEL. */
void ahoy_proxy_cancel_branch(struct ahoy_proxy *proxy, struct proxy_context *context,
                              struct proxy_branch *branch, struct span reason, uint64_t now_ms);
void ahoy_proxy_cancel_pending(struct ahoy_proxy *proxy, struct proxy_context *context,
                               struct span reason, uint64_t now_ms);
void ahoy_proxy_take_cancel(struct ahoy_proxy *proxy, struct proxy_context *context,
                            const struct ahoy_event *event, uint64_t now_ms);
void ahoy_proxy_timer_c(struct ahoy_proxy *proxy, struct proxy_context *context,
                        struct proxy_branch *branch, uint64_t now_ms);
