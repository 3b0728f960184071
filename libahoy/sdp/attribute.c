/* Attributes with a structure: RFC 8866 6.4 to 6.6 and 6.15, RFC 3605. */
#include "libahoy/sdp/attribute.h"

#include "libahoy/sdp/field.h"

/* Takes what stands before the next "/" off |rest|. */
static struct span take_part(struct span *rest)
{
    struct span part = { rest->at, ahoy_span_find(*rest, '/') };
    *rest = ahoy_span_after(*rest, part.size < rest->size ? part.size + 1 : part.size);
    return part;
}

bool ahoy_sdp_read_rtpmap(struct span value, struct ahoy_sdp_rtpmap *map, struct ahoy_err *err)
{
    struct span rest = value;
    uint64_t payload;
    uint64_t clock;
    uint64_t channels = 1;
    if (!ahoy_span_number(ahoy_sdp_word(&rest), 127, &payload))
        return ahoy_fail(err, 400, value.at, "a payload type of 0 to 127");
    map->encoding = take_part(&rest);
    if (!ahoy_sdp_is_token(map->encoding))
        return ahoy_fail(err, 400, map->encoding.at, "the name of an encoding");
    struct span number = ahoy_span_trim(take_part(&rest));
    if (!ahoy_span_number(number, UINT32_MAX, &clock) || clock == 0)
        return ahoy_fail(err, 400, number.at, "a clock rate");
    rest = ahoy_span_trim(rest);
    if (rest.size > 0 && (!ahoy_span_number(rest, UINT32_MAX, &channels) || channels == 0))
        return ahoy_fail(err, 400, rest.at, "a number of channels");
    map->payload = (uint8_t)payload;
    map->clock_hz = (uint32_t)clock;
    map->channels = (uint32_t)channels;
    return true;
}

bool ahoy_sdp_read_fmtp(struct span value, struct ahoy_sdp_fmtp *fmtp, struct ahoy_err *err)
{
    fmtp->params = value;
    fmtp->format = ahoy_sdp_word(&fmtp->params);
    return (ahoy_sdp_is_token(fmtp->format) && fmtp->params.size > 0) ||
           ahoy_fail(err, 400, value.at, "a format and its parameters");
}

bool ahoy_sdp_read_rtcp(struct span value, struct ahoy_sdp_rtcp *rtcp, struct ahoy_err *err)
{
    struct span rest = value;
    struct span none = { value.at, 0 };
    uint64_t port;
    if (!ahoy_span_number(ahoy_sdp_word(&rest), 65535, &port))
        return ahoy_fail(err, 400, value.at, "a port of 0 to 65535");
    rtcp->port = (uint16_t)port;
    rtcp->connection = (struct ahoy_sdp_connection){ none, none, none };
    return rest.size == 0 || ahoy_sdp_read_connection(rest, &rtcp->connection, err);
}

bool ahoy_sdp_read_ptime(struct span value, uint64_t *time_us, struct ahoy_err *err)
{
    size_t point = ahoy_span_find(value, '.');
    struct span decimals = ahoy_span_after(value, point < value.size ? point + 1 : point);
    uint64_t whole;
    uint64_t digit = 0;
    uint64_t part = 0;
    bool sound = ahoy_span_number((struct span){ value.at, point }, UINT32_MAX, &whole) &&
                 (point == value.size || decimals.size > 0);
    uint64_t unit = 100;
    for (size_t i = 0; sound && i < decimals.size; i++) {
        sound = ahoy_span_number((struct span){ decimals.at + i, 1 }, 9, &digit);
        part += digit * unit;
        unit /= 10;
    }
    if (!sound || whole * 1000 + part == 0)
        return ahoy_fail(err, 400, value.at, "milliseconds");
    *time_us = whole * 1000 + part;
    return true;
}

bool ahoy_sdp_find_rtpmap(const struct ahoy_sdp_media *media, uint8_t payload,
                          struct ahoy_sdp_rtpmap *map)
{
    struct span rest = media->lines;
    struct span value;
    while (ahoy_sdp_attribute_find(&rest, SPAN("rtpmap"), &value)) {
        if (ahoy_sdp_read_rtpmap(value, map, NULL) && map->payload == payload)
            return true;
    }
    return false;
}
