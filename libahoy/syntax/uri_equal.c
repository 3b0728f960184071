/* When two URIs are one (RFC 3261 19.1.4), and the address-of-record of one (10.3 step 5). */
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/tel.h"
#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/uri_part.h"

/* A reserved character that is escaped is another one than the same that is not. */
enum { ESCAPED_RESERVED = 0x100 };

unsigned ahoy_escaped_take(struct span *rest)
{
    const char *at = rest->at;
    if (*at != '%' || rest->size < 3) {
        *rest = ahoy_span_after(*rest, 1);
        return (unsigned char)*at;
    }
    *rest = ahoy_span_after(*rest, 3);
    char byte = ahoy_unescape(at);
    return (unsigned char)byte | (ahoy_is(byte, AHOY_RESERVED) ? ESCAPED_RESERVED : 0u);
}

unsigned ahoy_escaped_lower(unsigned unit)
{
    return unit >= 'A' && unit <= 'Z' ? unit | 0x20 : unit;
}

bool ahoy_escaped_equal(struct span a, struct span b)
{
    while (a.size > 0 && b.size > 0) {
        if (ahoy_escaped_take(&a) != ahoy_escaped_take(&b))
            return false;
    }
    return a.size == b.size;
}

bool ahoy_escaped_equal_nocase(struct span a, struct span b)
{
    if (ahoy_span_equal_nocase(a, b)) /* As nearly all are that are equal. */
        return true;
    while (a.size > 0 && b.size > 0) {
        if (ahoy_escaped_lower(ahoy_escaped_take(&a)) != ahoy_escaped_lower(ahoy_escaped_take(&b)))
            return false;
    }
    return a.size == b.size;
}

bool ahoy_uri_param(const struct ahoy_uri *uri, struct span name, struct span *value)
{
    const uint32_t initial = ahoy_uri_initial(name);
    struct span rest = uri->params;
    struct ahoy_uri_part part;
    if ((uri->initials & initial) == 0)
        return false;
    while (rest.size > 0) {
        struct span text = ahoy_span_after(rest, 1); /* Each begins with ";", and has a name. */
        if ((ahoy_uri_initial(text) & initial) == 0) {
            rest = ahoy_span_after(text, ahoy_span_find(text, ';'));
        } else if (!ahoy_uri_part_next(&rest, ';', AHOY_PARAMCHAR, &part)) {
            return false;
        } else if (ahoy_escaped_equal_nocase(part.name, name)) {
            *value = part.value;
            return true;
        }
    }
    return false;
}

/* Whether a URI that has this parameter differs from one that has not.  The rules name user, ttl,
 * method and maddr; the examples add transport. */
static bool counts_alone(struct span name)
{
    static const struct span names[] = {
        { "user", 4 }, { "ttl", 3 }, { "method", 6 }, { "maddr", 5 }, { "transport", 9 }
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ahoy_escaped_equal_nocase(name, names[i]))
            return true;
    }
    return false;
}

/* Whether each parameter of |a| is matched in |b|, or may be missing there. */
static bool params_match(const struct ahoy_uri *a, const struct ahoy_uri *b)
{
    struct span rest = a->params;
    struct ahoy_uri_part part;
    while (ahoy_uri_part_next(&rest, ';', AHOY_PARAMCHAR, &part)) {
        struct span value;
        if (ahoy_uri_param(b, part.name, &value)) {
            if (!ahoy_escaped_equal_nocase(part.value, value))
                return false;
        } else if (counts_alone(part.name)) {
            return false;
        }
    }
    return true;
}

/* How many of |headers| are called |name|. */
static size_t count_headers(struct span headers, struct span name)
{
    size_t count = 0;
    struct ahoy_uri_part part;
    while (ahoy_uri_part_next(&headers, '&', AHOY_HNV, &part))
        count += ahoy_escaped_equal_nocase(part.name, name);
    return count;
}

