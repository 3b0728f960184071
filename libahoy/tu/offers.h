/* The offers and answers of one dialog: what a session description is by the message that carries
 * it (RFC 3264 4; RFC 6337 2.2), and which requests may be made and taken meanwhile (RFC 6337 4.3,
 * RFC 3311 5).  Pure: the owner reports what passes, and asks. */
#pragma once

#include "libahoy/syntax/method.h"

/* The messages that a description can come in: RFC 6337, table 1. */
enum ahoy_carrier {
    AHOY_CARRIER_INVITE,
    AHOY_CARRIER_RELIABLE, /* The 2xx to an INVITE, or a 1xx by RFC 3262. */
    AHOY_CARRIER_ACK,
    AHOY_CARRIER_PRACK,
    AHOY_CARRIER_UPDATE,
    AHOY_CARRIER_SUCCESS, /* The 2xx to a PRACK or an UPDATE. */
    AHOY_CARRIER_COUNT
};

enum ahoy_description { AHOY_NEITHER, AHOY_OFFER, AHOY_ANSWER };

enum ahoy_offers_state {
    AHOY_OFFERS_ASKED,  /* The first reliable response to the INVITE is to offer. */
    AHOY_OFFERS_OURS,   /* Our offer has no answer yet. */
    AHOY_OFFERS_THEIRS, /* The peer's has none yet. */
    AHOY_OFFERS_AGREED
};

/* Zeroed at first: an INVITE offers or asks. */
struct ahoy_offers {
    enum ahoy_offers_state state;
    enum ahoy_carrier carrier; /* Of the offer that has no answer yet. */
    bool is_established;       /* There was an answer. */
};

/* Transactions of the dialog that are not over, where they matter to the rules below. */
enum ahoy_ongoing {
    AHOY_ONGOING_OUR_INVITE = 1 << 0,   /* No final response yet. */
    AHOY_ONGOING_THEIR_INVITE = 1 << 1, /* The same. */
    AHOY_ONGOING_THEIR_ACK = 1 << 2,    /* To our 2xx. */
    AHOY_ONGOING_OUR_UPDATE = 1 << 3,
    AHOY_ONGOING_OUR_PRACK = 1 << 4,
    AHOY_ONGOING_THEIR_PRACK = 1 << 5 /* To our reliable response. */
};

/* What a description in |carrier| is, if we (or else the peer) send it now; AHOY_NEITHER is passed
 * over, and is never sent. */
enum ahoy_description ahoy_offers_kind(const struct ahoy_offers *offers, enum ahoy_carrier carrier,
                                       bool is_ours);
/* Such a message has passed. */
void ahoy_offers_take(struct ahoy_offers *offers, enum ahoy_carrier carrier, bool is_ours);
/* An INVITE without an offer has passed. */
void ahoy_offers_ask(struct ahoy_offers *offers);
/* The offer was refused, or nobody will offer any more: all is as it was before. */
void ahoy_offers_reject(struct ahoy_offers *offers);

/* Whether we may send an INVITE, or an UPDATE with an offer, while |ongoing| (a set of
 * ahoy_ongoing) goes on. */
bool ahoy_offers_may_send(const struct ahoy_offers *offers, enum ahoy_method method,
                          unsigned ongoing);
/* The status that refuses the peer's INVITE, or an UPDATE with an offer: 491 where it crossed ours,
 * 500 (which needs a Retry-After) where it came too soon; 0 where it is to be looked at. */
unsigned ahoy_offers_refuse(const struct ahoy_offers *offers, enum ahoy_method method,
                            unsigned ongoing);
