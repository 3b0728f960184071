/* An agent of ICE (RFC 8445), a full one, for one stream on one component: RTP, with RTCP on the
 * same port.  It learns where we may be reached, tries which pairs of our addresses and the peer's
 * lead to him, settles on one, and asks again from time to time whether he still wants to be sent
 * to (RFC 7675).
 *
 * It knows no sockets: each one that its owner has opened is a base, by its number.  The owner's
 * turn: ahoy_ice_step for each datagram of STUN that has come; then, and when the deadline has
 * come, ahoy_ice_poll until there is nothing to send; then ahoy_ice_way, which may be another than
 * before.
 *
 * A relay (turn.h) is a base, too: its owner hands what leaves from there to the server.
 * Candidates that a peer tells late (RFC 8838) are not heard of. */
#pragma once

#include "libahoy/base/candidate.h"
#include "libahoy/base/rng.h"
#include "libahoy/transport/ice.h"

enum {
    AHOY_ICE_BASES_LIMIT = 4,    /* Sockets of ours, and a relay. */
    AHOY_ICE_LOCALS_LIMIT = 16,  /* Candidates of ours, those that we learn from checks included. */
    AHOY_ICE_REMOTES_LIMIT = 24, /* The peer's: AHOY_CANDIDATES_LIMIT of them, and learned ones. */
    AHOY_ICE_PAIRS_LIMIT = 100,  /* R8445-6.1.2.5-1 */
    AHOY_ICE_EARLY_LIMIT = 8,    /* Checks that came before the peer's description. */
    AHOY_ICE_CONSENTS_LIMIT = 8  /* Questions for consent whose answer counts. */
};

/* Times, in milliseconds. */
enum {
    AHOY_ICE_PACE_MS = 50,         /* Between two first checks (14.2) ... */
    AHOY_ICE_PACE_MOST_MS = 2000,  /* ... at most, whatever a peer would have ... */
    AHOY_ICE_SHARED_PACE_MS = 5,   /* ... and of all agents of a program. */
    AHOY_ICE_RTO_MS = 500,         /* 14.3 */
    AHOY_ICE_PATIENCE_MS = 39500,  /* No way is found: not before. */
    AHOY_ICE_NOMINATE_MS = 300,    /* How long a better pair is waited for ... */
    AHOY_ICE_RELAYED_MS = 1500,    /* ... than one that has a relay in it: it costs more. */
    AHOY_ICE_GATHER_MS = 2000,     /* How long a STUN server is waited for ... */
    AHOY_ICE_GATHER_MORE_MS = 200, /* ... from all bases, once it has answered at one. */
    AHOY_ICE_KEEP_MS = 15000,      /* How often one is asked again, until there is a way. */
    AHOY_ICE_LINGER_MS = 3000,     /* How long checks of others are still looked into (8.3.1). */
    AHOY_ICE_CONSENT_MS = 30000    /* RFC 7675 5.1 */
};

enum ahoy_ice_state {
    AHOY_ICE_GATHERING, /* There is no description of the peer yet. */
    AHOY_ICE_RUNNING,
    AHOY_ICE_COMPLETED, /* Both have settled on a way. */
    AHOY_ICE_FAILED,    /* There is none, unless the peer still finds one. */
    AHOY_ICE_LOST       /* There was one, and the peer consents no more. */
};

/* Agents of one program share one. */
struct ahoy_ice_pace {
    uint64_t next_ms;
    uint64_t relays_ms;   /* Servers are not asked for a relay before (turn.h), ... */
    uint32_t relays_code; /* ... as one has said this error. */
};

/* One of ours that still has to be answered. */
struct ahoy_ice_transaction {
    uint8_t id[AHOY_STUN_ID_SIZE];
    unsigned sent;    /* How often; 0: there is none. */
    uint32_t wait_ms; /* The last wait. */
    uint64_t next_ms; /* When it is sent again, or given up. */
};

enum ahoy_ice_pair_state {
    AHOY_PAIR_FROZEN,
    AHOY_PAIR_WAITING,
    AHOY_PAIR_IN_PROGRESS,
    AHOY_PAIR_SUCCEEDED,
    AHOY_PAIR_FAILED
};

