/* What the service manager is told by the protocol of sd_notify(3). */
#pragma once

#include "libahoy/base/log.h"

/* Sends |state|, "READY=1" for example, to the socket that the environment names; nothing where it
 * names none.  What goes wrong is a warning. */
void ahoyd_notify(const char *state, const struct ahoy_log *log);
/* That a reload begins; its end is told by "READY=1". */
void ahoyd_notify_reloading(const struct ahoy_log *log);
/* How often it wants to hear "WATCHDOG=1": twice as often as it must (sd_watchdog_enabled(3)); 0
 * where it does not. */
uint64_t ahoyd_notify_watchdog_ms(void);
