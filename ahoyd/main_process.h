/* The process: its limits, its signals, and who it is. */
#pragma once

#include <signal.h>

#include "ahoyd/config.h"

/* What a server needs of the system, and what it had better not have, before it opens anything. */
void ahoyd_process_limit(const struct ahoy_log *log);
/* Fills |signals| with those that are waited for; every thread keeps them blocked. */
bool ahoyd_process_signals(sigset_t *signals);

/* Whether there is the user that the configuration names, if it does; else |faults| are told. */
bool ahoyd_process_check(const struct ahoyd_config *config, struct ahoyd_config_faults *faults);
/* Becomes that user, before there is another thread and anything is opened.  What is left of root
 * is the right to listen on ports below 1024, and that only where one is listened on.  False where
 * it cannot be, which has been told. */
bool ahoyd_process_become(const struct ahoyd_config *config, struct ahoyd_config_faults *faults);
