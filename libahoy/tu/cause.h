/* Why a request went where it went, or no further: each reason once, with what it says to people.
 * Whoever decides notes one beside the call's messages; it costs a copy of the Call-ID. */
#pragma once

#include "libahoy/base/ring.h"
#include "libahoy/transaction/user.h"

/* How much one tells of a failure.  Of two the heavier is the cause, of equals the later. */
enum ahoy_cause_weight {
    AHOY_CAUSE_STEP,   /* Nothing: it was a step on the way. */
    AHOY_CAUSE_ASKING, /* Something, where nobody followed it up. */
    AHOY_CAUSE_END     /* All. */
};

/* clang-format off */
/* CAUSE(name, label, weight, words, section) */
#define AHOY_CAUSES(CAUSE)                                                                         \
    CAUSE(LOGGED_IN, logged_in, STEP, "the caller has proved to be a user of ours",                \
          "RFC 3261 22.3")                                                                         \
    CAUSE(FROM_TRUNK, from_trunk, STEP, "it comes from a trunk", "decision 20")                    \
    CAUSE(USER_FOUND, user_found, STEP, "goes to the phones of a user", "RFC 3261 16.5")           \
    CAUSE(TRUNK_CHOSEN, trunk_chosen, STEP, "goes to a trunk", "RFC 3261 16.5")                    \
    CAUSE(ROUTED, routed, STEP, "takes a route of the configuration", "decision 140")              \
    CAUSE(LOCATED, located, STEP, "the DNS names servers", "RFC 3263 4")                           \
    CAUSE(CHALLENGED, challenged, ASKING, "a password is asked for, and none came",                \
          "RFC 3261 22.3")                                                                         \
    CAUSE(STALE, stale, ASKING, "the proof of the password is used up or too old",                 \
          "RFC 7616 3.3")                                                                          \
    CAUSE(UNKNOWN_LOGIN, unknown_login, END, "nobody of the name that logs in is a user here",     \
          "RFC 3261 22.1")                                                                         \
    CAUSE(WRONG_PASSWORD, wrong_password, END, "the password is wrong", "RFC 3261 22.1")           \
    CAUSE(NO_HASH, no_hash, END,                                                                   \
          "the user has no password by the algorithm that the phone chose", "RFC 8760 2.3")        \
    CAUSE(LOGIN_SLOWED, login_slowed, END,                                                         \
          "too many logins failed from there, so none is looked at for a while", "decision 77")    \
    CAUSE(BAD_PROOF, bad_proof, END,                                                               \
          "the proof of the password cannot be read, or is for another request", "RFC 7616 3.4")   \
    CAUSE(FOREIGN_FROM, foreign_from, END,                                                         \
          "the user who logged in is not the one that the request names", "RFC 3261 22.1")         \
    CAUSE(UNKNOWN_USER, unknown_user, END, "there is no such user", "RFC 3261 16.5")               \
    CAUSE(NOT_REGISTERED, not_registered, END,                                                     \
          "the user has no phone that is registered and can be reached", "RFC 3261 16.5")          \
    CAUSE(NOT_THERE, not_there, END,                                                               \
          "there is no such user, or no phone of his can be reached; strangers are not "           \
          "told which", "attack 25")                                                               \
    CAUSE(FORBIDDEN_TRUNK, forbidden_trunk, END,                                                   \
          "the caller may not use the trunk: the guard against toll fraud", "decision 20")         \
    CAUSE(FORBIDDEN_PLACE, forbidden_place, END,                                                   \
          "it leads where nothing may be sent: this server, or a network of its own",              \
          "decision 20")                                                                           \
    CAUSE(NO_FLOW, no_flow, END, "the connection to the phone is gone", "RFC 5626 5.3")            \
    CAUSE(NO_ROUTE, no_route, END, "no route leads to that domain", "RFC 3261 16.5")               \
    CAUSE(ROUTE_REFUSES, route_refuses, END, "a route of the configuration refuses it",            \
          "decision 140")                                                                          \
    CAUSE(SCRIPT_FAILED, script_failed, END, "a function of the configuration failed",             \
          "decision 143")                                                                          \
    CAUSE(OWN_WAY, own_way, END, "the caller wants to choose our way by a Route", "decision 20")   \
    CAUSE(FORGED, forged, END, "a token in a Route is not ours", "RFC 5626 5.3.1")                 \
    CAUSE(UNSAFE, unsafe, END, "a sips URI, and a way that is not TLS", "RFC 5630 5.3")            \
    CAUSE(TOO_MANY_HOPS, too_many_hops, END, "Max-Forwards is used up, as in a loop",              \
          "RFC 3261 16.3")                                                                         \
    CAUSE(NO_EXTENSION, no_extension, END, "an extension is asked for that is unknown here",       \
          "RFC 3261 16.3")                                                                         \
    CAUSE(PACED, paced, END, "the user begins more calls than he may",         \
          "decision 107")                                                                          \
    CAUSE(OVERLOADED, overloaded, END, "overload: this server has more to do than it can",         \
          "RFC 7339 5.10.2")                                                                       \
    CAUSE(DRAINING, draining, END, "this server or this address is ending", "RFC 3261 21.5.4")     \
    CAUSE(FULL, full, END, "a limit of this server is reached", "RFC 3261 21.5.4")                 \
    CAUSE(LOOPED, looped, END, "a loop: the request has come back to where it was",                \
          "RFC 5393 4.2")                                                                          \
    CAUSE(TOO_BROAD, too_broad, END, "it may not be forked any further", "RFC 5393 5.3")           \
    CAUSE(UNREADABLE, unreadable, END, "Route or Max-Breadth cannot be read", "RFC 3261 16.4")     \
    CAUSE(NOT_LOCATED, not_located, END, "the DNS has no server for the name", "RFC 3263 4")       \
    CAUSE(NOT_SENT, not_sent, END, "it could not be sent: nobody takes it there",                  \
          "RFC 3261 16.9")                                                                         \
    CAUSE(SILENT, silent, END, "no answer came in time: timer B or F", "RFC 3261 17.1.1.2")        \
    CAUSE(RANG_OUT, rang_out, END, "nobody answered in time: timer C", "RFC 3261 16.8")            \
    CAUSE(TRUNK_FULL, trunk_full, ASKING, "a trunk has as many calls as it may have",              \
          "decision 168")                                                                          \
    CAUSE(HELD_BACK, held_back, END, "the neighbour has asked for less", "RFC 7339 5.10.1")        \
    CAUSE(TOO_MANY_PHONES, too_many_phones, END, "the user has as many phones as he may have",     \
          "decision 107")                                                                          \
    CAUSE(NO_STORE, no_store, END, "the store does not keep it", "RFC 3261 10.3")
/* clang-format on */

enum ahoy_cause {
#define AHOY_CAUSE_NAME(name, label, weight, words, section) AHOY_CAUSE_##name,
    AHOY_CAUSES(AHOY_CAUSE_NAME)
#undef AHOY_CAUSE_NAME
        AHOY_CAUSE_COUNT
};

struct ahoy_cause_row {
    const char *label; /* For programs: "wrong_password". */
    enum ahoy_cause_weight weight;
    const char *words, *section; /* For people. */
};
extern const struct ahoy_cause_row ahoy_cause_rows[AHOY_CAUSE_COUNT];

/* Where they are noted, and how often. */
struct ahoy_causes {
    struct ahoy_ring *ring; /* Outlives it. */
    uint64_t now_ms;        /* The owner's step. */
    uint64_t counts[AHOY_CAUSE_COUNT];
};

/* Notes |cause| of the call |call_id|; |hop| is whom it is about, or NULL, |detail| a name, or
 * empty.  |causes| may be NULL: nothing happens. */
void ahoy_cause_note(struct ahoy_causes *causes, enum ahoy_cause cause, struct span call_id,
                     const struct ahoy_hop *hop, struct span detail);
