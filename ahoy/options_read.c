/* Reading what stands behind an option, and the operands. */
#include "ahoy/options_read.h"

#include "libahoy/media/codec.h"
#include "libahoy/media/srtp.h"
#include "libahoy/tu/session_timer.h"

enum { TONE_LOWEST_HZ = 100, TONE_HIGHEST_HZ = 3800 };

bool phone_read_seconds(const char *text, uint32_t *seconds)
{
    uint64_t value;
    struct span number = ahoy_span(text);
    if (number.size > 1 && number.at[number.size - 1] == 's')
        number.size--;
    if (!ahoy_span_number(number, PHONE_SECONDS_LIMIT, &value))
        return false;
    *seconds = (uint32_t)value;
    return true;
}

bool phone_read_listen(const char *text, struct ahoy_ip *ip)
{
    struct span all = ahoy_span(text);
    if (ahoy_ip_parse(all, ip))
        return true;
    size_t colon = all.size;
    while (colon > 0 && all.at[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon == 0 || !ahoy_ip_parse((struct span){ all.at, colon - 1 }, ip) ||
        !ahoy_span_number(ahoy_span_after(all, colon), 65535, &port))
        return false;
    ip->port = (uint16_t)port;
    return true;
}

bool phone_read_play(const char *text, struct phone_options *options)
{
    uint64_t hz = 0;
    struct span all = ahoy_span(text);
    bool is_tone = ahoy_span_starts_nocase(all, SPAN("tone:"));
    if (is_tone &&
        (!ahoy_span_number(ahoy_span_after(all, strlen("tone:")), TONE_HIGHEST_HZ, &hz) ||
         hz < TONE_LOWEST_HZ))
        return false;
    options->tone_hz = (uint32_t)hz;
    options->play = is_tone || strcmp(text, "silence") == 0 ? NULL : text;
    return true;
}

unsigned phone_codecs(void)
{
    unsigned codecs = 0;
    for (enum ahoy_codec codec = AHOY_PCMU; codec < AHOY_CODECS; codec++)
        codecs |= ahoy_coder(codec) != NULL ? 1U << codec : 0;
    return codecs;
}

bool phone_read_stun(const char *text, struct ahoy_ip *ip)
{
    enum { STUN_PORT = 3478 }; /* RFC 8489 18.6 */
    if (!phone_read_listen(text, ip) || ahoy_ip_is_wildcard(ip) || ahoy_ip_is_multicast(ip))
        return false;
    if (ip->port == 0)
        ip->port = STUN_PORT;
    return true;
}

bool phone_read_turn(const char *text, struct ahoy_ip *ip)
{
    static const struct span udp = SPAN_INIT("?transport=udp");
    char address[PHONE_TEXT_LIMIT];
    struct span all = ahoy_span(text);
    if (ahoy_span_starts_nocase(all, SPAN("turn:"))) {
        all = ahoy_span_after(all, strlen("turn:"));
        size_t query = ahoy_span_find(all, '?');
        if (query < all.size && !ahoy_span_equal_nocase(ahoy_span_after(all, query), udp))
            return false;
        all.size = query;
    }
    if (all.size >= sizeof address)
        return false;
    memcpy(address, all.at, all.size);
    address[all.size] = '\0';
    return phone_read_stun(address, ip);
}

bool phone_read_codecs(const char *text, unsigned *codecs)
{
    struct span rest = ahoy_span(text);
    *codecs = 0;
    do {
        size_t comma = ahoy_span_find(rest, ',');
        enum ahoy_codec codec = ahoy_codec_find((struct span){ rest.at, comma });
        if (codec == AHOY_NO_CODEC || ahoy_coder(codec) == NULL)
            return false;
        *codecs |= 1U << codec;
        rest = ahoy_span_after(rest, comma < rest.size ? comma + 1 : comma);
    } while (rest.size > 0);
    return true;
}

bool phone_read_ports(const char *text, struct phone_options *options)
{
    struct span all = ahoy_span(text);
    size_t dash = ahoy_span_find(all, '-');
    uint64_t low, high;
    if (dash == all.size || !ahoy_span_number((struct span){ all.at, dash }, 65535, &low) ||
        !ahoy_span_number(ahoy_span_after(all, dash + 1), 65535, &high) || low == 0 ||
        high < low + low % 2 + 1)
        return false;
    options->port_low = (uint16_t)low;
    options->port_high = (uint16_t)high;
    return true;
}

bool phone_read_session(const char *text, uint32_t *seconds)
{
    return phone_read_seconds(text, seconds) && (*seconds == 0 || *seconds >= AHOY_SESSION_LEAST_S);
}

/* A build without libsrtp secures nothing. */
bool phone_read_security(const char *text, enum ahoy_security *security)
{
    static const char *const words[] = { [AHOY_SECURITY_OFF] = "off",
                                         [AHOY_SECURITY_OPTIONAL] = "optional",
                                         [AHOY_SECURITY_KEYS] = "sdes",
                                         [AHOY_SECURITY_HANDSHAKE] = "dtls" };
    size_t count = ahoy_srtp_is_there() ? sizeof words / sizeof words[0] : 1;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) != 0)
            continue;
        *security = (enum ahoy_security)i;
        return true;
    }
    return false;
}

