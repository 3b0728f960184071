/* A message of STUN is a head of 20 bytes and attributes: a type, a size, a value that is filled up
 * to a multiple of four (RFC 5389 6, 15).  All numbers are big-endian. */
#include "libahoy/transport/stun.h"

#include "libahoy/transport/stun_parts.h"

enum {
    HEAD_SIZE = AHOY_STUN_HEAD_SIZE,
    ATTRIBUTE_HEAD_SIZE = AHOY_STUN_ATTRIBUTE_HEAD_SIZE,
    BINDING_REQUEST = AHOY_STUN_BINDING_REQUEST,
    BINDING_SUCCESS = AHOY_STUN_BINDING_SUCCESS,
    BINDING_ERROR = AHOY_STUN_BINDING_ERROR
};

static const uint32_t cookie = 0x2112a442;
static const uint32_t fingerprint_mask = 0x5354554e;

/* Those of RFC 5389, none of which changes the answer. */
enum {
    MAPPED_ADDRESS = 0x0001,
    ERROR_CODE = AHOY_STUN_ERROR_CODE,
    UNKNOWN_ATTRIBUTES = 0x000a,
    REALM = AHOY_STUN_REALM,
    NONCE = AHOY_STUN_NONCE,
    XOR_MAPPED_ADDRESS = AHOY_STUN_XOR_MAPPED_ADDRESS
};

uint32_t ahoy_stun_number(struct span bytes, size_t at, size_t size)
{
    uint32_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | (unsigned char)bytes.at[at + i];
    return number;
}

void ahoy_stun_put(struct ahoy_buf *buf, uint32_t number, size_t size)
{
    for (size_t i = size; i > 0; i--)
        ahoy_buf_put_byte(buf, (char)(number >> 8 * (i - 1) & 0xff));
}

/* The CRC of ITU V.42, four bits at a time (15.5). */
static uint32_t crc_of(struct span bytes)
{
    static const uint32_t steps[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.at[i];
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return ~crc;
}

bool ahoy_stun_is(struct span datagram)
{
    return datagram.size >= HEAD_SIZE && (unsigned char)datagram.at[0] < 0x40 &&
           ahoy_stun_number(datagram, 4, 4) == cookie;
}

static bool is_known(uint32_t type)
{
    static const uint16_t known[] = { MAPPED_ADDRESS,
                                      AHOY_STUN_USERNAME,
                                      AHOY_STUN_MESSAGE_INTEGRITY,
                                      ERROR_CODE,
                                      REALM,
                                      UNKNOWN_ATTRIBUTES,
                                      NONCE,
                                      XOR_MAPPED_ADDRESS };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i] == type)
            return true;
    }
    return (type & AHOY_STUN_COMPREHENSION_OPTIONAL) != 0;
}

/* What the attributes of a request say. */
struct reading {
    bool has_fingerprint;
    bool protected; /* MESSAGE-INTEGRITY has passed: only FINGERPRINT may follow (15.4). */
    size_t unknown_count;
    uint16_t unknown[AHOY_STUN_UNKNOWN_LIMIT];
};

bool ahoy_stun_next(struct span message, size_t *at, struct ahoy_stun_attribute *attribute)
{
    size_t left = message.size - *at;
    if (left < ATTRIBUTE_HEAD_SIZE)
        return false;
    uint32_t size = ahoy_stun_number(message, *at + 2, 2);
    size_t filled = ATTRIBUTE_HEAD_SIZE + ((size_t)size + 3) / 4 * 4;
    if (filled > left)
        return false;
    *attribute = (struct ahoy_stun_attribute){
        .type = ahoy_stun_number(message, *at, 2),
        .at = *at,
        .value = { message.at + *at + ATTRIBUTE_HEAD_SIZE, size },
    };
    *at += filled;
    return true;
}

bool ahoy_stun_is_fingerprint(struct span message, const struct ahoy_stun_attribute *attribute)
{
    if (attribute->value.size != 4 || ahoy_span_end(attribute->value) != ahoy_span_end(message))
        return false;
    return ahoy_stun_number(attribute->value, 0, 4) ==
           (crc_of((struct span){ message.at, attribute->at }) ^ fingerprint_mask);
}

