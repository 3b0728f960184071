/* Very many calls and registrations (ahoy load): user agents by the thousand on one stack, each
 * with calls of its own; what is begun when, and what became of it. */
#pragma once

#include "ahoy/load_tally.h"
#include "ahoy/worker_load.h"
#include "libahoy/base/heap.h"

enum {
    LOAD_USERS_LIMIT = 10000,
    LOAD_AT_ONCE_LIMIT = 50000, /* Calls, and REGISTERs. */
    /* Sessions of all users together, and as many remnants of calls that are over, for 32 s each
     * (RFC 6026); who is called has no remnants, but sessions for so long. */
    LOAD_SESSIONS_LIMIT = 65536,
    LOAD_LEAST_SESSIONS = 16 /* A user's share of them is no less. */
};

enum load_step {
    LOAD_FREE,
    LOAD_CALLING, /* Our INVITE is unanswered. */
    LOAD_RINGING, /* A call to us is. */
    LOAD_TALKING,
    LOAD_LEAVING, /* Our BYE is unanswered. */
    LOAD_CANCELLING
};

/* A call has the place of its session. */
struct load_call {
    enum load_step step;
    struct ahoy_handle session;
    bool was_challenged; /* Our BYE was. */
    uint64_t asked_us;   /* When the INVITE, or the BYE, was sent. */
    struct ahoy_due due; /* When we answer it, hang up or give it up. */
};

struct load_user {
    struct ahoy_ua *ua;
    struct ahoy_due due; /* When that is to be woken. */
    struct load_call *calls;
    uint64_t register_us; /* When the REGISTER that is under way was sent; 0 for none. */
    char uri[PHONE_TEXT_LIMIT];
};

struct load {
    const struct phone_options *options;
    struct load_wire *wire;
    struct load_tally tally;
    uint64_t begun_ms;
    struct ahoy_heap users_due, calls_due;
    size_t user_count;
    struct load_user *users;
    uint32_t user_sessions; /* At once, of one user. */
    struct load_pace calls, registers;
    uint64_t calling;                      /* INVITEs of ours that are unanswered. */
    uint64_t registering, registers_begun; /* Unanswered ones; all. */
    uint64_t step_end_us;                  /* When the step that began last is over. */
    uint64_t look_us; /* So long after the last turn it is worth to look whether anybody answers. */
    uint64_t now_us;  /* At the beginning of what is being done. */
    uint64_t heard_us; /* When the message at hand came. */
    bool is_leaving;   /* Nothing new is begun. */
};

/* What is done from now on is done now: the time is asked once a call and event. */
void load_look_at_clock(struct load *load);
/* The same in milliseconds. */
uint64_t load_now(const struct load *load);

/* load_users.c: all user agents; false, said, where memory is refused. */
bool load_users_open(struct load *load);
void load_users_close(struct load *load);
/* Writes |number| where |text| has room for it. */
void load_put_number(char *text, const struct phone_numbers *numbers, size_t number);
/* An event of the stack, for whom it may concern. */
void load_users_step(struct load *load, const struct ahoy_event *event);
/* Those whose time has come. */
void load_users_expire(struct load *load, uint64_t now_ms);
/* After whatever was asked of |user|: takes its news, and knows when it is to be woken. */
void load_user_settle(struct load *load, struct load_user *user);

/* load_calls.c: one more call of |user|, or REGISTER, where none of his is unanswered. */
void load_call_begin(struct load *load, struct load_user *user);
void load_register_begin(struct load *load, struct load_user *user);
/* What |user| has to tell. */
void load_take_news(struct load *load, struct load_user *user, const struct ahoy_ua_news *news);
/* What an event says of a BYE of ours, which is no news. */
void load_take_bye(struct load *load, struct load_user *user, const struct ahoy_event *event);
/* The calls whose time has come. */
void load_calls_expire(struct load *load, uint64_t now_ms);
/* Ends all calls. */
void load_calls_leave(struct load *load);
