/* How users are written down: what their names and realms may be, and what an HA1 looks like. */
#pragma once

#include "ahoyd/store/store.h"

/* Whether |name| can stand in an address-of-record and in a digest: 1 to AHOYD_NAME_LIMIT visible
 * characters, no separator. */
bool ahoyd_is_name(struct span name);
/* Whether |text| is an HA1 by |algorithm|, in lower-case hex. */
bool ahoyd_is_ha1(struct span text, enum ahoy_digest_algorithm algorithm);
