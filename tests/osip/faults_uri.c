/* What Ahoy finds wrong with URIs (RFC 3261 19.1.1, 25.1). */
#include <ctype.h>
#include <stdlib.h>

#include "tests/osip/place.h"

static bool is_no_port(const struct place *place)
{
    uint64_t value;
    struct span rest = rest_of(place);
    return !take_number(&rest, 65535, &value) || value == 0;
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

enum { MORE = 0x100 }; /* Beside a character, which may be 0. */

/* Takes one character, which may be escaped, off the name of a URI's parameter, case aside; 0 where
 * the name ends. */
static int take_character(struct span *text)
{
    char digits[3] = { 0 };
    if (text->size >= 3 && *text->at == '%') {
        memcpy(digits, text->at + 1, 2);
        if (strspn(digits, DIGIT "abcdefABCDEF") < 2)
            return 0;
        *text = osip_drop(*text, 3);
        return tolower((int)strtol(digits, NULL, 16)) | MORE;
    }
    if (text->size == 0 || !is_one_of(*text->at, UNRESERVED "[]/:&+$"))
        return 0;
    int character = tolower((unsigned char)*text->at) | MORE;
    *text = osip_drop(*text, 1);
    return character;
}

static bool is_same_name(struct span a, struct span b)
{
    int character;
    do {
        character = take_character(&a);
        if (character != take_character(&b))
            return false;
    } while (character != 0);
    return true;
}

static bool is_second_part(const struct place *place)
{
    for (const char *at = place->row.at; at < place->at - 1; at++) {
        if (*at == ';' &&
            is_same_name(ahoy_span_between(at + 1, ahoy_span_end(place->row)), rest_of(place)))
            return true;
    }
    return false;
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

/* clang-format off */
const struct fault_class osip_uri_faults[] = {
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
    { "each URI parameter once", "parameter-twice", is_second_part, "" },
    { "no headers in a Request-URI", "request-uri-headers", is_behind_question_mark, "" },
    { .name = NULL },
};
/* clang-format on */
