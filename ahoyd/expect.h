/* Tests of a configuration's routes: a file in Lua with what is expected of calls.
 *
 *     expect("INVITE sip:sales@atlanta.example", { at = "2026-02-02T10:00Z" },
 *            "alice@atlanta.example + bob@atlanta.example")
 */
#pragma once

#include "ahoyd/trial.h"

/* Tries all calls of the file |path|; each that goes elsewhere is a fault with its line.  What all
 * have in common is in |trial|.  Returns how many there are. */
unsigned ahoyd_expect_run(const struct ahoyd_names *names, const char *path,
                          const struct ahoyd_trial *trial, struct ahoyd_config_faults *faults);
