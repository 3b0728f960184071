/* Walks over the lines of a description that was read: RFC 8866 5.4 to 5.13. */
#include "libahoy/sdp/field.h"

/* Takes the next line off |rest| without its end.  It was found sound when it was read, and is not
 * looked through again. */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->size == 0)
        return false;
    size_t size = ahoy_span_find(*rest, '\n');
    *line = (struct span){ rest->at, size };
    *rest = ahoy_span_after(*rest, size < rest->size ? size + 1 : size);
    line->size -= size > 0 && line->at[size - 1] == '\r';
    return true;
}

bool ahoy_sdp_next(struct span *rest, char type, struct span *value)
{
    struct span line;
    while (next_line(rest, &line)) {
        if (line.size >= 2 && line.at[0] == type && line.at[1] == '=') {
            *value = ahoy_span_after(line, 2);
            return true;
        }
    }
    return false;
}

bool ahoy_sdp_attribute_next(struct span *rest, struct ahoy_sdp_attribute *attribute)
{
    struct span value;
    if (!ahoy_sdp_next(rest, 'a', &value))
        return false;
    size_t colon = ahoy_span_find(value, ':');
    attribute->name = (struct span){ value.at, colon };
    attribute->value = ahoy_span_after(value, colon < value.size ? colon + 1 : colon);
    return true;
}

bool ahoy_sdp_attribute_find(struct span *rest, struct span name, struct span *value)
{
    struct span line;
    while (ahoy_sdp_next(rest, 'a', &line)) {
        if (line.size < name.size || memcmp(line.at, name.at, name.size) != 0)
            continue;
        if (line.size == name.size || line.at[name.size] == ':') {
            *value = ahoy_span_after(line, name.size + (line.size > name.size));
            return true;
        }
    }
    return false;
}

bool ahoy_sdp_attribute(struct span lines, struct span name, struct span *value)
{
    return ahoy_sdp_attribute_find(&lines, name, value);
}

bool ahoy_sdp_bandwidth_next(struct span *rest, struct ahoy_sdp_bandwidth *bandwidth)
{
    struct span value;
    return ahoy_sdp_next(rest, 'b', &value) && ahoy_sdp_read_bandwidth(value, bandwidth, NULL);
}

bool ahoy_sdp_time_next(struct span *rest, struct ahoy_sdp_time *time)
{
    struct span value;
    if (!ahoy_sdp_next(rest, 't', &value) || !ahoy_sdp_read_time(value, time, NULL))
        return false;
    struct span behind = *rest;
    struct ahoy_err err;
    char type;
    time->lines = (struct span){ behind.at, 0 };
    while (ahoy_sdp_line(&behind, &type, &value, &err) && type != 't')
        time->lines.size = (size_t)(behind.at - time->lines.at);
    return true;
}

bool ahoy_sdp_repeat_next(struct span *rest, struct ahoy_sdp_repeat *repeat)
{
    struct span value;
    return ahoy_sdp_next(rest, 'r', &value) && ahoy_sdp_read_repeat(value, repeat, NULL);
}
