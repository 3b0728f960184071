/* Who may use the API: whoever shows the token, or a cookie that he was given for it; and what a
 * browser may be tricked into sending is told from what its user means. */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOYD_TOKEN_LEAST = 32,
    AHOYD_TOKEN_LIMIT = 256,        /* Characters of the token. */
    AHOYD_SESSIONS_LIMIT = 16,      /* Cookies that are valid at once; the oldest goes. */
    AHOYD_SESSION_MS = 12 * 3600000 /* How long one is. */
};

struct ahoyd_api_guard {
    unsigned char token[32]; /* Its SHA-256, as of the cookies below. */
    size_t next;
    struct ahoyd_api_session {
        unsigned char id[32];
        uint64_t until_ms; /* 0: none. */
    } sessions[AHOYD_SESSIONS_LIMIT];
};

/* A cookie's value: 256 random bits in hex. */
struct ahoyd_api_cookie {
    char text[65];
};

/* Reads the token in the file |path|, which must be the server's and nobody else's to read; where
 * there is no such file, makes one.  False, and a |fault|, where that cannot be. */
bool ahoyd_api_guard_init(struct ahoyd_api_guard *guard, const char *path, char *fault,
                          size_t fault_size);
/* Whether |text| is the token; the time it takes does not tell how much of it is. */
bool ahoyd_api_guard_knows(const struct ahoyd_api_guard *guard, struct span text);
/* Begins a session; false where the machine has no chance left. */
bool ahoyd_api_guard_admit(struct ahoyd_api_guard *guard, uint64_t now_ms,
                           struct ahoyd_api_cookie *cookie);
bool ahoyd_api_guard_remembers(const struct ahoyd_api_guard *guard, struct span cookie,
                               uint64_t now_ms);
void ahoyd_api_guard_forget(struct ahoyd_api_guard *guard, struct span cookie);

/* Whether a Host may be ours: an address, localhost, or one of |names|, with any port.  A name that
 * somebody else's DNS leads here is none of these. */
bool ahoyd_api_host_is_ours(struct span host, const struct span *names, size_t count);
/* Whether an Origin is of the page that the server itself sent to |host|. */
bool ahoyd_api_origin_is_ours(struct span origin, struct span host);
