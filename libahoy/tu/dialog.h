/* Dialogs (RFC 3261 12): their state, and the requests that are made within them. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/base/pool.h"
#include "libahoy/sdp/negotiate.h"
#include "libahoy/syntax/message.h"
#include "libahoy/tu/offers.h"

enum {
    AHOY_DIALOG_TEXT_LIMIT = 8192, /* Bytes of identifiers, URIs and the route set together. */
    AHOY_TARGET_LIMIT = 2048,      /* Bytes of the remote target. */
    AHOY_ROUTES_LIMIT = 32
};
/* Bytes of the same that a dialog has room for by itself. */
enum { AHOY_DIALOG_TEXT_ROOM = 768, AHOY_DIALOG_TARGET_ROOM = 256 };

/* Spans point into |text|: not to be copied by assignment.  All zeroed before its first use;
 * whoever has one calls ahoy_dialog_fini when it is of no use any more. */
struct ahoy_dialog {
    struct span call_id, local_tag, remote_tag; /* The dialog ID; a tag of RFC 2543 is empty. */
    struct span local_uri, remote_uri;
    struct span rows;     /* Of requests: Max-Forwards, and From to CSeq, but for its value. */
    uint32_t local_cseq;  /* Of our last request; 0 before the first. */
    uint32_t remote_cseq; /* Of the peer's last one, where |has_remote_cseq|. */
    bool has_remote_cseq;
    size_t route_count, target_size, text_size; /* Of what is below. */
    char *more; /* From the allocator, for the few whose texts are longer than there is room for
                 * below: AHOY_DIALOG_TEXT_LIMIT bytes, and a target behind them.  Else NULL. */

    /* What is negotiated in it; zeroed at first, and not touched by what is below. */
    struct ahoy_offers offers;
    struct ahoy_sdp_agreed agreed;
    char *ice; /* What the peer says of ICE (sdp/ice.h), from the allocator; NULL for nothing. */
    size_t ice_size;
    bool has_left_ice;        /* He had it, and has gone on without (RFC 8839 4.4.3.1). */
    bool takes_update;        /* The peer's Allow names UPDATE. */
    uint32_t rseq;            /* Of the last reliable response to our INVITE; 0 for none yet. */
    struct ahoy_handle prack; /* Ours for one with an answer, that is not answered; else null. */

    /* Room that need not be zeroed. */
    struct span routes[AHOY_ROUTES_LIMIT]; /* Values of Route, in the order in which they go. */
    char target[AHOY_DIALOG_TARGET_ROOM];  /* The remote target's URI. */
    char text[AHOY_DIALOG_TEXT_ROOM];
};

/* Bytes of a dialog's texts, each behind its size, that there is room for where it is kept. */
enum { AHOY_DIALOG_KEPT_ROOM = 182 };

/* The identifiers, URIs, route set and sequence numbers of one, in little memory. */
struct ahoy_dialog_kept {
    char *more; /* From the allocator, for those whose texts are longer than |room|; else NULL. */
    uint32_t local_cseq, remote_cseq;
    bool has_remote_cseq;
    uint8_t route_count;
    char room[AHOY_DIALOG_KEPT_ROOM];
};

/* Keeps |dialog| so, until ahoy_dialog_kept_fini; |kept| may be anything before.  False where
 * memory is refused, and there is nothing to be given back. */
bool ahoy_dialog_keep(const struct ahoy_dialog *dialog, struct ahoy_dialog_kept *kept);
void ahoy_dialog_kept_fini(struct ahoy_dialog_kept *kept);
/* Makes |dialog| that one again.  False where memory is refused. */
bool ahoy_dialog_restore(struct ahoy_dialog *dialog, const struct ahoy_dialog_kept *kept);

/* Gives back what it holds. */
void ahoy_dialog_fini(struct ahoy_dialog *dialog);
/* The remote target's URI. */
struct span ahoy_dialog_target(const struct ahoy_dialog *dialog);

/* What a request outside of dialogs is made of (8.1.1). */
struct ahoy_dialog_seed {
    struct span call_id, local_tag;
    struct span remote_tag; /* Empty: there is none yet. */
    struct span local_uri, remote_uri;
    struct span target; /* The Request-URI, one of sip without headers. */
    struct span route;  /* The pre-existing route set (8.1.2), one value of Route; or empty. */
    struct span service_route; /* Further values behind it, with commas between (RFC 3608 6.1). */
};

