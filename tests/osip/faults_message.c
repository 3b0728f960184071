/* What Ahoy finds wrong with lines, rows, and values without parameters (RFC 3261 7, 8.1.1, 18.3,
 * 20). */
#include "tests/osip/place.h"

static bool at_end_of_bytes(const struct place *place)
{
    return place->at == ahoy_span_end(place->bytes);
}

static bool is_control(const struct place *place)
{
    return at_end_of_bytes(place) || (unsigned char)*place->at < 0x20 || *place->at == 0x7f;
}

static bool is_invisible(const struct place *place)
{
    return at_end(place) || (unsigned char)*place->at < 0x21 || (unsigned char)*place->at > 0x7e;
}

static bool is_no_content_length(const struct place *place)
{
    return is_no_number(place, UINT32_MAX, "");
}

static bool is_no_hops(const struct place *place)
{
    return is_no_number(place, UINT8_MAX, "");
}

static bool is_no_sequence_number(const struct place *place)
{
    uint64_t value;
    struct span rest = rest_of(place);
    return !take_number(&rest, INT32_MAX, &value);
}

/* A row of the same header stands further up. */
static bool is_second_row(const struct place *place)
{
    struct span name = { place->at, ahoy_span_find(rest_of(place), ':') };
    enum ahoy_header header = ahoy_header_parse(ahoy_span_trim(name));
    for (const char *at = place->bytes.at; at < place->at; at++) {
        struct span text = ahoy_span_between(at, place->at);
        text.size = ahoy_span_find(text, ':');
        if (at > place->bytes.at && at[-1] == '\n' &&
            ahoy_header_parse(ahoy_span_trim(text)) == header)
            return true;
    }
    return false;
}

/* No SIP-Version of ours stands here. */
static bool is_other_version(const struct place *place)
{
    struct span rest = rest_of(place);
    return !ahoy_span_starts_nocase(rest, SPAN("SIP/2.0")) || (rest.size > 7 && rest.at[7] != ' ');
}

static bool is_no_status(const struct place *place)
{
    struct span rest = rest_of(place);
    for (size_t i = 0; i < 3; i++) {
        if (i >= rest.size || !is_one_of(rest.at[i], DIGIT))
            return true;
    }
    return !is_one_of(*rest.at, "123456") || (rest.size > 3 && rest.at[3] != ' ');
}

static bool is_without_spaces(const struct place *place)
{
    struct span rest = place->row;
    rest = osip_drop(rest, ahoy_span_find(rest, ' '));
    return rest.size == 0 || ahoy_span_find(osip_drop(rest, 1), ' ') == rest.size - 1;
}

/* Takes a token and the white space around it off |text|. */
static bool take_token(struct span *text)
{
    *text = ahoy_span_trim(*text);
    size_t size = token_size(*text);
    *text = osip_drop(*text, size);
    return size > 0;
}

static bool take_slash(struct span *text)
{
    *text = ahoy_span_trim(*text);
    bool found = text->size > 0 && *text->at == '/';
    *text = osip_drop(*text, found);
    return found;
}

/* No sent-protocol and white space stand here. */
static bool is_no_protocol(const struct place *place)
{
    struct span rest = rest_of(place);
    return !take_token(&rest) || !take_slash(&rest) || !take_token(&rest) || !take_slash(&rest) ||
           !take_token(&rest) || rest.size == 0 || !is_white(*rest.at);
}

/* No method stands here, or no white space before it. */
static bool is_no_method(const struct place *place)
{
    return at_end(place) || !is_one_of(*place->at, TOKEN) || is_one_of(before(place), DIGIT);
}

static bool is_other_method(const struct place *place)
{
    struct span rest = rest_of(place);
    struct span bytes = ahoy_span_trim(place->bytes);
    rest.size = token_size(rest);
    bytes.size = token_size(bytes);
    return !ahoy_span_equal(rest, bytes);
}

/* The Content-Length here is more than what stands behind the empty line. */
static bool is_more_than_there_is(const struct place *place)
{
    uint64_t size;
    struct span rest = ahoy_span_between(place->at, ahoy_span_end(place->bytes));
    if (!ahoy_span_number(ahoy_span_trim(rest_of(place)), UINT32_MAX, &size))
        return false;
    while (rest.size > 4 && memcmp(rest.at, "\r\n\r\n", 4) != 0)
        rest = osip_drop(rest, 1);
    return rest.size < size + 4;
}

