/* Who has failed to log in, and how soon he may try again, so that passwords cannot be guessed fast
 * (RFC 7616 5.7).  Everyone may fail AHOY_TRIES_AT_ONCE times; one more is forgiven each
 * AHOY_TRIES_MS.  The memory is taken at once and does not grow: where more have failed than there
 * is room for, those are forgotten who are forgiven soonest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AHOY_TRIES_AT_ONCE = 10, AHOY_TRIES_MS = 6000 };

struct ahoy_tries;

/* Room for |count| who failed.  NULL where memory is refused. */
struct ahoy_tries *ahoy_tries_new(size_t count);
void ahoy_tries_free(struct ahoy_tries *tries);

/* How long |who|, a keyed hash of whatever is counted, has to wait from now; 0: not at all. */
uint64_t ahoy_tries_wait_ms(const struct ahoy_tries *tries, uint64_t who, uint64_t now_ms);
/* How often he has failed and is not forgiven yet. */
unsigned ahoy_tries_count(const struct ahoy_tries *tries, uint64_t who, uint64_t now_ms);
/* He has failed. */
void ahoy_tries_fail(struct ahoy_tries *tries, uint64_t who, uint64_t now_ms);

/* The same for what is no failure, but may be done |count| times a second only, and so often at
 * once: whether |who| may now, which counts.  |count| is 1 to 1000.  A table has one use. */
bool ahoy_tries_pace(struct ahoy_tries *tries, uint64_t who, uint32_t count, uint64_t now_ms);
