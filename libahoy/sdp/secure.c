/* Offers and answers of secured sound: RFC 4568 5.1 and 7.1, RFC 8643 3. */
#include "libahoy/sdp/secure.h"

static const struct {
    struct span name;
    bool is_secure;
} protocols[] = {
    { SPAN_INIT("RTP/AVP"), false },
    { SPAN_INIT("RTP/SAVP"), true },
    { SPAN_INIT("RTP/SAVPF"), true }, /* Nobody has to send feedback (RFC 4585 3.6). */
};

enum { PROTOCOLS = sizeof protocols / sizeof protocols[0] };

/* Its place in the table; PROTOCOLS for none. */
static size_t find_protocol(struct span name)
{
    size_t i = 0;
    while (i < PROTOCOLS && !ahoy_span_equal(name, protocols[i].name))
        i++;
    return i;
}

bool ahoy_sdp_knows_protocol(struct span protocol)
{
    return find_protocol(protocol) < PROTOCOLS;
}

/* R4568-6-1; RFC 8643 3.1 */
struct span ahoy_sdp_protocol(enum ahoy_security wish)
{
    return wish == AHOY_SECURITY_KEYS ? SPAN("RTP/SAVP") : SPAN("RTP/AVP");
}

/* The first of |media| that can be read: its sender's preference (5.1.2). */
static bool find_crypto(const struct ahoy_sdp_media *media, struct ahoy_sdp_crypto *crypto)
{
    struct span rest = media->lines;
    struct ahoy_sdp_attribute attribute;
    while (ahoy_sdp_attribute_next(&rest, &attribute)) {
        if (ahoy_span_equal(attribute.name, SPAN("crypto")) &&
            ahoy_sdp_read_crypto(attribute.value, crypto, NULL))
            return true;
    }
    return false;
}

/* An answer has the tag of what we have offered: R4568-5.1.3-1.  A peer who speaks by our own key
 * would spoil both: R4568-7.1.2-5. */
static bool take_keys(const struct ahoy_sdp_media *media, const struct ahoy_sdp_security *security,
                      bool is_answer, struct ahoy_sdp_secured *secured)
{
    struct ahoy_sdp_crypto crypto;
    if (!find_crypto(media, &crypto))
        return false;
    const uint8_t *ours = security->masters[crypto.suite];
    size_t size = ahoy_suite_master_size(crypto.suite);
    if ((is_answer && crypto.tag != crypto.suite) || memcmp(ours, crypto.master, size) == 0)
        return false;
    secured->suite = crypto.suite;
    secured->tag = crypto.tag;
    memcpy(secured->ours, ours, size);
    memcpy(secured->theirs, crypto.master, size);
    return true;
}

bool ahoy_sdp_take_security(const struct ahoy_sdp_media *media,
                            const struct ahoy_sdp_security *security, bool tells_keys,
                            bool is_answer, struct ahoy_sdp_secured *secured)
{
    size_t protocol = find_protocol(media->protocol);
    *secured = (struct ahoy_sdp_secured){ .suite = AHOY_NO_SUITE };
    if (protocol == PROTOCOLS)
        return false;
    if (security->wish != AHOY_SECURITY_OFF && tells_keys &&
        take_keys(media, security, is_answer, secured))
        return true;
    return !protocols[protocol].is_secure && security->wish != AHOY_SECURITY_KEYS;
}

/* R4568-7.1.1-2 */
void ahoy_sdp_put_security(const struct ahoy_sdp_security *security, bool tells_keys,
                           struct ahoy_buf *buf)
{
    if (security->wish == AHOY_SECURITY_OFF || !tells_keys)
        return;
    for (enum ahoy_suite suite = AHOY_NO_SUITE + 1; suite < AHOY_SUITES; suite++) {
        struct ahoy_sdp_crypto crypto = { .tag = suite, .suite = suite };
        memcpy(crypto.master, security->masters[suite], sizeof crypto.master);
        ahoy_sdp_put_crypto(&crypto, buf);
    }
}

/* R4568-5.1.2-3 to -5 */
void ahoy_sdp_put_secured(const struct ahoy_sdp_secured *secured, struct ahoy_buf *buf)
{
    if (secured->suite == AHOY_NO_SUITE)
        return;
    struct ahoy_sdp_crypto crypto = { .tag = secured->tag, .suite = secured->suite };
    memcpy(crypto.master, secured->ours, sizeof crypto.master);
    ahoy_sdp_put_crypto(&crypto, buf);
}
