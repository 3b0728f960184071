/* What the files that speak STUN share: numbers and attributes (RFC 5389 6, 15). */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_STUN_HEAD_SIZE = 20,
    AHOY_STUN_ATTRIBUTE_HEAD_SIZE = 4,
    AHOY_STUN_BINDING_REQUEST = 0x0001,
    AHOY_STUN_BINDING_SUCCESS = 0x0101,
    AHOY_STUN_BINDING_ERROR = 0x0111
};

/* Types of attributes that more than one of them reads or writes (RFC 5389 18.2). */
enum {
    AHOY_STUN_USERNAME = 0x0006,
    AHOY_STUN_MESSAGE_INTEGRITY = 0x0008,
    AHOY_STUN_COMPREHENSION_OPTIONAL = 0x8000, /* A bit: who does not know it passes it over. */
    AHOY_STUN_FINGERPRINT = 0x8028
};

/* The number of |size| bytes at |at|, which are there. */
uint32_t ahoy_stun_number(struct span bytes, size_t at, size_t size);
void ahoy_stun_put(struct ahoy_buf *buf, uint32_t number, size_t size);

/* One attribute of a message. */
struct ahoy_stun_attribute {
    uint32_t type;
    size_t at; /* Where it begins, in the message. */
    struct span value;
};

/* Takes the attribute at *at, which goes on to the next one.  False at the end, and where none can
 * be: *at is the message's size only at the end. */
bool ahoy_stun_next(struct span message, size_t *at, struct ahoy_stun_attribute *attribute);
/* Whether the FINGERPRINT |attribute| is right, and the last one. */
bool ahoy_stun_is_fingerprint(struct span message, const struct ahoy_stun_attribute *attribute);

/* XOR-MAPPED-ADDRESS of |source|, in the answer to |request|. */
void ahoy_stun_put_address(struct span request, const struct ahoy_ip *source,
                           struct ahoy_buf *answer);
/* FINGERPRINT, behind all else; the head's size has it already. */
void ahoy_stun_put_fingerprint(struct ahoy_buf *answer);
