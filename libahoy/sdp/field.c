/* The values of single lines: RFC 8866 5.2 to 5.14, by the grammar of 9. */
#include "libahoy/sdp/field.h"

#include "libahoy/base/ip.h"

struct span ahoy_sdp_word(struct span *rest)
{
    struct span word = { rest->at, ahoy_span_find(*rest, ' ') };
    *rest = ahoy_span_after(*rest, word.size < rest->size ? word.size + 1 : word.size);
    return word;
}

bool ahoy_sdp_is_token(struct span text)
{
    static const bool is_other[0x80] = {
        ['"'] = true, ['('] = true, [')'] = true, [','] = true,  ['/'] = true,
        [':'] = true, [';'] = true, ['<'] = true, ['='] = true,  ['>'] = true,
        ['?'] = true, ['@'] = true, ['['] = true, ['\\'] = true, [']'] = true
    };
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if (byte <= ' ' || byte >= 0x7f || is_other[byte])
            return false;
    }
    return text.size > 0;
}

/* Whether nothing but the spaces that some peers add is left. */
static bool is_end(struct span rest)
{
    return ahoy_span_trim(rest).size == 0;
}

bool ahoy_sdp_read_origin(struct span value, struct ahoy_sdp_origin *origin, struct ahoy_err *err)
{
    struct span rest = value;
    origin->username = ahoy_sdp_word(&rest);
    if (origin->username.size == 0)
        return ahoy_fail(err, 400, value.at, "o= with a user name");
    struct span id = ahoy_sdp_word(&rest);
    if (!ahoy_span_number(id, UINT64_MAX, &origin->session_id))
        return ahoy_fail(err, 400, id.at, "a session id of 64 bits");
    struct span version = ahoy_sdp_word(&rest);
    if (!ahoy_span_number(version, UINT64_MAX, &origin->version))
        return ahoy_fail(err, 400, version.at, "a session version of 64 bits");
    origin->network = ahoy_sdp_word(&rest);
    origin->family = ahoy_sdp_word(&rest);
    origin->address = ahoy_sdp_word(&rest);
    if (!ahoy_sdp_is_token(origin->network) || !ahoy_sdp_is_token(origin->family) ||
        origin->address.size == 0)
        return ahoy_fail(err, 400, origin->network.at,
                         "a network, its kind of address, an address");
    return is_end(rest) || ahoy_fail(err, 400, rest.at, "o= with six fields");
}

/* Checks "/ttl" and "/count" behind an address: IPv4 multicast has the first (R8866-5.7-2, -3),
 * IPv6 has none (-5), unicast has neither (-7).  What is no address is a name, which may be
 * either. */
static bool check_slashes(const struct ahoy_sdp_connection *connection)
{
    struct span address = connection->address;
    size_t slash = ahoy_span_find(address, '/');
    struct span host = { address.at, slash };
    struct ahoy_ip ip;
    bool is_ip = ahoy_ip_parse(host, &ip);
    bool has_ttl = ahoy_span_equal(connection->family, SPAN("IP4"));
    size_t most = has_ttl ? 2 : 1;
    size_t count = 0;
    while (slash < address.size) {
        uint64_t number;
        address = ahoy_span_after(address, slash + 1);
        slash = ahoy_span_find(address, '/');
        bool is_ttl = has_ttl && count == 0;
        if (++count > most ||
            !ahoy_span_number((struct span){ address.at, slash }, is_ttl ? 255 : UINT32_MAX,
                              &number) ||
            (!is_ttl && number == 0))
            return false;
    }
    if (!is_ip)
        return host.size > 0;
    if (ahoy_ip_is_multicast(&ip))
        return count > 0 || ip.family == AHOY_IPV6;
    return count == 0;
}

bool ahoy_sdp_read_connection(struct span value, struct ahoy_sdp_connection *connection,
                              struct ahoy_err *err)
{
    struct span rest = value;
    connection->network = ahoy_sdp_word(&rest);
    connection->family = ahoy_sdp_word(&rest);
    connection->address = ahoy_sdp_word(&rest);
    if (!ahoy_sdp_is_token(connection->network) || !ahoy_sdp_is_token(connection->family) ||
        connection->address.size == 0)
        return ahoy_fail(err, 400, value.at, "c= with three fields");
    bool is_ip = ahoy_span_equal(connection->network, SPAN("IN")) &&
                 (ahoy_span_equal(connection->family, SPAN("IP4")) ||
                  ahoy_span_equal(connection->family, SPAN("IP6")));
    if (is_ip && !check_slashes(connection))
        return ahoy_fail(err, 400, connection->address.at,
                         "an address, with TTL if IPv4 multicast");
    return true;
}

bool ahoy_sdp_read_bandwidth(struct span value, struct ahoy_sdp_bandwidth *bandwidth,
                             struct ahoy_err *err)
{
    size_t colon = ahoy_span_find(value, ':');
    bandwidth->type = (struct span){ value.at, colon };
    if (colon == value.size || !ahoy_sdp_is_token(bandwidth->type) ||
        !ahoy_span_number(ahoy_span_after(value, colon + 1), UINT64_MAX, &bandwidth->value))
        return ahoy_fail(err, 400, value.at, "b= with a type, a colon and a number");
    return true;
}

