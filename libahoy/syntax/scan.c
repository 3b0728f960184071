/* The table of character classes (RFC 3261 25.1). */
#include "libahoy/syntax/scan.h"

#include "libahoy/syntax/block.h"

/* Sets that many bytes share.  A gen-value is a token, a host or a quoted string; what phones send
 * unquoted is wider (base64, SIP URIs, bracketed IPv6), and nothing is lost by reading all of it
 * that cannot be mistaken for a separator. */
#define V       AHOY_VISIBLE
#define ANY_URI (AHOY_USER | AHOY_PASSWORD | AHOY_PARAMCHAR | AHOY_HNV | AHOY_URIC)
#define MARK    (V | ANY_URI | AHOY_VALUE) /* mark, no token: ( ) */
#define WORD    (MARK | AHOY_TOKEN)        /* mark and token. */
#define LETTER  (WORD | AHOY_HOST | AHOY_ALPHA)
#define HEXA    (LETTER | AHOY_HEX)
#define NUMBER  (WORD | AHOY_HOST | AHOY_HEX | AHOY_DIGIT)
#define SIGN    (V | AHOY_RESERVED | AHOY_URIC) /* reserved. */

/* clang-format off */
const uint16_t ahoy_classes[256] = {
    ['\t'] = AHOY_WSP | AHOY_LWS, ['\n'] = AHOY_LWS, ['\r'] = AHOY_LWS, [' '] = AHOY_WSP | AHOY_LWS,
    ['!'] = WORD, ['"'] = V | AHOY_LISTED, ['#'] = V | AHOY_VALUE,
    ['$'] = SIGN | AHOY_USER | AHOY_PASSWORD | AHOY_PARAMCHAR | AHOY_HNV | AHOY_VALUE,
    ['%'] = V | AHOY_TOKEN | AHOY_VALUE,
    ['&'] = SIGN | AHOY_USER | AHOY_PASSWORD | AHOY_PARAMCHAR | AHOY_VALUE,
    ['\''] = WORD, ['('] = MARK, [')'] = MARK, ['*'] = WORD,
    ['+'] = SIGN | ANY_URI | AHOY_TOKEN | AHOY_VALUE,
    [','] = SIGN | AHOY_USER | AHOY_PASSWORD | AHOY_LISTED,
    ['-'] = WORD | AHOY_HOST, ['.'] = WORD | AHOY_HOST,
    ['/'] = SIGN | AHOY_USER | AHOY_PARAMCHAR | AHOY_HNV | AHOY_VALUE,
    ['0'] = NUMBER, ['1'] = NUMBER, ['2'] = NUMBER, ['3'] = NUMBER, ['4'] = NUMBER,
    ['5'] = NUMBER, ['6'] = NUMBER, ['7'] = NUMBER, ['8'] = NUMBER, ['9'] = NUMBER,
    [':'] = SIGN | AHOY_PARAMCHAR | AHOY_HNV | AHOY_VALUE,
    [';'] = SIGN | AHOY_USER, ['<'] = V | AHOY_LISTED,
    ['='] = SIGN | AHOY_USER | AHOY_PASSWORD | AHOY_VALUE, ['>'] = V,
    ['?'] = SIGN | AHOY_USER | AHOY_HNV | AHOY_VALUE, ['@'] = SIGN | AHOY_VALUE,
    ['A'] = HEXA, ['B'] = HEXA, ['C'] = HEXA, ['D'] = HEXA, ['E'] = HEXA, ['F'] = HEXA,
    ['G'] = LETTER, ['H'] = LETTER, ['I'] = LETTER, ['J'] = LETTER, ['K'] = LETTER,
    ['L'] = LETTER, ['M'] = LETTER, ['N'] = LETTER, ['O'] = LETTER, ['P'] = LETTER,
    ['Q'] = LETTER, ['R'] = LETTER, ['S'] = LETTER, ['T'] = LETTER, ['U'] = LETTER,
    ['V'] = LETTER, ['W'] = LETTER, ['X'] = LETTER, ['Y'] = LETTER, ['Z'] = LETTER,
    ['['] = V | AHOY_PARAMCHAR | AHOY_HNV | AHOY_VALUE, ['\\'] = V,
    [']'] = V | AHOY_PARAMCHAR | AHOY_HNV | AHOY_VALUE, ['^'] = V | AHOY_VALUE,
    ['_'] = WORD | AHOY_HOST, ['`'] = V | AHOY_TOKEN | AHOY_VALUE,
    ['a'] = HEXA, ['b'] = HEXA, ['c'] = HEXA, ['d'] = HEXA, ['e'] = HEXA, ['f'] = HEXA,
    ['g'] = LETTER, ['h'] = LETTER, ['i'] = LETTER, ['j'] = LETTER, ['k'] = LETTER,
    ['l'] = LETTER, ['m'] = LETTER, ['n'] = LETTER, ['o'] = LETTER, ['p'] = LETTER,
    ['q'] = LETTER, ['r'] = LETTER, ['s'] = LETTER, ['t'] = LETTER, ['u'] = LETTER,
    ['v'] = LETTER, ['w'] = LETTER, ['x'] = LETTER, ['y'] = LETTER, ['z'] = LETTER,
    ['{'] = V | AHOY_VALUE, ['|'] = V | AHOY_VALUE, ['}'] = V | AHOY_VALUE, ['~'] = WORD,
};
/* clang-format on */

