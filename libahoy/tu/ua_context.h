/* What a user agent's registration and sessions share: who we are, where requests go, room to
 * compose in, and the news. */
#pragma once

#include "libahoy/sdp/repeated.h"
#include "libahoy/tu/account.h"
#include "libahoy/tu/dialog.h"
#include "libahoy/tu/granted.h"
#include "libahoy/tu/ua_news.h"

/* The |user| of transactions; a session's is its packed handle, which is above all of these.  The
 * upper half of the lower word, which both leave free, has the number of the user agent. */
enum { AHOY_UA_NUMBER_SHIFT = 16 };
enum {
    AHOY_UA_NOBODY = 1,
    AHOY_UA_REGISTRATION,
    AHOY_UA_SUBSCRIBER,
    AHOY_UA_EXCHANGES,
    AHOY_UA_PUBLICATION
};

/* The extensions that a session knows: RFC 3262, RFC 4028, RFC 3891. */
#define AHOY_UA_OPTIONS "100rel, timer, replaces"

enum {
    AHOY_UA_ROWS_LIMIT = 24576, /* Bytes of our rows and body. */
    AHOY_UA_BODY_LIMIT = 8192
};

/* Where a URI leads, as far as that can be told without asking (resolve/locate.h). */
typedef bool ahoy_ua_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport,
                            struct ahoy_ip *ip, struct ahoy_err *err);

/* What came with news, from the allocator; NULL for nothing. */
struct ahoy_ua_notice {
    char *bytes;
    size_t size;
};

struct ahoy_ua_entry {
    struct ahoy_ua_news news;
    struct ahoy_ua_notice notice;
};

/* What was located last, without asking. */
struct ahoy_ua_located {
    size_t size; /* Of |way|; 0 for nothing. */
    bool is_route, is_sips;
    struct ahoy_hop hop;
    char way[AHOY_DIALOG_TARGET_ROOM];
};

struct ahoy_ua_context {
    struct ahoy_transactions *transactions;
    uint16_t number; /* Of several user agents on one stack. */
    struct ahoy_account account;
    struct ahoy_hop server; /* Where requests outside of dialogs go. */
    struct span route;      /* The server as a value of Route: "<sip:192.0.2.1;lr>". */
    ahoy_ua_locate *locate;
    struct ahoy_ua_located located;
    uint32_t t1_ms, t2_ms; /* 17.1.1.1 */
    unsigned codecs;       /* As ahoy_sdp_local has them. */
    bool has_security;     /* The next call has ... */
    struct ahoy_sdp_security security;
    uint32_t session_s; /* What our session timers ask for; 0: for none. */
    bool takes_transfers, takes_referrals, takes_replacers;
    struct ahoy_rng rng;
    struct ahoy_granted granted; /* By our registrar. */
    unsigned flows_up;           /* Registrations that stand. */
    struct ahoy_sdp_repeated repeated;
    struct ahoy_dialog *early; /* Room for the next early dialog of a call; NULL for none. */

    size_t news_first, news_count;
    struct ahoy_ua_entry news[AHOY_NEWS_LIMIT];
    struct ahoy_ua_notice polled; /* With the news that were polled last. */

    /* Scratch: good until the next call that composes. */
    struct ahoy_message message;
    struct ahoy_dialog stray; /* Of a fork that is given up. */
    struct ahoy_sdp sdp;
    char line[AHOY_URI_LIMIT + 64];
    char rows[AHOY_UA_ROWS_LIMIT];
    char body[AHOY_UA_BODY_LIMIT];
    char response[AHOY_MESSAGE_LIMIT];
};

/* A request on its way out, composed in the context's room. */
struct ahoy_ua_request {
    struct ahoy_ua_context *context;
    enum ahoy_method method;
    struct ahoy_hop hop;
    struct ahoy_buf line, rows;
    uint32_t call;    /* The mark of its Call-ID. */
    struct span type; /* Of its body: a session description, unless it is set otherwise. */
};

/* Makes what requests to |uri| outside of dialogs are made of, with a Call-ID and a tag of their
 * own (8.1.1).  False where a text is too long. */
bool ahoy_ua_begin_outside(struct ahoy_ua_context *context, struct span uri,
                           struct ahoy_dialog *dialog);
/* Where a request of |dialog| leaves for. */
struct ahoy_hop ahoy_ua_next_hop(struct ahoy_ua_context *context,
                                 const struct ahoy_dialog *dialog);
/* Begins a request of |dialog|, which leaves for the server where |outside| says that there is no
 * dialog yet, else for the next hop of the dialog; by TLS alone in one of sips. */
void ahoy_ua_request_begin(struct ahoy_ua_context *context, const struct ahoy_dialog *dialog,
                           enum ahoy_method method, uint32_t cseq, bool outside,
                           struct ahoy_ua_request *request);
/* It leaves for |hop| instead; by TLS alone likewise. */
void ahoy_ua_request_aim(struct ahoy_ua_request *request, const struct ahoy_dialog *dialog,
                         const struct ahoy_hop *hop);
/* Adds what we register as our Contact: as |hop| will reach it, with our instance and the number of
 * the flow, where we have one; as a sips URI where our own is one. */
void ahoy_ua_put_binding(const struct ahoy_ua_context *context, const struct ahoy_hop *hop,
                         unsigned reg_id, struct ahoy_buf *buf);
