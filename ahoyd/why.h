/* What the server decides about a request, and why, as notes beside its messages; docs/why.md says
 * how they are read. */
#pragma once

#include "ahoyd/serving.h"

/* Notes |cause| of the call of |event|; |detail| is a name that belongs to it, or empty. */
void ahoyd_why(struct ahoyd_server *server, const struct ahoy_event *event, enum ahoy_cause cause,
               struct span detail);
/* The same, and answers |status|. */
void ahoyd_refuse(struct ahoyd_server *server, const struct ahoy_event *event, unsigned status,
                  enum ahoy_cause cause, struct span detail);
