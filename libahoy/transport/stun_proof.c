/* MESSAGE-INTEGRITY, by SHA-1 and by SHA-256 (RFC 8489 14.5, 14.6): what shows that who wrote a
 * message knows a key. */
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "libahoy/transport/stun.h"
#include "libahoy/transport/stun_parts.h"

enum { SHA1_SIZE = 20, SHA256_SIZE = AHOY_STUN_PROOF_SIZE };

static size_t size_of(uint32_t type)
{
    return type == AHOY_STUN_MESSAGE_INTEGRITY ? SHA1_SIZE : SHA256_SIZE;
}

static bool mac_of(uint32_t type, struct span key, struct span text,
                   uint8_t mac[AHOY_STUN_PROOF_SIZE])
{
    const EVP_MD *digest = type == AHOY_STUN_MESSAGE_INTEGRITY ? EVP_sha1() : EVP_sha256();
    return HMAC(digest, key.at, (int)key.size, (const unsigned char *)text.at, text.size, mac,
                NULL) != NULL;
}

/* Over all before the attribute, with a head that says that the message ends behind it.  No usage
 * that we know lets that of SHA-256 be cut short (14.6). */
bool ahoy_stun_is_whole(struct span message, const struct ahoy_stun_attribute *attribute,
                        struct span key)
{
    char text[AHOY_STUN_REQUEST_LIMIT];
    uint8_t mac[AHOY_STUN_PROOF_SIZE];
    size_t size = attribute->value.size;
    if (attribute->at > sizeof text || attribute->at < AHOY_STUN_HEAD_SIZE ||
        size != size_of(attribute->type))
        return false;
    memcpy(text, message.at, attribute->at);
    struct ahoy_buf told = ahoy_buf_over(text + 2, 2);
    size_t end = attribute->at + AHOY_STUN_ATTRIBUTE_HEAD_SIZE + size;
    ahoy_stun_put(&told, (uint32_t)(end - AHOY_STUN_HEAD_SIZE), 2);
    return mac_of(attribute->type, key, (struct span){ text, attribute->at }, mac) &&
           CRYPTO_memcmp(mac, attribute->value.at, size) == 0;
}

void ahoy_stun_prove(uint32_t type, struct span key, struct ahoy_buf *message)
{
    uint8_t mac[AHOY_STUN_PROOF_SIZE];
    size_t size = size_of(type);
    if (message->overflow)
        return;
    ahoy_stun_put_size(message, AHOY_STUN_ATTRIBUTE_HEAD_SIZE + size);
    if (!mac_of(type, key, ahoy_buf_text(message), mac)) {
        ahoy_buf_overflow(message);
        return;
    }
    ahoy_stun_put_attribute(type, (struct span){ (const char *)mac, size }, message);
}
