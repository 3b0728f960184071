/* Hosts: names, IPv4 addresses and IPv6 references (RFC 3261 25.1, RFC 5954, RFC 5118). */
#include "libahoy/syntax/host.h"

#include "libahoy/base/ip.h"
#include "libahoy/syntax/block.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/uri.h"

/* The first grammar of SIP allowed "[2001:db8:::192.0.2.1]"; RFC 5118 4.10 asks to read it as
 * with two colons. */
static bool parse_three_colons(struct span reference, struct ahoy_ip *ip)
{
    char mended[64];
    if (reference.size > sizeof mended)
        return false;
    for (size_t i = 0; i + 3 <= reference.size; i++) {
        if (memcmp(reference.at + i, ":::", 3) != 0)
            continue;
        memcpy(mended, reference.at, i);
        memcpy(mended + i, reference.at + i + 1, reference.size - i - 1);
        return ahoy_ip_parse((struct span){ mended, reference.size - 1 }, ip);
    }
    return false;
}

static bool parse_reference(struct span reference, struct ahoy_ip *ip)
{
    return ahoy_ip_parse(reference, ip) || parse_three_colons(reference, ip);
}

/* Kept apart, so that hosts without brackets do not pay for its locals. */
__attribute__((noinline)) static const char *skip_reference(const char *at, const char *end,
                                                            struct ahoy_err *err)
{
    const char *close = memchr(at, ']', (size_t)(end - at));
    struct ahoy_ip ip;
    if (close == NULL || !parse_reference(ahoy_span_between(at, close + 1), &ip)) {
        ahoy_fail(err, 400, at, "an IPv6 address in brackets");
        return NULL;
    }
    return close + 1;
}

/* The first byte that no host holds, or the first dot with no label in front of it. */
static const char *skip_labels(const char *at, const char *end)
{
    unsigned before = 1; /* Whether no label is in front of the block, or a dot. */
    for (;; at += AHOY_BLOCK_SIZE) {
        ahoy_block bytes = ahoy_block_load(at, end);
        unsigned dots = ahoy_block_mask((ahoy_block)(bytes == '.'));
        unsigned labels = ahoy_block_mask(ahoy_block_alphanumeric(bytes) |
                                          (ahoy_block)(bytes == '-') | (ahoy_block)(bytes == '_'));
        unsigned held = labels | (dots & ~(dots << 1 | before));
        if (held != 0xffff)
            return at + (unsigned)__builtin_ctz(~held);
        before = dots >> 15;
    }
}

const char *ahoy_host_parse(const char *at, const char *end, struct ahoy_err *err)
{
    if (at < end && *at == '[')
        return skip_reference(at, end, err);
    const char *stop = skip_labels(at, end);
    if (stop == at || (stop < end && *stop == '.')) {
        ahoy_fail(err, 400, stop, "a host");
        return NULL;
    }
    return stop;
}

const char *ahoy_port_parse(const char *at, const char *end, uint16_t *port, struct ahoy_err *err)
{
    const char *stop = at;
    unsigned value = 0;
    for (; stop < end && ahoy_is(*stop, AHOY_DIGIT) && value <= UINT16_MAX; stop++)
        value = value * 10 + (unsigned)(*stop - '0');
    if (value == 0 || value > UINT16_MAX) {
        ahoy_fail(err, 400, at, "a port of 1 to 65535");
        return NULL;
    }
    *port = (uint16_t)value;
    return stop;
}

bool ahoy_host_equal(struct span a, struct span b)
{
    if (ahoy_span_equal_nocase(a, b))
        return true;
    struct ahoy_ip first;
    struct ahoy_ip second;
    return parse_reference(a, &first) && parse_reference(b, &second) &&
           ahoy_ip_equal_host(&first, &second);
}
