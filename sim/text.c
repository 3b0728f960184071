#include "sim/text.h"

#include <stdarg.h>
#include <stdio.h>

void sim_put(struct ahoy_buf *buf, const char *format, ...)
{
    char text[SIM_TEXT_LIMIT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ahoy_buf_put(buf, ahoy_span(text));
}
