/* What Ahoy finds wrong with parameters, quotes and brackets (RFC 3261 7.3.1, 25.1). */
#include "tests/osip/place.h"

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
    if (value.size > 0 && *value.at == '[') /* The address, and what stands behind its bracket. */
        return is_no_reference(place) || ahoy_span_find(value, ']') + 1 < value.size;
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

/* clang-format off */
const struct fault_class osip_param_faults[] = {
    { "a CSeq", "cseq", at_end, "" },
    { "a tag in From", "from-tag", has_no_such_param, "tag" },
    { "a tag of 1 to 256 bytes", "tag", is_no_tag, "" },
    { "a branch of 1 to 256 bytes", "tag", is_no_tag, "" },
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
    { .name = NULL },
};
/* clang-format on */
