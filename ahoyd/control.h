/* The control socket: commands (command.h) for the operator on this machine, one JSON object a
 * line each way (docs/control.md).  It has a thread of its own, so that no worker ever waits for
 * it. */
#pragma once

#include "ahoyd/command.h"

enum {
    AHOYD_CONTROL_CLIENTS_LIMIT = 8,
    AHOYD_CONTROL_LINE_LIMIT = 65536, /* Bytes of one request. */
    AHOYD_CONTROL_PATIENCE_MS = 5000  /* For a whole line, and for an answer to be taken. */
};

struct ahoyd_control;

/* Listens on the Unix socket |path| (0600; peers of another user are refused).  A socket that a
 * dead server left behind is replaced.  |means| outlives the control.  NULL where that fails;
 * |fault| says what and how to mend it. */
struct ahoyd_control *ahoyd_control_open(const char *path, const struct ahoyd_command_means *means,
                                         char *fault, size_t fault_size);
void ahoyd_control_close(struct ahoyd_control *control);
