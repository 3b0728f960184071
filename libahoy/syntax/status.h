/* Status codes and their reason phrases (RFC 3261 21 and the registry). */
#pragma once

#include "libahoy/base/span.h"

/* The registered phrase, or that of the class ("Client Failure" ...) for an unknown code. */
struct span ahoy_status_reason(unsigned status);
