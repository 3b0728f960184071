/* What the send path wants to know of a message that is about to leave: whose call it belongs to,
 * and where it may grow.  Mostly the stack knows it (stack/wire.h); else the message is looked
 * through, without parsing it.  Any bytes may be given; what is no message has neither. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_glance {
    uint32_t call; /* The mark of the Call-ID (ahoy_span_mark), by chance of others too; 0: none. */
    uint32_t gap;  /* Spaces put in at this offset change nothing: it is behind the colon of
                    * Content-Length.  0: there is no such place. */
};

/* Looks for what |glance| does not know yet. */
void ahoy_glance(struct span message, struct ahoy_glance *glance);
