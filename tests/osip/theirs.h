/* libosip2, asked for a verdict. */
#pragma once

#include "libahoy/syntax/message.h"

/* Whether libosip2 takes |bytes| as a message. */
bool osip_takes(struct span bytes);

/* What libosip2 refuses in |message|, which Ahoy takes but libosip2 does not: the first row that it
 * refuses in a message of its own, else the start line where it refuses that, else the body. */
struct span osip_culprit(const struct ahoy_message *message);
