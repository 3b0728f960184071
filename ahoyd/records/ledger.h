/* The calls that are under way, as their notes tell; each leaves as a row when it has ended, or
 * when nothing more can be learned of it.  No clock, no thread. */
#pragma once

#include "ahoyd/records/row.h"
#include "libahoy/base/siphash.h"

enum { AHOYD_LEDGER_LIMIT = 65536 /* Calls at once, some 3 KB each. */ };

struct ahoyd_ledger;

/* |node| outlives it.  NULL where memory is refused. */
struct ahoyd_ledger *ahoyd_ledger_new(const struct ahoy_hash_key *key, struct span node,
                                      uint64_t now_ms);
void ahoyd_ledger_free(struct ahoyd_ledger *ledger);

void ahoyd_ledger_take(struct ahoyd_ledger *ledger, const struct ahoyd_noted *noted);
/* The next call that is over by |now_ms|, as a row for the caller to let go; NULL: no more. */
json_t *ahoyd_ledger_row(struct ahoyd_ledger *ledger, uint64_t now_ms);
/* The server ends: all calls are over, and those that stand are rows as they stand. */
void ahoyd_ledger_finish(struct ahoyd_ledger *ledger);
/* How many calls there was no room for, or no memory. */
uint64_t ahoyd_ledger_lost(const struct ahoyd_ledger *ledger);
