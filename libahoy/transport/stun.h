/* Keep-alives by STUN on the port that SIP uses (RFC 5626 8): binding requests of RFC 5389 are
 * answered with the address that they came from.  Nothing is kept, and nobody is asked who he is:
 * the work would be more than that of the answer (RFC 5389 13). */
#pragma once

#include "libahoy/base/ip.h"

enum {
    AHOY_STUN_REQUEST_LIMIT = 1280, /* Bytes of a request; a larger one fits no packet (7.1). */
    AHOY_STUN_UNKNOWN_LIMIT = 8,    /* Attributes that an answer says it does not know. */
    AHOY_STUN_ANSWER_SIZE = 64,     /* Room that every answer fits. */
    AHOY_STUN_ASK_SIZE = 20,        /* A request of ours. */
    AHOY_STUN_ID_SIZE = 12          /* What names a transaction. */
};

/* Whether |datagram| is STUN rather than SIP: its first byte begins no message of SIP, and the
 * magic cookie stands behind it (RFC 5626 8, RFC 5389 6). */
bool ahoy_stun_is(struct span datagram);

/* Writes to |answer| what answers |request|, which came from |source|: its address, or an error 420
 * where an attribute is unknown that has to be understood.  With a FINGERPRINT where the request
 * has one.  False, and nothing is written, for what gets no answer: other messages than binding
 * requests, wrong sizes, a FINGERPRINT that does not fit (7.3). */
bool ahoy_stun_answer(struct span request, const struct ahoy_ip *source, struct ahoy_buf *answer);

/* The client's side: a binding request, whose transaction is |id|. */
void ahoy_stun_ask(const uint8_t id[AHOY_STUN_ID_SIZE], struct ahoy_buf *request);

enum ahoy_stun_heard {
    AHOY_STUN_NOTHING, /* It is no sound answer to that. */
    AHOY_STUN_MAPPED,  /* It says by which address we are seen. */
    AHOY_STUN_FAILED   /* An error. */
};

/* What |answer| says to the binding request |id|: |mapped| is that address. */
enum ahoy_stun_heard ahoy_stun_hear(struct span answer, const uint8_t id[AHOY_STUN_ID_SIZE],
                                    struct ahoy_ip *mapped);
