/* Where Ahoy refuses what libosip2 takes: for each thing that Ahoy expects, what must be wrong with
 * the bytes at that place (RFC 3261 25.1, and the sections in classes.tsv). */
#include <arpa/inet.h>

#include "libahoy/base/ip.h"
#include "tests/osip/classes.h"

#define DIGIT      "0123456789"
#define ALPHANUM   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGIT
#define UNRESERVED ALPHANUM "-_.!~*'()"
#define TOKEN      ALPHANUM "-.!%*_+`'~"

/* A fault, and the row that it is in. */
struct place {
    struct span bytes;
    struct span row; /* Without the CRLF behind it. */
    const char *at;
    const char *words; /* What the predicate is to know. */
};

typedef bool predicate(const struct place *place);

static bool is_white(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static bool is_one_of(char byte, const char *set)
{
    return byte != '\0' && strchr(set, byte) != NULL;
}

static bool at_end(const struct place *place)
{
    return place->at >= ahoy_span_end(place->row);
}

static bool at_end_of_bytes(const struct place *place)
{
    return place->at == ahoy_span_end(place->bytes);
}

/* The byte in front of the fault; a space at the very beginning. */
static char before(const struct place *place)
{
    return place->at > place->bytes.at ? place->at[-1] : ' ';
}

/* From |at| to the end of the row. */
static struct span rest_of(const struct place *place)
{
    return at_end(place) ? (struct span){ place->at, 0 }
                         : ahoy_span_between(place->at, ahoy_span_end(place->row));
}

/* None of |words| stands here. */
static bool is_other_byte(const struct place *place)
{
    return at_end(place) || !is_one_of(*place->at, place->words);
}

static bool is_this_byte(const struct place *place)
{
    return !is_other_byte(place);
}

/* None of |words|, and no escape either. */
static bool is_no_character(const struct place *place)
{
    struct span rest = rest_of(place);
    if (rest.size < 3 || *rest.at != '%')
        return is_other_byte(place);
    return !is_one_of(rest.at[1], DIGIT "abcdefABCDEF") ||
           !is_one_of(rest.at[2], DIGIT "abcdefABCDEF");
}

/* Whether what stands before the fault is a colon and digits, which are not part of a token. */
static bool is_behind_port(const struct place *place)
{
    const char *at = place->at;
    while (at > place->row.at && is_one_of(at[-1], DIGIT))
        at--;
    while (at > place->row.at && is_white(at[-1]))
        at--;
    return at > place->row.at && at[-1] == ':';
}

/* Whether it is in front of all parameters of a value, and no character of a host. */
static bool is_behind_host(const struct place *place)
{
    const char *at = place->at;
    while (at > place->row.at && !is_one_of(at[-1], ",;"))
        at--;
    return (at == place->row.at || at[-1] == ',') && !is_one_of(*place->at, ALPHANUM "-._");
}

/* Something ends here, and what stands here is not what may follow it. */
static bool is_not_next(const struct place *place)
{
    return is_other_byte(place) &&
           (at_end(place) || !is_one_of(*place->at, TOKEN) || is_white(before(place)) ||
            is_one_of(before(place), "\">]") || is_behind_port(place) || is_behind_host(place));
}

/* No name stands here, or no "=" behind it. */
static bool is_no_pair(const struct place *place)
{
    return is_not_next(place) || is_white(before(place)) || before(place) == ',';
}

static bool is_control(const struct place *place)
{
    return at_end_of_bytes(place) || (unsigned char)*place->at < 0x20 || *place->at == 0x7f;
}

static bool is_invisible(const struct place *place)
{
    return at_end(place) || (unsigned char)*place->at < 0x21 || (unsigned char)*place->at > 0x7e;
}

/* Takes the digits off |text|; false where there is none, or more than |limit|. */
static bool take_number(struct span *text, uint64_t limit, uint64_t *value)
{
    bool found = text->size > 0 && is_one_of(*text->at, DIGIT);
    *value = 0;
    for (; text->size > 0 && is_one_of(*text->at, DIGIT); *text = osip_drop(*text, 1)) {
        *value = 10 * *value + (uint64_t)(*text->at - '0');
        if (*value > limit)
            return false;
    }
    return found;
}

/* No number up to |limit|, and nothing but it, stands here; |behind| may follow. */
static bool is_no_number(const struct place *place, uint64_t limit, const char *behind)
{
    uint64_t value;
    struct span rest = rest_of(place);
    if (!take_number(&rest, limit, &value))
        return true;
    rest = ahoy_span_trim(rest);
    return rest.size > 0 && !is_one_of(*rest.at, behind);
}

static bool is_no_content_length(const struct place *place)
{
    return is_no_number(place, UINT32_MAX, "");
}

static bool is_no_hops(const struct place *place)
{
    return is_no_number(place, UINT8_MAX, "");
}

static bool is_no_number_value(const struct place *place)
{
    return is_no_number(place, UINT32_MAX, ";,");
}

static bool is_no_port_value(const struct place *place)
{
    return is_no_number(place, UINT16_MAX, ";,");
}

static bool is_no_ttl_value(const struct place *place)
{
    return is_no_number(place, UINT8_MAX, ";,");
}

static bool is_no_port(const struct place *place)
{
    uint64_t value;
    struct span rest = rest_of(place);
    return !take_number(&rest, 65535, &value) || value == 0;
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

/* The size of the token that |text| begins with. */
static size_t token_size(struct span text)
{
    size_t size = 0;
    while (size < text.size && is_one_of(text.at[size], TOKEN))
        size++;
    return size;
}

/* Whether a parameter |name| stands in |text|. */
static bool has_param(struct span text, struct span name)
{
    while (text.size > 0) {
        text = ahoy_span_trim(osip_drop(text, 1));
        if (token_size(text) == name.size &&
            ahoy_span_equal_nocase((struct span){ text.at, name.size }, name))
            return true;
        while (text.size > 0 && !is_one_of(*text.at, ";,: \t"))
            text = osip_drop(text, 1);
    }
    return false;
}

static bool is_second_param(const struct place *place)
{
    struct span name = { place->at, token_size(rest_of(place)) };
    return has_param(ahoy_span_between(place->row.at, place->at), name);
}

static bool has_no_such_param(const struct place *place)
{
    return !has_param(place->row, ahoy_span(place->words));
}

/* What opens here is not closed in this row. */
static bool is_open(const struct place *place)
{
    struct span rest = osip_drop(rest_of(place), 1);
    bool quoted = *place->at == '"';
    for (; rest.size > 0; rest = osip_drop(rest, 1)) {
        if (quoted && *rest.at == '\\' && rest.size > 1)
            rest = osip_drop(rest, 1);
        else if (*rest.at == (quoted ? '"' : '>'))
            return false;
    }
    return quoted || *place->at == '<';
}

static bool is_no_value(const struct place *place)
{
    return is_other_byte(place) || (*place->at == '"' && is_open(place));
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
    struct span rest = place->bytes;
    if (!ahoy_span_number(ahoy_span_trim(rest_of(place)), UINT32_MAX, &size))
        return false;
    while (rest.size > 4 && memcmp(rest.at, "\r\n\r\n", 4) != 0)
        rest = osip_drop(rest, 1);
    return rest.size < size + 4;
}

static bool is_no_scheme(const struct place *place)
{
    struct span rest = rest_of(place);
    size_t size = 0;
    while (size < rest.size && is_one_of(rest.at[size], ALPHANUM "+-."))
        size++;
    return size == 0 || size == rest.size || rest.at[size] != ':' ||
           is_one_of(*rest.at, DIGIT "+-.");
}

/* No address that the C library takes stands in these brackets. */
static bool is_no_reference(const struct place *place)
{
    struct span rest = osip_drop(rest_of(place), 1);
    char text[64];
    unsigned char address[16];
    size_t size = ahoy_span_find(rest, ']');
    if (size == rest.size || size >= sizeof text)
        return true;
    memcpy(text, rest.at, size);
    text[size] = '\0';
    return inet_pton(AF_INET6, text, address) != 1;
}

static bool is_no_host(const struct place *place)
{
    return is_other_byte(place) ||
           (*place->at == '.' && (is_one_of(before(place), ".@:/<") || is_white(before(place))));
}

/* Whether a part of a URI, a parameter or a header, lacks its name or its value; a header must have
 * both. */
static bool is_half(struct span part)
{
    size_t equal = ahoy_span_find(part, '=');
    if (part.size <= 1 || equal == 1 || equal == part.size - 1)
        return true;
    return *part.at != ';' && equal == part.size;
}

/* Whether the part of a URI before the fault, or the one that begins with it, is not whole. */
static bool is_half_part(const struct place *place)
{
    const char *from = place->at;
    const char *to = place->at;
    while (from > place->row.at && !is_one_of(*--from, ";?&"))
        continue;
    while (to < ahoy_span_end(place->row) &&
           is_one_of(*to, to == place->at ? ";?&" : UNRESERVED "[]/:+$%="))
        to++;
    return is_half(ahoy_span_between(from, place->at)) ||
           (to > place->at && is_half(ahoy_span_between(place->at, to)));
}

/* Neither a character of a URI, nor one that may stand behind a host. */
static bool is_no_uri_character(const struct place *place)
{
    if (is_no_character(place))
        return true;
    const char *at = place->at;
    while (at > place->row.at && !is_one_of(*--at, ";?@<"))
        continue;
    return !is_one_of(*at, ";?"); /* Right behind the host. */
}

/* No character of a user, or, behind a colon, of a password. */
static bool is_no_user_character(const struct place *place)
{
    struct place copy = *place;
    const char *colon = place->at;
    while (colon > place->row.at && *--colon != ':')
        continue;
    bool in_user = colon - place->row.at >= 3 && is_one_of(colon[-1], "pPsS") &&
                   (ahoy_span_equal_nocase((struct span){ colon - 3, 3 }, SPAN("sip")) ||
                    ahoy_span_equal_nocase((struct span){ colon - 3, 3 }, SPAN("ips")));
    copy.words = in_user ? UNRESERVED "&=+$,;?/" : UNRESERVED "&=+$,";
    return is_no_character(&copy);
}

static bool is_behind_question_mark(const struct place *place)
{
    return before(place) == '?';
}

/* The parameter's value that stands here. */
static struct span value_of(const struct place *place)
{
    struct span value = rest_of(place);
    size_t size = 0;
    while (size < value.size && !is_white(value.at[size]) && !is_one_of(value.at[size], ";,"))
        size++;
    value.size = size;
    return value;
}

static bool is_no_host_value(const struct place *place)
{
    struct span value = value_of(place);
    unsigned char address[16];
    char text[64];
    if (value.size > 0 && *value.at == '[')
        return is_no_reference(place);
    if (value.size == 0 || value.size >= sizeof text)
        return true;
    memcpy(text, value.at, value.size);
    text[value.size] = '\0';
    return inet_pton(AF_INET6, text, address) != 1 && (strspn(text, ALPHANUM "-._") != value.size ||
                                                       *text == '.' || strstr(text, "..") != NULL);
}

/* No qvalue: 0 to 1 with at most three decimals. */
static bool is_no_qvalue(const struct place *place)
{
    struct span value = value_of(place);
    if (value.size == 0 || value.size > 5 || (value.size > 1 && value.at[1] != '.'))
        return true;
    for (size_t i = 2; i < value.size; i++) {
        if (!is_one_of(value.at[i], *value.at == '1' ? "0" : DIGIT))
            return true;
    }
    return !is_one_of(*value.at, "01");
}

static bool is_no_bool(const struct place *place)
{
    return !ahoy_span_equal_nocase(value_of(place), SPAN("true")) &&
           !ahoy_span_equal_nocase(value_of(place), SPAN("false"));
}

static bool is_no_token_value(const struct place *place)
{
    struct span value = value_of(place);
    return value.size == 0 || token_size(value) < value.size;
}

static bool is_value(const struct place *place)
{
    return before(place) == '=' || is_white(before(place));
}

/* Nothing, a quoted string, or more than 256 bytes stand here. */
static bool is_no_tag(const struct place *place)
{
    struct span rest = rest_of(place);
    return before(place) != '=' || rest.size == 0 || *rest.at == '"' || rest.size > 256;
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

/* clang-format off */
static const struct {
    const char *expected;
    const char *name;
    predicate *holds;
    const char *words;
} classes[] = {
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
    { "\":\" behind a header name", "header-name", is_not_next, ":" },
    { "this header only once", "header-twice", is_second_row, "" },
    { "a Content-Length", "content-length", is_no_content_length, "" },
    { "a Content-Length of no more than is there", "content-length", is_more_than_there_is, "" },
    { "\"SIP/2.0/\", a transport and white space", "via", is_no_protocol, "" },
    { "a Via", "list", is_no_list, "" },
    { "a value", "list", at_end, "" },
    { "a value before the comma", "list", is_this_byte, "," },
    { "a Call-ID", "call-id", is_invisible, "" },
    { "a CSeq", "cseq", at_end, "" },
    { "a number below 2^31", "cseq", is_no_sequence_number, "" },
    { "white space and a method", "cseq", is_no_method, "" },
    { "the request's method", "cseq", is_other_method, "" },
    { "a number of hops up to 255", "max-forwards", is_no_hops, "" },
    { "a tag in From", "from-tag", has_no_such_param, "tag" },
    { "a tag of 1 to 256 bytes", "tag", is_no_tag, "" },
    { "a branch of 1 to 256 bytes", "tag", is_no_tag, "" },
    { "an address", "uri", at_end, "" },
    { "a URI", "uri", is_other_byte, UNRESERVED },
    { "a URI's scheme and \":\"", "uri", is_no_scheme, "" },
    { "a user before \"@\"", "uri", is_no_character, UNRESERVED "&=+$,;?/" },
    { "an escape, or a character that a user may have", "uri", is_no_user_character, "" },
    { "an escape, or a character that a URI may have", "uri", is_no_uri_character,
      UNRESERVED "[]/:&+$?" },
    { "a character that a URI may have", "uri", is_no_character, UNRESERVED ";/?:@&=+$," },
    { "a host", "uri", is_no_host, ALPHANUM "-._[" },
    { "an IPv6 address in brackets", "uri", is_no_reference, "" },
    { "a port of 1 to 65535", "uri", is_no_port, "" },
    { "a URI parameter", "uri", is_half_part, "" },
    { "a header in a URI", "uri", is_half_part, "" },
    { "each URI parameter once", "parameter-twice", is_second_param, "" },
    { "no headers in a Request-URI", "request-uri-headers", is_behind_question_mark, "" },
    { "\"<\" and \">\" around a URI with \"?\" or \",\"", "brackets", is_this_byte, "?," },
    { "\"<\" and \">\" around a route", "brackets", is_other_byte, "<" },
    { "\"<\" behind a quoted name", "brackets", is_other_byte, "<" },
    { "a closing \">\"", "brackets", is_open, "" },
    { "a closing quote", "quotes", is_open, "" },
    { "\";\" before a parameter", "parameter", is_not_next, ";" },
    { "a parameter's name", "parameter", is_other_byte, TOKEN },
    { "a parameter's value", "parameter", is_no_value, TOKEN "\"[" },
    { "a port in rport", "parameter", is_no_port_value, "" },
    { "a parameter's name and \"=\"", "parameter", is_no_pair, "=" },
    { "a comma between parameters", "parameter", is_not_next, "," },
    { "a parameter behind the comma", "parameter", at_end, "" },
    { "a scheme", "parameter", at_end, "" },
    { "a scheme and white space", "parameter", is_not_next, " " },
    { "one tag", "parameter-twice", is_second_param, "" },
    { "one branch", "parameter-twice", is_second_param, "" },
    { "one rport", "parameter-twice", is_second_param, "" },
    { "each parameter once", "parameter-twice", is_second_param, "" },
    { "each Via parameter once", "parameter-twice", is_second_param, "" },
    { "at most 64 parameters", "limit", is_over_a_limit, "" },
    { "no value for this parameter", "parameter-value", is_value, "" },
    { "a token as this parameter's value", "parameter-value", is_no_token_value, "" },
    { "a quoted string as this parameter's value", "parameter-value", is_other_byte, "\"" },
    { "a number below 2^32 as this parameter's value", "parameter-value", is_no_number_value, "" },
    { "a q of 0 to 1 with at most three decimals", "parameter-value", is_no_qvalue, "" },
    { "a host as this parameter's value", "parameter-value", is_no_host_value, "" },
    { "a port as this parameter's value, or none", "parameter-value", is_no_port_value, "" },
    { "a number of 0 to 255 as this parameter's value", "parameter-value", is_no_ttl_value, "" },
    { "\"true\" or \"false\"", "parameter-value", is_no_bool, "" },
    { "\"*\" alone", "star", is_this_byte, "*" },
    { "a message of at most 65536 bytes", "limit", is_over_a_limit, "" },
    { "at most 256 rows", "limit", is_over_a_limit, "" },
    { "a row of at most 8192 bytes", "limit", is_over_a_limit, "" },
    { "a line of at most 8192 bytes", "limit", is_over_a_limit, "" },
    { "a Request-URI of at most 4096 bytes", "limit", is_over_a_limit, "" },
    { "a URI of at most 4096 bytes", "limit", is_over_a_limit, "" },
    { "at most 64 URI parameters", "limit", is_over_a_limit, "" },
    { "at most 64 headers in a URI", "limit", is_over_a_limit, "" },
};
/* clang-format on */

/* The row around |at|, folds included. */
static struct span row_around(struct span bytes, const char *at)
{
    const char *from = at;
    const char *to = at;
    while (from > bytes.at &&
           (from[-1] != '\n' || from == ahoy_span_end(bytes) || *from == ' ' || *from == '\t'))
        from--;
    while (to < ahoy_span_end(bytes) &&
           (*to != '\r' || ahoy_span_end(bytes) - to < 2 || to[1] != '\n' ||
            (ahoy_span_end(bytes) - to > 2 && (to[2] == ' ' || to[2] == '\t'))))
        to++;
    return ahoy_span_between(from, to);
}

const char *osip_class_of_fault(struct span bytes, const struct ahoy_err *fault)
{
    struct place place = { .bytes = bytes, .at = bytes.at + ahoy_err_offset(fault, bytes) };
    place.row = row_around(bytes, place.at);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        place.words = classes[i].words;
        if (strcmp(fault->expected, classes[i].expected) == 0)
            return classes[i].holds(&place) ? classes[i].name : NULL;
    }
    return NULL;
}

const char *osip_class_of_faults(size_t i)
{
    return i < sizeof classes / sizeof classes[0] ? classes[i].name : NULL;
}
