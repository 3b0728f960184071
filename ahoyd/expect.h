/* Tests of a configuration: a file in Lua with what is expected of calls.
 *
 *     expect("INVITE sip:sales@atlanta.example", { at = "2026-02-02T10:00Z" },
 *            "alice@atlanta.example + bob@atlanta.example")
 *     call { to = "sip:sales@atlanta.example", parties = { ["bob@atlanta.example"] = "busy" },
 *            expect = { "0 s: bob@atlanta.example", "0 s: 486" } }
 */
#pragma once

#include <jansson.h>

#include "ahoyd/trial.h"

/* Tries all calls of the file |path|; each that goes elsewhere is a fault with its line.  What all
 * have in common is in |trial|.  Returns how many there are.  What whole calls come to is added to
 * |calls|, a list, where that is not NULL. */
unsigned ahoyd_expect_run(const struct ahoyd_names *names, const char *path,
                          const struct ahoyd_trial *trial, json_t *calls,
                          struct ahoyd_config_faults *faults);
