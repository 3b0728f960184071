/* What the proxy's files share: the response context (RFC 3261 16.2, 16.7 step 1) and its
 * branches, in the order in which a request passes through them. */
#pragma once

#include "libahoy/base/arena.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/tu/proxy.h"
#include "libahoy/tu/throttle.h"

enum {
    PROXY_TEXT_LIMIT = AHOY_MESSAGE_LIMIT + 16384,
    PROXY_WISHES_LIMIT = 2 * AHOY_TARGETS_LIMIT, /* Of one call. */
    /* What stands in a name where a branch's number would. */
    PROXY_ACK = 30,      /* An ACK that waits. */
    PROXY_NO_BRANCH = 31 /* A CANCEL's own server transaction: its events mean nothing to us. */
};

/* What ahoy_timer.which says.  Only the first branch has the last two. */
enum proxy_timer {
    PROXY_TIMER_C = 1,  /* An INVITE rings for too long: 16.8. */
    PROXY_TIMER_TRYING, /* A request that is no INVITE is owed a 100: RFC 4320 4.1. */
    PROXY_TIMER_AGAIN,  /* The final response could not be sent. */
    PROXY_TIMER_TIER    /* Those of the next q have their turn. */
};

/* A request that has to be made again: for a server that is not known yet, or for the next one. */
struct proxy_kept {
    struct span bytes; /* As it came; in an arena, as all that |plan| points to. */
    struct ahoy_hop source;
    struct ahoy_proxy_plan plan; /* Without targets. */
    unsigned spent_hops;         /* What its Max-Forwards has lost since it came. */
};

/* What a target with ways has left to be tried. */
struct proxy_ways {
    struct span uri, routes, flow; /* The target's. */
    bool is_secure;
    bool is_neighbour;
    struct ahoy_ip source;
    const struct span *ways;
    uint8_t way_count;
    uint8_t next_way;         /* The first that was not asked for. */
    uint8_t tries;            /* Servers that it was sent to, or should have been. */
    uint8_t hop_count, fresh; /* Of |hops|; those that rest stand behind those that do not. */
    struct ahoy_hop hops[AHOY_TARGETS_LIMIT];
    struct ahoy_hop tried; /* The server at hand. */
};

