/* Text within JSON. */
#pragma once

#include "libahoy/base/buf.h"

/* Puts |text|, which holds no control bytes (ahoy_buf_put_escaped), as it may stand between
 * quotes: at most twice its size. */
void phone_json_put(struct ahoy_buf *buf, struct span text);
/* Prints any |text| so, in ASCII alone; what is no UTF-8 becomes U+FFFD. */
void phone_json_print(struct span text);
