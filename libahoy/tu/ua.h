/* A user agent for one account: its registration, its sessions, and what comes to it from outside
 * of them (RFC 3261 8.2).
 *
 * The owner's turn: ahoy_ua_step for each event of the stack and ahoy_ua_expire when the deadline
 * has come; then ahoy_ua_poll until there is no news.  Calls down to the stack are made at once, so
 * the stack is polled afterwards, as after every step. */
#pragma once

#include "libahoy/tu/publication.h"
#include "libahoy/tu/registrations.h"
#include "libahoy/tu/subscription.h"
#include "libahoy/tu/ua_context.h"

enum {
    AHOY_UA_SESSIONS_LIMIT = 16,        /* Unless the program says otherwise ... */
    AHOY_UA_MOST_SESSIONS_LIMIT = 65536 /* ... and at most. */
};

/* A further registrar and outbound proxy. */
struct ahoy_ua_server {
    struct ahoy_hop hop;
    struct span route; /* It as a value of Route: "<sip:192.0.2.1;lr>"; empty for none. */
};

/* Copied; what spans and pointers name outlives the user agent. */
struct ahoy_ua_options {
    struct ahoy_transactions *transactions;
    struct ahoy_account account;
    struct ahoy_hop server; /* The registrar and outbound proxy. */
    struct span route;      /* It as a value of Route; empty for none. */
    /* Further ones, that we register through too (RFC 5626 4.2.1). */
    const struct ahoy_ua_server *more_servers;
    size_t more_count;
    ahoy_ua_locate *locate; /* Where in-dialog requests go; the server where it returns false. */
    uint32_t t1_ms, t2_ms;  /* The stack's clocks: 500 and 4,000. */
    unsigned codecs;        /* As ahoy_sdp_local has them. */
    bool is_busy;           /* The program refuses every call by 486, as OPTIONS are told. */
    uint32_t session_s;     /* How long sessions last that nobody refreshes (RFC 4028): 90 at least,
                             * 1,800 is usual; 0: we do not ask for a limit. */
    bool takes_transfers;   /* TRANSFER_ASKED where a peer asks; else he is declined. */
    bool takes_referrals;   /* The same of who is in no call with us (REFER outside of dialogs). */
    bool takes_replacers;   /* Who names both tags of a call may take it over (RFC 3891); else only
                             * in the name of whom we talk to. */
    uint32_t sessions;      /* How many at once, and as many remnants of calls of ours that are
                             * over; 0 for AHOY_UA_SESSIONS_LIMIT. */
    uint16_t number;        /* Of several on one stack: ahoy_ua_number. */
    uint64_t seed[2];
};

struct ahoy_ua;

/* Of several user agents on one stack, the number of that which the event of a transaction is for.
 * Requests and ACKs, which have none yet, are for who is named by their Request-URI. */
static inline uint16_t ahoy_ua_number(const struct ahoy_event *event)
{
    return (uint16_t)(event->user >> AHOY_UA_NUMBER_SHIFT);
}
/* The session that it is for; one without a generation where it is for none. */
static inline struct ahoy_handle ahoy_ua_session(const struct ahoy_event *event)
{
    return ahoy_handle_unpack(event->user & ~(UINT64_C(0xffff) << AHOY_UA_NUMBER_SHIFT));
}

/* NULL where memory is refused, the account is no SIP URI or a text of it is too long. */
struct ahoy_ua *ahoy_ua_new(const struct ahoy_ua_options *options);
void ahoy_ua_free(struct ahoy_ua *ua);

/* What an event of the stack means for this account. */
void ahoy_ua_step(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms);
/* What is due at |now_ms|; nothing happens before the deadline. */
void ahoy_ua_expire(struct ahoy_ua *ua, uint64_t now_ms);
/* UINT64_MAX for never. */
uint64_t ahoy_ua_deadline(const struct ahoy_ua *ua);
/* The next of the news: |news| is filled in, or there is none and it returns false. */
bool ahoy_ua_poll(struct ahoy_ua *ua, struct ahoy_ua_news *news);

