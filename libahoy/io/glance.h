/* What the send path wants to know of a message that is about to leave, without parsing it: whose
 * call it belongs to, and where it may grow.  Any bytes may be given; what is no message has
 * neither. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_glance {
    uint32_t call; /* The same for all messages with one Call-ID, by chance for others; 0: none. */
    uint32_t gap;  /* Spaces put in at this offset change nothing: it is behind the colon of
                    * Content-Length.  0: there is no such place. */
};

struct ahoy_glance ahoy_glance(struct span message);
