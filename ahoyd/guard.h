/* What all workers know of credentials that came: which nonces were used, whose logins failed,
 * whom certificates name, who calls how often, and what trunks have.  One lock is held over it, for
 * nanoseconds, and only those who hold a nonce of ours ask. */
#pragma once

#include "ahoyd/badges.h"
#include "ahoyd/channels.h"
#include "libahoy/auth/nonce.h"

enum {
    AHOYD_NONCES_LIMIT = 131072,     /* Used ones that are remembered. */
    AHOYD_FAILED_LIMIT = 16384,      /* Users, and addresses, whose failures are, ... */
    AHOYD_PACED_LIMIT = 16384,       /* ... and users whose calls are. */
    AHOYD_UNANSWERED_LIMIT = 1 << 20 /* Calls that are counted until they are answered. */
};

struct ahoyd_guard;

/* |key| keys the tables: strangers choose their names.  NULL where memory is refused. */
struct ahoyd_guard *ahoyd_guard_new(struct ahoy_hash_key key, uint64_t now_ms);
void ahoyd_guard_free(struct ahoyd_guard *guard);
struct ahoyd_badges *ahoyd_guard_badges(const struct ahoyd_guard *guard);
struct ahoyd_channels *ahoyd_guard_channels(const struct ahoyd_guard *guard);

/* As ahoy_replay_take. */
bool ahoyd_guard_take(struct ahoyd_guard *guard, const struct ahoy_nonce *nonce, uint32_t count,
                      uint64_t now_ms);

/* Whether |user| of |realm| may begin another call, at most |count| a second (1 to 1000), which
 * then counts. */
bool ahoyd_guard_pace(struct ahoyd_guard *guard, struct span user, struct span realm,
                      uint32_t count, uint64_t now_ms);

/* Counts a call of |user| of |realm| until it is answered, where he has fewer than |most| of them;
 * gives a ticket for its end, 0 where it could not be counted.  False where he has as many. */
bool ahoyd_guard_begin(struct ahoyd_guard *guard, struct span user, struct span realm,
                       uint32_t most, uint64_t *ticket);
void ahoyd_guard_end(struct ahoyd_guard *guard, uint64_t ticket);

/* Somebody who says who he is: |user| as he gives it, whether there is one or not. */
struct ahoyd_attempt {
    struct span user, realm;
    struct ahoy_ip ip; /* IPv6: its /64 counts. */
};

/* How long he has to wait, in milliseconds, 0 for not at all: for the failures of his address, of
 * which each user's count twice at most, and of this user from wherever.  Where the user is
 * |at_home| at that address, those of others do not count. */
uint64_t ahoyd_guard_wait_ms(struct ahoyd_guard *guard, const struct ahoyd_attempt *attempt,
                             bool at_home, uint64_t now_ms);
void ahoyd_guard_failed(struct ahoyd_guard *guard, const struct ahoyd_attempt *attempt,
                        uint64_t now_ms);
