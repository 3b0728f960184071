/* Messages as they may be shown: what proves a password, keys of SRTP, and passwords in URIs and
 * bodies are written "***". */
#pragma once

#include "libahoy/base/buf.h"

/* Prints |message| into |buf|. */
void ahoyd_mask(struct span message, struct ahoy_buf *buf);
