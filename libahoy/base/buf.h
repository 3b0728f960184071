/* A writer into bytes of the caller's.  It never grows: what does not fit sets |overflow|, once and
 * for all, and nothing more is written.  So a printer checks one flag at its end. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_buf {
    char *at;
    size_t size;     /* Bytes written. */
    size_t capacity; /* Bytes there are; after an overflow no more than were written. */
    bool overflow;   /* Something did not fit; the contents are not to be used. */
};

/* A writer over |capacity| bytes at |at|, which stay the caller's. */
struct ahoy_buf ahoy_buf_over(void *at, size_t capacity);

/* Something did not fit: for whoever finds that out himself. */
void ahoy_buf_overflow(struct ahoy_buf *buf);

/* Each of these writes behind what is there: a text, one byte, a number in decimal digits. */
void ahoy_buf_put(struct ahoy_buf *buf, struct span text);
void ahoy_buf_put_byte(struct ahoy_buf *buf, char byte);
void ahoy_buf_put_number(struct ahoy_buf *buf, uint64_t value);
/* Two lower-case digits a byte. */
void ahoy_buf_put_hex(struct ahoy_buf *buf, const void *bytes, size_t size);
/* |text| with control bytes, DEL, backslash, bytes that are no UTF-8, and characters that steer a
 * terminal or the direction of writing as \xNN: safe for a terminal and a log, where one event is
 * one line. */
void ahoy_buf_put_escaped(struct ahoy_buf *buf, struct span text);

/* What was written; empty after an overflow. */
struct span ahoy_buf_text(const struct ahoy_buf *buf);