static bool read_attribute(struct span request, const struct ahoy_stun_attribute *attribute,
                           struct reading *reading)
{
    if (attribute->type == AHOY_STUN_FINGERPRINT) {
        reading->has_fingerprint = true;
        return ahoy_stun_is_fingerprint(request, attribute);
    }
    if (!reading->protected && !is_known(attribute->type) &&
        reading->unknown_count < AHOY_STUN_UNKNOWN_LIMIT)
        reading->unknown[reading->unknown_count++] = (uint16_t)attribute->type;
    reading->protected |= attribute->type == AHOY_STUN_MESSAGE_INTEGRITY;
    return true;
}

static bool read_attributes(struct span request, struct reading *reading)
{
    size_t at = HEAD_SIZE;
    struct ahoy_stun_attribute attribute;
    while (ahoy_stun_next(request, &at, &attribute)) {
        if (!read_attribute(request, &attribute, reading))
            return false;
    }
    return at == request.size;
}

/* The source's port and address, each over the cookie, an address of IPv6 over the transaction too
 * (15.2), so that no router on the way takes them for its own to rewrite. */
void ahoy_stun_put_address(struct span head, uint32_t type, const struct ahoy_ip *ip,
                           struct ahoy_buf *buf)
{
    bool is_v6 = ip->family == AHOY_IPV6;
    size_t size = is_v6 ? 16 : 4;
    ahoy_stun_put(buf, type, 2);
    ahoy_stun_put(buf, (uint32_t)(4 + size), 2);
    ahoy_stun_put(buf, is_v6 ? 2 : 1, 2);
    ahoy_stun_put(buf, ip->port ^ cookie >> 16, 2);
    for (size_t i = 0; i < size; i++)
        ahoy_buf_put_byte(buf, (char)(ip->bytes[i] ^ (unsigned char)head.at[4 + i]));
}

void ahoy_stun_put_attribute(uint32_t type, struct span value, struct ahoy_buf *buf)
{
    ahoy_stun_put(buf, type, 2);
    ahoy_stun_put(buf, (uint32_t)value.size, 2);
    ahoy_buf_put(buf, value);
    ahoy_stun_put(buf, 0, (4 - value.size % 4) % 4);
}

void ahoy_stun_put_size(struct ahoy_buf *message, size_t behind)
{
    struct ahoy_buf size = ahoy_buf_over(message->at + 2, 2);
    ahoy_stun_put(&size, (uint32_t)(message->size + behind - HEAD_SIZE), 2);
}

uint32_t ahoy_stun_error(struct span value)
{
    return value.size < 4
               ? 0
               : (ahoy_stun_number(value, 2, 1) & 7) * 100 + ahoy_stun_number(value, 3, 1);
}

/* 420 without words: an answer should be no larger than it must be. */
static void put_unknown(const struct reading *reading, struct ahoy_buf *answer)
{
    size_t size = 2 * reading->unknown_count;
    ahoy_stun_put(answer, ERROR_CODE, 2);
    ahoy_stun_put(answer, 4, 2);
    ahoy_stun_put(answer, 4 << 8 | 20, 4);
    ahoy_stun_put(answer, UNKNOWN_ATTRIBUTES, 2);
    ahoy_stun_put(answer, (uint32_t)size, 2);
    for (size_t i = 0; i < reading->unknown_count; i++)
        ahoy_stun_put(answer, reading->unknown[i], 2);
    if (size % 4 != 0)
        ahoy_stun_put(answer, 0, 2);
}

void ahoy_stun_put_fingerprint(struct ahoy_buf *answer)
{
    uint32_t crc = crc_of(ahoy_buf_text(answer));
    ahoy_stun_put(answer, AHOY_STUN_FINGERPRINT, 2);
    ahoy_stun_put(answer, 4, 2);
    ahoy_stun_put(answer, crc ^ fingerprint_mask, 4);
}

static size_t body_size(const struct reading *reading, const struct ahoy_ip *source)
{
    size_t size = source->family == AHOY_IPV6 ? 24 : 12;
    if (reading->unknown_count > 0)
        size = 8 + 4 + (2 * reading->unknown_count + 3) / 4 * 4;
    return size + (reading->has_fingerprint ? 8 : 0);
}

