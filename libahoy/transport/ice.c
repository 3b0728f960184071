/* A check is a binding request with USERNAME, MESSAGE-INTEGRITY by our password, and FINGERPRINT
 * (RFC 8445 7.1, RFC 5389 15). */
#include "libahoy/transport/ice.h"

#include "libahoy/transport/stun_parts.h"

enum {
    PRIORITY = 0x0024,
    USE_CANDIDATE = 0x0025,
    CONTROLLED = 0x8029,
    CONTROLLING = 0x802a,
    FINGERPRINT_SIZE = 8
};

/* "ours:theirs": RFC 8445 7.3. */
static bool is_for_us(struct span name, struct span user)
{
    return name.size > user.size && name.at[user.size] == ':' &&
           ahoy_span_equal((struct span){ name.at, user.size }, user);
}

struct reading {
    struct ahoy_ice_check *check;
    const struct ahoy_ice_secret *secret;
    bool is_for_us, is_whole, is_printed, is_strange;
};

static uint64_t long_number(struct span value)
{
    return (uint64_t)ahoy_stun_number(value, 0, 4) << 32 | ahoy_stun_number(value, 4, 4);
}

static void read_role(const struct ahoy_stun_attribute *attribute, struct reading *reading)
{
    if (attribute->value.size != 8) {
        reading->is_strange = true;
        return;
    }
    reading->check->role =
        attribute->type == CONTROLLING ? AHOY_ICE_CONTROLLING : AHOY_ICE_CONTROLLED;
    reading->check->tie = long_number(attribute->value);
}

static void read_user(struct span value, struct reading *reading)
{
    struct span user = reading->secret->user;
    reading->is_for_us = is_for_us(value, user);
    if (reading->is_for_us)
        reading->check->theirs =
            (struct span){ value.at + user.size + 1, value.size - user.size - 1 };
}

static void read_attribute(struct span request, const struct ahoy_stun_attribute *attribute,
                           struct reading *reading)
{
    if (attribute->type == AHOY_STUN_FINGERPRINT) {
        reading->is_printed = ahoy_stun_is_fingerprint(request, attribute);
        return;
    }
    if (reading->is_whole) /* What follows is of nobody: RFC 5389 15.4. */
        return;
    switch (attribute->type) {
    case AHOY_STUN_USERNAME:
        read_user(attribute->value, reading);
        return;
    case AHOY_STUN_MESSAGE_INTEGRITY:
        reading->is_whole = ahoy_stun_is_whole(request, attribute, reading->secret->word);
        reading->is_strange |= !reading->is_whole;
        return;
    case USE_CANDIDATE:
        reading->check->is_nomination = true;
        return;
    case PRIORITY:
        if (attribute->value.size == 4)
            reading->check->priority = ahoy_stun_number(attribute->value, 0, 4);
        return;
    case CONTROLLED:
    case CONTROLLING:
        read_role(attribute, reading);
        return;
    default:
        reading->is_strange |= (attribute->type & AHOY_STUN_COMPREHENSION_OPTIONAL) == 0;
    }
}

static bool is_message(struct span message, uint32_t type)
{
    return ahoy_stun_is(message) && message.size <= AHOY_STUN_REQUEST_LIMIT &&
           ahoy_stun_number(message, 0, 2) == type &&
           ahoy_stun_number(message, 2, 2) == message.size - AHOY_STUN_HEAD_SIZE;
}

/* DEPARTS: RFC 5389 7.3.1 and 10.1.2 answer who knows no password by 400 or 401, and unknown
 * attributes by 420.  A stranger gets nothing, so that nobody finds the port of a call by asking;
 * nor does a peer whose attributes we would have to know, as none are agreed on. */
bool ahoy_ice_read(struct span request, const struct ahoy_ice_secret *secret,
                   struct ahoy_ice_check *check)
{
    *check = (struct ahoy_ice_check){ .role = AHOY_ICE_NO_ROLE };
    struct reading reading = { .check = check, .secret = secret };
    struct ahoy_stun_attribute attribute;
    size_t at = AHOY_STUN_HEAD_SIZE;
    if (!is_message(request, AHOY_STUN_BINDING_REQUEST))
        return false;
    while (ahoy_stun_next(request, &at, &attribute))
        read_attribute(request, &attribute, &reading);
    return at == request.size && reading.is_for_us && reading.is_whole && reading.is_printed &&
           !reading.is_strange;
}

/* MESSAGE-INTEGRITY and FINGERPRINT. */
static void seal(struct ahoy_buf *message, struct span word)
{
    ahoy_stun_prove(AHOY_STUN_MESSAGE_INTEGRITY, word, message);
    if (message->overflow)
        return;
    ahoy_stun_put_size(message, FINGERPRINT_SIZE);
    ahoy_stun_put_fingerprint(message);
}

