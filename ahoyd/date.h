/* A moment as others read it: RFC 3339, in UTC, to the millisecond. */
#pragma once

#include "libahoy/base/buf.h"

/* Prints "2026-02-01T10:20:30.123Z". */
void ahoyd_date_print(uint64_t now_ms, struct ahoy_buf *buf);
