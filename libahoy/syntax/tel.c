/* Reading tel URIs (RFC 3966 3), which are also the users of some SIP URIs (RFC 3261 19.1.6). */
#include "libahoy/syntax/tel.h"

#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/tel_part.h"

bool ahoy_tel_param_next(struct span *rest, struct ahoy_uri_part *part)
{
    if (rest->size == 0)
        return false;
    struct span text = ahoy_span_after(*rest, 1);
    text.size = ahoy_span_find(text, ';');
    *rest = ahoy_span_after(*rest, 1 + text.size);
    size_t equal = ahoy_span_find(text, '=');
    part->has_value = equal < text.size;
    part->name = (struct span){ text.at, equal };
    part->value = ahoy_span_after(text, equal + part->has_value);
    return true;
}

bool ahoy_tel_is_separator(unsigned unit)
{
    return unit == '-' || unit == '.' || unit == '(' || unit == ')';
}

/* Whether all of |text| is escapes and bytes of |set|. */
static bool is_escaped_all(struct span text, unsigned set)
{
    return ahoy_skip_escaped(text.at, ahoy_span_end(text), set) == ahoy_span_end(text);
}

static bool is_digit(unsigned unit)
{
    return unit < 0x80 && ahoy_is((char)unit, AHOY_DIGIT);
}

static bool is_local_digit(unsigned unit)
{
    return unit < 0x80 && (ahoy_is((char)unit, AHOY_HEX) || unit == '*' || unit == '#');
}

/* Whether |text|, which begins with "%", begins with an escape. */
static bool is_escape(struct span text)
{
    return text.size >= 3 && ahoy_is(text.at[1], AHOY_HEX) && ahoy_is(text.at[2], AHOY_HEX);
}

/* Checks that |text| is digits and separators, with one digit at least.  An escape means its
 * character (section 3). */
static bool check_digits(struct span text, bool (*is_one)(unsigned unit), struct ahoy_err *err)
{
    size_t digits = 0;
    while (text.size > 0) {
        const char *at = text.at;
        bool sound = *at != '%' || is_escape(text);
        unsigned unit = ahoy_escaped_take(&text);
        if (sound && is_one(unit))
            digits++;
        else if (!sound || !ahoy_tel_is_separator(unit))
            return ahoy_fail(err, 400, at, "a digit or a visual separator of a number");
    }
    return digits > 0 || ahoy_fail(err, 400, text.at, "a digit");
}

/* Whether |text| is a domainname: labels of letters, digits and inner hyphens, the last of which
 * begins with a letter. */
static bool is_domain(struct span text)
{
    if (text.size > 0 && ahoy_span_end(text)[-1] == '.')
        text.size--;
    for (;;) {
        struct span label = { text.at, ahoy_span_find(text, '.') };
        if (label.size == 0 || label.at[0] == '-' || ahoy_span_end(label)[-1] == '-')
            return false;
        for (size_t i = 0; i < label.size; i++) {
            if (!ahoy_is(label.at[i], AHOY_ALPHA | AHOY_DIGIT) && label.at[i] != '-')
                return false;
        }
        if (label.size == text.size)
            return ahoy_is(label.at[0], AHOY_ALPHA);
        text = ahoy_span_after(text, label.size + 1);
    }
}

static bool read_context(struct ahoy_tel *tel, struct span value, struct ahoy_err *err)
{
    tel->context = value;
    if (value.size > 0 && value.at[0] == '+')
        return check_digits(ahoy_span_after(value, 1), is_digit, err);
    return is_domain(value) ||
           ahoy_fail(err, 400, value.at, "a domain name or \"+\" and digits as phone-context");
}

/* What isub may have: 1*uric, with "=" and "?" escaped as in every value (R3966-3-2). */
static bool read_isub(struct ahoy_tel *tel, struct span value, struct ahoy_err *err)
{
    tel->isub = value;
    return (value.size > 0 && is_escaped_all(value, AHOY_URIC) &&
            ahoy_span_find(value, '=') == value.size && ahoy_span_find(value, '?') == value.size) ||
           ahoy_fail(err, 400, value.at, "an ISDN subaddress");
}

static bool read_other(struct ahoy_tel *tel, const struct ahoy_uri_part *part, struct ahoy_err *err)
{
    if (ahoy_span_starts_nocase(part->name, SPAN("m-")))
        tel->has_mandatory = true;
    return (!part->has_value ||
            (part->value.size > 0 && is_escaped_all(part->value, AHOY_PARAMCHAR))) ||
           ahoy_fail(err, 400, part->value.at, "a parameter's value");
}

