/* What the doors by HTTP share: libmicrohttpd at an address, in a thread of its own.  A few clients
 * are served at once, and each for some seconds only. */
#pragma once

#include <microhttpd.h>

#include "libahoy/base/ip.h"

/* Begins to serve at |ip|; |ended| may be NULL.  NULL where it cannot be listened there: |fault|
 * says so of the |word| of the configuration. */
struct MHD_Daemon *ahoyd_http_listen(const struct ahoy_ip *ip, const char *word,
                                     MHD_AccessHandlerCallback answer,
                                     MHD_RequestCompletedCallback ended, void *self, char *fault,
                                     size_t fault_size);

/* What |size| bytes at |text| say; NULL where memory is refused: those that must be freed are. */
struct MHD_Response *ahoyd_http_response(char *text, size_t size, enum MHD_ResponseMemoryMode mode);
/* Sends |response|, which it frees; NULL, or where memory is refused, ends the connection. */
enum MHD_Result ahoyd_http_reply(struct MHD_Connection *connection, unsigned status,
                                 const char *type, struct MHD_Response *response);
