/* Addresses as text: IPv4 as RFC 3261 25.1 has it, IPv6 read as RFC 4291 2.2 and written as RFC
 * 5952 4 have it. */
#include "libahoy/base/ip.h"

#include <arpa/inet.h>

/* An address of four bytes as ::ffff:0:0/96 holds it (RFC 4291 2.5.5.2). */
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

/* More than 9 where it is none. */
static unsigned digit_at(const char *at)
{
    return (unsigned)(unsigned char)*at - '0';
}

/* Some read 010 as eight; who hides an address behind that is refused. */
static bool parse_v4(struct span text, uint8_t bytes[4])
{
    const char *at = text.at;
    const char *end = ahoy_span_end(text);
    for (unsigned index = 0;; index++, at++) {
        unsigned octet = at < end ? digit_at(at) : 10;
        if (octet > 9)
            return false;
        bool is_zero = octet == 0;
        for (at++; at < end && digit_at(at) <= 9; at++) {
            octet = 10 * octet + digit_at(at);
            if (is_zero || octet > 255)
                return false;
        }
        bytes[index] = (uint8_t)octet;
        if (index == 3 || at == end || *at != '.')
            return index == 3 && at == end;
    }
}

/* Whether |text| is what parse_v4 reads as |bytes|: there is one such text. */
static bool is_v4(struct span text, const uint8_t bytes[4])
{
    const char *at = text.at;
    const char *end = ahoy_span_end(text);
    for (unsigned index = 0;; index++, at++) {
        unsigned octet = bytes[index];
        if (end - at < 1 + (octet >= 10) + (octet >= 100))
            return false;
        if (octet >= 100 && digit_at(at++) != octet / 100)
            return false;
        if (octet >= 10 && digit_at(at++) != octet / 10 % 10)
            return false;
        if (digit_at(at++) != octet % 10)
            return false;
        if (index == 3 || at == end || *at != '.')
            return index == 3 && at == end;
    }
}

static bool parse_v6(struct span text, uint8_t bytes[16])
{
    char copy[INET6_ADDRSTRLEN];
    if (text.size >= sizeof copy || ahoy_span_find(text, ':') == text.size ||
        ahoy_span_find(text, '\0') < text.size)
        return false;
    memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return inet_pton(AF_INET6, copy, bytes) == 1;
}

bool ahoy_ip_parse(struct span text, struct ahoy_ip *ip)
{
    struct ahoy_ip found = { 0 };
    if (parse_v4(text, found.bytes)) {
        found.family = AHOY_IPV4;
    } else {
        if (text.size >= 2 && text.at[0] == '[' && text.at[text.size - 1] == ']')
            text = (struct span){ text.at + 1, text.size - 2 };
        if (!parse_v6(text, found.bytes))
            return false;
        found.family = AHOY_IPV6;
    }
    *ip = found;
    return true;
}

bool ahoy_ip_reads_as(struct span text, const struct ahoy_ip *ip)
{
    struct ahoy_ip found;
    if (ip->family == AHOY_IPV4)
        return is_v4(text, ip->bytes);
    return ahoy_ip_parse(text, &found) && ahoy_ip_equal_host(&found, ip);
}

static void print_v4(const uint8_t bytes[4], struct ahoy_buf *buf)
{
    char text[16]; /* "255.255.255.255" and a dot that is not printed. */
    char *at = text;
    for (int i = 0; i < 4; i++) {
        if (bytes[i] >= 100)
            *at++ = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            *at++ = (char)('0' + bytes[i] / 10 % 10);
        *at++ = (char)('0' + bytes[i] % 10);
        *at++ = '.';
    }
    ahoy_buf_put(buf, ahoy_span_between(text, at - 1));
}

/* A group of sixteen bits in hexadecimal without leading zeros (RFC 5952 4.1). */
static void print_group(unsigned group, struct ahoy_buf *buf)
{
    int shift = 12;
    while (shift > 0 && group >> shift == 0)
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        ahoy_buf_put_byte(buf, "0123456789abcdef"[group >> shift & 15]);
}

static unsigned group_at(const uint8_t bytes[16], int index)
{
    return (unsigned)bytes[2 * index] << 8 | bytes[2 * index + 1];
}

