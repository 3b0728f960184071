/* Messages of TURN (RFC 8656 11, 12.4, 17, 18): written by who has a relay, and read from the
 * server that is one.  Messages only: when which is sent is the business of turn.h. */
#pragma once

#include "libahoy/transport/stun_login.h"

enum ahoy_turn_method {
    AHOY_TURN_ALLOCATE = 0x003,
    AHOY_TURN_REFRESH = 0x004,
    AHOY_TURN_SEND = 0x006,
    AHOY_TURN_DATA = 0x007,
    AHOY_TURN_CREATE_PERMISSION = 0x008,
    AHOY_TURN_CHANNEL_BIND = 0x009
};

enum {
    AHOY_TURN_FIRST_CHANNEL = 0x4000, /* 12 */
    AHOY_TURN_LAST_CHANNEL = 0x4fff,
    AHOY_TURN_WRAP_SIZE = 52 /* What stands around data at most, with its filling. */
};

/* A request of ours; what is 0 or AHOY_NO_FAMILY is left out. */
struct ahoy_turn_request {
    enum ahoy_turn_method method;
    enum ahoy_family family; /* Of the relay that is asked for. */
    bool deletes;            /* LIFETIME of 0 (8.1). */
    struct ahoy_ip peer;
    uint32_t channel;
};

/* Writes it as the transaction |id|. */
void ahoy_turn_put_request(const uint8_t id[AHOY_STUN_ID_SIZE],
                           const struct ahoy_turn_request *request,
                           const struct ahoy_stun_login *login, struct ahoy_buf *buf);
/* A Send indication (11.1), and a binding indication, which does nothing but pass NATs. */
void ahoy_turn_put_send(const uint8_t id[AHOY_STUN_ID_SIZE], const struct ahoy_ip *peer,
                        struct span data, struct ahoy_buf *buf);
void ahoy_turn_put_keep(const uint8_t id[AHOY_STUN_ID_SIZE], struct ahoy_buf *buf);
/* ChannelData (12.5). */
void ahoy_turn_put_channel(uint32_t channel, struct span data, struct ahoy_buf *buf);

/* What the server says. */
struct ahoy_turn_message {
    enum ahoy_turn_method method; /* AHOY_TURN_DATA for both ways in which data comes. */
    bool is_error;
    uint32_t code;       /* Of an error; 0: it does not say. */
    bool is_strange;     /* Something has to be understood and is not. */
    bool has_proof;      /* There is a MESSAGE-INTEGRITY; whose is not looked into. */
    bool has_data;       /* An indication that has none tells of an ICMP error (11.6). */
    uint32_t lifetime_s; /* 0: it does not say. */
    uint32_t channel;    /* Of ChannelData; 0: there is ... */
    struct ahoy_ip peer; /* ... that. */
    struct ahoy_ip mapped, relayed;
    struct ahoy_stun_challenge challenge;
    struct span data;
    const uint8_t *id; /* Of a transaction; spans and this point into the datagram. */
};

/* Reads |datagram|; false where it is no answer, Data indication or ChannelData, or is damaged. */
bool ahoy_turn_read(struct span datagram, struct ahoy_turn_message *message);
