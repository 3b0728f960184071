/* Reading a session description: RFC 8866 5, in the order of 9. */
#include "libahoy/sdp/sdp.h"

#include "libahoy/sdp/field.h"

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

enum { LETTERS = 26 };

/* Which lines a section has (9), in their order, and which of them stand once. */
struct section {
    uint8_t places[LETTERS]; /* From 1 on; "t" is for "r" and "z" too, which follow it. */
    unsigned once;           /* A bit for each letter. */
    const char *expected;
};

#define AT(letter, place) [letter - 'a'] = place
#define BIT(letter)       (1U << (letter - 'a'))

static const struct section session_section = {
    .places = { AT('v', 1), AT('o', 2), AT('s', 3), AT('i', 4), AT('u', 5), AT('e', 6), AT('p', 7),
                AT('c', 8), AT('b', 9), AT('t', 10), AT('k', 11), AT('a', 12) },
    .once = BIT('v') | BIT('o') | BIT('s') | BIT('i') | BIT('u') | BIT('c') | BIT('k'),
    .expected = "lines in the order v o s i u e p c b t k a",
};
static const struct section media_section = {
    .places = { AT('i', 1), AT('c', 2), AT('b', 3), AT('k', 4), AT('a', 5) },
    .once = BIT('i') | BIT('k'),
    .expected = "lines in the order m i c b k a",
};

/* Where the lines at hand belong to. */
struct reader {
    struct ahoy_sdp *sdp;
    struct ahoy_sdp_media *media; /* NULL in the session's part. */
    const struct section *section;
    size_t place;  /* Of the last line in the section's order. */
    unsigned seen; /* The letters that the section has had, a bit each. */
};

static unsigned bit_of(char type)
{
    return 1u << (type - 'a');
}

/* Whether |type| may stand here; unknown ones may anywhere. */
static bool check_place(struct reader *reader, char type, const char *at, struct ahoy_err *err)
{
    const struct section *section = reader->section;
    char group = type == 'r' || type == 'z' ? 't' : type;
    if (session_section.places[group - 'a'] == 0)
        return true;
    size_t place = section->places[group - 'a'];
    bool is_again = (reader->seen & section->once & bit_of(type)) != 0;
    bool lacks_time = group != type && (reader->seen & bit_of('t')) == 0;
    if (place == 0 || place < reader->place || is_again || lacks_time)
        return ahoy_fail(err, 400, at, section->expected);
    reader->place = place;
    reader->seen |= bit_of(type);
    return true;
}

/* Media and the end follow a session that has what it must have (R8866-5.3-1). */
static bool check_session(const struct reader *reader, const char *at, struct ahoy_err *err)
{
    unsigned needed = bit_of('v') | bit_of('o') | bit_of('s');
    return reader->media != NULL || (reader->seen & needed) == needed ||
           ahoy_fail(err, 400, at, "o= and s=");
}

static bool read_connection(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct ahoy_sdp_connection connection;
    if (!ahoy_sdp_read_connection(value, &connection, err))
        return false;
    if (reader->media == NULL)
        reader->sdp->connection = connection;
    else if (reader->media->connection.address.at == reader->sdp->connection.address.at)
        reader->media->connection = connection;
    return true;
}

static bool read_timing(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct ahoy_sdp_time time;
    if (reader->sdp->timing.size == 0)
        reader->sdp->timing = value;
    return ahoy_sdp_read_time(value, &time, err);
}

static bool read_attribute(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct ahoy_sdp_attribute attribute;
    if (!ahoy_sdp_read_attribute(value, &attribute, err))
        return false;
    for (size_t i = 0; i < sizeof direction_names / sizeof direction_names[0]; i++) {
        if (!ahoy_span_equal(value, direction_names[i]))
            continue;
        if (reader->media != NULL)
            reader->media->direction = (enum ahoy_direction)i;
        else
            reader->sdp->direction = (enum ahoy_direction)i;
    }
    return true;
}

static bool read_media(struct reader *reader, struct span value, struct ahoy_err *err)
{
    struct ahoy_sdp *sdp = reader->sdp;
    if (!check_session(reader, value.at, err))
        return false;
    if (sdp->media_count == AHOY_SDP_MEDIA_LIMIT)
        return ahoy_fail(err, 488, value.at, "at most 64 media");
    struct ahoy_sdp_media *media = &sdp->media[sdp->media_count];
    if (!ahoy_sdp_read_media(value, media, err))
        return false;
    media->connection = sdp->connection;
    media->direction = sdp->direction;
    sdp->media_count++;
    reader->media = media;
    reader->section = &media_section;
    reader->place = 0;
    reader->seen = 0;
    return true;
}

static bool read_line(struct reader *reader, char type, struct span value, struct ahoy_err *err)
{
    struct ahoy_sdp_bandwidth bandwidth;
    struct ahoy_sdp_repeat repeat;
    if (!check_place(reader, type, value.at - 2, err))
        return false;
    switch (type) {
    case 'v':
        return ahoy_span_equal(value, SPAN("0")) || ahoy_fail(err, 400, value.at, "version 0");
    case 'o':
        return ahoy_sdp_read_origin(value, &reader->sdp->origin, err);
    case 's':
        reader->sdp->name = value;
        return true;
    case 'u':
    case 'e':
    case 'p':
        return value.size > 0 || ahoy_fail(err, 400, value.at, "a URI, an e-mail address, a phone");
    case 'c':
        return read_connection(reader, value, err);
    case 'b':
        return ahoy_sdp_read_bandwidth(value, &bandwidth, err);
    case 't':
        return read_timing(reader, value, err);
    case 'r':
        return ahoy_sdp_read_repeat(value, &repeat, err);
    case 'z':
        return ahoy_sdp_check_zones(value, err);
    case 'a':
        return read_attribute(reader, value, err);
    case 'm':
        return read_media(reader, value, err);
    default:
        return true;
    }
}

/* Gives the line that ends at |end| to its section; an m= line begins the next one. */
static void add_line(struct reader *reader, char type, const char *end)
{
    struct span *lines = reader->media != NULL ? &reader->media->lines : &reader->sdp->lines;
    if (type == 'm')
        *lines = (struct span){ end, 0 };
    else
        *lines = ahoy_span_between(lines->at, end);
}

bool ahoy_sdp_parse(struct span text, struct ahoy_sdp *sdp, struct ahoy_err *err)
{
    struct reader reader = { .sdp = sdp, .section = &session_section };
    struct span none = { text.at, 0 };
    struct ahoy_err fault;
    struct span rest = text;
    struct span value;
    char type;
    sdp->name = sdp->timing = sdp->lines = none;
    sdp->connection = (struct ahoy_sdp_connection){ none, none, none };
    sdp->direction = AHOY_SENDRECV;
    sdp->line_count = sdp->media_count = 0;
    while (ahoy_sdp_line(&rest, &type, &value, &fault)) {
        if (sdp->line_count == 0 && type != 'v')
            return ahoy_fail(err, 400, text.at, "v=0 in the first line");
        if (sdp->line_count++ == AHOY_SDP_LINES_LIMIT)
            return ahoy_fail(err, 488, value.at, "fewer lines");
        if (!read_line(&reader, type, value, err))
            return false;
        add_line(&reader, type, rest.at);
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    return check_session(&reader, rest.at, err);
}
