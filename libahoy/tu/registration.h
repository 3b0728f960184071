/* Keeping ourselves registered (RFC 3261 10.2): REGISTER with digest, refreshed before it
 * expires, removed at the end; over a flow that is kept alive, and replaced when it fails (RFC 5626
 * 4). */
#pragma once

#include "libahoy/tu/ua_context.h"

enum {
    AHOY_REGISTRATION_LIMIT_S = 7200 * 12,
    AHOY_FLOW_ALONE_S = 30,    /* RFC 5626 4.5: the base time where no flow is left, ... */
    AHOY_FLOW_ANOTHER_S = 90,  /* ... where another one is, ... */
    AHOY_FLOW_MOST_S = 1800,   /* ... and the longest wait. */
    AHOY_FLOW_STREAM_S = 120,  /* 4.4.1: between keep-alives where the server does not say, ... */
    AHOY_FLOW_DATAGRAM_S = 29, /* ... 4.4.2: and so by UDP. */
    AHOY_FLOW_TIMER_LIMIT_S = 7200
};

enum ahoy_registration_state {
    AHOY_REGISTRATION_NONE,
    AHOY_REGISTRATION_ASKING,
    AHOY_REGISTRATION_HELD,
    AHOY_REGISTRATION_LEAVING
};

/* Where it goes: a server, as an outbound proxy, and the number of the flow to it. */
struct ahoy_registration_way {
    struct ahoy_hop server;
    struct span route;
    unsigned reg_id; /* From 1, and the same ones each time: R5626-4.2.1-6. */
    bool has_others; /* So that it is tried again though it never stood. */
};

struct ahoy_registration_client {
    struct ahoy_registration_way way;
    enum ahoy_registration_state state;
    struct ahoy_handle transaction; /* The REGISTER that is under way; else null. */
    uint32_t asked_s;               /* What we ask for. */
    uint64_t due_ms;                /* The next REGISTER; UINT64_MAX for none. */
    bool raised;                    /* A 423 was obeyed once. */
    bool leave;                     /* Unregister once the one under way is answered. */
    bool is_renewed;                /* |credentials| are for the next REGISTER (nextnonce). */
    struct ahoy_credentials credentials;
    struct ahoy_granted granted;
    bool is_up;                /* It stands, as far as anybody knows. */
    struct ahoy_hop flow;      /* By which it came to stand; ... */
    uint32_t keep_ms;          /* ... to be kept alive at least so often, or, where it is 0, not. */
    bool is_answered;          /* A keep-alive of it was. */
    unsigned failures;         /* In a row. */
    struct ahoy_dialog dialog; /* Not one: what all REGISTERs have in common (10.2). */
};

/* False where the account is no SIP URI or its texts are too long. */
bool ahoy_registration_client_init(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context,
                                   const struct ahoy_registration_way *way);
/* Registers for |expires_s| seconds, and keeps that alive. */
void ahoy_registration_client_start(struct ahoy_registration_client *client,
                                    struct ahoy_ua_context *context, uint32_t expires_s,
                                    uint64_t now_ms);
/* Removes our binding; UNREGISTERED or REGISTRATION_FAILED follows. */
void ahoy_registration_client_stop(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context, uint64_t now_ms);
/* Events whose user is AHOY_UA_REGISTRATION. */
void ahoy_registration_client_step(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context, const struct ahoy_event *event,
                                   uint64_t now_ms);
/* A keep-alive of its flow was answered; the flow has failed. */
void ahoy_registration_client_answered(struct ahoy_registration_client *client);
void ahoy_registration_client_flow_failed(struct ahoy_registration_client *client,
                                          struct ahoy_ua_context *context, uint64_t now_ms);
/* What |due_ms| asks for, where that has come. */
void ahoy_registration_client_expire(struct ahoy_registration_client *client,
                                     struct ahoy_ua_context *context, uint64_t now_ms);

/* For the files that make it up. */

/* It stands by |response|, which came by |hop|: whether that is a flow to be kept (4.2.1). */
void ahoy_registration_client_set_flow(struct ahoy_registration_client *client,
                                       const struct ahoy_message *response,
                                       const struct ahoy_hop *hop);
/* When a registration that has failed is tried again: 4.5. */
uint64_t ahoy_registration_client_retry_ms(struct ahoy_registration_client *client,
                                           struct ahoy_ua_context *context, uint64_t now_ms);
/* The next REGISTER, at once. */
void ahoy_registration_client_begin(struct ahoy_registration_client *client,
                                    struct ahoy_ua_context *context, uint64_t now_ms);
