/* A session that INVITE sets up (RFC 3261 13, 14, 15), on the caller's and the callee's side. */
#pragma once

#include "libahoy/base/heap.h"
#include "libahoy/tu/forks.h"
#include "libahoy/tu/session_timer.h"

enum ahoy_session_state {
    AHOY_SESSION_CALLING = 1, /* Our INVITE has no final response yet. */
    AHOY_SESSION_CANCELLING,  /* The same, and it is to end: a CANCEL is on its way. */
    AHOY_SESSION_INCOMING,    /* The peer's INVITE has no final response yet. */
    AHOY_SESSION_CONFIRMED,   /* A 2xx was sent or has come. */
    AHOY_SESSION_OVER         /* Ended; its transactions may not be. */
};

enum {
    AHOY_SESSION_RING_AGAIN_MS = 60000,          /* R3261-13.3.1.1-2 */
    AHOY_SESSION_RING_AGAIN_RELIABLY_MS = 150000 /* RFC 3262 3 */
};
/* Bytes of a description of ours that a session has room for by itself. */
enum { AHOY_SESSION_DESCRIBED_ROOM = 256 };
enum {
    AHOY_SESSION_TARGETS_LIMIT = 8,
    AHOY_SESSION_TARGETS_TEXT_LIMIT = 8192 /* Bytes of them together. */
};

/* What is sent until it is confirmed: our 2xx to an INVITE until its ACK comes (13.3.1.4), a
 * reliable provisional response until its PRACK (RFC 3262 3). */
struct ahoy_session_answer {
    char *bytes; /* From the allocator; NULL while none is outstanding. */
    size_t size;
    uint32_t cseq;
    uint32_t interval_ms;
    uint64_t again_ms, give_up_ms;
};

/* Our provisional responses that are confirmed by PRACK. */
struct ahoy_session_reliable {
    bool is_possible, is_required;     /* The INVITE's Supported, its Require, names 100rel. */
    struct ahoy_session_answer answer; /* The one that is sent. */
    unsigned status;
    uint32_t rseq;   /* Of the last one; 0 before. */
    bool is_awaited; /* Its PRACK has not come, though it may not be sent any more. */
    bool has_description;
    unsigned next; /* What is to follow it; 0 for nothing. */
    bool next_describes;
    bool pick_up; /* The 2xx is to follow. */
};

/* A change of ours to the session: a re-INVITE (14.1) or an UPDATE (RFC 3311) until its final
 * response. */
struct ahoy_session_change {
    struct ahoy_handle client; /* Null while none is under way. */
    enum ahoy_method method;
    struct ahoy_dialog *dialog; /* In which; NULL once that is forgotten. */
    uint32_t cseq;
    uint64_t again_ms; /* When it is tried again after a 491; UINT64_MAX for no such wait. */
    bool is_refresh;   /* It changes nothing (RFC 4028 10). */
    struct ahoy_credentials *credentials; /* NULL until there are some. */
};

struct ahoy_session {
    enum ahoy_session_state state;
    bool is_caller;
    bool hang_up; /* As soon as that is allowed. */
    bool told_ringing;
    bool is_sips;        /* What the peer's INVITE asks of our Contact. */
    bool is_secured;     /* Its sound is, or was, to be: there may be keys in it. */
    bool bye_unanswered; /* Our BYE has no final response yet. */
    struct ahoy_handle self;
    bool is_noted;             /* The user agent finds it by ... */
    uint64_t call_hash;        /* ... this. */
    struct ahoy_due due;       /* The user agent's: when it is woken. */
    struct ahoy_handle client; /* Our INVITE; null where there is none under way. */
    struct ahoy_handle server; /* The peer's INVITE that is not acknowledged yet; else null. */
    struct ahoy_handle bye;
    unsigned transactions; /* That will still report their end. */
    uint64_t ring_ms;      /* When |ring_status| is to be sent again; UINT64_MAX for never. */
    unsigned ring_status;
    unsigned owed;        /* The failure that the peer's INVITE could not be sent; 0 for none. */
    uint64_t owed_ms;     /* When that is tried again. */
    uint32_t invite_cseq; /* Of our INVITE, which its ACK repeats. */
    unsigned heard;       /* Of our INVITE: the last status that was told; 0 for none. */
    struct ahoy_forks forks;
    uint32_t server_cseq; /* Of the peer's INVITE. */
    char *head;           /* A 100 to it, from which its answers are made. */
    size_t head_size;
    char *offer; /* Its body, where it had one. */
    size_t offer_size;
    struct ahoy_session_answer answer;
    struct ahoy_session_reliable reliable;
    struct ahoy_session_change change;
    struct ahoy_session_timer timer;
    struct ahoy_refer *refer;       /* Our REFER (transfer.h); NULL for none. */
    struct ahoy_referred *referred; /* The peer's; NULL for none. */
    bool was_referred;              /* There was one. */
    struct ahoy_handle referrer;    /* The session by which this call was asked for; or null. */
    struct ahoy_handle replaced;    /* That this one takes the place of once it is answered. */
    char *extra;                    /* Further rows of our INVITE; NULL for none. */
    size_t extra_size;
    char *described;                /* The last description that we gave, in the room below or from
                                     * the allocator; NULL before. */
    size_t described_size, described_media;
    struct ahoy_credentials *credentials; /* Of our INVITE, which its ACK repeats; NULL until ... */
    struct ahoy_credentials *bye_credentials; /* ... there are some. */
    struct ahoy_session_targets *targets;     /* Where the call was sent to; NULL before a 3xx. */
    unsigned early_count;
    struct ahoy_dialog *early[AHOY_SESSION_FORKS_LIMIT]; /* The caller's early dialogs. */
    char local_tag[AHOY_TOKEN_SIZE];
    struct ahoy_dialog dialog; /* The caller's is what it calls by, until there is a 2xx. */

