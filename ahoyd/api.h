/* The commands of the control socket by HTTP, and the console, a page that uses them: docs/api.md.
 * A thread of its own, so that no worker ever waits for it. */
#pragma once

#include "ahoyd/command.h"

enum { AHOYD_API_BODY_LIMIT = 65536 }; /* Bytes of a request's body. */

struct ahoyd_api;

/* Serves what |door| says; both outlive it.  NULL where that fails; |fault| says what and how to
 * mend it. */
struct ahoyd_api *ahoyd_api_open(const struct ahoyd_api_door *door,
                                 const struct ahoyd_command_means *means, char *fault,
                                 size_t fault_size);
/* NULL is allowed. */
void ahoyd_api_close(struct ahoyd_api *api);
