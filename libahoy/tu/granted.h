/* What a registrar gives to whom it has registered, beside the time: the way that his requests
 * take (RFC 3608 6.1), and a URI that leads to this phone alone (RFC 5627 4.2).  Both hold as long
 * as the registration does. */
#pragma once

#include "libahoy/syntax/message.h"

enum {
    AHOY_SERVICE_ROUTE_LIMIT = 1024, /* Bytes of a Service-Route. */
    AHOY_GRUU_LIMIT = 1024           /* Bytes of a GRUU. */
};

struct ahoy_granted {
    size_t route_size;
    char route[AHOY_SERVICE_ROUTE_LIMIT]; /* Values of Route, with commas between. */
    size_t gruu_size;
    char gruu[AHOY_GRUU_LIMIT];
};

/* Nothing is granted any more. */
void ahoy_granted_clear(struct ahoy_granted *granted);
/* Takes what the 2xx |response| grants to |contact|, which is ours, in place of what there was.
 * Of two GRUUs it is the public one.  What cannot be read, or is too long, is none. */
void ahoy_granted_read(struct ahoy_granted *granted, const struct ahoy_message *response,
                       const struct ahoy_uri *contact);
/* The Service-Route; empty where there is none. */
struct span ahoy_granted_route(const struct ahoy_granted *granted);
/* Our GRUU, as the registrar wrote it; empty where there is none. */
struct span ahoy_granted_gruu(const struct ahoy_granted *granted);
