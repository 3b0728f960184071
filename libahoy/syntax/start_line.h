/* The start line: Request-Line and Status-Line (RFC 3261 7.1, 7.2). */
#pragma once

#include "libahoy/syntax/message.h"

/* Reads |line|, without its CRLF, into |message|.  Even at a fault (400; 414; 505), a line that
 * begins with a method, and not with "SIP/", makes the message a request, so that it can be
 * answered; the rest of what could not be read stays empty. */
bool ahoy_start_line_parse(struct span line, struct ahoy_message *message, struct ahoy_err *err);

/* Says of |message|, whose bytes are set, that it has no start line: a fragment (fragment.h). */
void ahoy_start_line_none(struct ahoy_message *message);
