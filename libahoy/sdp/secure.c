/* Offers and answers of secured sound: RFC 4568 5.1 and 7.1, RFC 8643 3. */
#include "libahoy/sdp/secure.h"

enum method { PLAIN, KEYS, HANDSHAKE };

static const struct {
    struct span name;
    enum method method; /* At least. */
} protocols[] = {
    { SPAN_INIT("RTP/AVP"), PLAIN },
    { SPAN_INIT("RTP/SAVP"), KEYS },
    { SPAN_INIT("RTP/SAVPF"), KEYS }, /* Nobody has to send feedback (RFC 4585 3.6). */
    { SPAN_INIT("UDP/TLS/RTP/SAVP"), HANDSHAKE },
    { SPAN_INIT("UDP/TLS/RTP/SAVPF"), HANDSHAKE },
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

/* R4568-6-1; R5764-8-2; RFC 8643 3.1 */
struct span ahoy_sdp_protocol(enum ahoy_security wish)
{
    if (wish == AHOY_SECURITY_HANDSHAKE)
        return SPAN("UDP/TLS/RTP/SAVPF"); /* As browsers have it. */
    return wish == AHOY_SECURITY_KEYS ? SPAN("RTP/SAVP") : SPAN("RTP/AVP");
}

/* The first of |media| that can be read: its sender's preference (5.1.2). */
static bool find_crypto(const struct ahoy_sdp_media *media, struct ahoy_sdp_crypto *crypto)
{
    struct span rest = media->lines;
    struct span value;
    while (ahoy_sdp_attribute_find(&rest, SPAN("crypto"), &value)) {
        if (ahoy_sdp_read_crypto(value, crypto, NULL))
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

/* Who says hello: we do, where we may choose (RFC 5763 5), unless he has before.  False where
 * nobody would, or both. */
static bool take_setup(enum ahoy_setup theirs, const struct ahoy_sdp_security *security,
                       bool is_answer, bool *is_active)
{
    if (theirs == AHOY_SETUP_OTHER || (is_answer && theirs == AHOY_SETUP_ACTPASS))
        return false;
    *is_active =
        theirs == AHOY_SETUP_PASSIVE || (theirs == AHOY_SETUP_ACTPASS && !security->is_passive);
    return true;
}

static bool take_handshake(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                           const struct ahoy_sdp_security *security, bool is_answer,
                           struct ahoy_sdp_secured *secured)
{
    secured->by_handshake = true;
    secured->suite = AHOY_AES_128_SHA1_80;
    secured->has_offered = is_answer;
    secured->words = security->handshake.ice.words;
    return security->can_shake && ahoy_sdp_read_greeting(session, media, &secured->peer) &&
           take_setup(secured->peer.setup, security, is_answer, &secured->is_active);
}

bool ahoy_sdp_take_security(const struct ahoy_sdp *session, const struct ahoy_sdp_media *media,
                            const struct ahoy_sdp_security *security, bool is_answer,
                            struct ahoy_sdp_secured *secured)
{
    const enum ahoy_security wish = security->wish;
    size_t protocol = find_protocol(media->protocol);
    *secured = (struct ahoy_sdp_secured){ .suite = AHOY_NO_SUITE };
    if (protocol == PROTOCOLS)
        return false;
    if (protocols[protocol].method == HANDSHAKE)
        return (wish == AHOY_SECURITY_OPTIONAL || wish == AHOY_SECURITY_HANDSHAKE) &&
               take_handshake(session, media, security, is_answer, secured);
    if ((wish == AHOY_SECURITY_OPTIONAL || wish == AHOY_SECURITY_KEYS) && security->tells_keys &&
        take_keys(media, security, is_answer, secured))
        return true;
    return protocols[protocol].method == PLAIN &&
           (wish == AHOY_SECURITY_OFF || wish == AHOY_SECURITY_OPTIONAL);
}

/* Whether some medium of |sdp| would have a handshake with ICE. */
static bool asks_for_ice(const struct ahoy_sdp *sdp)
{
    struct ahoy_sdp_greeting greeting;
    for (size_t i = 0; i < sdp->media_count; i++) {
        if (ahoy_sdp_read_greeting(sdp, &sdp->media[i], &greeting) && greeting.has_ice)
            return true;
    }
    return false;
}

/* R8839-4.2.1.5-1 */
void ahoy_sdp_put_ice_option(const struct ahoy_sdp_security *security, const struct ahoy_sdp *offer,
                             struct ahoy_buf *buf)
{
    if (security->wish == AHOY_SECURITY_OFF || !security->can_shake)
        return;
    bool is_asked = offer == NULL ? security->wish == AHOY_SECURITY_HANDSHAKE
                                  : security->wish != AHOY_SECURITY_KEYS && asks_for_ice(offer);
    if (is_asked)
        ahoy_sdp_put_ice_options(buf);
}

/* R4568-7.1.1-2, R5763-5-3 */
void ahoy_sdp_put_security(const struct ahoy_sdp_security *security, struct span protocol,
                           const struct ahoy_ip *media, struct ahoy_buf *buf)
{
    size_t place = find_protocol(protocol);
    if (place < PROTOCOLS && protocols[place].method == HANDSHAKE) {
        ahoy_sdp_put_handshake(&security->handshake, AHOY_SETUP_ACTPASS, buf);
        ahoy_sdp_put_ice(&security->handshake.ice, media, true, buf);
        return;
    }
    if (security->wish == AHOY_SECURITY_OFF || !security->tells_keys)
        return;
    for (enum ahoy_suite suite = AHOY_NO_SUITE + 1; suite < AHOY_SUITES; suite++) {
        struct ahoy_sdp_crypto crypto = { .tag = suite, .suite = suite };
        memcpy(crypto.master, security->masters[suite], sizeof crypto.master);
        ahoy_sdp_put_crypto(&crypto, buf);
    }
}

/* R4568-5.1.2-3 to -5, R5763-5-4 */
void ahoy_sdp_put_secured(const struct ahoy_sdp_secured *secured,
                          const struct ahoy_sdp_security *security, const struct ahoy_ip *media,
                          struct ahoy_buf *buf)
{
    enum ahoy_setup setup = secured->is_active ? AHOY_SETUP_ACTIVE : AHOY_SETUP_PASSIVE;
    if (secured->by_handshake) {
        ahoy_sdp_put_handshake(&security->handshake, setup, buf);
        if (secured->peer.has_ice)
            ahoy_sdp_put_ice(&security->handshake.ice, media, false, buf);
        else if (secured->peer.is_mismatch) /* R8839-4.2.5-2 */
            ahoy_buf_put(buf, SPAN("a=ice-mismatch\r\n"));
    } else if (secured->suite != AHOY_NO_SUITE) {
        struct ahoy_sdp_crypto crypto = { .tag = secured->tag, .suite = secured->suite };
        memcpy(crypto.master, secured->ours, sizeof crypto.master);
        ahoy_sdp_put_crypto(&crypto, buf);
    }
}
