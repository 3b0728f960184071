/* What a Contact says of the push service by which its phone is woken (RFC 8599 4.1, 8.7). */
#pragma once

#include "libahoy/syntax/message.h"

enum { AHOY_PUSH_PROVIDER_LIMIT = 32 /* Bytes of the name of a push service. */ };

/* Values of URI parameters, still escaped; empty where there are none. */
struct ahoy_push {
    struct span provider;
    struct span param;
    struct span prid; /* Whom the push service wakes; empty: nobody is to be woken. */
};

/* Reads those of |contact|, a URI.  False where it has no pn-provider: it has nothing to do with
 * RFC 8599. */
bool ahoy_push_read(struct span contact, struct ahoy_push *push);
/* Whether all is there that |push->provider| needs to wake somebody (10, 11, 12). */
bool ahoy_push_is_whole(const struct ahoy_push *push);
/* Whether a proxy that |request|, a REGISTER, came through wakes the phone itself (5.6.1). */
bool ahoy_push_is_done(const struct ahoy_message *request);
/* Prints |contact| as others than its user may see it (4.1, 13): without these. */
void ahoy_push_print_public(struct span contact, struct ahoy_buf *buf);