    /* Not zeroed, as the room of the dialog is not: ahoy_sdp_local_init. */
    struct ahoy_sdp_local local;    /* What we would have. */
    struct ahoy_sdp_local in_force; /* What the peer has agreed to, or must. */
    struct ahoy_sdp_local offered;  /* By the change that is under way, or was last. */
    char described_room[AHOY_SESSION_DESCRIBED_ROOM];
};

/* The caller: sends INVITE for |uri|.  False where something refuses. */
bool ahoy_session_call(struct ahoy_session *session, struct ahoy_ua_context *context,
                       struct span uri, uint64_t now_ms);
/* The callee: takes over an INVITE outside of dialogs, or refuses it and returns false. */
bool ahoy_session_invited(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms);
/* Sends |status|, 101 to 199, and again from time to time, with our description where |describes|:
 * early media.  It is sent reliably where the caller requires it, or where it describes and the
 * caller can.  Where nothing can be agreed on, sends 488 and ends. */
void ahoy_session_progress(struct ahoy_session *session, struct ahoy_ua_context *context,
                           unsigned status, bool describes, uint64_t now_ms);
/* Sends 200 with our answer to the peer's offer, or with an offer of ours.  Where there is nothing
 * to agree on, sends 488 and ends. */
void ahoy_session_pick_up(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms);
/* Refuses the peer's INVITE. */
void ahoy_session_reject(struct ahoy_session *session, struct ahoy_ua_context *context,
                         unsigned status, uint64_t now_ms);
/* Ends it whatever its state: CANCEL, 480, or BYE once that is allowed (R3261-15-3). */
void ahoy_session_hang_up(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms);
/* Changes the session to what |local| asks for, as soon as that is allowed: to be called when it
 * has changed, and whenever something has happened.  When the session is over, a change that is
 * under way is cancelled. */
void ahoy_session_pursue(struct ahoy_session *session, struct ahoy_ua_context *context,
                         uint64_t now_ms);

/* Events of its transactions, CANCEL included. */
void ahoy_session_step(struct ahoy_session *session, struct ahoy_ua_context *context,
                       const struct ahoy_event *event, uint64_t now_ms);
/* The dialog that a request belongs to, early ones among them; NULL for none. */
struct ahoy_dialog *ahoy_session_find(struct ahoy_session *session,
                                      const struct ahoy_routing *routing);
/* A REQUEST or ACK event within it. */
void ahoy_session_request(struct ahoy_session *session, struct ahoy_ua_context *context,
                          struct ahoy_dialog *dialog, const struct ahoy_event *event,
                          uint64_t now_ms);
void ahoy_session_expire(struct ahoy_session *session, struct ahoy_ua_context *context,
                         uint64_t now_ms);
/* UINT64_MAX for never. */
uint64_t ahoy_session_deadline(const struct ahoy_session *session);

