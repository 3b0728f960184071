/* Fragments of messages: message/sipfrag (RFC 3420). */
#pragma once

#include "libahoy/syntax/message.h"

/* Indexes |bytes|: a start line, or none; any rows, or none; a body, or none.  Without a start line
 * message->start_line is empty, is_request false and status 0.  A start line alone may lack its
 * CRLF, because those of many phones do.
 * Faults: those of ahoy_message_parse and ahoy_message_check ("the expansion of any element is
 * subject to the restrictions on valid SIP messages"), and 400 for a body without Content-Type. */
bool ahoy_sipfrag_parse(struct span bytes, struct ahoy_message *message, struct ahoy_err *err);
