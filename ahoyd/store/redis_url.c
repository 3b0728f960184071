/* Read by hand: it has several hosts, which no generic URI has. */
#include "ahoyd/store/redis_url.h"

#include <string.h>

static const struct span scheme = SPAN_INIT("redis-cluster://");

enum { WAIT_MS = 50 };

static bool fail(const char **fault, const char *why)
{
    *fault = why;
    return false;
}

static int hex_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Writes |text| without its escapes, and a NUL behind it. */
static bool unescape(struct span text, char secret[REDIS_SECRET_LIMIT + 1])
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++, size++) {
        char byte = text.at[i];
        if (byte == '%') {
            if (text.size - i < 3 || hex_of(text.at[i + 1]) < 0 || hex_of(text.at[i + 2]) < 0)
                return false;
            byte = (char)(hex_of(text.at[i + 1]) * 16 + hex_of(text.at[i + 2]));
            i += 2;
        }
        if (byte == '\0' || size == REDIS_SECRET_LIMIT)
            return false;
        secret[size] = byte;
    }
    secret[size] = '\0';
    return true;
}

static bool parse_user(struct span text, struct redis_url *url)
{
    size_t colon = ahoy_span_find(text, ':');
    return colon < text.size && unescape((struct span){ text.at, colon }, url->user) &&
           unescape(ahoy_span_after(text, colon + 1), url->password) && url->password[0] != '\0';
}

static bool parse_seed(struct span text, struct redis_address *seed)
{
    uint64_t port = REDIS_PORT;
    struct span host = text, rest = SPAN("");
    if (text.size > 0 && text.at[0] == '[') {
        size_t end = ahoy_span_find(text, ']');
        if (end == text.size)
            return false;
        host = (struct span){ text.at + 1, end - 1 };
        rest = ahoy_span_after(text, end + 1);
    } else {
        host.size = ahoy_span_find(text, ':');
        rest = ahoy_span_after(text, host.size);
    }
    if (rest.size > 0 &&
        (rest.at[0] != ':' || !ahoy_span_number(ahoy_span_after(rest, 1), UINT16_MAX, &port)))
        return false;
    if (host.size == 0 || host.size > REDIS_HOST_LIMIT || port == 0)
        return false;
    memcpy(seed->host, host.at, host.size);
    seed->host[host.size] = '\0';
    seed->port = (uint16_t)port;
    return true;
}

static bool parse_seeds(struct span text, struct redis_url *url)
{
    while (url->seed_count < REDIS_SEEDS_LIMIT) {
        size_t comma = ahoy_span_find(text, ',');
        if (!parse_seed((struct span){ text.at, comma }, &url->seeds[url->seed_count++]))
            return false;
        if (comma == text.size)
            return true;
        text = ahoy_span_after(text, comma + 1);
    }
    return false;
}

static bool parse_option(struct span text, struct redis_url *url)
{
    size_t equal = ahoy_span_find(text, '=');
    struct span name = { text.at, equal };
    uint64_t number;
    bool is_wait = ahoy_span_equal(name, SPAN("wait"));
    if (equal == text.size || (!is_wait && !ahoy_span_equal(name, SPAN("wait_ms"))) ||
        !ahoy_span_number(ahoy_span_after(text, equal + 1),
                          is_wait ? REDIS_WAIT_LIMIT : REDIS_WAIT_MS_LIMIT, &number))
        return false;
    *(is_wait ? &url->wait : &url->wait_ms) = (unsigned)number;
    return is_wait || number > 0;
}

static bool parse_options(struct span text, struct redis_url *url)
{
    while (text.size > 0) {
        size_t end = ahoy_span_find(text, '&');
        if (!parse_option((struct span){ text.at, end }, url))
            return false;
        text = ahoy_span_after(text, end < text.size ? end + 1 : end);
    }
    return true;
}

bool redis_url_is_one(struct span text)
{
    return text.size >= scheme.size && memcmp(text.at, scheme.at, scheme.size) == 0;
}

bool redis_url_parse(struct span text, struct redis_url *url, const char **fault)
{
    memset(url, 0, sizeof *url);
    url->wait_ms = WAIT_MS;
    if (!redis_url_is_one(text))
        return fail(fault, "it does not begin with redis-cluster://");
    struct span rest = ahoy_span_after(text, scheme.size);
    size_t end = ahoy_span_find(rest, '?');
    struct span options = ahoy_span_after(rest, end < rest.size ? end + 1 : end);
    rest.size = end;
    size_t at = ahoy_span_find(rest, '@');
    if (at < rest.size && !parse_user((struct span){ rest.at, at }, url))
        return fail(fault, "before the @ must stand user:password, or :password, with what is no "
                           "letter or digit as %XX");
    if (at < rest.size)
        rest = ahoy_span_after(rest, at + 1);
    if (!parse_seeds(rest, url))
        return fail(fault, "it must name 1 to 16 nodes of the cluster as host:port, with commas "
                           "between");
    return parse_options(options, url) ||
           fail(fault, "behind the ? may stand wait=0 to 16 and wait_ms=1 to 1000 only");
}
