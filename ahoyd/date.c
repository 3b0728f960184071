#include "ahoyd/date.h"

#include <time.h>

void ahoyd_date_print(uint64_t now_ms, struct ahoy_buf *buf)
{
    const time_t seconds = (time_t)(now_ms / 1000);
    struct tm date = { 0 };
    char text[32] = "";
    if (gmtime_r(&seconds, &date) == NULL)
        return;
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &date);
    ahoy_buf_put(buf, (struct span){ text, size });
    const char rest[] = { '.', (char)('0' + now_ms / 100 % 10), (char)('0' + now_ms / 10 % 10),
                          (char)('0' + now_ms % 10), 'Z' };
    ahoy_buf_put(buf, (struct span){ rest, sizeof rest });
}