/* The row has no value, or its first one is empty or does not end. */
static bool is_no_list(const struct place *place)
{
    return at_end(place) || *place->at == ',' || ahoy_span_find(rest_of(place), '<') == 0 ||
           ahoy_span_find(rest_of(place), '"') < rest_of(place).size ||
           ahoy_span_find(rest_of(place), '<') < rest_of(place).size;
}

/* Some limit of docs/limits.md is exceeded: bytes, rows, bytes of a row, parts of a URI. */
static bool is_over_a_limit(const struct place *place)
{
    size_t lines = 0;
    size_t parts = 0;
    for (const char *at = place->bytes.at; at < place->at; at++)
        lines += *at == '\n';
    for (const char *at = place->row.at; at < place->at; at++)
        parts += is_one_of(*at, ";?&");
    return place->bytes.size > AHOY_MESSAGE_LIMIT || place->row.size > AHOY_URI_LIMIT ||
           lines >= AHOY_HEADERS_LIMIT || parts >= 64;
}

/* No colon stands here, nor what could be more of the name. */
static bool is_no_colon(const struct place *place)
{
    return is_other_byte(place) &&
           (at_end(place) || !is_one_of(*place->at, TOKEN) || is_white(before(place)));
}

/* clang-format off */
const struct fault_class osip_message_faults[] = {
    { "no control byte", "control-byte", is_control, "" },
    { "CRLF", "line-end", at_end_of_bytes, "" },
    { "an empty line", "line-end", at_end_of_bytes, "" },
    { "a method and a space", "start-line", is_other_byte, TOKEN " " },
    { "a Request-URI", "start-line", is_this_byte, " " },
    { "a Request-URI without brackets", "start-line", is_this_byte, "<" },
    { "no white space in the Request-URI", "start-line", is_this_byte, " \t" },
    { "a space and \"SIP/2.0\"", "start-line", is_without_spaces, "" },
    { "a space and a status", "start-line", is_without_spaces, "" },
    { "a space and a reason phrase", "start-line", is_other_byte, " " },
    { "\"SIP/2.0\"", "version", is_other_version, "" },
    { "a status of 100 to 699", "status", is_no_status, "" },
    { "a header name", "header-name", is_other_byte, TOKEN },
    { "\":\" behind a header name", "header-name", is_no_colon, ":" },
    { "this header only once", "header-twice", is_second_row, "" },
    { "a Content-Length", "content-length", is_no_content_length, "" },
    { "a Content-Length of no more than is there", "content-length", is_more_than_there_is, "" },
    { "\"SIP/2.0/\", a transport and white space", "via", is_no_protocol, "" },
    { "a Via", "list", is_no_list, "" },
    { "a value", "list", at_end, "" },
    { "a value before the comma", "list", is_this_byte, "," },
    { "a Call-ID", "call-id", is_invisible, "" },
    { "a number below 2^31", "cseq", is_no_sequence_number, "" },
    { "white space and a method", "cseq", is_no_method, "" },
    { "the request's method", "cseq", is_other_method, "" },
    { "a number of hops up to 255", "max-forwards", is_no_hops, "" },
    { "at most 64 parameters", "limit", is_over_a_limit, "" },
    { "a message of at most 65536 bytes", "limit", is_over_a_limit, "" },
    { "at most 256 rows", "limit", is_over_a_limit, "" },
    { "a row of at most 8192 bytes", "limit", is_over_a_limit, "" },
    { "a line of at most 8192 bytes", "limit", is_over_a_limit, "" },
    { "a Request-URI of at most 4096 bytes", "limit", is_over_a_limit, "" },
    { "a URI of at most 4096 bytes", "limit", is_over_a_limit, "" },
    { "at most 64 URI parameters", "limit", is_over_a_limit, "" },
    { "at most 64 headers in a URI", "limit", is_over_a_limit, "" },
    { .name = NULL },
};
/* clang-format on */
