/* What two agents of ICE tell each other (RFC 8445 5.3): where each may be reached, and the words
 * by which checks are known.  Plain data: descriptions print and read it, agents work with it. */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_OWN_CANDIDATES_LIMIT = 8, /* Ours, in a description. */
    AHOY_CANDIDATES_LIMIT = 16,    /* A peer's, in one of his. */
    AHOY_ICE_WORD_LIMIT = 256      /* Bytes of a peer's user fragment, and of his password. */
};

/* RFC 8445 4 */
enum ahoy_candidate_kind {
    AHOY_CANDIDATE_HOST,
    AHOY_CANDIDATE_SERVER, /* As a STUN server sees us. */
    AHOY_CANDIDATE_PEER,   /* As the peer sees us, or we him. */
    AHOY_CANDIDATE_RELAYED /* Of a server that sends on what comes there. */
};

struct ahoy_candidate {
    struct ahoy_ip ip;
    struct ahoy_ip related; /* Of a relayed one of ours: as its server sees us. */
    uint8_t kind;        /* enum ahoy_candidate_kind */
    uint8_t base;        /* Of ours: the number of the socket that it stands for. */
    uint32_t priority;   /* The higher, the sooner it is tried. */
    uint64_t foundation; /* The same for those that are alike; a peer's is a hash of his word. */
};

/* RFC 8445 5.1.2.1 with the preferences of 5.1.2.2, for component 1.  |preference| is at most
 * 65535, and another one for each candidate of a kind. */
static inline uint32_t ahoy_candidate_priority(enum ahoy_candidate_kind kind, unsigned preference)
{
    static const uint32_t kinds[] = { 126, 100, 110, 0 };
    return kinds[kind] << 24 | preference << 8 | (256 - 1);
}

/* What a peer says. */
struct ahoy_ice_peer {
    size_t user_size, word_size; /* ice-ufrag and ice-pwd; 0: there is no ICE. */
    char user[AHOY_ICE_WORD_LIMIT], word[AHOY_ICE_WORD_LIMIT];
    bool is_lite;       /* He makes no checks. */
    bool is_modern;     /* He nominates one pair alone (option ice2). */
    uint32_t pacing_ms; /* 50 where he does not say. */
    size_t count;       /* Of ... */
    struct ahoy_candidate candidates[AHOY_CANDIDATES_LIMIT];
    struct ahoy_ip ours; /* Which of ours he has chosen; AHOY_NO_FAMILY: he does not say. */
};