static int zeros_from(const uint8_t bytes[16], int index)
{
    int end = index;
    while (end < 8 && group_at(bytes, end) == 0)
        end++;
    return end - index;
}

/* The first of the longest runs of zeros is written "::", if it is two groups or more (RFC 5952
 * 4.2). */
static void print_v6(const uint8_t bytes[16], struct ahoy_buf *buf)
{
    int longest = 0;
    int longest_size = 1;
    for (int i = 0; i < 8; i++) {
        if (zeros_from(bytes, i) > longest_size) {
            longest = i;
            longest_size = zeros_from(bytes, i);
        }
    }
    int gap = longest_size > 1 ? longest : 8;
    for (int i = 0; i < 8; i++) {
        if (i == gap) {
            ahoy_buf_put(buf, SPAN("::"));
            i += longest_size - 1;
            continue;
        }
        if (i > 0 && !(longest_size > 1 && i == gap + longest_size))
            ahoy_buf_put_byte(buf, ':');
        print_group(group_at(bytes, i), buf);
    }
}

/* The four bytes of an IPv4 address, mapped ones too; NULL where it is none. */
static const uint8_t *v4_bytes(const struct ahoy_ip *ip)
{
    if (ip->family == AHOY_IPV4)
        return ip->bytes;
    if (ip->family == AHOY_IPV6 && memcmp(ip->bytes, mapped_prefix, sizeof mapped_prefix) == 0)
        return ip->bytes + sizeof mapped_prefix;
    return NULL;
}

void ahoy_ip_print_bare(const struct ahoy_ip *ip, struct ahoy_buf *buf)
{
    const uint8_t *v4 = v4_bytes(ip);
    if (v4 != NULL) {
        if (ip->family == AHOY_IPV6)
            ahoy_buf_put(buf, SPAN("::ffff:")); /* RFC 5952 5 */
        print_v4(v4, buf);
    } else if (ip->family == AHOY_IPV6) {
        print_v6(ip->bytes, buf);
    }
}

void ahoy_ip_print_host(const struct ahoy_ip *ip, struct ahoy_buf *buf)
{
    if (ip->family == AHOY_IPV6)
        ahoy_buf_put_byte(buf, '[');
    ahoy_ip_print_bare(ip, buf);
    if (ip->family == AHOY_IPV6)
        ahoy_buf_put_byte(buf, ']');
}

void ahoy_ip_print(const struct ahoy_ip *ip, struct ahoy_buf *buf)
{
    ahoy_ip_print_host(ip, buf);
    ahoy_buf_put_byte(buf, ':');
    ahoy_buf_put_number(buf, ip->port);
}

bool ahoy_ip_equal_host(const struct ahoy_ip *a, const struct ahoy_ip *b)
{
    return a->family == b->family && a->scope == b->scope &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool ahoy_ip_equal(const struct ahoy_ip *a, const struct ahoy_ip *b)
{
    return a->port == b->port && ahoy_ip_equal_host(a, b);
}

bool ahoy_ip_is_loopback(const struct ahoy_ip *ip)
{
    const uint8_t *v4 = v4_bytes(ip);
    if (v4 != NULL)
        return v4[0] == 127 || v4[0] == 0;
    static const uint8_t zeros[15];
    return ip->family == AHOY_IPV6 && memcmp(ip->bytes, zeros, sizeof zeros) == 0 &&
           ip->bytes[15] <= 1;
}

bool ahoy_ip_is_wildcard(const struct ahoy_ip *ip)
{
    static const struct ahoy_ip none;
    return memcmp(ip->bytes, none.bytes, sizeof ip->bytes) == 0;
}

bool ahoy_ip_is_link_local(const struct ahoy_ip *ip)
{
    const uint8_t *v4 = v4_bytes(ip);
    if (v4 != NULL)
        return v4[0] == 169 && v4[1] == 254;
    return ip->family == AHOY_IPV6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

bool ahoy_ip_is_multicast(const struct ahoy_ip *ip)
{
    const uint8_t *v4 = v4_bytes(ip);
    if (v4 != NULL)
        return v4[0] >> 4 == 14 || memcmp(v4, "\xff\xff\xff\xff", 4) == 0;
    return ip->family == AHOY_IPV6 && ip->bytes[0] == 0xff;
}
