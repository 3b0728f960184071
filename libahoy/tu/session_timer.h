/* How long a session lasts if nobody refreshes it, and who does (RFC 4028): terms are asked for by
 * INVITE and UPDATE, granted by their 2xx, and hold until the next of these. */
#pragma once

#include "libahoy/tu/ua_context.h"

enum {
    AHOY_SESSION_LEAST_S = 90,    /* R4028-5-1, R4028-9-2 */
    AHOY_SESSION_RAISES_LIMIT = 4 /* Of 422s that are obeyed. */
};

enum ahoy_refresher { AHOY_REFRESHER_OPEN, AHOY_REFRESHER_UAC, AHOY_REFRESHER_UAS };

/* What a message says of it. */
struct ahoy_session_terms {
    bool is_known; /* The sender knows RFC 4028. */
    enum ahoy_refresher refresher;
    uint32_t interval_s; /* 0: for ever. */
    uint32_t least_s;    /* Min-SE; 0 without. */
};

struct ahoy_session_timer {
    uint32_t interval_s;         /* In force; 0 for none. */
    bool is_ours;                /* We refresh. */
    bool is_due;                 /* A re-INVITE is to do that, as soon as it may. */
    uint64_t refresh_ms, end_ms; /* When to refresh, and to give up; UINT64_MAX for never. */
    uint32_t least_s;            /* The largest Min-SE that was heard; 0 for none. */
    unsigned raises;
    struct ahoy_handle update;            /* The UPDATE that refreshes; else null, ... */
    struct ahoy_credentials *credentials; /* ... and what it is sent with. */
    struct ahoy_session_terms asked;      /* By the peer's INVITE that is to be answered. */
};

void ahoy_session_timer_init(struct ahoy_session_timer *timer);
/* What cannot be read is not there. */
void ahoy_session_terms_read(const struct ahoy_message *message, struct ahoy_session_terms *terms);
/* 422, and |rows| get Min-SE, where |request| asks for less than we take; else 0. */
unsigned ahoy_session_timer_refuses(const struct ahoy_message *request, struct ahoy_buf *rows);
/* What we grant of what the peer has |asked| for; |wanted_s| is our own wish, 0 for none (RFC 4028
 * 9, table 2). */
struct ahoy_session_terms ahoy_session_timer_grant(const struct ahoy_session_timer *timer,
                                                   const struct ahoy_session_terms *asked,
                                                   uint32_t wanted_s);
/* Adds that to a 2xx. */
void ahoy_session_terms_put(const struct ahoy_session_terms *granted, struct ahoy_buf *rows);
/* It is sent: so it is from |now_ms| on. */
void ahoy_session_timer_granted(struct ahoy_session_timer *timer,
                                const struct ahoy_session_terms *granted, uint64_t now_ms);
/* Adds what our INVITE or UPDATE asks for, with |wanted_s| where nothing is in force (7.1, 7.4). */
void ahoy_session_timer_put(const struct ahoy_session_timer *timer, uint32_t wanted_s,
                            struct ahoy_buf *rows);
/* The 2xx to it (7.2). */
void ahoy_session_timer_take(struct ahoy_session_timer *timer, const struct ahoy_message *response,
                             uint32_t wanted_s, uint64_t now_ms);
/* Whether it is to be sent again with a longer interval, as a 422 asks for (7.3). */
bool ahoy_session_timer_raise(struct ahoy_session_timer *timer, const struct ahoy_message *response,
                              uint32_t wanted_s);
/* A refresh has failed: it is tried again in half of the time that is left (10). */
void ahoy_session_timer_failed(struct ahoy_session_timer *timer, uint64_t now_ms);
/* There is no session any more. */
void ahoy_session_timer_stop(struct ahoy_session_timer *timer);
