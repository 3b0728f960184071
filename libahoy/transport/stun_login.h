/* The long-term credentials of STUN (RFC 8489 9.2), a client's side: a server asks by a realm and a
 * nonce who we are, and a user's name and password answer that, by MD5 and SHA-1 as RFC 5389 has
 * them, or by SHA-256 where the server can do that. */
#pragma once

#include "libahoy/transport/stun.h"

enum {
    AHOY_STUN_WORD_LIMIT = 763,      /* Bytes of a realm and of a nonce (14.9, 14.10). */
    AHOY_STUN_LOGIN_LIMIT = 508,     /* Bytes of a user's name (14.3). */
    AHOY_STUN_ALGORITHMS_LIMIT = 64, /* Bytes of PASSWORD-ALGORITHMS. */
    AHOY_STUN_KEY_SIZE = 32          /* The largest key. */
};

/* In place; its fields are its own. */
struct ahoy_stun_login {
    struct span user, password; /* The caller's. */
    bool is_asked;              /* The rest is there. */
    bool is_sha256, is_anonymous;
    size_t realm_size, nonce_size, algorithms_size, key_size;
    char realm[AHOY_STUN_WORD_LIMIT], nonce[AHOY_STUN_WORD_LIMIT];
    char algorithms[AHOY_STUN_ALGORITHMS_LIMIT];
    uint8_t key[AHOY_STUN_KEY_SIZE];
};

/* What a server has asked for, by an error 401 or 438; empty for what is not there. */
struct ahoy_stun_challenge {
    struct span realm, nonce, algorithms;
};

/* |user| and |password|, both as bytes that are not prepared any further (RFC 8265), outlive it. */
void ahoy_stun_login_init(struct ahoy_stun_login *login, struct span user, struct span password);
/* Takes what the server asks for; false where that cannot be answered: it is too long, nothing but
 * algorithms that we do not know, or somebody on the way has taken the better ones out (9.2.1). */
bool ahoy_stun_login_take(struct ahoy_stun_login *login,
                          const struct ahoy_stun_challenge *challenge);
/* Whether |realm| is the one that was answered. */
bool ahoy_stun_login_is_at(const struct ahoy_stun_login *login, struct span realm);
/* Says who we are, behind all other attributes of |request|; nothing before a server has asked. */
void ahoy_stun_login_put(const struct ahoy_stun_login *login, struct ahoy_buf *request);
/* Whether the server's |answer|, which has been read as STUN, is that of one who knows the password
 * (9.2.5). */
bool ahoy_stun_login_proves(const struct ahoy_stun_login *login, struct span answer);
