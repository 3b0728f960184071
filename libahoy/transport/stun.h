/* Keep-alives by STUN on the port that SIP uses (RFC 5626 8): binding requests of RFC 5389 are
 * answered with the address that they came from.  Nothing is kept, and nobody is asked who he is:
 * the work would be more than that of the answer (RFC 5389 13). */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_STUN_REQUEST_LIMIT = 1280, /* Bytes of a request; a larger one fits no packet (7.1). */
    AHOY_STUN_UNKNOWN_LIMIT = 8,    /* Attributes that an answer says it does not know. */
    AHOY_STUN_ANSWER_SIZE = 64      /* Room that every answer fits. */
};

/* Whether |datagram| is STUN rather than SIP: its first byte begins no message of SIP, and the
 * magic cookie stands behind it (RFC 5626 8, RFC 5389 6). */
bool ahoy_stun_is(struct span datagram);

/* Writes to |answer| what answers |request|, which came from |source|: its address, or an error 420
 * where an attribute is unknown that has to be understood.  With a FINGERPRINT where the request
 * has one.  False, and nothing is written, for what gets no answer: other messages than binding
 * requests, wrong sizes, a FINGERPRINT that does not fit (7.3). */
bool ahoy_stun_answer(struct span request, const struct ahoy_ip *source, struct ahoy_buf *answer);
