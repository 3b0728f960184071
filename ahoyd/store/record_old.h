/* States as older servers wrote them, versions 1 to 3: read from files of theirs, never written. */
#pragma once

#include "libahoy/tu/bindings.h"

/* Fills |bindings| with all that the state holds, expired or not (but for what expired at time 0).
 * False where it is damaged. */
bool record_decode_old(struct span state, struct ahoy_bindings *bindings);
