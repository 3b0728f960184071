/* UTF-8 (RFC 3629 4). */
#pragma once

#include "libahoy/base/span.h"

/* The bytes of the character of two to four bytes that begins |text|, which is not empty; 0 where
 * it is malformed, cut off, overlong, a surrogate, or beyond U+10FFFF. */
size_t ahoy_utf8_wide(struct span text, uint32_t *character);
/* Whether |text| is UTF-8 from its beginning to its end. */
bool ahoy_utf8_is_valid(struct span text);
