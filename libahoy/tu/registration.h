/* Keeping ourselves registered (RFC 3261 10.2): REGISTER with digest, refreshed before it
 * expires, removed at the end. */
#pragma once

#include "libahoy/tu/ua_context.h"

enum {
    AHOY_REGISTRATION_AGAIN_MS = 30000, /* After a failure that may pass. */
    AHOY_REGISTRATION_LIMIT_S = 7200 * 12
};

enum ahoy_registration_state {
    AHOY_REGISTRATION_NONE,
    AHOY_REGISTRATION_ASKING,
    AHOY_REGISTRATION_HELD,
    AHOY_REGISTRATION_LEAVING
};

struct ahoy_registration_client {
    enum ahoy_registration_state state;
    struct ahoy_handle transaction; /* The REGISTER that is under way; else null. */
    uint32_t asked_s;               /* What we ask for. */
    uint64_t due_ms;                /* The next REGISTER; UINT64_MAX for none. */
    bool raised;                    /* A 423 was obeyed once. */
    bool leave;                     /* Unregister once the one under way is answered. */
    bool is_renewed;                /* |credentials| are for the next REGISTER (nextnonce). */
    struct ahoy_credentials credentials;
    struct ahoy_dialog dialog; /* Not one: what all REGISTERs have in common (10.2). */
};

/* False where the account is no SIP URI or its texts are too long. */
bool ahoy_registration_client_init(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context);
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
/* What |due_ms| asks for, where that has come. */
void ahoy_registration_client_expire(struct ahoy_registration_client *client,
                                     struct ahoy_ua_context *context, uint64_t now_ms);
