/* An IPv4 or IPv6 address with a port: plain data, no sockets. */
#pragma once

#include "libahoy/base/buf.h"

enum ahoy_family { AHOY_NO_FAMILY = 0, AHOY_IPV4 = 4, AHOY_IPV6 = 6 };

/* Compare with ahoy_ip_equal; unused bytes are zero. */
struct ahoy_ip {
    uint8_t family; /* enum ahoy_family */
    uint16_t port;  /* Host byte order; 0 for none. */
    uint32_t scope; /* The interface of a link-local IPv6 address, or 0. */
    uint8_t bytes[16];
};

/* Reads "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; the port becomes 0.  An IPv4-mapped IPv6
 * address stays IPv6.  False where |text| is anything else, so a host name can be told from an
 * address. */
bool ahoy_ip_parse(struct span text, struct ahoy_ip *ip);
/* Whether that reads |text| as the address |ip|, port aside. */
bool ahoy_ip_reads_as(struct span text, const struct ahoy_ip *ip);
/* Prints the address alone, IPv6 in brackets as SIP's host has it (RFC 5954, RFC 5952). */
void ahoy_ip_print_host(const struct ahoy_ip *ip, struct ahoy_buf *buf);
/* Prints the address without brackets, as received= has it. */
void ahoy_ip_print_bare(const struct ahoy_ip *ip, struct ahoy_buf *buf);
/* Prints host and ":port". */
void ahoy_ip_print(const struct ahoy_ip *ip, struct ahoy_buf *buf);

bool ahoy_ip_equal(const struct ahoy_ip *a, const struct ahoy_ip *b);       /* Port included. */
bool ahoy_ip_equal_host(const struct ahoy_ip *a, const struct ahoy_ip *b);  /* Port aside. */
/* The same number for the same address, port aside, by chance for others: as ahoy_span_hash. */
static inline uint64_t ahoy_ip_hash_host(const struct ahoy_ip *ip)
{
    return ahoy_load_eight((const char *)ip->bytes) * 3 +
           ahoy_load_eight((const char *)ip->bytes + 8) * 5;
}
/* 127/8, ::1, 0/8, ::, and the mapped forms of them: where a stranger's route must not lead
 * (attack 60). */
bool ahoy_ip_is_loopback(const struct ahoy_ip *ip);
bool ahoy_ip_is_wildcard(const struct ahoy_ip *ip); /* 0.0.0.0, :: */
bool ahoy_ip_is_link_local(const struct ahoy_ip *ip);
bool ahoy_ip_is_multicast(const struct ahoy_ip *ip); /* The IPv4 broadcast address too. */
