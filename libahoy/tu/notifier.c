/* The notifier: RFC 6665 4.2, the figure of 4.2.2 without its state "pending", as our policy
 * decides at once. */
#include "libahoy/tu/notifier.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* The last NOTIFY is due. */
static void end(struct ahoy_notifier *notifier, enum ahoy_subscription_reason reason)
{
    notifier->state = AHOY_NOTIFIER_ENDING;
    notifier->reason = reason;
    notifier->has_news = notifier->is_urgent = true;
}

static void grant(struct ahoy_notifier *notifier, uint32_t expires_s, uint64_t now_ms)
{
    notifier->expires_ms = now_ms + expires_s * UINT64_C(1000);
    notifier->has_news = notifier->is_urgent = true; /* R6665-4.2.2-1 */
    if (expires_s == 0)
        end(notifier, AHOY_SUBSCRIPTION_EXPIRED);
}

bool ahoy_notifier_begin(struct ahoy_notifier *notifier, const struct ahoy_message *message,
                         const struct ahoy_routing *routing, const struct ahoy_subscribe *subscribe,
                         struct span local_tag, uint64_t now_ms, struct ahoy_err *err)
{
    notifier->state = AHOY_NOTIFIER_ACTIVE;
    notifier->told_end = false;
    notifier->notify = nobody;
    notifier->free_ms = now_ms;
    notifier->package = subscribe->event.package;
    notifier->id_size = subscribe->event.id.size;
    if (notifier->id_size > 0)
        memcpy(notifier->id, subscribe->event.id.at, notifier->id_size);
    grant(notifier, subscribe->expires_s, now_ms);
    return ahoy_dialog_from_request(&notifier->dialog, message, routing, local_tag, err);
}

static struct ahoy_event_name name_of(const struct ahoy_notifier *notifier)
{
    return (struct ahoy_event_name){ notifier->package, { notifier->id, notifier->id_size } };
}

bool ahoy_notifier_refresh(struct ahoy_notifier *notifier, const struct ahoy_message *message,
                           const struct ahoy_routing *routing,
                           const struct ahoy_subscribe *subscribe, uint64_t now_ms,
                           struct ahoy_err *err)
{
    struct ahoy_event_name name = name_of(notifier);
    if (notifier->state != AHOY_NOTIFIER_ACTIVE || subscribe->event.package != name.package ||
        !ahoy_span_equal(subscribe->event.id, name.id))
        return ahoy_fail(err, 481, message->bytes.at, "a subscription that there is");
    if (!ahoy_dialog_take_cseq(&notifier->dialog, routing->cseq.number))
        return ahoy_fail(err, 500, message->bytes.at, "a higher CSeq");
    ahoy_dialog_refresh(&notifier->dialog, message); /* 3.1 */
    grant(notifier, subscribe->expires_s, now_ms);
    return true;
}

void ahoy_notifier_change(struct ahoy_notifier *notifier)
{
    notifier->has_news = true;
}

bool ahoy_notifier_poll(struct ahoy_notifier *notifier, uint64_t now_ms)
{
    if (notifier->state == AHOY_NOTIFIER_ACTIVE && now_ms >= notifier->expires_ms)
        end(notifier, AHOY_SUBSCRIPTION_EXPIRED);
    return notifier->state != AHOY_NOTIFIER_OVER && !notifier->told_end &&
           notifier->notify.generation == 0 && notifier->has_news &&
           (notifier->is_urgent || now_ms >= notifier->free_ms);
}

void ahoy_notifier_print(struct ahoy_notifier *notifier, size_t body_size, uint64_t now_ms,
                         struct ahoy_buf *line, struct ahoy_buf *rows)
{
    struct ahoy_event_name name = name_of(notifier);
    struct ahoy_subscription_status status = { .state = AHOY_SUBSCRIPTION_TERMINATED,
                                               .reason = notifier->reason };
    if (notifier->state == AHOY_NOTIFIER_ACTIVE) {
        status.state = AHOY_SUBSCRIPTION_ACTIVE;
        /* Rounded down, and so never longer than what was granted: R6665-4.2.2-5. */
        status.expires_s = (uint32_t)((notifier->expires_ms - now_ms) / 1000);
    }
    notifier->dialog.local_cseq++;
    ahoy_dialog_print(&notifier->dialog, AHOY_METHOD_NOTIFY, notifier->dialog.local_cseq, line,
                      rows);
    ahoy_event_name_put(&name, rows); /* R6665-3.2.1-1, R6665-3.2.1-2 */
    ahoy_subscription_status_put(&status, rows);
    if (body_size > 0) {
        ahoy_buf_put(rows, SPAN("Content-Type: "));
        ahoy_buf_put(rows, notifier->package->media_type);
        ahoy_buf_put(rows, SPAN("\r\n"));
    }
    ahoy_buf_put(rows, SPAN("Content-Length: "));
    ahoy_buf_put_number(rows, body_size);
    ahoy_buf_put(rows, SPAN("\r\n\r\n"));
}

void ahoy_notifier_sent(struct ahoy_notifier *notifier, struct ahoy_handle transaction,
                        uint64_t now_ms)
{
    notifier->notify = transaction;
    notifier->has_news = notifier->is_urgent = false;
    notifier->free_ms = now_ms + notifier->package->pause_ms;
    notifier->told_end = notifier->state == AHOY_NOTIFIER_ENDING;
    if (transaction.generation == 0)
        notifier->state = AHOY_NOTIFIER_OVER;
}

/* Whether |event| tells that the subscriber is not there: R6665-4.2.2-2, and timer F. */
static bool is_gone(const struct ahoy_event *event)
{
    return event->kind == AHOY_EVENT_TIMEOUT || event->kind == AHOY_EVENT_UNREACHABLE ||
           (event->kind == AHOY_EVENT_RESPONSE &&
            ahoy_subscription_is_ended_by(event->message->status));
}

void ahoy_notifier_step(struct ahoy_notifier *notifier, const struct ahoy_event *event)
{
    if (!ahoy_handle_equal(event->transaction, notifier->notify) ||
        (event->kind == AHOY_EVENT_RESPONSE && event->message->status < 200))
        return;
    notifier->notify = nobody;
    if (notifier->told_end || is_gone(event))
        notifier->state = AHOY_NOTIFIER_OVER;
}

uint64_t ahoy_notifier_deadline(const struct ahoy_notifier *notifier)
{
    bool may_tell = notifier->has_news && !notifier->told_end && notifier->notify.generation == 0;
    uint64_t tell_ms = !may_tell ? UINT64_MAX : notifier->is_urgent ? 0 : notifier->free_ms;
    if (notifier->state != AHOY_NOTIFIER_ACTIVE)
        return tell_ms;
    /* What expires while a NOTIFY is under way ends with the answer to that. */
    uint64_t end_ms = notifier->notify.generation == 0 ? notifier->expires_ms : UINT64_MAX;
    return tell_ms < end_ms ? tell_ms : end_ms;
}
