/* A filter of system calls, seccomp(2): a server that somebody has taken over starts no program,
 * looks into no other process, and reaches no part of the kernel that SIP does not need. */
#pragma once

#include <signal.h>

#include "libahoy/base/log.h"

/* Sent to the process when the filter has refused something; to be waited for, not handled. */
#define AHOYD_FILTER_SIGNAL SIGUSR2

/* For all threads, those that are still to come too, and for good: what is not let through fails
 * with ENOSYS, as if the kernel did not know it, for which libraries are prepared.  Once all is
 * open, from the main thread.  False, with a warning, where the kernel has no such filters. */
bool ahoyd_filter_close(const struct ahoy_log *log);
/* Names in the log what has been refused since it was asked last, each call once. */
void ahoyd_filter_tell(const struct ahoy_log *log);