/* Whether the peer still has to hear from us: it is not over, or our BYE is unanswered. */
bool ahoy_session_is_busy(const struct ahoy_session *session);
/* Whether it is over and nothing more will be heard of it. */
bool ahoy_session_is_done(const struct ahoy_session *session);
/* Whether it is over, and nothing more will be heard of it but 2xx to our INVITE: remnants.h. */
bool ahoy_session_is_spent(const struct ahoy_session *session);
/* Frees what it holds. */
void ahoy_session_fini(struct ahoy_session *session, struct ahoy_ua_context *context);

/* For the files of this folder that make up a session. */

/* As ahoy_ua_retry, with credentials from the allocator: most requests need none. */
bool ahoy_session_retry(struct ahoy_ua_context *context, struct ahoy_credentials **credentials,
                        const struct ahoy_dialog *dialog, const struct ahoy_message *response,
                        enum ahoy_method method, struct span body);
void ahoy_session_forget(struct ahoy_credentials **credentials);
/* Puts a copy of |text| in the place of *bytes; false where memory is refused. */
bool ahoy_session_keep(char **bytes, size_t *size, struct span text);
/* Frees them, and leaves nothing of what may be keys. */
void ahoy_session_wipe(char *bytes, size_t size);
/* What the peer is told goes by |hop|, or has come by it: where others may read along there, keys
 * are told no more. */
void ahoy_session_goes_by(struct ahoy_session *session, const struct ahoy_hop *hop);
/* Our description, in the context's room until the next: an offer where |offer| is NULL, else the
 * answer to it.  Empty where |status| says why there is none: 400 for an offer that cannot be read,
 * 488 where there is nothing to agree on, or where what is or must be secured would not be; 500. */
struct span ahoy_session_describe(struct ahoy_session *session, struct ahoy_ua_context *context,
                                  const struct span *offer, struct ahoy_sdp_agreed *agreed,
                                  unsigned *status);
/* What we described last is of no use any more, and may have been keys. */
void ahoy_session_forget_described(struct ahoy_session *session);
/* What is to be described next as to ICE: other words in a restart, and what was settled on.  For
 * an answer, the context has the offer. */
void ahoy_session_mind_ice(struct ahoy_session *session, struct ahoy_ua_context *context,
                           bool is_answer);
/* Checks have settled on |settled|: what is described next says so.  Where the peer has to be told
 * (RFC 8839 4.3.4), that is a change to be pursued. */
void ahoy_session_settled(struct ahoy_session *session, const struct ahoy_sdp_settled *settled);
/* A change of ours was refused: what checks have settled on does not depend on it. */
void ahoy_session_stay_settled(struct ahoy_session *session);
/* The answer to what |offered| says of us; |dialog| then has what was agreed.  False where there is
 * none that takes anything. */
bool ahoy_session_read_answer(struct ahoy_dialog *dialog, struct ahoy_ua_context *context,
                              const struct ahoy_message *message,
                              const struct ahoy_sdp_local *offered);
/* What |agreed| says holds in |dialog| from now on, and what the peer, whose description was read
 * last, says of ICE. */
void ahoy_session_agree(struct ahoy_dialog *dialog, const struct ahoy_ua_context *context,
                        const struct ahoy_sdp_agreed *agreed);
/* Tells the program, with what was agreed in |dialog|. */
void ahoy_session_tell(const struct ahoy_session *session, struct ahoy_ua_context *context,
                       enum ahoy_ua_news_kind kind, const struct ahoy_dialog *dialog);
/* The transactions that go on in |dialog|, as a set of ahoy_ongoing. */
unsigned ahoy_session_ongoing(const struct ahoy_session *session, const struct ahoy_dialog *dialog);
/* The peer's INVITE, which was kept, has an offer, or asks for one. */
void ahoy_session_take_offer(struct ahoy_session *session);
/* What the next reliable response to it says: the answer, an offer, or nothing where that has been
 * said.  Else |status| says why there is no more; 0 without. */
struct span ahoy_session_body(struct ahoy_session *session, struct ahoy_ua_context *context,
                              unsigned *status);
/* A response to it, in the context's room; empty where it is too large.  Reliable with |rseq|, if
 * that is not 0. */
struct span ahoy_session_compose(const struct ahoy_session *session,
                                 struct ahoy_ua_context *context, unsigned status, uint32_t rseq,
                                 struct span body);
/* Keeps |text| to be sent until it is confirmed, for the first time soon.  False where memory is
 * refused. */
bool ahoy_session_repeat(struct ahoy_session_answer *answer, const struct ahoy_ua_context *context,
                         struct span text, uint32_t cseq, uint64_t now_ms);
/* The PRACK to our provisional response, or to none. */
void ahoy_session_prack(struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_event *event, uint64_t now_ms);

