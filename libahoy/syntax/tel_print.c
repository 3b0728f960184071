/* When two tel URIs are one (RFC 3966 4), and their canonical spellings (section 3; RFC 3261
 * 19.1.6). */
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/tel.h"
#include "libahoy/syntax/tel_part.h"

/* Takes separators off the front of |text|. */
static void skip_separators(struct span *text)
{
    struct span rest = *text;
    while (rest.size > 0 && ahoy_tel_is_separator(ahoy_escaped_take(&rest)))
        *text = rest;
}

static bool digits_equal(struct span a, struct span b)
{
    for (;;) {
        skip_separators(&a);
        skip_separators(&b);
        if (a.size == 0 || b.size == 0)
            return a.size == b.size;
        if (ahoy_escaped_lower(ahoy_escaped_take(&a)) != ahoy_escaped_lower(ahoy_escaped_take(&b)))
            return false;
    }
}

/* Whether a parameter of |tel| holds digits, in which separators do not count: the extension, and
 * a context that is no domain name. */
static bool holds_digits(const struct ahoy_tel *tel, struct span value)
{
    return value.size > 0 &&
           (value.at == tel->ext.at || (value.at == tel->context.at && tel->context.at[0] == '+'));
}

/* Whether each parameter of |a| is in |b|, with the same value. */
static bool params_in(const struct ahoy_tel *a, const struct ahoy_tel *b)
{
    struct span rest = a->params;
    struct ahoy_uri_part part;
    while (ahoy_tel_param_next(&rest, &part)) {
        struct span value;
        if (!ahoy_tel_param(b->params, part.name, &value))
            return false;
        bool equal = holds_digits(a, part.value) && holds_digits(b, value)
                         ? digits_equal(part.value, value)
                         : ahoy_escaped_equal_nocase(part.value, value);
        if (!equal)
            return false;
    }
    return true;
}

bool ahoy_tel_equal(const struct ahoy_tel *a, const struct ahoy_tel *b)
{
    return a->is_global == b->is_global && digits_equal(a->number, b->number) && params_in(a, b) &&
           params_in(b, a);
}

/* The place of a parameter among the others (R3966-3-4).  DEPARTS: RFC 3261 19.1.6 has post-dial
 * behind isub; it left with RFC 2806, and is here one of the others. */
static unsigned rank(struct span name)
{
    if (ahoy_span_equal_nocase(name, SPAN("isub")) || ahoy_span_equal_nocase(name, SPAN("ext")))
        return 0;
    return ahoy_span_equal_nocase(name, SPAN("phone-context")) ? 1 : 2;
}

static bool comes_before(struct span a, struct span b)
{
    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    size_t shorter = a.size < b.size ? a.size : b.size;
    for (size_t i = 0; i < shorter; i++) {
        if (ahoy_lower(a.at[i]) != ahoy_lower(b.at[i]))
            return ahoy_lower(a.at[i]) < ahoy_lower(b.at[i]);
    }
    return a.size < b.size;
}

static size_t sort_params(struct span rest, struct ahoy_uri_part *sorted)
{
    struct ahoy_uri_part part;
    size_t count = 0;
    for (; ahoy_tel_param_next(&rest, &part); count++) {
        size_t place = count;
        for (; place > 0 && comes_before(part.name, sorted[place - 1].name); place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = part;
    }
    return count;
}

/* How a telephone-subscriber is spelled. */
struct spelling {
    unsigned set;      /* What needs no escape, */
    unsigned isub_set; /* and in a subaddress. */
    bool keeps_separators;
};

static void put_text(struct ahoy_buf *buf, unsigned set, struct span text)
{
    while (text.size > 0) {
        bool was_escaped = *text.at == '%';
        char byte = (char)ahoy_escaped_lower(ahoy_escaped_take(&text));
        /* A reserved character that was escaped must stay so; all others only where they must. */
        bool stays = was_escaped && ahoy_is(byte, AHOY_RESERVED);
        ahoy_uri_put_escaped(buf, (struct span){ &byte, 1 }, stays ? 0 : set);
    }
}

static void put_digits(struct ahoy_buf *buf, const struct spelling *spelling, struct span text)
{
    while (text.size > 0) {
        if (!spelling->keeps_separators)
            skip_separators(&text);
        struct span digit = text;
        if (text.size > 0)
            (void)ahoy_escaped_take(&text); /* What it is does not matter: put_text looks. */
        put_text(buf, spelling->set, ahoy_span_between(digit.at, text.at));
    }
}

static void put_subscriber(const struct ahoy_tel *tel, const struct spelling *spelling,
                           struct ahoy_buf *buf)
{
    struct ahoy_uri_part parts[AHOY_URI_PARTS_LIMIT];
    size_t count = sort_params(tel->params, parts);
    put_digits(buf, spelling, tel->number);
    for (size_t i = 0; i < count; i++) {
        struct span value = parts[i].value;
        ahoy_buf_put_byte(buf, ';');
        put_text(buf, spelling->set, parts[i].name);
        if (!parts[i].has_value)
            continue;
        ahoy_buf_put_byte(buf, '=');
        if (holds_digits(tel, value))
            put_digits(buf, spelling, value);
        else
            put_text(buf, value.at == tel->isub.at ? spelling->isub_set : spelling->set, value);
    }
}

void ahoy_tel_print(const struct ahoy_tel *tel, struct ahoy_buf *buf)
{
    static const struct spelling spelling = { .set = AHOY_PARAMCHAR, .isub_set = AHOY_URIC };
    ahoy_buf_put(buf, SPAN("tel:"));
    put_subscriber(tel, &spelling, buf);
}

void ahoy_tel_print_sip(const struct ahoy_tel *tel, struct span host, struct ahoy_buf *buf)
{
    static const struct spelling spelling = { .set = AHOY_USER,
                                              .isub_set = AHOY_USER,
                                              .keeps_separators = true };
    ahoy_buf_put(buf, SPAN("sip:"));
    put_subscriber(tel, &spelling, buf);
    ahoy_buf_put_byte(buf, '@');
    ahoy_buf_put(buf, host);
    ahoy_buf_put(buf, SPAN(";user=phone"));
}
