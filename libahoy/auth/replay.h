/* Which nonces have been used, and with which counts, so that nothing is taken twice (RFC 7616 3.4
 * nc, 5.5; attack 18).  The memory is taken at once and does not grow: where more nonces live than
 * there is room for, the oldest ones die early, and their next use is as that of a stale one.  What
 * was taken is never taken again. */
#pragma once

#include "libahoy/auth/nonce.h"

/* How far counts may come out of order; those further behind are refused. */
enum { AHOY_REPLAY_WINDOW = 32 };

/* The count of credentials without one, as RFC 2069 has them: such a nonce serves once. */
#define AHOY_REPLAY_NO_COUNT UINT32_MAX

struct ahoy_replay;

/* Room for |nonces|; those made before |now_ms| are not taken, for nobody knows what they were used
 * for.  NULL where memory is refused. */
struct ahoy_replay *ahoy_replay_new(size_t nonces, uint64_t now_ms);
void ahoy_replay_free(struct ahoy_replay *replay);

/* Takes |nonce|, a good one, with |count|.  False where that was taken before, or nobody knows any
 * more: the client is to be given another nonce. */
bool ahoy_replay_take(struct ahoy_replay *replay, const struct ahoy_nonce *nonce, uint32_t count,
                      uint64_t now_ms);
