/* The marks that a server puts into the topmost Via of a request it received: received= (RFC
 * 3261 18.2.1) and rport= (RFC 3581 4), so that responses find their way back. */
#pragma once

#include "libahoy/syntax/compose.h"

/* Adds the edits that mark |via|, the topmost one of edits->original, with |source|: received=
 * where rport was asked for or sent-by's host is not the source address; rport=PORT where it was
 * asked for.  What the peer had written there itself is replaced; what it says of overload goes, as
 * it is for us alone (RFC 7339 5.6).  The inserted text is written to |text| (64 bytes are enough)
 * and lives as long as that. */
void ahoy_edits_mark_via(struct ahoy_edits *edits, const struct ahoy_via *via,
                         const struct ahoy_ip *source, struct ahoy_buf *text);
