/* a=crypto: a tag, a suite, a key, parameters of the session (RFC 4568 9.1 and 9.2). */
#include "libahoy/sdp/crypto.h"

enum { LIFETIME_BITS = 48, ENOUGH_BITS = 31, TAG_DIGITS = 9, DIGIT_BITS = 6 };

static const struct {
    struct span name;
    size_t master_size;
} suites[AHOY_SUITES] = {
    [AHOY_NO_SUITE] = { SPAN_INIT("none"), 0 },
    [AHOY_AES_128_SHA1_80] = { SPAN_INIT("AES_CM_128_HMAC_SHA1_80"), 16 + 14 },
    [AHOY_AES_256_SHA1_80] = { SPAN_INIT("AES_256_CM_HMAC_SHA1_80"), 32 + 14 },
    [AHOY_AES_128_SHA1_32] = { SPAN_INIT("AES_CM_128_HMAC_SHA1_32"), 16 + 14 },
};

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct span ahoy_suite_name(enum ahoy_suite suite)
{
    return suites[suite].name;
}

size_t ahoy_suite_master_size(enum ahoy_suite suite)
{
    return suites[suite].master_size;
}

/* Takes the next word off |rest|, whatever space is around it. */
static struct span take_word(struct span *rest)
{
    size_t size = 0;
    *rest = ahoy_span_trim(*rest);
    while (size < rest->size && rest->at[size] != ' ' && rest->at[size] != '\t')
        size++;
    struct span word = { rest->at, size };
    *rest = ahoy_span_after(*rest, size);
    return word;
}

/* A number without zeros before it. */
static bool read_number(struct span text, uint64_t limit, uint64_t *value)
{
    return ahoy_span_number(text, limit, value) && (text.at[0] != '0' || text.size == 1);
}

/* Exactly |size| bytes in base64, with or without what fills it up. */
static bool decode(struct span text, size_t size, uint8_t *bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t made = 0;
    for (int i = 0; i < 2 && text.size > 0 && text.at[text.size - 1] == '='; i++)
        text.size--;
    if (text.size != (size * 8 + DIGIT_BITS - 1) / DIGIT_BITS)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char *digit = memchr(digits, text.at[i], sizeof digits - 1);
        if (digit == NULL)
            return false;
        bits = bits << DIGIT_BITS | (uint32_t)(digit - digits);
        held += DIGIT_BITS;
        if (held < 8)
            continue;
        held -= 8;
        bytes[made++] = (uint8_t)(bits >> held);
    }
    return true;
}

static void put_encoded(const uint8_t *bytes, size_t size, struct ahoy_buf *buf)
{
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= DIGIT_BITS; held -= DIGIT_BITS)
            ahoy_buf_put_byte(buf, digits[bits >> (held - DIGIT_BITS) & 63]);
    }
    if (held > 0)
        ahoy_buf_put_byte(buf, digits[bits << (DIGIT_BITS - held) & 63]);
    for (size_t i = size; i % 3 != 0; i++)
        ahoy_buf_put_byte(buf, '=');
}

static enum ahoy_suite suite_of(struct span name)
{
    for (enum ahoy_suite suite = AHOY_NO_SUITE + 1; suite < AHOY_SUITES; suite++) {
        if (ahoy_span_equal(name, suites[suite].name))
            return suite;
    }
    return AHOY_NO_SUITE;
}

/* "2^31" or "1048576": R4568-6.1-6 to -8.  How many packets that are, or 0. */
static uint64_t read_lifetime(struct span text)
{
    uint64_t value;
    if (text.size > 2 && text.at[0] == '2' && text.at[1] == '^')
        return read_number(ahoy_span_after(text, 2), LIFETIME_BITS, &value) ? UINT64_C(1) << value
                                                                            : 0;
    return read_number(text, UINT64_C(1) << LIFETIME_BITS, &value) ? value : 0;
}

/* "inline:KEY|LIFETIME".  What lives for less than 2^31 packets, which is a year, would have to be
 * counted, and what has an identifier carries it in every packet. */
static bool read_key(struct span params, struct ahoy_sdp_crypto *crypto, struct ahoy_err *err)
{
    static const struct span method = SPAN_INIT("inline:");
    if (!ahoy_span_starts_nocase(params, method))
        return ahoy_fail(err, 400, params.at, "a key inline");
    struct span rest = ahoy_span_after(params, method.size);
    struct span key = { rest.at, ahoy_span_find(rest, '|') };
    rest = ahoy_span_after(rest, key.size);
    if (ahoy_span_find(params, ';') < params.size || ahoy_span_find(rest, ':') < rest.size)
        return ahoy_fail(err, 488, params.at, "one key, without an identifier");
    if (!decode(key, suites[crypto->suite].master_size, crypto->master))
        return ahoy_fail(err, 400, key.at, "a key and a salt of the suite's length");
    if (rest.size == 0)
        return true;
    uint64_t lifetime = read_lifetime(ahoy_span_after(rest, 1));
    if (lifetime == 0)
        return ahoy_fail(err, 400, rest.at, "a lifetime of 1 to 2^48 packets");
    return lifetime >= UINT64_C(1) << ENOUGH_BITS ||
           ahoy_fail(err, 488, rest.at, "a lifetime of 2^31 packets or more");
}

/* A hint of how far packets come out of order is one (6.3.6), as are those with a dash (6.3.7); all
 * else changes what packets are like. */
static bool may_be_ignored(struct span param)
{
    static const struct span hint = SPAN_INIT("WSH=");
    uint64_t size;
    if (param.at[0] == '-')
        return true;
    return ahoy_span_starts_nocase(param, hint) &&
           read_number(ahoy_span_after(param, hint.size), UINT32_MAX, &size) && size >= 64;
}

bool ahoy_sdp_read_crypto(struct span value, struct ahoy_sdp_crypto *crypto, struct ahoy_err *err)
{
    struct span rest = value;
    uint64_t tag;
    struct span word = take_word(&rest);
    if (word.size > TAG_DIGITS || !read_number(word, UINT32_MAX, &tag)) /* R4568-4.1-1 */
        return ahoy_fail(err, 400, word.at, "a tag of up to nine digits");
    word = take_word(&rest);
    crypto->tag = (uint32_t)tag;
    crypto->suite = suite_of(word);
    if (crypto->suite == AHOY_NO_SUITE)
        return ahoy_fail(err, 488, word.at, "a crypto-suite of ours");
    if (!read_key(take_word(&rest), crypto, err))
        return false;
    for (word = take_word(&rest); word.size > 0; word = take_word(&rest)) {
        if (!may_be_ignored(word)) /* R4568-6.3.7-1 */
            return ahoy_fail(err, 488, word.at, "no further parameter");
    }
    return true;
}

void ahoy_sdp_put_crypto(const struct ahoy_sdp_crypto *crypto, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("a=crypto:"));
    ahoy_buf_put_number(buf, crypto->tag);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, suites[crypto->suite].name);
    ahoy_buf_put(buf, SPAN(" inline:"));
    put_encoded(crypto->master, suites[crypto->suite].master_size, buf);
    ahoy_buf_put(buf, SPAN("\r\n"));
}
