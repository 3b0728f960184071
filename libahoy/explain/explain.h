/* Explains a message line by line, for a person: what each part is, which section of which RFC
 * rules it, and every fault with its consequence and its mend.  Pure: bytes in, remarks out. */
#pragma once

#include "libahoy/explain/remark.h"
#include "libahoy/syntax/message.h"

struct ahoy_explanation {
    struct ahoy_message message;
    struct ahoy_message inner; /* What is within its body, while that is explained. */
    struct ahoy_remarks remarks;
};

/* Explains |bytes|: one message as a datagram has it, perhaps with bytes too many behind it.
 * |is_excerpt|: some rows are all that is known (a line of a trace), so nothing counts as missing.
 *
 * Faults are what ahoy_message_parse, ahoy_message_routing and ahoy_message_check refuse, all of
 * them where those stop at the first; what else departs from the RFCs is a warning.  Remarks come
 * in the order of the lines, verdicts last. */
void ahoy_explain(struct span bytes, bool is_excerpt, struct ahoy_explanation *explanation);
