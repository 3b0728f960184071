/* What happened, one line an event, through a sink that the process sets.  The library never
 * writes by itself. */
#pragma once

#include "libahoy/base/span.h"

enum ahoy_log_level {
    AHOY_LOG_ERROR,
    AHOY_LOG_WARNING,
    AHOY_LOG_NOTICE,
    AHOY_LOG_INFO,
    AHOY_LOG_DEBUG
};

struct ahoy_log {
    void (*sink)(void *context, enum ahoy_log_level level, const char *line);
    void *context;
    enum ahoy_log_level level; /* Lines above it are not made. */
};

/* Formats like printf, escapes what could break a line or a terminal, cuts at 1,024 bytes, and
 * hands the line to the sink.  |log| may be NULL.  Bytes of strangers go in as %.*s. */
void ahoy_log_line(const struct ahoy_log *log, enum ahoy_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
