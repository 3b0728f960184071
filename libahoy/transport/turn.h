/* A relay (TURN, RFC 8656), a client's side by UDP: a server is asked for an address of its own,
 * sends what comes there on to us, and what we hand it out from there.  Who reaches nobody else
 * reaches others so.
 *
 * It knows no sockets and no clock.  The owner's turn: ahoy_turn_step for each datagram that comes
 * from the server; then, and when the deadline has come, ahoy_turn_poll until there is nothing to
 * send to the server.  For an agent of ICE the relay is one base more. */
#pragma once

#include "libahoy/transport/agent.h"
#include "libahoy/transport/turn_message.h"

enum {
    AHOY_TURN_PEERS_LIMIT = 25,   /* Those of an agent, and its way. */
    AHOY_TURN_CHANNELS_LIMIT = 8, /* Whom channels were bound for; the oldest is forgotten. */
    AHOY_TURN_STALE_LIMIT = 3     /* Nonces that are stale at once, in a row. */
};

/* Times, in milliseconds. */
enum {
    AHOY_TURN_PERMISSION_MS = 300000, /* How long one lasts (9) ... */
    AHOY_TURN_CHANNEL_MS = 600000,    /* ... and a channel (12); half of that, and it is renewed. */
    AHOY_TURN_LIFETIME_MOST_S = 86400, /* Of a relay; a server that says more is asked sooner. */
    AHOY_TURN_AGAIN_MS = 5000,         /* When what has failed is tried again, while it may be. */
    AHOY_TURN_REST_MS = 60000,         /* How long a server that is full is left alone (7.4) ... */
    AHOY_TURN_LONG_REST_MS = 120000    /* ... and one that knows our port as another's. */
};

enum ahoy_turn_state {
    AHOY_TURN_OFF,
    AHOY_TURN_ASKING,
    AHOY_TURN_THERE,
    AHOY_TURN_LEAVING, /* The server is still to be told that it is over. */
    AHOY_TURN_FAILED   /* There is none; ahoy_turn_why says why. */
};

/* A request, as long as it is of use. */
struct ahoy_turn_ask {
    struct ahoy_ice_transaction transaction;
    uint64_t due_ms; /* When it begins (again); UINT64_MAX: never. */
    unsigned stale;  /* How many nonces were. */
};

/* Somebody who may send to us (9). */
struct ahoy_turn_peer {
    struct ahoy_ip ip;
    struct ahoy_turn_ask ask;
    uint64_t until_ms; /* 0: not yet. */
    bool is_new;       /* Since its owner has last looked. */
};

struct ahoy_turn_channel {
    struct ahoy_ip peer;
    uint32_t number;
    struct ahoy_turn_ask ask;
    uint64_t until_ms; /* 0: not yet. */
};

/* In place; its fields are its own, but for what ahoy_turn_step says. */
struct ahoy_turn {
    enum ahoy_turn_state state;
    uint32_t code;     /* Of the error that it has failed by; 0: there was none. */
    uint32_t unproved; /* The same of an answer that could not be believed. */
    bool has_failed;   /* There is none, or will be none once the server has been told. */
    bool is_strange;   /* As what the server says is of no use. */
    struct ahoy_ip server, mapped, relayed; /* How it sees us; what others are told. */
    enum ahoy_family family;                /* That was asked for. */
    struct ahoy_stun_login login;
    struct ahoy_rng rng;
    struct ahoy_ice_pace *pace;
    uint64_t give_up_ms; /* It is not asked any longer. */
    uint64_t until_ms;   /* The relay is there so long. */
    uint64_t keep_ms;    /* NATs are to be shown that we are still there. */
    struct ahoy_turn_ask ask;
    size_t peer_count, channel_count;
    struct ahoy_turn_peer peers[AHOY_TURN_PEERS_LIMIT];
    struct ahoy_turn_channel channels[AHOY_TURN_CHANNELS_LIMIT]; /* The wanted one is last. */
    uint32_t next_channel;
    char request[AHOY_STUN_REQUEST_LIMIT];
};

/* |pace| outlives it. */
void ahoy_turn_init(struct ahoy_turn *turn, const uint64_t seed[2], struct ahoy_ice_pace *pace);
/* Asks |server| for a relay of its own family, for AHOY_ICE_GATHER_MS at most; not where there is
 * one, nor within AHOY_TURN_REST_MS and AHOY_TURN_LONG_REST_MS.  |user| and |password| outlive
 * it. */
void ahoy_turn_open(struct ahoy_turn *turn, const struct ahoy_ip *server, struct span user,
                    struct span password, uint64_t now_ms);
/* The relay is not needed: the next poll says so to the server. */
void ahoy_turn_close(struct ahoy_turn *turn);
/* Why there is none, in a few words; NULL unless it has failed. */
const char *ahoy_turn_why(const struct ahoy_turn *turn);

/* |peers|, whose ports do not count, and no others may send to us and be sent to; those of another
 * family, and more than AHOY_TURN_PEERS_LIMIT, are passed over. */
void ahoy_turn_permit(struct ahoy_turn *turn, const struct ahoy_ip *peers, size_t count);
/* |peer| is sent much to: by a channel, as soon as it is bound (12). */
void ahoy_turn_bind(struct ahoy_turn *turn, const struct ahoy_ip *peer);

enum ahoy_turn_heard {
    AHOY_TURN_NOTHING, /* That is not of TURN; of STUN perhaps. */
    AHOY_TURN_TAKEN,
    AHOY_TURN_HEARD /* It brings data of a peer's. */
};

/* A datagram has come from the server.  |data| points into it. */
enum ahoy_turn_heard ahoy_turn_step(struct ahoy_turn *turn, struct span datagram, uint64_t now_ms,
                                    struct ahoy_ip *peer, struct span *data);
/* The next datagram for the server, until the next call; false where there is none now. */
bool ahoy_turn_poll(struct ahoy_turn *turn, uint64_t now_ms, struct span *datagram);
/* When it is to be polled at the latest; UINT64_MAX for never. */
uint64_t ahoy_turn_deadline(const struct ahoy_turn *turn);
/* What brings |data| to |peer|, for the server, into |room| of AHOY_TURN_WRAP_SIZE bytes more;
 * false where he may not be sent to (yet), or it does not fit: it is lost. */
bool ahoy_turn_wrap(struct ahoy_turn *turn, const struct ahoy_ip *peer, struct span data,
                    uint64_t now_ms, struct ahoy_buf *room);
