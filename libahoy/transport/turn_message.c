/* TURN's methods and attributes are STUN's (RFC 8656 17, 18); ChannelData has a head of four bytes
 * instead (12.4). */
#include "libahoy/transport/turn_message.h"

#include "libahoy/transport/stun_parts.h"

enum {
    CHANNEL_NUMBER = 0x000c,
    LIFETIME = 0x000d,
    XOR_PEER_ADDRESS = 0x0012,
    DATA = 0x0013,
    XOR_RELAYED_ADDRESS = 0x0016,
    REQUESTED_ADDRESS_FAMILY = 0x0017,
    REQUESTED_TRANSPORT = 0x0019,
    PASSWORD_ALGORITHMS = 0x8002,
    SOFTWARE = 0x8022
};

/* Classes, as they stand between the bits of a method (RFC 8489 5). */
enum { INDICATION = 0x0010, SUCCESS = 0x0100, ERROR = 0x0110, CLASS = 0x0110 };

enum { CHANNEL_HEAD_SIZE = 4, UDP = 17 };

static void put_head(uint32_t type, const uint8_t id[AHOY_STUN_ID_SIZE], struct ahoy_buf *buf)
{
    ahoy_stun_ask(id, buf);
    struct ahoy_buf first = ahoy_buf_over(buf->at, 2);
    if (!buf->overflow)
        ahoy_stun_put(&first, type, 2);
}

static void put_four(uint32_t type, uint32_t value, struct ahoy_buf *buf)
{
    ahoy_stun_put(buf, type, 2);
    ahoy_stun_put(buf, 4, 2);
    ahoy_stun_put(buf, value, 4);
}

static void put_peer(const struct ahoy_ip *peer, struct ahoy_buf *buf)
{
    ahoy_stun_put_address((struct span){ buf->at, AHOY_STUN_HEAD_SIZE }, XOR_PEER_ADDRESS, peer,
                          buf);
}

void ahoy_turn_put_request(const uint8_t id[AHOY_STUN_ID_SIZE],
                           const struct ahoy_turn_request *request,
                           const struct ahoy_stun_login *login, struct ahoy_buf *buf)
{
    put_head(request->method, id, buf);
    if (buf->overflow)
        return;
    if (request->method == AHOY_TURN_ALLOCATE)
        put_four(REQUESTED_TRANSPORT, (uint32_t)UDP << 24, buf);
    /* IPv4 is what comes unasked (7.2), also of servers that know no families. */
    if (request->family == AHOY_IPV6)
        put_four(REQUESTED_ADDRESS_FAMILY, (uint32_t)2 << 24, buf);
    if (request->deletes)
        put_four(LIFETIME, 0, buf);
    if (request->channel != 0)
        put_four(CHANNEL_NUMBER, request->channel << 16, buf);
    if (request->peer.family != AHOY_NO_FAMILY)
        put_peer(&request->peer, buf);
    if (request->method == AHOY_TURN_ALLOCATE || request->method == AHOY_TURN_REFRESH)
        ahoy_stun_put_attribute(SOFTWARE, SPAN("ahoy"), buf); /* RFC 8656 5 */
    ahoy_stun_put_size(buf, 0);
    ahoy_stun_login_put(login, buf);
}

void ahoy_turn_put_send(const uint8_t id[AHOY_STUN_ID_SIZE], const struct ahoy_ip *peer,
                        struct span data, struct ahoy_buf *buf)
{
    put_head(AHOY_TURN_SEND | INDICATION, id, buf);
    if (buf->overflow)
        return;
    put_peer(peer, buf);
    ahoy_stun_put_attribute(DATA, data, buf);
    ahoy_stun_put_size(buf, 0);
}

void ahoy_turn_put_keep(const uint8_t id[AHOY_STUN_ID_SIZE], struct ahoy_buf *buf)
{
    put_head(AHOY_STUN_BINDING_REQUEST | INDICATION, id, buf);
}

void ahoy_turn_put_channel(uint32_t channel, struct span data, struct ahoy_buf *buf)
{
    ahoy_stun_put(buf, channel, 2);
    ahoy_stun_put(buf, (uint32_t)data.size, 2);
    ahoy_buf_put(buf, data);
}