bool ahoy_stun_answer(struct span request, const struct ahoy_ip *source, struct ahoy_buf *answer)
{
    struct reading reading = { .unknown_count = 0 };
    if (!ahoy_stun_is(request) || request.size > AHOY_STUN_REQUEST_LIMIT ||
        ahoy_stun_number(request, 0, 2) != BINDING_REQUEST ||
        ahoy_stun_number(request, 2, 2) != request.size - HEAD_SIZE ||
        !read_attributes(request, &reading))
        return false;
    ahoy_stun_put(answer, reading.unknown_count > 0 ? BINDING_ERROR : BINDING_SUCCESS, 2);
    ahoy_stun_put(answer, (uint32_t)body_size(&reading, source), 2);
    ahoy_buf_put(answer, (struct span){ request.at + 4, HEAD_SIZE - 4 });
    if (reading.unknown_count > 0)
        put_unknown(&reading, answer); /* RFC 5389 7.3.1 */
    else
        ahoy_stun_put_address(request, XOR_MAPPED_ADDRESS, source, answer); /* R5626-8-1 */
    if (reading.has_fingerprint)
        ahoy_stun_put_fingerprint(answer);
    return true;
}

void ahoy_stun_ask(const uint8_t id[AHOY_STUN_ID_SIZE], struct ahoy_buf *request)
{
    ahoy_stun_put(request, BINDING_REQUEST, 2);
    ahoy_stun_put(request, 0, 2);
    ahoy_stun_put(request, cookie, 4);
    for (size_t i = 0; i < AHOY_STUN_ID_SIZE; i++)
        ahoy_buf_put_byte(request, (char)id[i]);
}

bool ahoy_stun_read_address(struct span message, struct span value, struct ahoy_ip *ip)
{
    uint32_t family = value.size >= 4 ? ahoy_stun_number(value, 0, 2) & 0xff : 0;
    size_t count = family == 2 ? 16 : 4;
    if ((family != 1 && family != 2) || value.size != 4 + count)
        return false;
    *ip = (struct ahoy_ip){ .family = family == 2 ? AHOY_IPV6 : AHOY_IPV4,
                            .port = (uint16_t)(ahoy_stun_number(value, 2, 2) ^ cookie >> 16) };
    for (size_t i = 0; i < sizeof ip->bytes && i < count; i++)
        ip->bytes[i] = (uint8_t)(value.at[4 + i] ^ message.at[4 + i]);
    return true;
}

/* What an answer has to be understood of it: the address; MESSAGE-INTEGRITY and what is behind it
 * is of a secret that nobody shares. */
static bool find_address(struct span answer, struct ahoy_ip *ip)
{
    size_t at = HEAD_SIZE;
    struct ahoy_stun_attribute attribute;
    while (ahoy_stun_next(answer, &at, &attribute)) {
        if (attribute.type == XOR_MAPPED_ADDRESS)
            return ahoy_stun_read_address(answer, attribute.value, ip);
    }
    return false;
}

enum ahoy_stun_heard ahoy_stun_hear(struct span answer, const uint8_t id[AHOY_STUN_ID_SIZE],
                                    struct ahoy_ip *mapped)
{
    if (!ahoy_stun_is(answer) || ahoy_stun_number(answer, 2, 2) != answer.size - HEAD_SIZE ||
        memcmp(answer.at + HEAD_SIZE - AHOY_STUN_ID_SIZE, id, AHOY_STUN_ID_SIZE) != 0)
        return AHOY_STUN_NOTHING;
    struct reading reading = { .unknown_count = 0 };
    uint32_t type = ahoy_stun_number(answer, 0, 2);
    if (type == BINDING_ERROR)
        return AHOY_STUN_FAILED;
    /* RFC 5389 7.3.3: with what is unknown and must be understood, it is no good answer. */
    if (type != BINDING_SUCCESS || !read_attributes(answer, &reading))
        return AHOY_STUN_NOTHING;
    bool is_good = reading.unknown_count == 0 && find_address(answer, mapped);
    return is_good ? AHOY_STUN_MAPPED : AHOY_STUN_FAILED;
}