/* Not a dialog yet: what there is before one, so that requests outside of dialogs are printed by
 * the same rules.  False where a limit refuses. */
bool ahoy_dialog_begin(struct ahoy_dialog *dialog, const struct ahoy_dialog_seed *seed);
/* It is for |uri|, one of sip without headers, from now on; it goes by |route| last, one value of
 * Route.  False where a limit refuses. */
bool ahoy_dialog_retarget(struct ahoy_dialog *dialog, struct span uri);
bool ahoy_dialog_add_route(struct ahoy_dialog *dialog, struct span route);

/* The callee's, from the request (12.1.1): 400 where Contact or Record-Route cannot be read, 513
 * above a limit.  |local_tag| is our To tag. */
bool ahoy_dialog_from_request(struct ahoy_dialog *dialog, const struct ahoy_message *request,
                              const struct ahoy_routing *routing, struct span local_tag,
                              struct ahoy_err *err);
/* The subscriber's, from the first NOTIFY (RFC 6665 4.4.1): its route set is that of the NOTIFY,
 * whatever the answer to SUBSCRIBE or REFER had.  Our tag and CSeq stay.  Faults as above. */
bool ahoy_dialog_from_notify(struct ahoy_dialog *dialog, const struct ahoy_message *notify,
                             const struct ahoy_routing *routing, struct ahoy_err *err);
/* The caller's, from the 2xx (12.1.2).  Call-ID, local tag and local_cseq stay where |dialog| has
 * those of the request, tokens of ours (ahoy_dialog_asked); else they are the response's.  Faults
 * as above, after which |dialog| has what the request said and nothing else.  A URI of From, To or
 * Contact that |dialog| has already is not looked into again. */
bool ahoy_dialog_from_response(struct ahoy_dialog *dialog, const struct ahoy_message *response,
                               const struct ahoy_routing *told, struct ahoy_err *err);
/* Before that, for another fork of the call of |caller|: |dialog| has its Call-ID and tag, which
 * must outlive the other call, and the number |cseq| of its INVITE. */
void ahoy_dialog_asked(struct ahoy_dialog *dialog, const struct ahoy_dialog *caller, uint32_t cseq);

/* The early dialog |early| is confirmed by the 2xx that |dialog| was just made from: its sequence
 * numbers and what was negotiated go on. */
void ahoy_dialog_confirm(struct ahoy_dialog *dialog, struct ahoy_dialog *early);

/* Whether a request that came in with this To tag and From tag belongs here (12.2.2). */
bool ahoy_dialog_matches(const struct ahoy_dialog *dialog, const struct ahoy_routing *routing);
/* Takes the CSeq of a request that came in.  False where it is lower than one before: 500
 * (R3261-12.2.2-3). */
bool ahoy_dialog_take_cseq(struct ahoy_dialog *dialog, uint32_t cseq);
/* Target refresh: the Contact of a re-INVITE, or of the 2xx to one (12.2.1.2, 12.2.2).  A message
 * without a usable one changes nothing. */
void ahoy_dialog_refresh(struct ahoy_dialog *dialog, const struct ahoy_message *message);

/* Prints the request line, and Route, Max-Forwards, From, To, Call-ID and CSeq (12.2.1.1). */
void ahoy_dialog_print(const struct ahoy_dialog *dialog, enum ahoy_method method, uint32_t cseq,
                       struct ahoy_buf *line, struct ahoy_buf *rows);
/* The Request-URI that ahoy_dialog_print writes. */
struct span ahoy_dialog_request_uri(const struct ahoy_dialog *dialog);
/* Whether its requests must be kept safe all the way: its target or its first route is a sips URI
 * (8.1.1.8, 8.1.2). */
bool ahoy_dialog_is_sips(const struct ahoy_dialog *dialog);
/* The URI that a request is sent to: the first route, else the target (8.1.2).  False where it
 * cannot be read. */
bool ahoy_dialog_next_hop(const struct ahoy_dialog *dialog, struct ahoy_uri *uri);