struct ahoy_ice_pair {
    uint8_t local, remote; /* Candidates; the local one is a host's, or a relay's. */
    enum ahoy_ice_pair_state state;
    uint64_t priority;
    uint32_t queued;         /* Its place among triggered checks; 0: it is none. */
    bool is_valid;           /* A check of it has succeeded ... */
    uint64_t heard_ms;       /* ... last then. */
    bool is_nominated;       /* Both want this one. */
    bool is_wanted;          /* The peer, who controls, wants it: so it is once it is valid. */
    bool nominates;          /* We control, and its check says that we want it. */
    bool is_cancelled;       /* Its check is not sent again, but may be answered. */
    enum ahoy_ice_role role; /* Ours, as its check has said. */
    struct ahoy_ice_transaction check;
    bool has_former; /* A check before that one was cancelled. */
    uint8_t former[AHOY_STUN_ID_SIZE];
    uint8_t seen; /* The candidate of ours that the peer sees; once it is valid. */
};

/* Where we send to, and whether that is wanted. */
struct ahoy_ice_way {
    bool is_open, is_former; /* From before a restart. */
    uint8_t local;           /* The candidate that stands for the base. */
    struct ahoy_ip remote;
    uint64_t heard_ms, ask_ms;
    size_t asked;
    uint8_t ids[AHOY_ICE_CONSENTS_LIMIT][AHOY_STUN_ID_SIZE];
};

struct ahoy_ice_words {
    size_t user_size, word_size;
    char user[AHOY_ICE_WORD_LIMIT], word[AHOY_ICE_WORD_LIMIT];
};

/* A check that came before the peer's description. */
struct ahoy_ice_early {
    uint8_t base;
    struct ahoy_ip source;
    uint32_t priority;
    bool is_nomination;
    uint64_t user; /* A hash of who asked. */
};

struct ahoy_ice_server {
    struct ahoy_ip ip; /* AHOY_NO_FAMILY: there is none. */
    struct ahoy_ice_transaction ask;
    uint64_t due_ms; /* When it is asked next. */
    bool is_known;   /* It has answered. */
};

/* In place; its fields are the agent's own. */
struct ahoy_ice_agent {
    enum ahoy_ice_state state;
    enum ahoy_ice_role role;
    uint64_t tie;
    struct ahoy_rng rng;
    struct ahoy_ice_pace *pace;
    uint32_t pace_ms;
    bool is_peer_lite;
    bool is_restarting; /* We have said other words, which the peer has not answered yet. */
    bool is_hopeless;   /* It has failed, and was waited for in vain. */
    struct ahoy_ice_words ours, theirs, ours_before, theirs_before;
    size_t base_count;
    unsigned gone;                                        /* A set of bases. */
    struct ahoy_ice_server servers[AHOY_ICE_BASES_LIMIT]; /* Asked by each base. */
    uint64_t gather_ms;                                   /* When they are waited for no more. */
    size_t local_count, remote_count, pair_count, early_count;
    struct ahoy_candidate locals[AHOY_ICE_LOCALS_LIMIT];
    struct ahoy_candidate remotes[AHOY_ICE_REMOTES_LIMIT];
    struct ahoy_ice_pair pairs[AHOY_ICE_PAIRS_LIMIT]; /* The best first. */
    struct ahoy_ice_early early[AHOY_ICE_EARLY_LIMIT];
    uint32_t queue_end;
    uint64_t next_ms;                          /* When the next check may begin. */
    uint64_t began_ms, valid_ms, completed_ms; /* UINT64_MAX: not yet. */
    struct ahoy_ice_way way;
    struct ahoy_ip answer_to; /* What answers the last datagram. */
    uint8_t answer_base;
    size_t answer_size;
    char answer[AHOY_ICE_ANSWER_SIZE];
    char request[AHOY_ICE_ASK_SIZE];
};

/* |pace| outlives it. */
void ahoy_ice_init(struct ahoy_ice_agent *agent, const uint64_t seed[2],
                   struct ahoy_ice_pace *pace);
/* What our description will say: checks that know it are answered from now on.  Other words than
 * before are the beginning of a restart (9): until the peer's are known, all goes on by the words
 * before. */
void ahoy_ice_say(struct ahoy_ice_agent *agent, const struct ahoy_ice_secret *ours);
/* The restart will not be: what was said before holds. */
void ahoy_ice_take_back(struct ahoy_ice_agent *agent);
/* A socket at |ip|, the better the sooner; its number is the next one from 0 on.  False where there
 * are too many. */
