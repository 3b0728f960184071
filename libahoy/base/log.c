/* What happened, one line an event.  Everything is escaped after it was formatted, so it does
 * not matter who chose the bytes: what is left in the line can neither end it nor move a
 * terminal's cursor. */
#include "libahoy/base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "libahoy/base/buf.h"

enum {
    LINE_SIZE = 1024,
    /* A few more than fit, so that a character that is cut here is never reached below. */
    RAW_SIZE = LINE_SIZE + 8
};

/* The bytes from |text|'s start that may not be parted: one byte, and such as only go on from
 * it. */
static size_t unit_size(struct span text)
{
    size_t size = 1;
    while (size < text.size && ((unsigned char)text.at[size] & 0xc0) == 0x80)
        size++;
    return size;
}

/* Escapes as much of |text| as fits, in whole characters and whole escapes. */
static void put_what_fits(struct ahoy_buf *line, struct span text)
{
    while (text.size > 0) {
        size_t size = unit_size(text);
        struct ahoy_buf longer = *line;
        ahoy_buf_put_escaped(&longer, (struct span){ text.at, size });
        if (longer.overflow)
            return;
        *line = longer;
        text = ahoy_span_after(text, size);
    }
}

void ahoy_log_line(const struct ahoy_log *log, enum ahoy_log_level level, const char *format, ...)
{
    if (log == NULL || log->sink == NULL || level > log->level)
        return;
    assert(format != NULL);
    char raw[RAW_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int made = vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    /* A format that the C library cannot carry out still says where it stands in the code. */
    struct span text = made < 0 ? ahoy_span(format) : (struct span){ raw, (size_t)made };
    if (made >= (int)sizeof raw)
        text.size = sizeof raw - 1;
    char line[LINE_SIZE + 1];
    struct ahoy_buf buf = ahoy_buf_over(line, LINE_SIZE);
    put_what_fits(&buf, text);
    line[buf.size] = '\0';
    log->sink(log->context, level, line);
}