/* REGISTERED or REGISTRATION_FAILED follows for each server; a registration that stands is
 * refreshed. */
void ahoy_ua_register(struct ahoy_ua *ua, uint32_t expires_s, uint64_t now_ms);
/* UNREGISTERED or REGISTRATION_FAILED follows for each. */
void ahoy_ua_unregister(struct ahoy_ua *ua, uint64_t now_ms);

/* The flow of the registration |index|, below AHOY_UA_SERVERS_LIMIT: to be kept alive at least each
 * |keep_ms| by whoever owns the stack (RFC 5626 4.4).  False where there is none to be. */
bool ahoy_ua_flow(const struct ahoy_ua *ua, size_t index, struct ahoy_hop *flow, uint32_t *keep_ms);
/* A keep-alive of it was answered; it has failed, so that it is registered anew. */
void ahoy_ua_flow_answered(struct ahoy_ua *ua, size_t index);
void ahoy_ua_flow_failed(struct ahoy_ua *ua, size_t index, uint64_t now_ms);

/* Watches |uri|, one at a time: for |expires_s| seconds, renewed until it is unwatched, or once
 * where they are 0.  False where |uri| is none of sip, or somebody is watched already; else
 * NOTIFIED for each NOTIFY, and WATCH_ENDED at last. */
bool ahoy_ua_watch(struct ahoy_ua *ua, const struct ahoy_event_package *package, struct span uri,
                   uint32_t expires_s, uint64_t now_ms);
/* WATCH_ENDED follows. */
void ahoy_ua_unwatch(struct ahoy_ua *ua, uint64_t now_ms);
/* What came with the news that were polled last, until the next are: what a NOTIFY told, the text
 * of a MESSAGE, a response, as they came.  Bytes of strangers. */
struct span ahoy_ua_notice(const struct ahoy_ua *ua);

/* A request that makes no session: OPTIONS, MESSAGE, INFO. */
struct ahoy_ua_question {
    enum ahoy_method method;
    struct ahoy_handle session; /* Within this call; or null, and outside of calls ... */
    struct span uri;            /* ... it is for him; INFO is not. */
    struct span rows;           /* Further ones, each with its CRLF. */
    struct span type, body;     /* A body that is empty has no type. */
};

/* Sends it; REPLY follows, with 513 where it is a MESSAGE that is too long (RFC 3428 8), 408 where
 * nobody answers, 503 where it cannot be sent.  Null, and nothing follows, where |uri| is none of
 * sip or has headers, the call is not answered, too many are unanswered, or a MESSAGE to the same
 * place is. */
struct ahoy_handle ahoy_ua_ask(struct ahoy_ua *ua, const struct ahoy_ua_question *question,
                               uint64_t now_ms);

/* Publishes a state of ours (RFC 3903) for |expires_s| seconds, and keeps it there; or what it is
 * now, in place of what it was.  False where a limit refuses.  PUBLISHED follows, or PUBLISH_ENDED.
 */
bool ahoy_ua_publish(struct ahoy_ua *ua, const struct ahoy_published *state, uint32_t expires_s,
                     uint64_t now_ms);
/* PUBLISH_ENDED follows where something is published. */
void ahoy_ua_unpublish(struct ahoy_ua *ua, uint64_t now_ms);

/* How the sound of the next call is secured that is placed, answered or moved, which takes it. */
void ahoy_ua_secure(struct ahoy_ua *ua, const struct ahoy_sdp_security *security);
/* Calls |uri|, with |media| as where our RTP is to be sent to.  Null where |uri| is no sip URI or
 * asks for more than a call (another method, headers), or a limit refuses, and nothing follows;
 * else ANSWERED or not, and REFUSED or ENDED at last. */
