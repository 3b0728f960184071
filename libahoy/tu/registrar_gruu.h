/* What RFC 5627 5.1 adds to a REGISTER: how long the temporary GRUUs of an instance are good.  The
 * inside of registrar.c. */
#pragma once

#include "libahoy/tu/registrar.h"

/* The era_ms that the bindings of |instance| have after |registration|: a new one where none of
 * them lives, or its Call-ID has changed.  0 for no instance. */
uint64_t ahoy_registrar_era(const struct ahoy_bindings *current,
                            const struct ahoy_registration *registration, struct span instance,
                            uint64_t now_ms);
