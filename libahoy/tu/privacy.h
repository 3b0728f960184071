/* What whoever sent a message wants kept from others (RFC 3323 4.2, RFC 3325 9.3). */
#pragma once

#include "libahoy/syntax/message.h"

/* Whether what is asserted of him is for those alone who are trusted: "Privacy: id". */
bool ahoy_privacy_hides_id(const struct ahoy_message *message);
