/* Numbers in network byte order, within bytes whose size was checked before. */
#pragma once

#include "libahoy/base/buf.h"

static inline uint8_t ahoy_octet(const char *at)
{
    return (uint8_t)*at;
}

static inline uint16_t ahoy_octets_two(const char *at)
{
    return (uint16_t)(ahoy_octet(at) << 8 | ahoy_octet(at + 1));
}

static inline uint32_t ahoy_octets_four(const char *at)
{
    return (uint32_t)ahoy_octets_two(at) << 16 | ahoy_octets_two(at + 2);
}

static inline void ahoy_octets_put_two(struct ahoy_buf *buf, uint16_t value)
{
    ahoy_buf_put_byte(buf, (char)(value >> 8));
    ahoy_buf_put_byte(buf, (char)value);
}

static inline void ahoy_octets_put_four(struct ahoy_buf *buf, uint32_t value)
{
    ahoy_octets_put_two(buf, (uint16_t)(value >> 16));
    ahoy_octets_put_two(buf, (uint16_t)value);
}
