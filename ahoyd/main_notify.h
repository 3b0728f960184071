/* What the service manager is told by the protocol of sd_notify(3). */
#pragma once

#include "libahoy/base/log.h"

/* Sends |state|, "READY=1" for example, to the socket that the environment names; nothing where it
 * names none.  What goes wrong is a warning. */
void ahoyd_notify(const char *state, const struct ahoy_log *log);
