/* The numbers of listeners.  Hops name listeners by number, and hops are kept: in transactions,
 * in connections, in bindings.  So a listener keeps its number for as long as a server runs, though
 * the file be read again in another order; one that stands there no more is leaving for a while,
 * and its number is another's when nothing is under way by it (docs/decisions/0160). */
#pragma once

#include "ahoyd/config.h"

/* How long a UDP socket stays open once it is leaving: longer than any transaction, Timer C of the
 * proxy (181 s) and what follows it included. */
enum { AHOYD_LEAVING_MS = 240 * 1000 };

/* Orders the listeners of |config| as those of |before|, and puts those that stand in |before|
 * alone among them, as leaving.  False where there are more numbers than AHOY_LISTENERS_LIMIT or
 * something else cannot change, which |faults| are told, or where memory is refused. */
bool ahoyd_slots_keep(struct ahoyd_config *config, const struct ahoyd_config *before,
                      uint64_t now_ms, struct ahoyd_config_faults *faults);
