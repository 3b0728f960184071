/* A server of TURN (RFC 8656) without sockets, for two clients: by long-term credentials, with
 * permissions and channels; and with faults, as a test has them. */
#pragma once

#include "libahoy/base/rng.h"
#include "libahoy/transport/turn_message.h"

enum { TURN_CLIENTS = 8, TURN_GRANTS = 32 };

struct turn_grant { /* A permission, or a channel. */
    struct ahoy_ip peer;
    uint32_t number;
    uint64_t until_ms;
};

struct turn_client {
    struct ahoy_ip seen, relayed; /* AHOY_NO_FAMILY: there is none. */
    uint64_t until_ms;
    size_t permission_count, channel_count;
    struct turn_grant permissions[TURN_GRANTS], channels[TURN_GRANTS];
};

struct turn_server {
    struct ahoy_ip ip;
    struct span user, password;
    bool is_open;                /* Asks nobody who he is. */
    bool has_sha256;             /* Offers both algorithms (RFC 8489 9.2.4). */
    bool hides_algorithms;       /* And somebody on the way has taken them out. */
    bool is_liar;                /* Its proofs are wrong. */
    uint32_t refuses;            /* Allocate, with this error ... */
    uint32_t refuses_permission; /* ... and this CreatePermission ... */
    uint32_t refuses_channel;    /* ... and this ChannelBind. */
    bool gives_port_zero;
    uint32_t lifetime_s;
    unsigned nonce, nonce_uses; /* The number of the nonce; it is stale after so many; 0: never. */
    unsigned used;
    unsigned counts[16]; /* Requests that were granted, by method. */
    unsigned channel_data, sends, keeps, deleted;
    uint16_t next_port;
    struct turn_client clients[TURN_CLIENTS];
};

void turn_server_init(struct turn_server *server, const char *ip);

struct turn_datagram {
    struct ahoy_ip from, to;
    size_t size;
    char bytes[1400];
};

/* A datagram has come to the server, or to a relay of it; what leaves for it: false for nothing. */
bool turn_server_step(struct turn_server *server, const struct ahoy_ip *from,
                      const struct ahoy_ip *to, struct span bytes, uint64_t now_ms,
                      struct turn_datagram *out);
/* Whether |ip| is the server's, or one of its relays'. */
bool turn_server_is_at(const struct turn_server *server, const struct ahoy_ip *ip);
/* It forgets whom it knew. */
void turn_server_reboot(struct turn_server *server);
