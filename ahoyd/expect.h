/* Tests of a configuration's routes: a file in Lua with what is expected of calls.
 *
 *     expect("INVITE sip:sales@atlanta.example", { at = "2026-02-02T10:00Z" },
 *            "alice@atlanta.example + bob@atlanta.example")
 */
#pragma once

#include "ahoyd/names.h"

/* Tries all calls of the file |path|; each that goes elsewhere is a fault with its line.  Returns
 * how many there are. */
unsigned ahoyd_expect_run(const struct ahoyd_names *names, const char *path, uint64_t now_ms,
                          struct ahoyd_config_faults *faults);
