/* A message in its canonical spelling. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/syntax/message.h"

/* Prints |message|, which was parsed without a fault: the start line, then each row in its order:
 * canonical names, values by ahoy_value_print (where a value cannot be read by its form: as it
 * stands, folds undone), the values of one row parted by ", "; then the body.  Content-Length is
 * what the body is, and added where it is missing.  What is printed parses to the same rows and
 * values, and prints to itself; unless a limit of message.h stops that, for full names and ", " are
 * longer than what they stand for. */
void ahoy_message_print(const struct ahoy_message *message, struct ahoy_buf *buf);
