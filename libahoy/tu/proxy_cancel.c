/* Ending branches before their time: CANCEL from the caller (RFC 3261 16.10), after a final
 * response (16.7 step 10), and when Timer C fires (16.8). */
#include "libahoy/tu/proxy_context.h"

void ahoy_proxy_cancel_branch(struct ahoy_proxy *proxy, struct proxy_context *context,
                              struct proxy_branch *branch, struct span reason, uint64_t now_ms)
{
    if (!context->is_invite || branch->done || branch->cancelled) /* S3261-9.1-1 */
        return;
    branch->cancelled = true;
    if (branch->waiting) {
        ahoy_proxy_drop(proxy, context, branch, 487); /* There is nobody to send a CANCEL to. */
        return;
    }
    /* From here on the transaction itself makes sure that an end comes (9.1). */
    ahoy_timers_cancel(&proxy->timers, &branch->timer);
    ahoy_transaction_cancel(proxy->transactions, branch->client, reason, now_ms);
}

void ahoy_proxy_cancel_pending(struct ahoy_proxy *proxy, struct proxy_context *context,
                               struct span reason, uint64_t now_ms)
{
    for (unsigned i = 0; i < context->count; i++)
        ahoy_proxy_cancel_branch(proxy, context, proxy_branch_at(context, i), reason, now_ms);
}

/* The Reason rows of the caller's CANCEL, which ours repeat (RFC 3326 2). */
static struct span reason_of(struct ahoy_proxy *proxy, const struct ahoy_message *cancel)
{
    struct ahoy_buf buf = ahoy_buf_over(proxy->text, AHOY_PROXY_REASON_LIMIT);
    const struct ahoy_field *field = ahoy_message_first(cancel, AHOY_HEADER_REASON);
    for (; field != NULL; field = ahoy_message_next(cancel, field))
        ahoy_buf_put(&buf, field->row);
    return ahoy_buf_text(&buf);
}

void ahoy_proxy_take_cancel(struct ahoy_proxy *proxy, struct proxy_context *context,
                            const struct ahoy_event *event, uint64_t now_ms)
{
    ahoy_proxy_answer_cancel(proxy, context, event, now_ms); /* R3261-16.10-2 */
    ahoy_proxy_stop(proxy, context);
    struct span reason = reason_of(proxy, event->message);
    ahoy_proxy_cancel_pending(proxy, context, reason, now_ms); /* R3261-16.10-3 */
    if (context->pending == 0 && !context->closed)
        ahoy_proxy_choose(proxy, context, now_ms);
}

void ahoy_proxy_timer_c(struct ahoy_proxy *proxy, struct proxy_context *context,
                        struct proxy_branch *branch, uint64_t now_ms)
{
    bool provisional = branch->provisional;
    ahoy_proxy_note(proxy, context, AHOY_CAUSE_RANG_OUT, NULL, SPAN(""));
    ahoy_proxy_cancel_branch(proxy, context, branch, SPAN(""), now_ms); /* R3261-16.8-2 */
    if (!provisional)
        ahoy_proxy_finish(proxy, context, branch, 408, NULL, now_ms); /* R3261-16.8-3 */
}