bool ahoy_sdp_read_time(struct span value, struct ahoy_sdp_time *time, struct ahoy_err *err)
{
    struct span rest = value;
    if (!ahoy_span_number(ahoy_sdp_word(&rest), UINT64_MAX, &time->start_s) ||
        !ahoy_span_number(ahoy_sdp_word(&rest), UINT64_MAX, &time->stop_s) || !is_end(rest))
        return ahoy_fail(err, 400, value.at, "t= with two numbers");
    return true;
}

/* How many seconds the letter behind a number stands for (5.10, table 1); 0 where it is none. */
static unsigned unit_seconds(char letter)
{
    switch (letter) {
    case 'd':
        return 86400;
    case 'h':
        return 3600;
    case 'm':
        return 60;
    case 's':
        return 1;
    default:
        return 0;
    }
}

bool ahoy_sdp_seconds_next(struct span *words, int64_t *seconds)
{
    struct span word = ahoy_sdp_word(words);
    bool is_negative = word.size > 0 && word.at[0] == '-';
    word = ahoy_span_after(word, is_negative);
    unsigned unit = word.size > 0 ? unit_seconds(ahoy_span_end(word)[-1]) : 0;
    uint64_t number;
    word.size -= unit > 0;
    if (!ahoy_span_number(word, INT64_MAX / 86400, &number))
        return false;
    int64_t value = (int64_t)(number * (unit > 0 ? unit : 1));
    *seconds = is_negative ? -value : value;
    return true;
}

bool ahoy_sdp_read_repeat(struct span value, struct ahoy_sdp_repeat *repeat, struct ahoy_err *err)
{
    struct span rest = value;
    int64_t interval;
    int64_t duration;
    if (!ahoy_sdp_seconds_next(&rest, &interval) || interval <= 0 ||
        !ahoy_sdp_seconds_next(&rest, &duration) || duration < 0)
        return ahoy_fail(err, 400, value.at, "r= with an interval and a duration");
    repeat->interval_s = (uint64_t)interval;
    repeat->duration_s = (uint64_t)duration;
    repeat->offsets = rest;
    do {
        int64_t offset;
        const char *at = rest.at;
        if (!ahoy_sdp_seconds_next(&rest, &offset) || offset < 0)
            return ahoy_fail(err, 400, at, "an offset of a repeat");
    } while (!is_end(rest));
    return true;
}

bool ahoy_sdp_check_zones(struct span value, struct ahoy_err *err)
{
    struct span rest = value;
    do {
        int64_t time;
        int64_t offset;
        const char *at = rest.at;
        if (!ahoy_sdp_seconds_next(&rest, &time) || time < 0 ||
            !ahoy_sdp_seconds_next(&rest, &offset))
            return ahoy_fail(err, 400, at, "a time and an offset in z=");
    } while (!is_end(rest));
    return true;
}

bool ahoy_sdp_read_attribute(struct span value, struct ahoy_sdp_attribute *attribute,
                             struct ahoy_err *err)
{
    size_t colon = ahoy_span_find(value, ':');
    attribute->name = (struct span){ value.at, colon };
    attribute->value = ahoy_span_after(value, colon < value.size ? colon + 1 : colon);
    return ahoy_sdp_is_token(attribute->name) ||
           ahoy_fail(err, 400, value.at, "an attribute's name");
}

static bool read_port(struct span text, struct ahoy_sdp_media *media)
{
    uint64_t number;
    uint64_t count = 1;
    size_t slash = ahoy_span_find(text, '/');
    if (slash < text.size &&
        (!ahoy_span_number(ahoy_span_after(text, slash + 1), 65535, &count) || count == 0))
        return false;
    if (!ahoy_span_number((struct span){ text.at, slash }, 65535, &number))
        return false;
    media->port = (uint16_t)number;
    media->port_count = (uint16_t)count;
    return true;
}

/* proto: tokens with "/" between. */
static bool is_protocol(struct span text)
{
    for (;;) {
        size_t slash = ahoy_span_find(text, '/');
        if (!ahoy_sdp_is_token((struct span){ text.at, slash }))
            return false;
        if (slash == text.size)
            return true;
        text = ahoy_span_after(text, slash + 1);
    }
}

/* Formats are tokens; doubled spaces are borne. */
static bool are_formats(struct span rest)
{
    size_t count = 0;
    while (rest.size > 0) {
        struct span format = ahoy_sdp_word(&rest);
        if (format.size > 0 && !ahoy_sdp_is_token(format))
            return false;
        count += format.size > 0;
    }
    return count > 0;
}

bool ahoy_sdp_read_media(struct span value, struct ahoy_sdp_media *media, struct ahoy_err *err)
{
    struct span rest = value;
    media->type = ahoy_sdp_word(&rest);
    if (!ahoy_sdp_is_token(media->type))
        return ahoy_fail(err, 400, value.at, "a type of media");
    struct span port = ahoy_sdp_word(&rest);
    if (!read_port(port, media))
        return ahoy_fail(err, 400, port.at, "a port of 0 to 65535");
    media->protocol = ahoy_sdp_word(&rest);
    if (!is_protocol(media->protocol))
        return ahoy_fail(err, 400, media->protocol.at, "a protocol of media");
    media->formats = rest;
    return are_formats(rest) || ahoy_fail(err, 400, rest.at, "formats of media");
}
