/* A whole call, rehearsed: the real server in a small world of its own, with a clock that jumps and
 * parties that do what a test says.  Nothing is sent, no store is opened, and no time is taken.
 *
 * What reaches a party, and what the caller gets, are its lines:
 *
 *     0 s: alice@atlanta.example
 *     20 s: +491701234@carrier
 *     23 s: answered by +491701234@carrier
 *
 * A party that nobody speaks of is not there: a user without a phone, a trunk that refuses. */
#pragma once

#include <jansson.h>

#include "ahoyd/names.h"

enum {
    AHOYD_REHEARSAL_PARTIES_LIMIT = 64,   /* That a test speaks of. */
    AHOYD_REHEARSAL_LINES_LIMIT = 64,     /* Of a call; it is broken off there. */
    AHOYD_REHEARSAL_TEXT_LIMIT = 400,     /* Bytes of one; what is longer is cut. */
    AHOYD_REHEARSAL_EVENTS_LIMIT = 4096,  /* That are on their way at once. */
    AHOYD_REHEARSAL_TURNS_LIMIT = 1 << 20 /* Of the server, before it is taken for endless. */
};

/* What a party does when it is called. */
enum ahoyd_manner {
    AHOYD_MANNER_ANSWERS, /* With |status|, after |after_s|. */
    AHOYD_MANNER_RINGS,   /* And nobody answers. */
    AHOYD_MANNER_GONE,    /* Nothing comes back, of nothing. */
    AHOYD_MANNER_DOWN     /* Nobody listens there: it refuses at once. */
};

struct ahoyd_party {
    /* A user of ours, "alice@atlanta.example", who has one phone; a trunk; or one of the targets of
     * a trunk, "sip:192.0.2.10", which counts more than its trunk. */
    struct span name;
    enum ahoyd_manner manner;
    unsigned status;
    uint32_t after_s;    /* Where that is not 0, it rings before. */
    struct span contact; /* Of a redirection; or empty. */
};

/* The call.  All but |to| may be empty. */
struct ahoyd_plan {
    struct span to;              /* The Request-URI. */
    struct span from;            /* A URI; without it that of |user|, or a stranger's. */
    struct span user;            /* Who can prove that he is this user. */
    struct ahoy_ip source;       /* With its port. */
    struct span transport;       /* "udp", "tcp" or "tls"; empty: the first that is listened on. */
    struct span rows;            /* Further rows, each with CRLF. */
    uint64_t now_ms;             /* When it begins; the server has been up for a minute. */
    uint32_t lasts_s;            /* From the answer until the caller hangs up. */
    uint32_t cancels_s;          /* He gives up after so long, unless somebody answers; 0: never. */
    struct ahoyd_party *parties; /* In the order of their names, once it has been run. */
    size_t party_count;
};

struct ahoyd_rehearsal {
    size_t count;
    struct ahoyd_rehearsal_line {
        uint64_t at_ms; /* Since the call began. */
        size_t size;
        char text[AHOYD_REHEARSAL_TEXT_LIMIT]; /* "0 s: alice@atlanta.example" */
    } lines[AHOYD_REHEARSAL_LINES_LIMIT];
    json_t *record; /* Its row (records/row.h), to be let go; NULL where there is none. */
};

/* Rehearses |plan|; NULL, or what of it is not understood or cannot be played, which |fault| has
 * room for.  |rehearsal| is zeroed at first; its record may be there even so. */
const char *ahoyd_rehearse(const struct ahoyd_names *names, struct ahoyd_plan *plan,
                           struct ahoyd_rehearsal *rehearsal, char *fault, size_t fault_size);
