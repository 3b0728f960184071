/* The roll of calls: the newest of them, as the workers' rings tell of them.  It remembers how far
 * it has read, so whoever asks each second pays for what is new alone, however many there are. */
#pragma once

#include "ahoyd/case.h"
#include "ahoyd/command.h"
#include "libahoy/base/siphash.h"

enum { AHOYD_ROLL_LIMIT = 16384 }; /* Calls that it holds; the one that began first goes. */

struct ahoyd_roll;

/* For |workers|.  NULL where memory is refused. */
struct ahoyd_roll *ahoyd_roll_new(struct ahoy_hash_key key, unsigned workers);
/* NULL is allowed. */
void ahoyd_roll_free(struct ahoyd_roll *roll);

/* From any thread: reads on, then shows all calls, the newest first.  |more|: there were others,
 * which have gone.  False where memory is refused. */
bool ahoyd_roll_each(struct ahoyd_roll *roll, const struct ahoyd_command_means *means,
                     void (*visit)(void *self, const struct ahoyd_case *call), void *self,
                     bool *more);