static bool check_name(struct span name, struct ahoy_err *err)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!ahoy_is(name.at[i], AHOY_ALPHA | AHOY_DIGIT) && name.at[i] != '-')
            return ahoy_fail(err, 400, name.at + i, "a letter, a digit or \"-\" in a name");
    }
    return name.size > 0 || ahoy_fail(err, 400, name.at, "a parameter's name");
}

/* A global number's phone-context has no meaning: it is like any other parameter. */
static bool read_param(struct ahoy_tel *tel, const struct ahoy_uri_part *part, struct ahoy_err *err)
{
    if (ahoy_span_equal_nocase(part->name, SPAN("isub")))
        return read_isub(tel, part->value, err);
    if (ahoy_span_equal_nocase(part->name, SPAN("ext"))) {
        tel->ext = part->value;
        return check_digits(part->value, is_digit, err);
    }
    if (!tel->is_global && ahoy_span_equal_nocase(part->name, SPAN("phone-context")))
        return read_context(tel, part->value, err);
    return read_other(tel, part, err);
}

static bool read_params(struct ahoy_tel *tel, struct ahoy_err *err)
{
    struct span rest = tel->params;
    struct ahoy_uri_part part;
    for (size_t count = 0; rest.size > 0; count++) {
        struct span before = ahoy_span_between(tel->params.at, rest.at);
        struct span earlier;
        if (count == AHOY_URI_PARTS_LIMIT)
            return ahoy_fail(err, 400, rest.at, "at most 64 URI parameters");
        ahoy_tel_param_next(&rest, &part);
        if (!check_name(part.name, err) || !read_param(tel, &part, err))
            return false;
        if (ahoy_tel_param(before, part.name, &earlier)) /* R3966-3-3 */
            return ahoy_fail(err, 400, part.name.at, "each parameter once");
    }
    if (tel->isub.size > 0 && tel->ext.size > 0) /* 5.3 */
        return ahoy_fail(err, 400, tel->ext.at, "either isub or ext");
    if (!tel->is_global && tel->context.size == 0) /* R3966-5.1.5-1 */
        return ahoy_fail(err, 400, rest.at, "a phone-context for a local number");
    return true;
}

static bool read_subscriber(struct span text, struct ahoy_tel *tel, struct ahoy_err *err)
{
    struct span none = ahoy_nothing(text.at);
    *tel = (struct ahoy_tel){ .isub = none, .ext = none, .context = none };
    tel->is_global = text.size > 0 && text.at[0] == '+';
    tel->number = (struct span){ text.at, ahoy_span_find(text, ';') };
    tel->params = ahoy_span_after(text, tel->number.size);
    bool sound = tel->is_global ? check_digits(ahoy_span_after(tel->number, 1), is_digit, err)
                                : check_digits(tel->number, is_local_digit, err);
    return sound && read_params(tel, err);
}

bool ahoy_tel_param(struct span params, struct span name, struct span *value)
{
    struct ahoy_uri_part part;
    while (ahoy_tel_param_next(&params, &part)) {
        if (ahoy_span_equal_nocase(part.name, name)) {
            *value = part.value;
            return true;
        }
    }
    return false;
}

bool ahoy_tel_parse(struct span text, struct ahoy_tel *tel, struct ahoy_err *err)
{
    if (text.size > AHOY_URI_LIMIT)
        return ahoy_fail(err, 414, text.at + AHOY_URI_LIMIT, "a URI of at most 4096 bytes");
    if (!ahoy_span_starts_nocase(text, SPAN("tel:")))
        return ahoy_fail(err, 400, text.at, "\"tel:\"");
    return read_subscriber(ahoy_span_after(text, strlen("tel:")), tel, err);
}

bool ahoy_tel_from_sip(const struct ahoy_uri *uri, struct ahoy_tel *tel, struct ahoy_err *err)
{
    struct span value;
    if (uri->scheme == AHOY_SCHEME_OTHER || !ahoy_uri_param(uri, SPAN("user"), &value) ||
        !ahoy_escaped_equal_nocase(value, SPAN("phone")))
        return ahoy_fail(err, 400, uri->text.at, "a SIP URI with user=phone");
    return read_subscriber(uri->user, tel, err);
}
