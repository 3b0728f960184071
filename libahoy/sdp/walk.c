/* Walks over the lines of a description that was read: RFC 8866 5.4 to 5.13. */
#include "libahoy/sdp/field.h"

bool ahoy_sdp_next(struct span *rest, char type, struct span *value)
{
    struct ahoy_err err;
    char letter;
    while (ahoy_sdp_line(rest, &letter, value, &err)) {
        if (letter == type)
            return true;
    }
    return false;
}

bool ahoy_sdp_attribute_next(struct span *rest, struct ahoy_sdp_attribute *attribute)
{
    struct span value;
    return ahoy_sdp_next(rest, 'a', &value) && ahoy_sdp_read_attribute(value, attribute, NULL);
}

bool ahoy_sdp_attribute(struct span lines, struct span name, struct span *value)
{
    struct ahoy_sdp_attribute attribute;
    while (ahoy_sdp_attribute_next(&lines, &attribute)) {
        if (ahoy_span_equal(attribute.name, name)) {
            *value = attribute.value;
            return true;
        }
    }
    return false;
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
