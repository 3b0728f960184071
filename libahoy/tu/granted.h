/* What a registrar gives to whom it has registered, beside the time: the way that his requests
 * take (RFC 3608 6.1).  It holds as long as the registration does. */
#pragma once

#include "libahoy/syntax/message.h"

enum { AHOY_SERVICE_ROUTE_LIMIT = 1024 /* Bytes of a Service-Route. */ };

struct ahoy_granted {
    size_t route_size;
    char route[AHOY_SERVICE_ROUTE_LIMIT]; /* Values of Route, with commas between. */
};

/* Nothing is granted any more. */
void ahoy_granted_clear(struct ahoy_granted *granted);
/* Takes what the 2xx |response| grants in place of what there was.  A Service-Route that cannot be
 * read, or is too long, is none. */
void ahoy_granted_read(struct ahoy_granted *granted, const struct ahoy_message *response);
/* The Service-Route; empty where there is none. */
struct span ahoy_granted_route(const struct ahoy_granted *granted);
