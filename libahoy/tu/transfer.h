/* Transfer: what a session's peer asks of us, or we of him, by REFER (RFC 3515), and what is told
 * of it in the subscription that this makes within the session's dialog (RFC 6665 4.5.2); and an
 * INVITE that takes the place of a session (RFC 3891).
 *
 * A REFER outside of calls makes a dialog of its own.  A session that is over from the beginning
 * holds it, and is done when there is nothing more to tell. */
#pragma once

#include "libahoy/tu/session.h"

enum {
    AHOY_REFER_TEXT_LIMIT = 4096, /* Bytes of the rows that a transfer adds to a request. */
    AHOY_REFER_LASTS_S = 600,     /* What is told of one, unless its subscriber wants more. */
    AHOY_REFER_MOST_S = 3600
};

/* Ours: session_refer.c.  What follows is told by AHOY_NEWS_TRANSFER_ACCEPTED, _PROGRESS and at
 * last _ENDED. */
struct ahoy_refer {
    struct ahoy_handle client; /* The REFER; null once it is over. */
    uint32_t cseq;             /* Of it, which names its NOTIFYs (2.4.6). */
    bool is_told;              /* A NOTIFY has come. */
    bool is_outside;           /* Of calls: the first NOTIFY makes the dialog (RFC 6665 4.4.1). */
    uint64_t end_ms;           /* Nothing more is expected then. */
    struct ahoy_credentials credentials;
    size_t rows_size;
    char rows[AHOY_REFER_TEXT_LIMIT]; /* Refer-To and Referred-By. */
};

/* Asks the peer to call |uri|, which replaces |replaced| there where that is not NULL.  False where
 * the session is not answered, a transfer of ours goes on, or something refuses. */
bool ahoy_refer(struct ahoy_session *session, struct ahoy_ua_context *context, struct span uri,
                const struct ahoy_dialog *replaced, uint64_t now_ms);
/* The same of |phone|, outside of calls, by a session that was just made. */
bool ahoy_refer_outside(struct ahoy_session *session, struct ahoy_ua_context *context,
                        struct span phone, struct span uri, uint64_t now_ms);
/* Whether |session| is one of ours outside of calls that has no dialog yet, and |routing| that of a
 * request which makes it. */
bool ahoy_refer_is_begun_by(const struct ahoy_session *session, const struct ahoy_routing *routing);
/* Whether |message| belongs to what REFER subscribes to. */
bool ahoy_refer_is_event(const struct ahoy_message *message);
/* Whether its Event names the transfer |id|. */
bool ahoy_refer_is_id(const struct ahoy_message *message, uint32_t id);
/* By which URI the peer of |dialog| is to be called by others: his own, where it is a GRUU, which
 * leads to that phone from everywhere, else his address-of-record (RFC 5589 7.3). */
struct span ahoy_refer_uri_of(const struct ahoy_dialog *dialog);
/* A NOTIFY of that, or the answer to our REFER. */
void ahoy_refer_notified(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms);
void ahoy_refer_answered(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_message *response, uint64_t now_ms);
/* It will not be heard of any more: |status| says why. */
void ahoy_refer_end(struct ahoy_session *session, struct ahoy_ua_context *context, unsigned status,
                    struct span reason);

/* The peer's: session_referred.c.  AHOY_NEWS_TRANSFER_ASKED asks whether it is to be. */
struct ahoy_referred {
    uint32_t id;               /* Of Event; 0 for none. */
    unsigned status;           /* Of what was asked for, so far. */
    bool has_begun;            /* The program has agreed. */
    bool has_news, told_end;   /* Of NOTIFYs: one is to be sent; the last one was. */
    struct ahoy_handle notify; /* Under way; else null. */
    uint64_t end_ms;
    struct ahoy_credentials credentials;
    size_t target_size, rows_size;
    char target[AHOY_TARGET_LIMIT];   /* Whom to call, ... */
    char rows[AHOY_REFER_TEXT_LIMIT]; /* ... with these: Replaces and Referred-By. */
};

/* A REFER outside of calls, which is answered; false where that refused it, and |session|, which
 * was just made, is of no use. */
bool ahoy_referred_outside(struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms);
/* A REFER, or a SUBSCRIBE to what follows from one: answered. */
void ahoy_referred_asked(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms);
void ahoy_referred_subscribed(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event, uint64_t now_ms);
/* The answer of the call that was asked for, |status|, is told to who has asked. */
void ahoy_referred_tell(struct ahoy_session *session, struct ahoy_ua_context *context,
                        unsigned status, uint64_t now_ms);
/* Its time is over: he is told so. */
void ahoy_referred_expire(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms);
/* The answer to our NOTIFY, or |status| in place of one. */
void ahoy_referred_told(struct ahoy_session *session, struct ahoy_ua_context *context,
                        unsigned status, const struct ahoy_message *response, uint64_t now_ms);

/* For session.c: what of a session is theirs. */
/* A response; false where it is none of theirs. */
bool ahoy_transfer_response(struct ahoy_session *session, struct ahoy_ua_context *context,
                            const struct ahoy_event *event, uint64_t now_ms);
void ahoy_transfer_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, unsigned status, uint64_t now_ms);
void ahoy_transfer_expire(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms);
/* |transaction| is over. */
void ahoy_transfer_forget(struct ahoy_session *session, struct ahoy_handle transaction);
uint64_t ahoy_transfer_deadline(const struct ahoy_session *session);
bool ahoy_transfer_goes_on(const struct ahoy_session *session);

/* An INVITE that came in: 0, and |replaced| is the session that it is to take the place of, null
 * for none; or the status that refuses it.  |by_anybody|: who can name a dialog may have it. */
unsigned ahoy_session_find_replaced(const struct ahoy_pool *sessions,
                                    const struct ahoy_event *invite, bool by_anybody,
                                    struct ahoy_handle *replaced);
