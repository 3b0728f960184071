/* The registered option tags, of Require, Proxy-Require, Supported and Unsupported (RFC 3261 19.2
 * and the registry). */
#pragma once

#include "libahoy/syntax/meaning.h"

/* What the tag |name| stands for, case aside; NULL for one that is not registered. */
const struct ahoy_meaning *ahoy_option_tag(struct span name);
