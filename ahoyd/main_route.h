/* ahoyd --route and --test. */
#pragma once

#include "ahoyd/listeners.h"
#include "ahoyd/options.h"

/* Says step by step what would become of a call, or tries the calls of a file of tests.  Returns
 * the exit code; what is not understood of the call has been told. */
int ahoyd_main_route(const struct ahoyd_command_line *line, const struct ahoyd_config *config,
                     const struct ahoyd_listeners *listeners, struct ahoyd_config_faults *faults);
