/* What becomes of a malformed message (rule R1): a request with a usable Via is answered, all else
 * is dropped. */
#pragma once

#include "libahoy/stack/parts.h"

/* stack->reading, as far as it could be read, came by stack->source; |err| says what is wrong with
 * it and with which status it is answered. */
void ahoy_refuse(struct ahoy_stack *stack, const struct ahoy_err *err);