/* Finds that of |headers| called |name| which has |before| others of that name in front. */
static bool find_header(struct span headers, struct span name, size_t before,
                        struct ahoy_uri_part *part)
{
    while (ahoy_uri_part_next(&headers, '&', AHOY_HNV, part)) {
        if (ahoy_escaped_equal_nocase(part->name, name) && before-- == 0)
            return true;
    }
    return false;
}

/* Whether each header of |a| is one of |b| too (R3261-19.1.4-1); those of one name (Route) in the
 * same order.  Values are compared with regard to case: section 20 lets it matter for some, and it
 * does less harm to hold two URIs apart. */
static bool headers_match(const struct ahoy_uri *a, const struct ahoy_uri *b)
{
    struct span rest = a->headers;
    struct ahoy_uri_part part;
    const char *start = rest.at;
    while (ahoy_uri_part_next(&rest, '&', AHOY_HNV, &part)) {
        struct ahoy_uri_part other;
        size_t before = count_headers(ahoy_span_between(start, part.name.at), part.name);
        if (!find_header(b->headers, part.name, before, &other) ||
            !ahoy_escaped_equal(part.value, other.value))
            return false;
    }
    return true;
}

static bool other_equal(const struct ahoy_uri *a, const struct ahoy_uri *b)
{
    struct ahoy_tel first;
    struct ahoy_tel second;
    if (ahoy_tel_parse(a->text, &first, NULL) && ahoy_tel_parse(b->text, &second, NULL))
        return ahoy_tel_equal(&first, &second);
    return ahoy_span_equal_nocase(a->name, b->name) && ahoy_span_equal(a->opaque, b->opaque);
}

bool ahoy_uri_equal(const struct ahoy_uri *a, const struct ahoy_uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    if (a->scheme == AHOY_SCHEME_OTHER)
        return other_equal(a, b);
    return a->port == b->port && ahoy_escaped_equal(a->user, b->user) &&
           ahoy_escaped_equal(a->password, b->password) && ahoy_host_equal(a->host, b->host) &&
           params_match(a, b) && params_match(b, a) && headers_match(a, b) && headers_match(b, a);
}

void ahoy_uri_put_escaped(struct ahoy_buf *buf, struct span text, unsigned set)
{
    static const char digits[] = "0123456789ABCDEF";
    for (const char *at = text.at, *end = ahoy_span_end(text); at < end; at++) {
        const char *stop = ahoy_skip(at, end, set);
        ahoy_buf_put(buf, ahoy_span_between(at, stop));
        at = stop;
        if (at == end)
            break;
        unsigned char byte = (unsigned char)*at;
        char escape[3] = { '%', digits[byte >> 4], digits[byte & 15] };
        ahoy_buf_put(buf, (struct span){ escape, sizeof escape });
    }
}

static void put_user(struct ahoy_buf *buf, struct span user)
{
    const char *end = ahoy_span_end(user);
    const char *stop = ahoy_skip(user.at, end, AHOY_USER); /* As far as nothing is escaped. */
    ahoy_buf_put(buf, ahoy_span_between(user.at, stop));
    user = ahoy_span_between(stop, end);
    while (user.size > 0) {
        char byte = (char)ahoy_escaped_take(&user);
        ahoy_uri_put_escaped(buf, (struct span){ &byte, 1 }, AHOY_USER);
    }
}

static void put_host(struct ahoy_buf *buf, struct span host)
{
    struct ahoy_ip ip;
    if (ahoy_ip_parse(host, &ip)) {
        ahoy_ip_print_host(&ip, buf);
        return;
    }
    for (size_t i = 0; i < host.size; i++)
        ahoy_buf_put_byte(buf, ahoy_lower(host.at[i]));
}

void ahoy_uri_print_aor(const struct ahoy_uri *uri, struct ahoy_buf *buf)
{
    if (uri->scheme == AHOY_SCHEME_OTHER) {
        ahoy_buf_put(buf, uri->text);
        return;
    }
    if (uri->has_user) {
        put_user(buf, uri->user);
        ahoy_buf_put_byte(buf, '@');
    }
    put_host(buf, uri->host);
}