static void put_head(uint32_t type, struct span rest, struct ahoy_buf *message)
{
    ahoy_stun_put(message, type, 2);
    ahoy_stun_put(message, 0, 2); /* Its size, once that is known. */
    ahoy_buf_put(message, rest);
}

/* The cookie and the transaction. */
static struct span rest_of_head(struct span request)
{
    return (struct span){ request.at + 4, AHOY_STUN_HEAD_SIZE - 4 };
}

void ahoy_ice_put_answer(struct span request, const struct ahoy_ip *source, struct span word,
                         struct ahoy_buf *answer)
{
    put_head(AHOY_STUN_BINDING_SUCCESS, rest_of_head(request), answer);
    ahoy_stun_put_address(request, AHOY_STUN_XOR_MAPPED_ADDRESS, source, answer);
    seal(answer, word);
}

void ahoy_ice_put_conflict(struct span request, struct span word, struct ahoy_buf *answer)
{
    put_head(AHOY_STUN_BINDING_ERROR, rest_of_head(request), answer);
    ahoy_stun_put(answer, AHOY_STUN_ERROR_CODE, 2);
    ahoy_stun_put(answer, 4, 2);
    ahoy_stun_put(answer, 4 << 8 | 87, 4); /* 487 without words. */
    seal(answer, word);
}

static void put_user(const struct ahoy_ice_secret *secret, struct span theirs,
                     struct ahoy_buf *request)
{
    size_t size = secret->user.size + 1 + theirs.size;
    ahoy_stun_put(request, AHOY_STUN_USERNAME, 2);
    ahoy_stun_put(request, (uint32_t)size, 2);
    ahoy_buf_put(request, secret->user);
    ahoy_buf_put_byte(request, ':');
    ahoy_buf_put(request, theirs);
    ahoy_stun_put(request, 0, (4 - size % 4) % 4);
}

void ahoy_ice_ask(const uint8_t id[AHOY_STUN_ID_SIZE], const struct ahoy_ice_secret *secret,
                  const struct ahoy_ice_check *check, struct ahoy_buf *request)
{
    ahoy_stun_ask(id, request);
    put_user(secret, check->theirs, request);
    ahoy_stun_put(request, PRIORITY, 2);
    ahoy_stun_put(request, 4, 2);
    ahoy_stun_put(request, check->priority, 4);
    ahoy_stun_put(request, check->role == AHOY_ICE_CONTROLLING ? CONTROLLING : CONTROLLED, 2);
    ahoy_stun_put(request, 8, 2);
    ahoy_stun_put(request, (uint32_t)(check->tie >> 32), 4);
    ahoy_stun_put(request, (uint32_t)check->tie, 4);
    if (check->is_nomination)
        ahoy_stun_put(request, (uint32_t)USE_CANDIDATE << 16, 4);
    seal(request, secret->word);
}

static enum ahoy_ice_heard error_of(struct span value)
{
    uint32_t code = ahoy_stun_error(value);
    if (code == 487)
        return AHOY_ICE_CONFLICT;
    return code == 403 ? AHOY_ICE_REVOKED : AHOY_ICE_REFUSED;
}

/* Both kinds of answers are proved by the password that the check was: RFC 5389 10.1.3. */
enum ahoy_ice_heard ahoy_ice_hear(struct span answer, const uint8_t id[AHOY_STUN_ID_SIZE],
                                  struct span word, struct ahoy_ip *mapped)
{
    struct ahoy_stun_attribute attribute;
    size_t at = AHOY_STUN_HEAD_SIZE;
    enum ahoy_ice_heard heard = AHOY_ICE_REFUSED;
    bool is_proved = false, is_printed = false;
    bool is_error = is_message(answer, AHOY_STUN_BINDING_ERROR);
    if ((!is_error && !is_message(answer, AHOY_STUN_BINDING_SUCCESS)) ||
        memcmp(answer.at + AHOY_STUN_HEAD_SIZE - AHOY_STUN_ID_SIZE, id, AHOY_STUN_ID_SIZE) != 0)
        return AHOY_ICE_NOTHING;
    while (ahoy_stun_next(answer, &at, &attribute)) {
        if (attribute.type == AHOY_STUN_FINGERPRINT)
            is_printed = ahoy_stun_is_fingerprint(answer, &attribute);
        else if (is_proved)
            continue;
        else if (attribute.type == AHOY_STUN_MESSAGE_INTEGRITY)
            is_proved = ahoy_stun_is_whole(answer, &attribute, word);
        else if (is_error && attribute.type == AHOY_STUN_ERROR_CODE)
            heard = error_of(attribute.value);
    }
    if (at != answer.size || !is_proved || !is_printed)
        return AHOY_ICE_NOTHING;
    if (!is_error && ahoy_stun_hear(answer, id, mapped) == AHOY_STUN_MAPPED)
        heard = AHOY_ICE_SEEN;
    return heard;
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
