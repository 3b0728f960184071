/* What looks like a part of a message, read by the indexer of messages: fragments (RFC 3420) and
 * the parts of a body (RFC 2046 5.1); for those who read such. */
#pragma once

#include "libahoy/syntax/message.h"

/* How much of a message there is.  What is not whole may end behind any row. */
enum ahoy_extent {
    AHOY_WHOLE,
    AHOY_FRAGMENT,      /* Its start line may lack its CRLF. */
    AHOY_FRAGMENT_ROWS, /* No start line: empty, is_request false, status 0. */
    AHOY_PART           /* The same, and Content-Length does not rule the body: a boundary does. */
};

/* Indexes |bytes|, with bytes.at not NULL, as ahoy_message_parse does, but without passing over
 * empty lines in front. */
bool ahoy_fragment_parse(struct span bytes, enum ahoy_extent extent, struct ahoy_message *message,
                         struct ahoy_err *err);