/* Nothing more is to be heard of |transaction|, one of the session's or null, which it becomes. */
void ahoy_session_leave(struct ahoy_session *session, struct ahoy_ua_context *context,
                        struct ahoy_handle *transaction);
/* Sends our INVITE, as session->dialog has it. */
bool ahoy_session_send_invite(struct ahoy_session *session, struct ahoy_ua_context *context,
                              uint64_t now_ms);
/* Our INVITE has failed by |status|, that of |response| where there is one: whether it is sent
 * elsewhere, to a contact of a 3xx. */
bool ahoy_session_redirect(struct ahoy_session *session, struct ahoy_ua_context *context,
                           unsigned status, const struct ahoy_message *response, uint64_t now_ms);
/* The early dialog with the peer's |tag|; NULL for none. */
struct ahoy_dialog *ahoy_session_early(const struct ahoy_session *session, struct span tag);
/* A provisional response but 100 to our INVITE begins an early dialog, and is confirmed if it asks
 * for that.  False where it is to be passed over. */
bool ahoy_session_provisional(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event, uint64_t now_ms);
/* The same of a response to our INVITE within |dialog|. */
bool ahoy_session_confirm(struct ahoy_session *session, struct ahoy_ua_context *context,
                          struct ahoy_dialog *dialog, const struct ahoy_event *event,
                          uint64_t now_ms);
/* The first 2xx, which session->dialog was made from, has confirmed its early dialog. */
void ahoy_session_leave_early(struct ahoy_session *session, struct ahoy_ua_context *context);
void ahoy_session_forget_early(struct ahoy_session *session, struct ahoy_ua_context *context);
/* Our PRACK |transaction| was answered, or is over. */
void ahoy_session_pracked(struct ahoy_session *session, struct ahoy_handle transaction);
/* A response to our re-INVITE or UPDATE, or |status| in place of one. */
void ahoy_session_changed(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms);
void ahoy_session_change_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                                unsigned status, struct span reason, uint64_t now_ms);
/* Refreshes the session, or ends one that nobody has refreshed, where it is time. */
void ahoy_session_refresh(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms);
/* The answer to our UPDATE that refreshes, or |status| in place of one. */
void ahoy_session_refreshed(struct ahoy_session *session, struct ahoy_ua_context *context,
                            const struct ahoy_message *response, uint64_t now_ms);
void ahoy_session_refresh_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                                 unsigned status, struct span reason, uint64_t now_ms);
/* ACK to a 2xx whose CSeq is |cseq|, made anew for each one that comes. */
void ahoy_session_send_ack(const struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_dialog *dialog, uint32_t cseq, uint64_t now_ms);
/* Tells the program that it is over; afterwards only its transactions go on. */
void ahoy_session_end(struct ahoy_session *session, struct ahoy_ua_context *context,
                      enum ahoy_side by, struct span reason);
void ahoy_session_refused(struct ahoy_session *session, struct ahoy_ua_context *context,
                          unsigned status, struct span reason);
/* Sends our BYE, with |bye_credentials|. */
void ahoy_session_send_bye(struct ahoy_session *session, struct ahoy_ua_context *context,
                           uint64_t now_ms);
/* Sends BYE and ends. */
void ahoy_session_bye(struct ahoy_session *session, struct ahoy_ua_context *context,
                      enum ahoy_side by, struct span reason, uint64_t now_ms);
/* A response to our INVITE or BYE. */
void ahoy_session_response(struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms);
/* The peer's INVITE at hand: keeps what its answers are made from.  False where memory or a limit
 * refuses. */
bool ahoy_session_keep_invite(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event);
/* Sends |status| to the peer's INVITE.  A failure that cannot be sent now is sent later. */
bool ahoy_session_respond(struct ahoy_session *session, struct ahoy_ua_context *context,
                          unsigned status, struct span body, uint64_t now_ms);
/* Sends 200 to it, and again until the ACK.  Returns 0, or the status that refuses it. */
unsigned ahoy_session_accept(struct ahoy_session *session, struct ahoy_ua_context *context,
                             uint64_t now_ms);
/* A CANCEL of the peer's INVITE (9.2). */
void ahoy_session_cancelled(struct ahoy_session *session, struct ahoy_ua_context *context,
                            const struct ahoy_event *event, uint64_t now_ms);
/* The ACK, or the PRACK, has come, or will not. */
void ahoy_session_drop_answer(struct ahoy_session_answer *answer);
