/* What ladders are drawn from: the lines of one trace (docs/trace.md), or of those of several
 * servers that talk to each other, put in one order of time. */
#pragma once

#include <jansson.h>

enum { CTL_TRACES_LIMIT = 4 }; /* Servers in one picture. */

/* All lines of |paths|, "-" for standard input, which the caller frees.  Each has further members:
 * "server", the number of the trace that it is of, and "peer", that of the server which the message
 * went to, where that is among them: what such a one has received is left out, as it stands where
 * it was sent.  Their clocks are put right by the messages of |call_id|, or, where that is NULL, of
 * the last call.  NULL after saying why. */
json_t *ctl_traces_read(const char *const *paths, size_t count, const char *call_id);
/* The Call-ID of the last INVITE that the first server knows of; empty where there is none. */
const char *ctl_traces_last_call(const json_t *lines);
