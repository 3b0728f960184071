/* What phones in the field are known to do against the RFCs, each written once, with the mend.  The
 * reason for having such a list is in docs/decisions/0010-old-phones.md. */
#pragma once

#include "libahoy/syntax/message.h"

/* Whether the sender of |request| fails on, rather than passes over, a challenge by another
 * algorithm than MD5 (RFC 8760 2.4 and RFC 3261 22.1 ask for passing over). */
bool ahoyd_phone_knows_only_md5(const struct ahoy_message *request);
