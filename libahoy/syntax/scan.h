/* Character classes of RFC 3261 25.1 as one table of bits, and the loops over them that all
 * parsers of this folder are made of.  Each loop stops at |end| at the latest. */
#pragma once

#include "libahoy/base/span.h"
#include "libahoy/syntax/block.h"

enum ahoy_class {
    AHOY_WSP = 1 << 0, /* SP and HTAB. */
    AHOY_LWS = 1 << 1, /* And CR and LF, which within a value stand only where it is folded. */
    AHOY_DIGIT = 1 << 2,
    AHOY_ALPHA = 1 << 3,
    AHOY_HEX = 1 << 4,
    AHOY_TOKEN = 1 << 5,
    AHOY_HOST = 1 << 6,       /* hostname; "_" too, which real networks have. */
    AHOY_VALUE = 1 << 7,      /* gen-value without quotes; wider than token and host, see scan.c. */
    AHOY_USER = 1 << 8,       /* user, without its escapes. */
    AHOY_PASSWORD = 1 << 9,   /* password, without its escapes. */
    AHOY_PARAMCHAR = 1 << 10, /* paramchar of a URI, without its escapes. */
    AHOY_HNV = 1 << 11,       /* hname and hvalue of a URI, without their escapes. */
    AHOY_URIC = 1 << 12,      /* uric, without its escapes. */
    AHOY_RESERVED = 1 << 13,  /* reserved (RFC 2396 2.2). */
    AHOY_LISTED = 1 << 14,    /* What a comma list is looked through for: comma, quote, bracket. */
    AHOY_VISIBLE = 1 << 15    /* 0x21 to 0x7e. */
};

extern const uint16_t ahoy_classes[256];

static inline bool ahoy_is(char byte, unsigned set)
{
    return (ahoy_classes[(unsigned char)byte] & set) != 0;
}

/* The first byte from |at| on that is in no class of |set|. */
static inline const char *ahoy_skip(const char *at, const char *end, unsigned set)
{
    while (at < end && ahoy_is(*at, set))
        at++;
    return at;
}

/* The first byte from |at| on that is in a class of |set|. */
static inline const char *ahoy_seek(const char *at, const char *end, unsigned set)
{
    while (at < end && !ahoy_is(*at, set))
        at++;
    return at;
}

static inline char ahoy_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

/* An empty span at |at|: unlike { NULL, 0 } it has an end. */
static inline struct span ahoy_nothing(const char *at)
{
    return (struct span){ at, 0 };
}

/* Like ahoy_skip, and faster over more than a few bytes; |set| holds all letters, digits, "-" and
 * ".", as all classes of words do. */
const char *ahoy_skip_word(const char *at, const char *end, unsigned set);

/* Goes on with what ahoy_skip_escaped does, from a byte that is not in |set|. */
const char *ahoy_skip_escapes(const char *at, const char *end, unsigned set);

/* Like ahoy_skip, and over "%" HEXDIG HEXDIG, which most texts lack. */
static inline const char *ahoy_skip_escaped(const char *at, const char *end, unsigned set)
{
    at = ahoy_skip(at, end, set);
    return at < end && *at == '%' ? ahoy_skip_escapes(at, end, set) : at;
}

/* Behind the quoted string that begins at |at|, or NULL where it does not end. */
const char *ahoy_skip_quoted(const char *at, const char *end);

/* Picks out the bytes that ahoy_scan_control looks for. */
static inline ahoy_block ahoy_find_control(ahoy_block bytes)
{
    return (ahoy_block)(bytes < 0x20) | (ahoy_block)(bytes == 0x7f);
}

/* The first byte below 0x20 or equal to 0x7f: the end of a line, or what must not be there. */
const char *ahoy_scan_control(const char *at, const char *end);

/* Picks out those, and bytes above 0x7f with them, for less: behind 0x7f numbers with a sign go on
 * with the lowest. */
static inline ahoy_block ahoy_find_unprintable(ahoy_block bytes)
{
    typedef int8_t numbers __attribute__((vector_size(AHOY_BLOCK_SIZE)));
    return (ahoy_block)((numbers)(bytes + 1) <= 0x20);
}

/* The first byte that is not of class AHOY_VISIBLE. */
const char *ahoy_scan_invisible(const char *at, const char *end);

/* The first byte of class AHOY_LISTED. */
const char *ahoy_scan_listed(const char *at, const char *end);

/* The first ">". */
const char *ahoy_scan_close(const char *at, const char *end);

/* The first "@". */
const char *ahoy_scan_at_sign(const char *at, const char *end);

/* The byte that the escape at |at| stands for; |at| is at "%" and two hexadecimal digits. */
char ahoy_unescape(const char *at);
