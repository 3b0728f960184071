/* Answers of the DNS as they are written (RFC 1035 4.1), for worlds that have a DNS of their own:
 * the simulator, and the calls of an operator's test. */
#pragma once

#include "libahoy/base/buf.h"

/* Begins the answer to who asks for what |name| (labels with dots between them, and perhaps one
 * behind) has of |type|; |count| records follow. */
void ahoy_answer_begin(struct ahoy_buf *buf, struct span name, uint16_t type, unsigned count);
/* One of them.  Its name is that of the question, it is good for 60 s. */
void ahoy_answer_add(struct ahoy_buf *buf, uint16_t type, struct span data);

/* What data consists of: 16 bits, a <character-string>, a name (3.3). */
void ahoy_answer_put_number(struct ahoy_buf *buf, unsigned number);
void ahoy_answer_put_string(struct ahoy_buf *buf, struct span text);
void ahoy_answer_put_name(struct ahoy_buf *buf, struct span name);
