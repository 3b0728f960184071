/* Reading a session description: RFC 8866 5. */
#include "libahoy/sdp/sdp.h"

static const struct span direction_names[] = {
    [AHOY_SENDRECV] = SPAN_INIT("sendrecv"),
    [AHOY_SENDONLY] = SPAN_INIT("sendonly"),
    [AHOY_RECVONLY] = SPAN_INIT("recvonly"),
    [AHOY_INACTIVE] = SPAN_INIT("inactive"),
};

struct span ahoy_direction_name(enum ahoy_direction direction)
{
    return direction_names[direction];
}

struct span ahoy_sdp_word(struct span *rest)
{
    struct span word = { rest->at, ahoy_span_find(*rest, ' ') };
    *rest = ahoy_span_after(*rest, word.size < rest->size ? word.size + 1 : word.size);
    return word;
}

bool ahoy_sdp_line(struct span *rest, char *type, struct span *value, struct ahoy_err *err)
{
    if (rest->size == 0) {
        *err = (struct ahoy_err){ .expected = NULL };
        return false;
    }
    size_t size = ahoy_span_find(*rest, '\n');
    if (size == rest->size)
        return ahoy_fail(err, 400, rest->at, "a line that ends");
    struct span line = { rest->at, size };
    *rest = ahoy_span_after(*rest, size + 1);
    if (line.size > 0 && line.at[line.size - 1] == '\r')
        line.size--;
    if (line.size > AHOY_SDP_LINE_LIMIT)
        return ahoy_fail(err, 488, line.at, "a shorter line");
    if (line.size < 2 || line.at[1] != '=' || line.at[0] < 'a' || line.at[0] > 'z')
        return ahoy_fail(err, 400, line.at, "a letter and \"=\"");
    if (ahoy_span_find(line, '\0') < line.size || ahoy_span_find(line, '\r') < line.size)
        return ahoy_fail(err, 400, line.at, "a line of text");
    *type = line.at[0];
    *value = ahoy_span_after(line, 2);
    return true;
}

/* Where the lines at hand belong to. */
struct reader {
    struct ahoy_sdp *sdp;
    struct ahoy_sdp_media *media; /* NULL in the session's part. */
    bool has_name;
};

static bool read_origin(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct span rest = value;
    for (int words = 0; words < 6; words++) {
        if (ahoy_sdp_word(&rest).size == 0)
            return ahoy_fail(err, 400, value.at, "o= with six fields");
    }
    reader->sdp->origin = value;
    return true;
}

static bool read_connection(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct span rest = value;
    struct span network = ahoy_sdp_word(&rest);
    struct ahoy_sdp_connection connection = { .family = ahoy_sdp_word(&rest) };
    connection.address = ahoy_sdp_word(&rest);
    if (network.size == 0 || connection.family.size == 0 || connection.address.size == 0)
        return ahoy_fail(err, 400, value.at, "c= with three fields");
    if (reader->media != NULL)
        reader->media->connection = connection;
    else
        reader->sdp->connection = connection;
    return true;
}

static bool read_bandwidth(struct span value, struct ahoy_err *err)
{
    size_t colon = ahoy_span_find(value, ':');
    if (colon == 0 || colon >= value.size - 1 || value.size == 0)
        return ahoy_fail(err, 400, value.at, "b= with a type, a colon and a number");
    return true;
}

static bool read_timing(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct span rest = value;
    uint64_t number;
    if (!ahoy_span_number(ahoy_sdp_word(&rest), UINT64_MAX, &number) ||
        !ahoy_span_number(ahoy_sdp_word(&rest), UINT64_MAX, &number))
        return ahoy_fail(err, 400, value.at, "t= with two numbers");
    if (reader->sdp->timing.size == 0)
        reader->sdp->timing = value;
    return true;
}

static void read_attribute(struct reader *reader, struct span value)
{
    for (size_t i = 0; i < sizeof direction_names / sizeof direction_names[0]; i++) {
        if (!ahoy_span_equal(value, direction_names[i]))
            continue;
        if (reader->media != NULL)
            reader->media->direction = (enum ahoy_direction)i;
        else
            reader->sdp->direction = (enum ahoy_direction)i;
    }
}

static bool read_port(struct span text, uint16_t *port)
{
    uint64_t number;
    uint64_t count;
    size_t slash = ahoy_span_find(text, '/');
    if (slash < text.size && !ahoy_span_number(ahoy_span_after(text, slash + 1), 65535, &count))
        return false;
    if (!ahoy_span_number((struct span){ text.at, slash }, 65535, &number))
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool read_media(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct ahoy_sdp *sdp = reader->sdp;
    if (sdp->media_count == AHOY_SDP_MEDIA_LIMIT)
        return ahoy_fail(err, 488, value.at, "at most 64 media");
    struct ahoy_sdp_media *media = &sdp->media[sdp->media_count];
    struct span rest = value;
    *media = (struct ahoy_sdp_media){ .type = ahoy_sdp_word(&rest) };
    bool has_port = read_port(ahoy_sdp_word(&rest), &media->port);
    media->protocol = ahoy_sdp_word(&rest);
    media->formats = rest;
    if (media->type.size == 0 || !has_port || media->protocol.size == 0 || rest.size == 0)
        return ahoy_fail(err, 400, value.at, "m= with a type, a port, a protocol and formats");
    media->connection = sdp->connection;
    media->direction = sdp->direction;
    sdp->media_count++;
    reader->media = media;
    return true;
}

static bool read_line(struct reader *reader, char type, struct span value, struct ahoy_err *err)
{
    switch (type) {
    case 'o':
        return read_origin(reader, value, err);
    case 's':
        reader->has_name = true;
        return true;
    case 'c':
        return read_connection(reader, value, err);
    case 'b':
        return read_bandwidth(value, err);
    case 't':
        return read_timing(reader, value, err);
    case 'a':
        read_attribute(reader, value);
        return true;
    case 'm':
        return read_media(reader, value, err);
    case 'v':
        return ahoy_fail(err, 400, value.at, "one v= only");
    default:
        return true;
    }
}

bool ahoy_sdp_parse(struct span text, struct ahoy_sdp *sdp, struct ahoy_err *err)
{
    struct reader reader = { .sdp = sdp };
    struct ahoy_err fault;
    struct span rest = text;
    struct span value;
    char type;
    sdp->origin = sdp->timing = SPAN("");
    sdp->connection = (struct ahoy_sdp_connection){ SPAN(""), SPAN("") };
    sdp->direction = AHOY_SENDRECV;
    sdp->media_count = 0;
    if (!ahoy_sdp_line(&rest, &type, &value, &fault) || type != 'v' ||
        !ahoy_span_equal(value, SPAN("0")))
        return ahoy_fail(err, 400, text.at, "v=0 in the first line");
    for (size_t lines = 1; ahoy_sdp_line(&rest, &type, &value, &fault); lines++) {
        if (lines == AHOY_SDP_LINES_LIMIT)
            return ahoy_fail(err, 488, value.at, "fewer lines");
        struct ahoy_sdp_media *before = reader.media;
        if (!read_line(&reader, type, value, err))
            return false;
        if (reader.media != NULL && reader.media != before)
            reader.media->lines = (struct span){ rest.at, 0 };
        else if (reader.media != NULL)
            reader.media->lines.size = (size_t)(rest.at - reader.media->lines.at);
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    if (sdp->origin.size == 0 || !reader.has_name)
        return ahoy_fail(err, 400, text.at, "o= and s=");
    return true;
}