/* Adds the Contact of all else: our GRUU, where we were given one and no sips URI is needed; else
 * as the hop of the request will reach it, as a sips URI or as one of sip. */
void ahoy_ua_put_contact(const struct ahoy_ua_context *context, const struct ahoy_hop *hop,
                         bool is_sips, struct ahoy_buf *buf);
/* Whether the answer to |request| must have a sips Contact: RFC 3261 12.1.1, R5630-5.1.2-2. */
bool ahoy_ua_asks_for_sips(const struct ahoy_message *request);
/* Whether requests of |method| are served; Allow names those that are. */
bool ahoy_ua_serves(enum ahoy_method method);
/* Adds Allow. */
void ahoy_ua_put_allow(struct ahoy_buf *buf);
/* Adds Supported, of a request of |method|; AHOY_METHOD_OTHER stands for a response. */
void ahoy_ua_put_supported(const struct ahoy_ua_context *context, enum ahoy_method method,
                           struct ahoy_buf *buf);
/* Whether |word|, case aside, is in the list |header| of |message|: Supported, Require, Allow. */
bool ahoy_ua_lists(const struct ahoy_message *message, enum ahoy_header header, struct span word);
/* Adds Allow and Accept, which belong into requests that begin or change a session; Supported is in
 * all of ours. */
void ahoy_ua_put_accepted(struct ahoy_buf *buf);
/* Adds Allow, Accept and Supported, which belong into 2xx. */
void ahoy_ua_put_abilities(const struct ahoy_ua_context *context, struct ahoy_buf *buf);
/* 0 where the body, if there is one, can be read: of the |wanted| type, not encoded.  Else the
 * status that refuses it, and |rows| get what a 415 says (8.2.3). */
unsigned ahoy_ua_refuses_type(const struct ahoy_message *message, struct span wanted,
                              struct ahoy_buf *rows);
/* The same for a session description. */
unsigned ahoy_ua_refuses_body(const struct ahoy_message *message, struct ahoy_buf *rows);
/* Whether the body, if there is one, may be a session description. */
bool ahoy_ua_has_description(const struct ahoy_message *message);
/* Reads the session description of |message| into |context->sdp|; false where there is none that
 * can be read. */
bool ahoy_ua_read_description(struct ahoy_ua_context *context, const struct ahoy_message *message);
/* Adds Content-Type where there is a body, Content-Length, the empty line and the body; then sends
 * it.  Null where something refuses. */
struct ahoy_handle ahoy_ua_request_send(struct ahoy_ua_request *request, struct span body,
                                        uint64_t user, uint64_t now_ms);
/* The same for an ACK to a 2xx; |seed| is what its branch is made from. */
bool ahoy_ua_request_send_ack(struct ahoy_ua_request *request, struct span body, struct span seed,
                              uint64_t now_ms);

/* The events of |transaction| are for |user|, or for nobody, from now on. */
void ahoy_ua_assign(struct ahoy_ua_context *context, struct ahoy_handle transaction, uint64_t user);
void ahoy_ua_disown(struct ahoy_ua_context *context, struct ahoy_handle transaction);

/* Accepts the request |event| (transaction/user.h) for |user|. */
struct ahoy_handle ahoy_ua_accept(struct ahoy_ua_context *context, const struct ahoy_event *event,
                                  uint64_t user, uint64_t now_ms);
/* An answer to the REQUEST or CANCEL |event|, which is accepted for nobody where it can be; an
 * INVITE, which only failures are for, never is.
 * |tag| is the To tag; empty for one without state.  |rows| are further rows. */
void ahoy_ua_reply(struct ahoy_ua_context *context, const struct ahoy_event *event, unsigned status,
                   struct span tag, struct span rows, uint64_t now_ms);
/* A 200 to a request within a dialog, with our description where |body| is one. */
void ahoy_ua_reply_described(struct ahoy_ua_context *context, const struct ahoy_event *event,
                             struct ahoy_buf *rows, struct span body, uint64_t now_ms);
/* An answer of |status|, once and without state. */
void ahoy_ua_refuse(struct ahoy_ua_context *context, const struct ahoy_event *event,
                    unsigned status, struct span rows);

/* Whether a request of |method| with |body| that was answered |response| is to be sent again, with
 * what is now in |credentials|.  A 401 is for registrars, and for a SUBSCRIBE to ourselves or a
 * PUBLISH of ours, which our server answers: else only our proxy is answered, by 407, so that no
 * callee can ask for a digest in its own name (attack 20). */
bool ahoy_ua_retry(struct ahoy_ua_context *context, struct ahoy_credentials *credentials,
                   const struct ahoy_dialog *dialog, const struct ahoy_message *response,
                   enum ahoy_method method, struct span body);

/* Adds |news|, with |text| cut to what fits. */
void ahoy_ua_tell(struct ahoy_ua_context *context, const struct ahoy_ua_news *news,
                  struct span text);
/* The same with a |notice|.  False, and nothing is told, where there are too many news or memory is
 * refused. */
bool ahoy_ua_tell_all(struct ahoy_ua_context *context, const struct ahoy_ua_news *news,
                      struct span text, struct span notice);
/* Takes the oldest news off, whose notice lives until the next is. */
bool ahoy_ua_hear(struct ahoy_ua_context *context, struct ahoy_ua_news *news);
/* Forgets them all. */
void ahoy_ua_hush(struct ahoy_ua_context *context);