struct ahoy_handle ahoy_ua_call(struct ahoy_ua *ua, struct span uri, const struct ahoy_ip *media,
                                uint64_t now_ms);
/* For a session that is INCOMING; on any other, or a stale handle, nothing happens. */
void ahoy_ua_ring(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms);
/* Early media: 183 with our description, which the caller can count on where it knows RFC 3262;
 * EARLY follows then.  REFUSED follows where there is nothing to agree on. */
void ahoy_ua_progress(struct ahoy_ua *ua, struct ahoy_handle session, const struct ahoy_ip *media,
                      uint64_t now_ms);
void ahoy_ua_answer(struct ahoy_ua *ua, struct ahoy_handle session, const struct ahoy_ip *media,
                    uint64_t now_ms);
void ahoy_ua_reject(struct ahoy_ua *ua, struct ahoy_handle session, unsigned status,
                    uint64_t now_ms);
/* Change a session: hold the peer, who then hears us but is not heard; hear him again; have our RTP
 * sent to |media|.  CHANGED or CHANGE_REFUSED follows where the session was otherwise, as soon as
 * RFC 3261 14.1 lets us ask.  What was refused is wished no more. */
void ahoy_ua_hold(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms);
void ahoy_ua_resume(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms);
void ahoy_ua_move(struct ahoy_ua *ua, struct ahoy_handle session, const struct ahoy_ip *media,
                  uint64_t now_ms);
/* Checks of ICE have settled on a pair in a session: what we offer and answer from now on says so
 * alone.  One that follows is sent at once where we control a peer who has to be told (RFC 8839
 * 4.3.4); CHANGED or CHANGE_REFUSED follows then.  Other words of ICE, by ahoy_ua_secure and
 * ahoy_ua_move, are a restart. */
void ahoy_ua_settled(struct ahoy_ua *ua, struct ahoy_handle session,
                     const struct ahoy_sdp_settled *settled, uint64_t now_ms);
/* Asks the peer to call |uri| in our place (RFC 5589 6): TRANSFER_ENDED follows, and the session is
 * still there.  False where the session is not answered, another transfer of ours goes on in it,
 * |uri| asks for more than a call, or something refuses. */
bool ahoy_ua_transfer(struct ahoy_ua *ua, struct ahoy_handle session, struct span uri,
                      uint64_t now_ms);
/* Asks him to take our place in the session |other| (RFC 5589 7), whose peer ends it then. */
bool ahoy_ua_transfer_to(struct ahoy_ua *ua, struct ahoy_handle session, struct ahoy_handle other,
                         uint64_t now_ms);
/* Asks |phone|, outside of calls, to call |uri| (RFC 3515).  TRANSFER_ACCEPTED and _PROGRESS, and
 * TRANSFER_ENDED at last, follow for the session that is returned, which is no call.  Null, and
 * nothing follows, where a URI is no sip URI or asks for more than a call, or a limit refuses. */
struct ahoy_handle ahoy_ua_refer(struct ahoy_ua *ua, struct span phone, struct span uri,
                                 uint64_t now_ms);
/* After TRANSFER_ASKED, the program's consent: calls as the peer of |session| wishes, who is told
 * of it.  Null as from ahoy_ua_call. */
struct ahoy_handle ahoy_ua_accept_transfer(struct ahoy_ua *ua, struct ahoy_handle session,
                                           const struct ahoy_ip *media, uint64_t now_ms);
void ahoy_ua_refuse_transfer(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms);
/* Ends a session in any state. */
void ahoy_ua_hangup(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms);

/* Sessions that are not over or whose BYE is unanswered, other requests of ours that are, and one
 * more for who is still to be unwatched: a program waits for 0 before it leaves. */
uint32_t ahoy_ua_busy(const struct ahoy_ua *ua);
/* Sessions whose transactions have not all ended, and what is left of calls of ours. */
uint32_t ahoy_ua_sessions(const struct ahoy_ua *ua);
