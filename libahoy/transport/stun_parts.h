/* What the files that speak STUN share: numbers and attributes (RFC 5389 6, 15). */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_STUN_HEAD_SIZE = 20,
    AHOY_STUN_ATTRIBUTE_HEAD_SIZE = 4,
    AHOY_STUN_BINDING_REQUEST = 0x0001,
    AHOY_STUN_BINDING_SUCCESS = 0x0101,
    AHOY_STUN_BINDING_ERROR = 0x0111,
    AHOY_STUN_PROOF_SIZE = 32 /* The largest of MESSAGE-INTEGRITY's. */
};

/* Types of attributes that more than one of them reads or writes (RFC 5389 18.2). */
enum {
    AHOY_STUN_USERNAME = 0x0006,
    AHOY_STUN_MESSAGE_INTEGRITY = 0x0008,
    AHOY_STUN_ERROR_CODE = 0x0009,
    AHOY_STUN_REALM = 0x0014,
    AHOY_STUN_NONCE = 0x0015,
    AHOY_STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c, /* RFC 8489 14.6 */
    AHOY_STUN_XOR_MAPPED_ADDRESS = 0x0020,
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

/* The attribute |type|, which is XOR-MAPPED-ADDRESS or written as that is, of |ip|; |head| begins
 * with the head of the message, or of the request that it answers. */
void ahoy_stun_put_address(struct span head, uint32_t type, const struct ahoy_ip *ip,
                           struct ahoy_buf *buf);
/* Reads the value of such a one in |message|. */
bool ahoy_stun_read_address(struct span message, struct span value, struct ahoy_ip *ip);
/* An attribute whose value is |value|, filled up. */
void ahoy_stun_put_attribute(uint32_t type, struct span value, struct ahoy_buf *buf);
/* The head's size, as if |behind| bytes followed what is there. */
void ahoy_stun_put_size(struct ahoy_buf *message, size_t behind);
/* What ERROR-CODE says; 0 where it is none. */
uint32_t ahoy_stun_error(struct span value);
/* FINGERPRINT, behind all else; the head's size has it already. */
void ahoy_stun_put_fingerprint(struct ahoy_buf *answer);

/* Whether |attribute| of |message|, which has at most AHOY_STUN_REQUEST_LIMIT bytes, is one of the
 * two kinds of MESSAGE-INTEGRITY and that by |key|: stun_proof.c. */
bool ahoy_stun_is_whole(struct span message, const struct ahoy_stun_attribute *attribute,
                        struct span key);
/* MESSAGE-INTEGRITY of that |type| behind all that is there. */
void ahoy_stun_prove(uint32_t type, struct span key, struct ahoy_buf *message);
