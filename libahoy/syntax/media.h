/* The values of Content-Type and Content-Disposition: a word and parameters (RFC 3261 25.1); for
 * those who read bodies. */
#pragma once

#include "libahoy/base/err.h"

/* The value, without quotes, of the parameter |name| behind the word in |value|, whose parameters
 * are checked.  False with err->expected NULL where absent, or at a fault (400): a parameter that
 * cannot be read, |name| twice, a value that is neither token nor quoted. */
bool ahoy_media_param(struct span value, struct span name, struct span *found,
                      struct ahoy_err *err);

/* Whether |boundary| is one (RFC 2046 5.1.1). */
bool ahoy_boundary_is_sound(struct span boundary);
