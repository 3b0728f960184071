/* What looks like a part of a message, read by the indexer of messages: fragments (RFC 3420) and the
 * rows of a body part (RFC 2046 5.1); for those who read such. */
#pragma once

#include "libahoy/syntax/message.h"

/* Indexes |bytes| as ahoy_message_parse does, but they begin without empty lines, with the start line
 * only where |has_start_line|, and may end behind any row, or behind a start line without CRLF. */
bool ahoy_fragment_parse(struct span bytes, bool has_start_line, struct ahoy_message *message,
                         struct ahoy_err *err);

/* Takes the next row, with its CRLF, off |rest|, which is not empty.  False at a fault (400). */
bool ahoy_row_next(struct span *rest, struct ahoy_field *row, struct ahoy_err *err);