bool ahoy_ice_add_base(struct ahoy_ice_agent *agent, const struct ahoy_ip *ip);
/* The same for a relay, of which it is not known yet where it is: it is not used until then. */
bool ahoy_ice_add_relay(struct ahoy_ice_agent *agent, size_t *base);
/* The relay |base| is at |relayed|.  Its server sees the base |carrier|, from which it is asked, as
 * |mapped|: that is a candidate, where no STUN server has told of another. */
void ahoy_ice_place_relay(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *relayed,
                          size_t carrier, const struct ahoy_ip *mapped);
/* Whom a relay has to let in: where the peer may be, or is; |limit| addresses at most. */
size_t ahoy_ice_whereabouts(const struct ahoy_ice_agent *agent, struct ahoy_ip *ips, size_t limit);
/* The relay |base| lets |ip| in from now on, port aside: what it was asked to bring there before
 * was lost, and is sent again at once. */
void ahoy_ice_hurry(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *ip,
                    uint64_t now_ms);
/* Whether both have settled, and the relay |base| is of no use for that (RFC 8445 8.3). */
bool ahoy_ice_is_idle(const struct ahoy_ice_agent *agent, size_t base, uint64_t now_ms);
/* The address of |base| is ours no more: it is not told or tried, and a way from it is lost. */
void ahoy_ice_drop_base(struct ahoy_ice_agent *agent, size_t base);
/* Asks the STUN server |server| how its bases of that family are seen; again in a restart. */
void ahoy_ice_gather(struct ahoy_ice_agent *agent, const struct ahoy_ip *server, uint64_t now_ms);
/* Whether all have been answered, or waited for long enough. */
bool ahoy_ice_has_gathered(const struct ahoy_ice_agent *agent, uint64_t now_ms);
/* Our candidates for a description, AHOY_OWN_CANDIDATES_LIMIT at most: the best first.  Returns how
 * many. */
size_t ahoy_ice_candidates(const struct ahoy_ice_agent *agent, struct ahoy_candidate *candidates);

/* The peer's description is known: looks for a way.  At first, |controls| says whether we have made
 * the offer; later this is a restart (9), roles stay, and what was the way is one until there is
 * another. */
void ahoy_ice_begin(struct ahoy_ice_agent *agent, const struct ahoy_ice_peer *peer, bool controls,
                    uint64_t now_ms);
/* The same description again: |peer| may have further candidates, which are tried too; and the
 * peer, whose default address is |at|, may say which pair he has settled on (RFC 8839 4.4.2,
 * 4.4.3.1). */
void ahoy_ice_hear_more(struct ahoy_ice_agent *agent, const struct ahoy_ice_peer *peer,
                        const struct ahoy_ip *at, uint64_t now_ms);
/* A datagram of STUN has come to |base|. */
void ahoy_ice_step(struct ahoy_ice_agent *agent, size_t base, const struct ahoy_ip *source,
                   struct span datagram, uint64_t now_ms);

struct ahoy_ice_datagram {
    size_t base;
    struct ahoy_ip remote;
    struct span bytes; /* Until the next call. */
};

/* The next datagram to send; false where there is none now. */
bool ahoy_ice_poll(struct ahoy_ice_agent *agent, uint64_t now_ms,
                   struct ahoy_ice_datagram *datagram);
/* When it is to be polled at the latest; UINT64_MAX for never. */
uint64_t ahoy_ice_deadline(const struct ahoy_ice_agent *agent);

/* Where sound may be sent to (12.1); false where it may not. */
bool ahoy_ice_way(const struct ahoy_ice_agent *agent, size_t *base, struct ahoy_ip *remote);
/* A pair that both have settled on. */
struct ahoy_ice_settled {
    bool controls;              /* We have chosen it. */
    struct ahoy_candidate ours; /* As it is seen from the other side. */
    struct ahoy_ip theirs;
};

/* Fills |settled| where there is one; else false. */
bool ahoy_ice_settled(const struct ahoy_ice_agent *agent, struct ahoy_ice_settled *settled);
/* Whether there is no way, and none will come any more (RFC 8839 4.3.4). */
bool ahoy_ice_is_hopeless(const struct ahoy_ice_agent *agent);
/* Whether |source| has proved to be the peer: what comes from there is his. */
bool ahoy_ice_knows(const struct ahoy_ice_agent *agent, const struct ahoy_ip *source);
