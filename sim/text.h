/* Printing with a format, for the simulator alone: its texts are its own and fit. */
#pragma once

#include "libahoy/base/buf.h"

enum { SIM_TEXT_LIMIT = 1024 }; /* Bytes of one call. */

void sim_put(struct ahoy_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
