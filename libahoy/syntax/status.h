/* Status codes and their reason phrases (RFC 3261 21 and the registry). */
#pragma once

#include "libahoy/syntax/meaning.h"

/* The registered phrase, or that of the class ("Client Failure" ...) for an unknown code. */
struct span ahoy_status_reason(unsigned status);
/* What the code says to a person; NULL for an unknown one. */
const struct ahoy_meaning *ahoy_status_meaning(unsigned status);
