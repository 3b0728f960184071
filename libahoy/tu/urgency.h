/* How urgent a request is where not all can be served (RFC 7339 5.10.1). */
#pragma once

#include "libahoy/syntax/message.h"
#include "libahoy/tu/overload.h"

/* A request other than ACK and CANCEL, which are never held back.  Urgent are those of dialogs that
 * stand, calls for help (RFC 5031), and what Resource-Priority marks as more than routine (RFC
 * 4412), where whoever sent it is |trusted|: everybody can write that. */
enum ahoy_urgency ahoy_urgency_of(const struct ahoy_message *message,
                                  const struct ahoy_routing *routing, bool trusted);