bool phone_is_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789*#ABCD") == strlen(text) &&
           strlen(text) <= PHONE_DIGITS_LIMIT;
}

bool phone_read_count(const char *text, uint32_t *count)
{
    uint64_t value;
    bool is_read = ahoy_span_number(ahoy_span(text), PHONE_COUNT_LIMIT, &value);
    *count = is_read ? (uint32_t)value : 0;
    return is_read;
}

bool phone_is_urn(struct span text)
{
    struct ahoy_uri uri;
    return text.size <= PHONE_URN_LIMIT && ahoy_uri_parse(text, &uri, NULL) &&
           ahoy_span_starts_nocase(text, SPAN("urn:uuid:"));
}

struct span phone_with_scheme(const char *text, char *space, size_t size)
{
    struct ahoy_buf buf = ahoy_buf_over(space, size - 1);
    struct span given = ahoy_span(text);
    if (!ahoy_span_starts_nocase(given, SPAN("sip:")) &&
        !ahoy_span_starts_nocase(given, SPAN("sips:")))
        ahoy_buf_put(&buf, SPAN("sip:"));
    ahoy_buf_put(&buf, given);
    space[buf.overflow ? 0 : buf.size] = '\0';
    return ahoy_buf_text(&buf);
}

/* "100" or "0.5", in thousandths. */
static bool read_thousandths(struct span text, uint32_t *value)
{
    size_t point = ahoy_span_find(text, '.');
    struct span part = ahoy_span_after(text, point < text.size ? point + 1 : point);
    uint64_t whole, thousandths = 0;
    if (!ahoy_span_number((struct span){ text.at, point }, LOAD_RATE_LIMIT, &whole) ||
        (point < text.size && !ahoy_span_number(part, 999, &thousandths)) || part.size > 3)
        return false;
    for (size_t i = part.size; i < 3; i++)
        thousandths *= 10;
    *value = (uint32_t)(whole * 1000 + thousandths);
    return true;
}

bool phone_read_rate(const char *text, struct load_rate *rate)
{
    struct span all = ahoy_span(text);
    size_t dash = ahoy_span_find(all, '-');
    if (!read_thousandths((struct span){ all.at, dash }, &rate->from))
        return false;
    rate->to = rate->from;
    return (dash == all.size || read_thousandths(ahoy_span_after(all, dash + 1), &rate->to)) &&
           rate->to > 0;
}

struct phone_numbers phone_take_numbers(char *text)
{
    struct phone_numbers numbers = { .at = strcspn(text, "#") };
    numbers.digits = strspn(text + numbers.at, "#");
    memset(text + numbers.at, '0', numbers.digits);
    return numbers;
}

uint64_t phone_numbers_count(const struct phone_numbers *numbers)
{
    uint64_t count = 1;
    for (size_t i = 0; i < numbers->digits && count < UINT32_MAX; i++)
        count *= 10;
    return count;
}
