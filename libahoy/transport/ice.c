/* A check is a binding request with USERNAME, MESSAGE-INTEGRITY by our password, and FINGERPRINT
 * (RFC 8445 7.1, RFC 5389 15). */
#include "libahoy/transport/ice.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "libahoy/transport/stun.h"
#include "libahoy/transport/stun_parts.h"

enum {
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    MAC_SIZE = 20,
    INTEGRITY_SIZE = AHOY_STUN_ATTRIBUTE_HEAD_SIZE + MAC_SIZE,
    FINGERPRINT_SIZE = 8
};

static bool mac_of(struct span key, struct span text, uint8_t mac[MAC_SIZE])
{
    return HMAC(EVP_sha1(), key.at, (int)key.size, (const unsigned char *)text.at, text.size, mac,
                NULL) != NULL;
}

/* Over all before the attribute, with a head that says that the message ends behind it: 15.4. */
static bool is_whole(struct span message, const struct ahoy_stun_attribute *attribute,
                     struct span key)
{
    char text[AHOY_STUN_REQUEST_LIMIT];
    uint8_t mac[MAC_SIZE];
    struct ahoy_buf size = ahoy_buf_over(text + 2, 2);
    memcpy(text, message.at, attribute->at);
    ahoy_stun_put(&size, (uint32_t)attribute->at + INTEGRITY_SIZE - AHOY_STUN_HEAD_SIZE, 2);
    return attribute->value.size == MAC_SIZE &&
           mac_of(key, (struct span){ text, attribute->at }, mac) &&
           CRYPTO_memcmp(mac, attribute->value.at, MAC_SIZE) == 0;
}

/* "ours:theirs": RFC 8445 7.3. */
static bool is_for_us(struct span name, struct span user)
{
    return name.size > user.size && name.at[user.size] == ':' &&
           ahoy_span_equal((struct span){ name.at, user.size }, user);
}

struct check {
    bool is_for_us, is_whole, is_printed, is_nomination, is_strange;
};

static void read_attribute(struct span request, const struct ahoy_stun_attribute *attribute,
                           const struct ahoy_ice_secret *secret, struct check *check)
{
    if (attribute->type == AHOY_STUN_FINGERPRINT) {
        check->is_printed = ahoy_stun_is_fingerprint(request, attribute);
        return;
    }
    if (check->is_whole) /* What follows is of nobody: RFC 5389 15.4. */
        return;
    switch (attribute->type) {
    case AHOY_STUN_USERNAME:
        check->is_for_us = is_for_us(attribute->value, secret->user);
        return;
    case AHOY_STUN_MESSAGE_INTEGRITY:
        check->is_whole = is_whole(request, attribute, secret->word);
        check->is_strange |= !check->is_whole;
        return;
    case USE_CANDIDATE:
        check->is_nomination = true;
        return;
    case PRIORITY:
        return;
    default:
        check->is_strange |= (attribute->type & AHOY_STUN_COMPREHENSION_OPTIONAL) == 0;
    }
}

static void put_answer(struct span request, const struct ahoy_ip *source,
                       const struct ahoy_ice_secret *secret, struct ahoy_buf *answer)
{
    size_t address = AHOY_STUN_ATTRIBUTE_HEAD_SIZE + (source->family == AHOY_IPV6 ? 20 : 8);
    uint8_t mac[MAC_SIZE];
    ahoy_stun_put(answer, AHOY_STUN_BINDING_SUCCESS, 2);
    ahoy_stun_put(answer, (uint32_t)(address + INTEGRITY_SIZE), 2);
    ahoy_buf_put(answer, (struct span){ request.at + 4, AHOY_STUN_HEAD_SIZE - 4 });
    ahoy_stun_put_address(request, source, answer);
    if (answer->overflow || !mac_of(secret->word, ahoy_buf_text(answer), mac)) {
        answer->overflow = true;
        return;
    }
    ahoy_stun_put(answer, AHOY_STUN_MESSAGE_INTEGRITY, 2);
    ahoy_stun_put(answer, MAC_SIZE, 2);
    ahoy_buf_put(answer, (struct span){ (const char *)mac, sizeof mac });
    struct ahoy_buf size = ahoy_buf_over(answer->at + 2, 2);
    ahoy_stun_put(&size, (uint32_t)(address + INTEGRITY_SIZE + FINGERPRINT_SIZE), 2);
    ahoy_stun_put_fingerprint(answer);
}

/* DEPARTS: RFC 5389 10.1.2 answers who knows no password by 400 or 401.  A stranger gets nothing,
 * so that nobody finds the port of a call by asking. */
enum ahoy_ice_check ahoy_ice_answer(struct span request, const struct ahoy_ip *source,
                                    const struct ahoy_ice_secret *secret, struct ahoy_buf *answer)
{
    struct check check = { .is_for_us = false };
    struct ahoy_stun_attribute attribute;
    size_t at = AHOY_STUN_HEAD_SIZE;
    if (!ahoy_stun_is(request) || request.size > AHOY_STUN_REQUEST_LIMIT ||
        ahoy_stun_number(request, 0, 2) != AHOY_STUN_BINDING_REQUEST ||
        ahoy_stun_number(request, 2, 2) != request.size - AHOY_STUN_HEAD_SIZE)
        return AHOY_ICE_NOTHING;
    while (ahoy_stun_next(request, &at, &attribute))
        read_attribute(request, &attribute, secret, &check);
    if (at != request.size || !check.is_for_us || !check.is_whole || !check.is_printed ||
        check.is_strange)
        return AHOY_ICE_NOTHING;
    put_answer(request, source, secret, answer);
    if (answer->overflow)
        return AHOY_ICE_NOTHING;
    return check.is_nomination ? AHOY_ICE_NOMINATED : AHOY_ICE_ASKED;
}

enum ahoy_port_use ahoy_port_use(struct span datagram)
{
    unsigned first = datagram.size > 0 ? (unsigned char)datagram.at[0] : UINT8_MAX;
    if (first <= 3)
        return AHOY_PORT_STUN;
    if (first >= 20 && first <= 63)
        return AHOY_PORT_DTLS;
    return first >= 128 && first <= 191 ? AHOY_PORT_RTP : AHOY_PORT_OTHER;
}
