/* What two neighbours tell each other of overload, as parameters of the Via between them (RFC 7339
 * 4, 9). */
#pragma once

#include "libahoy/syntax/compose.h"

/* What a client writes into its Via: it would hold back a part, if it were told so. */
#define AHOY_OC_OFFER ";oc;oc-algo=\"loss\""

enum {
    AHOY_OC_VALIDITY_MS = 500, /* Where nothing else is said. */
    AHOY_OC_TEXT_LIMIT = 80    /* Bytes of what a server says. */
};

struct ahoy_oc {
    bool has_value; /* The server has answered; a client only asks. */
    bool is_loss;   /* The loss-based algorithm is named, alone or among others. */
    uint32_t loss;  /* Percent that should not be sent. */
    uint32_t validity_ms;
    uint64_t seq; /* In 100,000ths of a second, where it is a time. */
};

/* Reads it from |params|, a Via's.  False where there is no "oc", or where any of its kind is
 * written otherwise than section 9 has it, or twice, or asks for more than all: then nothing is
 * said. */
bool ahoy_oc_parse(struct span params, struct ahoy_oc *oc);
/* Whether a parameter "oc" or "oc-..." may be in |text|: a look without parsing. */
bool ahoy_oc_may_be_in(struct span text);

/* What a server says: it would rather get |loss| percent less, for |validity_ms|, as of |now_ms|.
 * 0 and 0: as much as there is. */
void ahoy_oc_print(struct ahoy_buf *buf, unsigned loss, unsigned validity_ms, uint64_t now_ms);

/* Takes all of it out of |params|, which are a part of what is edited. */
void ahoy_edits_remove_oc(struct ahoy_edits *edits, struct span params);