/* The first byte that |find| picks out, or |end|.  The last block of a text may overlap the one in
 * front of it, where nothing was found. */
static inline const char *scan(const char *at, const char *end, ahoy_block (*find)(ahoy_block))
{
    if (end - at < AHOY_BLOCK_SIZE) {
        unsigned mask = ahoy_block_mask(find(ahoy_block_load(at, end)));
        return at + (unsigned)__builtin_ctz(mask | 1u << (end - at));
    }
    const char *last = end - AHOY_BLOCK_SIZE;
    for (;; at = last - at < AHOY_BLOCK_SIZE ? last : at + AHOY_BLOCK_SIZE) {
        unsigned mask = ahoy_block_mask(find(ahoy_block_load(at, at + AHOY_BLOCK_SIZE)));
        if (mask != 0)
            return at + (unsigned)__builtin_ctz(mask);
        if (at == last)
            return end;
    }
}

static inline ahoy_block find_no_word(ahoy_block bytes)
{
    return ~(ahoy_block_alphanumeric(bytes) | (ahoy_block)(bytes == '-') |
             (ahoy_block)(bytes == '.'));
}

/* A space is the one byte that is printable but not visible. */
static inline ahoy_block find_invisible(ahoy_block bytes)
{
    return ahoy_find_unprintable(bytes) | (ahoy_block)(bytes == ' ');
}

static inline ahoy_block find_listed(ahoy_block bytes)
{
    return (ahoy_block)(bytes == ',') | (ahoy_block)(bytes == '"') | (ahoy_block)(bytes == '<');
}

static inline ahoy_block find_quoted(ahoy_block bytes)
{
    return (ahoy_block)(bytes == '"') | (ahoy_block)(bytes == '\\');
}

static inline ahoy_block find_close(ahoy_block bytes)
{
    return (ahoy_block)(bytes == '>');
}

static inline ahoy_block find_at_sign(ahoy_block bytes)
{
    return (ahoy_block)(bytes == '@');
}

const char *ahoy_skip_word(const char *at, const char *end, unsigned set)
{
    for (;;) {
        at = scan(at, end, find_no_word);
        if (at == end || !ahoy_is(*at, set))
            return at;
        at++;
    }
}

const char *ahoy_scan_control(const char *at, const char *end)
{
    return scan(at, end, ahoy_find_control);
}

const char *ahoy_scan_invisible(const char *at, const char *end)
{
    return scan(at, end, find_invisible);
}

const char *ahoy_scan_listed(const char *at, const char *end)
{
    return scan(at, end, find_listed);
}

const char *ahoy_scan_close(const char *at, const char *end)
{
    return scan(at, end, find_close);
}

const char *ahoy_scan_at_sign(const char *at, const char *end)
{
    return scan(at, end, find_at_sign);
}

const char *ahoy_skip_escapes(const char *at, const char *end, unsigned set)
{
    while (end - at >= 3 && *at == '%' && ahoy_is(at[1], AHOY_HEX) && ahoy_is(at[2], AHOY_HEX))
        at = ahoy_skip(at + 3, end, set);
    return at;
}

const char *ahoy_skip_quoted(const char *at, const char *end)
{
    for (at++;; at += 2) {
        at = scan(at, end, find_quoted);
        if (at < end && *at == '"')
            return at + 1;
        if (end - at < 2) /* There is none, or a backslash with nothing behind it. */
            return NULL;
    }
}

static unsigned hex_value(char digit)
{
    return digit <= '9' ? (unsigned)digit - '0' : ((unsigned)digit | 0x20) - 'a' + 10;
}

char ahoy_unescape(const char *at)
{
    return (char)(hex_value(at[1]) << 4 | hex_value(at[2]));
}
