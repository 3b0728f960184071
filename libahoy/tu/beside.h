/* What others ask of us beside calls: OPTIONS (RFC 3261 11.2), MESSAGE (RFC 3428 7), and, within a
 * session, INFO (RFC 6086 4.2.2). */
#pragma once

#include "libahoy/tu/ua_context.h"

/* Answers the request |event|, within |session| or, where that is null, outside of dialogs.  A
 * MESSAGE that is accepted is told as AHOY_NEWS_MESSAGE.  Of other methods it is 481. */
void ahoy_beside_answer(struct ahoy_ua_context *context, const struct ahoy_event *event,
                        struct ahoy_handle session, uint64_t now_ms);
/* Adds Recv-Info, which lists no package as we know none: R6086-5.2.2-2. */
void ahoy_beside_put_packages(struct ahoy_buf *buf);
/* The same in an answer to |request|, where that has one: R6086-5.2.3-2, -3. */
void ahoy_beside_answer_packages(const struct ahoy_message *request, struct ahoy_buf *buf);
