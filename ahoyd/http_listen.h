/* What the doors by HTTP share: libmicrohttpd at an address, in a thread of its own.  A few clients
 * are served at once, and each for some seconds only: one that says nothing is closed, and one
 * whose request and answer take too long, however often it says a byte. */
#pragma once

#include <microhttpd.h>

#include "libahoy/base/ip.h"

enum {
    AHOYD_HTTP_CLIENTS_LIMIT = 32, /* Connections at once. */
    AHOYD_HTTP_PATIENCE_S = 5,     /* For the next byte. */
    AHOYD_HTTP_REQUEST_S = 10      /* For a request and its answer. */
};

struct ahoyd_http_port;

/* Begins to serve at |ip|; |ended| may be NULL.  NULL where it cannot be listened there: |fault|
 * says so of the |word| of the configuration. */
struct ahoyd_http_port *ahoyd_http_listen(const struct ahoy_ip *ip, const char *word,
                                          MHD_AccessHandlerCallback answer,
                                          MHD_RequestCompletedCallback ended, void *self,
                                          char *fault, size_t fault_size);
/* Ends all connections and waits for its threads.  NULL is allowed. */
void ahoyd_http_stop(struct ahoyd_http_port *port);

/* What |size| bytes at |text| say; NULL where memory is refused: those that must be freed are. */
struct MHD_Response *ahoyd_http_response(char *text, size_t size, enum MHD_ResponseMemoryMode mode);
/* Sends |response|, which it frees; NULL, or where memory is refused, ends the connection. */
enum MHD_Result ahoyd_http_reply(struct MHD_Connection *connection, unsigned status,
                                 const char *type, struct MHD_Response *response);
