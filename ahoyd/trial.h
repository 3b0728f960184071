/* A call that nobody makes: which route it would take, and why.  What ahoyd --route and --test ask;
 * nothing is sent, and no store is opened, so that aliases are names like others. */
#pragma once

#include "ahoyd/names.h"
#include "ahoyd/routing.h"

enum { AHOYD_TRIAL_SIZE = 8192 /* Bytes of its request, and of what became of it. */ };

/* What is known of it; all but the request may be empty. */
struct ahoyd_trial {
    struct span request;   /* "INVITE sip:bob@atlanta.example", or the URI alone for INVITE. */
    struct span from;      /* A URI; without it that of |user|, or a stranger's. */
    struct span user;      /* "alice@atlanta.example": who has proved to be that user. */
    struct span source;    /* "192.0.2.1" or with a port, which is the default. */
    struct span transport; /* "udp" is the default. */
    struct span at;        /* "2026-02-02T10:00+01:00", or with "Z" for UTC ... */
    uint64_t now_ms;       /* ... and without it this. */
    struct ahoyd_script *script; /* The configuration's, where it has one. */
    struct span rows;            /* Further rows of the request, each with CRLF. */
};

struct ahoyd_outcome {
    struct ahoyd_call call;
    const struct ahoyd_route *route; /* NULL: none. */
    struct ahoyd_leaves leaves;      /* Where it goes; none where: */
    unsigned status;                 /* It is answered so. */
    struct span text; /* All that in words: "alice@atlanta.example for 20 s, then 17@carrier". */
    /* Ours. */
    struct ahoy_message message;
    struct ahoy_routing routing;
    struct ahoy_hop hop;
    char bytes[AHOYD_TRIAL_SIZE], words[AHOYD_TRIAL_SIZE];
};

/* "2026-02-02T10:00Z", "2026-02-02T10:00+01:00"; false for anything else. */
bool ahoyd_trial_read_time(struct span text, uint64_t *now_ms);
/* "192.0.2.1", "192.0.2.1:5060", "[2001:db8::1]:5060"; the port is 5060 where there is none. */
bool ahoyd_trial_read_source(struct span text, struct ahoy_ip *ip);
/* How they are written, for whoever gets them wrong. */
extern const char ahoyd_trial_time_fault[], ahoyd_trial_source_fault[];

/* Tries |trial|; NULL, or what of it is not understood.  |steps| may be NULL. */
const char *ahoyd_trial_run(const struct ahoyd_names *names, const struct ahoyd_trial *trial,
                            const struct ahoyd_steps *steps, struct ahoyd_outcome *outcome);