struct proxy_branch {
    struct ahoy_timer timer;
    struct proxy_branch *next;
    struct proxy_ways *ways;               /* NULL where the target had a hop. */
    const struct ahoy_proxy_target *flows; /* Those that are left to be tried; in the arena. */
    struct ahoy_handle client; /* Null where it was never made, and once it has ended. */
    uint8_t breadth;           /* Its share of Max-Breadth (RFC 5393 5.3). */
    uint8_t depth;             /* Redirections that led to it. */
    uint8_t record_routes;     /* Rows of it that the request got from us. */
    bool waiting : 1;          /* For the answer to a wish: WAKE where it sleeps, else LOCATE. */
    bool sleeps : 1;           /* For the first of |flows|, whose phone is to be woken. */
    bool provisional : 1;      /* One has come, 100 included. */
    bool cancelled : 1;        /* CANCEL has been asked for. */
    bool is_neighbour : 1;     /* It leads to one. */
    bool late : 1;             /* The time of its tier is over. */
    bool done : 1;             /* It has its final response, or counts as if. */
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

/* A target that has not had its turn. */
struct proxy_candidate {
    struct proxy_candidate *next; /* In the order of q, then of coming. */
    struct ahoy_proxy_target target;
    uint8_t depth;
};

/* What a context has where not all targets are begun at once: because they differ in q, because
 * Max-Breadth is narrow, or because some came later, with a 3xx. */
struct proxy_search {
    struct ahoy_timer timer; /* Of the tier. */
    struct proxy_candidate *waiting;
    uint64_t begun_ms;
    uint32_t tier_ms;  /* The targets' of the tier. */
    uint16_t q;        /* Of the tier. */
    uint8_t uri_count; /* Of |uris|: all that are or were in the target set. */
    struct span uris[AHOY_TARGETS_LIMIT];
};

struct proxy_context {
    struct ahoy_handle handle; /* Its own. */
    struct ahoy_handle server; /* Null once it has ended. */
    struct ahoy_arena arena;   /* Head, the branches but the first, failure, challenges, search. */
    struct span head;          /* The 100 to the request: what our own answers are made from. */
    struct ahoy_hop source;    /* The way that it came. */
    struct proxy_branch first; /* Most requests have no other. */
    struct proxy_failure *failure; /* NULL until there is one to keep. */
    struct proxy_kept *kept;       /* NULL until some branch needs it: for ways, flows, a search. */
    struct proxy_search *search;   /* NULL where there is none. */
    struct ahoy_meter *meter;      /* The plan's; NULL once a final response has been counted. */
    uint64_t begun_ms;
    uint64_t serial;       /* What its To tag is made from. */
    uint64_t ticket;       /* The plan's; 0 once it has gone back. */
    uint64_t loop;         /* What its branches are known again by; 0 for none. */
    uint32_t tier_ms;      /* The plan's. */
    uint16_t best_status;  /* Of the best failure so far; 0 for none. */
    uint8_t count;         /* Branches. */
    uint8_t pending;       /* Of them, those not done. */
    uint8_t living;        /* Transactions that have not ended. */
    uint8_t breadth;       /* Its Max-Breadth. */
    uint8_t sender;        /* The plan's. */
    uint8_t asserted_back; /* The plan's. */
    bool is_invite : 1;
    bool is_home : 1;    /* The plan's. */
    bool follows : 1;    /* The plan's. */
    bool no_cancel : 1;  /* The plan's. */
    bool tells_load : 1; /* The plan's. */
    bool held_back : 1;  /* Some branch did not begin, as a neighbour has asked for less. */
    bool signs : 1;      /* The caller has been shown one of the callee. */
    bool stopped : 1;    /* No branch begins any more: it was cancelled, or a 6xx has come. */
    bool closed : 1;     /* The final response was sent, or there is nobody to send one to. */
};

/* A wish that was not polled. */
struct proxy_wish {
    uint64_t ticket; /* 0: not ANSWERED. */
    uint64_t user;   /* 0: REST. */
    struct ahoy_hop hop;
    uint64_t rest_ms;
};

struct ahoy_proxy {
    struct ahoy_transactions *transactions;
    struct ahoy_causes *causes;
    uint32_t timer_c_ms;
    struct ahoy_hash_key loop_key;
    struct ahoy_rng rng; /* Of To tags: never drawn from, only read at a context's serial. */
    uint64_t serial;     /* Of the next context. */
    uint32_t open;       /* Contexts that are not closed. */
    struct ahoy_pool contexts;
    struct ahoy_pool acks; /* struct proxy_ack, in proxy_ack.c */
    struct ahoy_chunks chunks;
    struct ahoy_timers timers;
    struct ahoy_throttle throttle;
    uint64_t held_back; /* Requests. */
    size_t load_size;
    char load[AHOY_OC_TEXT_LIMIT]; /* What is told of our own load. */
    size_t wish_count, next_wish;  /* A ring. */
    struct proxy_wish wishes[PROXY_WISHES_LIMIT];
    /* Room to work in; nothing stays from one call to the next. */
    struct ahoy_edits edits;
    struct span pieces[AHOY_PIECES_LIMIT];
    struct ahoy_message head;
    struct ahoy_message again; /* A kept request. */
    struct ahoy_routing routing;
    struct ahoy_event recalled; /* Of |again|. */
    char tail[AHOY_TOKEN_SIZE]; /* Of a branch. */
    char text[PROXY_TEXT_LIMIT];
};

/* The caller gets |status|. */
static inline void proxy_count(struct proxy_context *context, unsigned status, uint64_t now_ms)
{
    if (context->meter == NULL || status <= 100)
        return;
    if (!context->signs && status < 300)
        ahoy_meter_sign(context->meter, now_ms - context->begun_ms);
    context->signs = true;
    context->meter->answered += status >= 200 && status < 300;
    context->meter->failed += status >= 300;
    if (status >= 200)
        context->meter = NULL;
}

/* Which Route values stay (16.4, 16.6 step 6): those numbered |begin| to before |end|. */
struct proxy_routes {
    size_t count;
    size_t begin, end;
    bool top_is_sips;   /* The first that stays. */
    struct span strict; /* The URI of the strict router that comes next, or empty. */
};

static inline struct proxy_branch *proxy_branch_at(struct proxy_context *context, unsigned index)
{
    struct proxy_branch *branch = &context->first;
    for (; index > 0; index--)
        branch = branch->next;
    return branch;
}

/* proxy.c: what transactions, timers and wishes know a branch by; |index| may be one of the numbers
 * above.  Adding: a branch that has not begun, pending from now on; false where memory is
 * refused. */
uint64_t ahoy_proxy_name(struct ahoy_handle handle, unsigned index);
struct ahoy_handle ahoy_proxy_unname(uint64_t name, unsigned *index);
struct proxy_context *ahoy_proxy_find(const struct ahoy_proxy *proxy, uint64_t name,
                                      unsigned *index);
bool ahoy_proxy_add_branch(struct proxy_context *context);
/* Notes why |context|, which still owes an answer, does not go on, or not to |hop|. */
void ahoy_proxy_note(struct ahoy_proxy *proxy, const struct proxy_context *context,
                     enum ahoy_cause cause, const struct ahoy_hop *hop, struct span detail);
/* False where no transaction can be made. */
bool ahoy_proxy_start_branch(struct ahoy_proxy *proxy, struct proxy_context *context,
                             unsigned index, struct ahoy_outgoing *request, uint64_t now_ms);

/* proxy_search.c (16.6).  Keeping: those of |plan| from number |from| on wait for their turn; false
 * where memory is refused.  Going on: those that have it begin.  Stopping: none does any more. */
bool ahoy_proxy_keep_search(struct proxy_context *context, const struct ahoy_proxy_plan *plan,
                            size_t from, uint64_t now_ms);
bool ahoy_proxy_add_candidate(struct proxy_context *context, const struct ahoy_proxy_target *target,
                              uint8_t depth);
void ahoy_proxy_go_on(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms);
void ahoy_proxy_stop(struct ahoy_proxy *proxy, struct proxy_context *context);
void ahoy_proxy_next_tier(struct ahoy_proxy *proxy, struct proxy_context *context, uint64_t now_ms);
static inline bool proxy_waits(const struct proxy_context *context)
{
    return context->search != NULL && context->search->waiting != NULL && !context->stopped;
}

/* proxy_breadth.c (RFC 5393).  Reading: false where Max-Breadth is no number.  Sharing: gives the
 * branches from number |from| on what is left of it.  The hash is never 0. */
bool ahoy_proxy_read_breadth(const struct ahoy_message *message, uint8_t *breadth);
unsigned ahoy_proxy_free_breadth(struct proxy_context *context);
void ahoy_proxy_share_breadth(struct proxy_context *context, unsigned from);
uint64_t ahoy_proxy_loop_hash(const struct ahoy_proxy *proxy, const struct ahoy_event *event);
bool ahoy_proxy_has_looped(const struct ahoy_proxy *proxy, const struct ahoy_event *event,
                           uint64_t loop);

/* proxy_kept.c.  Keeping: false where memory is refused.  Recalling: the event as it was, in
 * |proxy|'s room, until the next is recalled. */
bool ahoy_proxy_keep_text(struct ahoy_arena *arena, struct span text, struct span *kept);
bool ahoy_proxy_keep_target(struct ahoy_arena *arena, const struct ahoy_proxy_target *target,
                            struct ahoy_proxy_target *kept);
bool ahoy_proxy_keep_flows(struct ahoy_arena *arena, const struct ahoy_proxy_target *next,
                           const struct ahoy_proxy_target **kept);
bool ahoy_proxy_keep_request(struct ahoy_arena *arena, const struct ahoy_event *event,
                             const struct ahoy_proxy_plan *plan, struct proxy_kept *kept);
const struct ahoy_event *ahoy_proxy_recall(struct ahoy_proxy *proxy, const struct proxy_kept *kept);

/* proxy_servers.c (RFC 3263 4.3, RFC 3261 16.6 step 7).  Keeping: false where memory is refused.
 * Trying: the next server, or the next way is asked for; false where none is left.  Failing over:
 * the server at hand has failed; false where no other is tried. */
bool ahoy_proxy_keep_ways(struct proxy_context *context, unsigned index,
                          const struct ahoy_proxy_target *target);
bool ahoy_proxy_try(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                    uint64_t now_ms);
bool ahoy_proxy_fail_over(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                          uint64_t rest_ms, uint64_t now_ms);
void ahoy_proxy_wish(struct ahoy_proxy *proxy, const struct proxy_wish *wish);
void ahoy_proxy_give_back(struct ahoy_proxy *proxy, uint64_t ticket);

/* proxy_flows.c (RFC 5626 7).  Starting: |target| is in the arena, and so is the request.  Next:
 * the flow at hand has failed; false where no other is tried. */
bool ahoy_proxy_start_target(struct ahoy_proxy *proxy, struct proxy_context *context,
                             unsigned index, const struct ahoy_proxy_target *target,
                             uint64_t now_ms);
bool ahoy_proxy_next_flow(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                          uint64_t now_ms);

/* proxy_sleeper.c (RFC 8599 5.6.2).  Sleeping: |target| is in the arena, and so is the request. */
void ahoy_proxy_sleep(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                      const struct ahoy_proxy_target *target);

/* proxy_ack.c: an ACK whose servers are not known yet. */
void ahoy_proxy_init_acks(struct ahoy_proxy *proxy);
void ahoy_proxy_fini_acks(struct ahoy_proxy *proxy);
void ahoy_proxy_wait_with_ack(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                              const struct ahoy_proxy_plan *plan);
bool ahoy_proxy_ack_wish(const struct ahoy_proxy *proxy, struct ahoy_handle handle,
                         struct ahoy_proxy_wish *wish);
void ahoy_proxy_ack_located(struct ahoy_proxy *proxy, struct ahoy_handle handle,
                            const struct ahoy_proxy_found *found);

/* proxy_route.c.  Reading fails where a value cannot be read.  |uri| is the Request-URI that a
 * strict router is to find in the last value. */
bool ahoy_proxy_read_routes(const struct ahoy_message *message, const struct ahoy_proxy_plan *plan,
                            struct proxy_routes *routes);
void ahoy_proxy_edit_routes(struct ahoy_edits *edits, const struct ahoy_message *message,
                            const struct proxy_routes *routes, struct span uri,
                            struct ahoy_buf *text);

/* proxy_record_route.c: adds our own values before |at|; returns how many. */
uint8_t ahoy_proxy_record_route(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                                const struct ahoy_proxy_plan *plan,
                                const struct ahoy_proxy_target *target, bool is_sips,
                                const char *at, struct ahoy_buf *text);

/* proxy_forward.c: the request for |target| (16.6), in |proxy|'s room; |record_routes| is how many
 * rows of ours it has.  False where it has more values to be edited than anybody honest sends. */
struct proxy_making {
    const struct ahoy_event *event;
    const struct ahoy_proxy_plan *plan;
    const struct proxy_routes *routes;
    const struct ahoy_proxy_target *target;
    unsigned breadth;
    uint8_t record_routes;
};
bool ahoy_proxy_make_request(struct ahoy_proxy *proxy, struct proxy_making *making,
                             struct ahoy_outgoing *request);
void ahoy_proxy_drop_rows(struct ahoy_edits *edits, const struct ahoy_message *message,
                          enum ahoy_header header);
/* Makes it and sends it as the branch |index|; the latter of the two from what is kept.  Returns 0,
 * or what it counts as where that cannot be. */
unsigned ahoy_proxy_send(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                         struct proxy_making *making, uint64_t now_ms);
unsigned ahoy_proxy_send_kept(struct ahoy_proxy *proxy, struct proxy_context *context,
                              unsigned index, const struct ahoy_proxy_target *target,
                              uint64_t now_ms);

/* proxy_neighbour.c (RFC 7339): what is told of our load, where it is; what a neighbour says of its
 * own, or that it says nothing; and whether a request to |target| is held back. */
struct span ahoy_proxy_load(const struct ahoy_proxy *proxy, bool tells_load);
void ahoy_proxy_hear_neighbour(struct ahoy_proxy *proxy, const struct proxy_branch *branch,
                               const struct ahoy_event *event, uint64_t now_ms);
bool ahoy_proxy_holds_back(struct ahoy_proxy *proxy, struct proxy_context *context,
                           struct proxy_branch *branch, const struct proxy_making *making,
                           uint64_t now_ms);

/* proxy_answer.c: what we say ourselves.  Refusing is done without state. */
void ahoy_proxy_refuse(struct ahoy_proxy *proxy, const struct ahoy_event *event, unsigned status,
                       bool tells_load);
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
/* Leaving: it ends without a response of its own, as others take its place. */
void ahoy_proxy_leave(struct ahoy_proxy *proxy, struct proxy_context *context,
                      struct proxy_branch *branch, uint64_t now_ms);
void ahoy_proxy_close(struct ahoy_proxy *proxy, struct proxy_context *context);
/* |branch| will never be sent; whoever drops it sees to what follows when it was the last. */
void ahoy_proxy_drop(struct ahoy_proxy *proxy, struct proxy_context *context,
                     struct proxy_branch *branch, unsigned status);
/* The response without our Via, in proxy->pieces; 0 where none but ours is there.  |tells_load|:
 * the next one says ours. */
size_t ahoy_proxy_pop_via(struct ahoy_proxy *proxy, const struct ahoy_message *message,
                          bool tells_load, enum ahoy_asserted asserted);

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