static void read_address(struct span datagram, struct span value, struct ahoy_ip *ip,
                         struct ahoy_turn_message *message)
{
    message->is_strange |= !ahoy_stun_read_address(datagram, value, ip);
}

/* What is behind the proof is nobody's (RFC 8489 14.5). */
static void read_attribute(struct span datagram, const struct ahoy_stun_attribute *attribute,
                           struct ahoy_turn_message *message)
{
    struct span value = attribute->value;
    if (message->has_proof)
        return;
    switch (attribute->type) {
    case AHOY_STUN_ERROR_CODE:
        message->code = ahoy_stun_error(value);
        return;
    case AHOY_STUN_REALM:
        message->challenge.realm = value;
        return;
    case AHOY_STUN_NONCE:
        message->challenge.nonce = value;
        return;
    case PASSWORD_ALGORITHMS:
        message->challenge.algorithms = value;
        return;
    case AHOY_STUN_MESSAGE_INTEGRITY:
    case AHOY_STUN_MESSAGE_INTEGRITY_SHA256:
        message->has_proof = true;
        return;
    case AHOY_STUN_XOR_MAPPED_ADDRESS:
        read_address(datagram, value, &message->mapped, message);
        return;
    case XOR_RELAYED_ADDRESS:
        read_address(datagram, value, &message->relayed, message);
        return;
    case XOR_PEER_ADDRESS:
        read_address(datagram, value, &message->peer, message);
        return;
    case LIFETIME:
        if (value.size == 4)
            message->lifetime_s = ahoy_stun_number(value, 0, 4);
        return;
    case DATA:
        message->has_data = true;
        message->data = value;
        return;
    default: /* Errors say in other attributes what they are about (RFC 8489 14.13). */
        message->is_strange |=
            !message->is_error && (attribute->type & AHOY_STUN_COMPREHENSION_OPTIONAL) == 0;
    }
}

/* A datagram may be longer than its data (12.5). */
static bool read_channel(struct span datagram, struct ahoy_turn_message *message)
{
    if (datagram.size < CHANNEL_HEAD_SIZE)
        return false;
    message->method = AHOY_TURN_DATA;
    message->channel = ahoy_stun_number(datagram, 0, 2);
    message->has_data = true;
    message->data =
        (struct span){ datagram.at + CHANNEL_HEAD_SIZE, ahoy_stun_number(datagram, 2, 2) };
    return message->channel >= AHOY_TURN_FIRST_CHANNEL &&
           message->channel <= AHOY_TURN_LAST_CHANNEL &&
           message->data.size <= datagram.size - CHANNEL_HEAD_SIZE;
}

static bool is_answer(uint32_t method)
{
    return method == AHOY_TURN_ALLOCATE || method == AHOY_TURN_REFRESH ||
           method == AHOY_TURN_CREATE_PERMISSION || method == AHOY_TURN_CHANNEL_BIND;
}

bool ahoy_turn_read(struct span datagram, struct ahoy_turn_message *message)
{
    size_t at = AHOY_STUN_HEAD_SIZE;
    struct ahoy_stun_attribute attribute;
    *message = (struct ahoy_turn_message){ .method = AHOY_TURN_DATA };
    if (datagram.size > 0 && (unsigned char)datagram.at[0] >> 6 == 1)
        return read_channel(datagram, message);
    if (!ahoy_stun_is(datagram) ||
        ahoy_stun_number(datagram, 2, 2) != datagram.size - AHOY_STUN_HEAD_SIZE)
        return false;
    uint32_t type = ahoy_stun_number(datagram, 0, 2), class = type & CLASS;
    uint32_t method = type & ~(uint32_t)CLASS;
    if (!((class == SUCCESS || class == ERROR) && is_answer(method)) &&
        !(class == INDICATION && method == AHOY_TURN_DATA))
        return false;
    message->method = (enum ahoy_turn_method)method;
    message->is_error = class == ERROR;
    message->id = (const uint8_t *)datagram.at + AHOY_STUN_HEAD_SIZE - AHOY_STUN_ID_SIZE;
    while (ahoy_stun_next(datagram, &at, &attribute))
        read_attribute(datagram, &attribute, message);
    return at == datagram.size;
}
