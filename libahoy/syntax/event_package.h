/* The registered event packages (RFC 6665 7.2 and the registry). */
#pragma once

#include "libahoy/syntax/meaning.h"

/* What a subscription to |name| tells of, case aside; with the template too: "presence.winfo" is
 * who watches presence (RFC 3857 4.1).  NULL for one that is not registered. */
const struct ahoy_meaning *ahoy_event_package(struct span name);
