/* The subscriber: the figure of RFC 6665 4.1.2. */
#include "libahoy/tu/subscriber.h"

#include "libahoy/syntax/status.h"

static const struct ahoy_handle nobody = { 0, 0 };

void ahoy_subscriber_init(struct ahoy_subscriber *subscriber)
{
    subscriber->state = AHOY_SUBSCRIBER_NONE;
    subscriber->due_ms = subscriber->timer_n_ms = subscriber->expires_ms = UINT64_MAX;
}

static bool has_dialog(const struct ahoy_subscriber *subscriber)
{
    return subscriber->dialog.remote_tag.size > 0;
}

/* Nothing is awaited any more; what is under way is of no interest. */
static void rest(struct ahoy_subscriber *subscriber, enum ahoy_subscriber_state state,
                 uint64_t again_ms)
{
    ahoy_subscriber_init(subscriber);
    subscriber->state = state;
    subscriber->transaction = nobody;
    subscriber->due_ms = again_ms;
}

/* It has ended for good. */
static void end(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                unsigned status, struct span why)
{
    rest(subscriber, AHOY_SUBSCRIBER_NONE, UINT64_MAX);
    ahoy_ua_tell(context, &(struct ahoy_ua_news){ .kind = AHOY_NEWS_WATCH_ENDED, .status = status },
                 why.size > 0 ? why : ahoy_status_reason(status));
}

/* SUBSCRIBE, whose answer and NOTIFY may come in any order. */
static void send(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                 uint64_t now_ms)
{
    struct ahoy_ua_request request;
    bool leaving = subscriber->state == AHOY_SUBSCRIBER_LEAVING;
    struct ahoy_dialog *dialog = &subscriber->dialog;
    dialog->local_cseq++;
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_SUBSCRIBE, dialog->local_cseq,
                          !has_dialog(subscriber), &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(dialog), &request.rows);
    ahoy_event_name_put(&subscriber->event, &request.rows); /* R6665-3.1.2-1 */
    ahoy_buf_put(&request.rows, SPAN("Accept: "));          /* R3680-4.5-2 */
    ahoy_buf_put(&request.rows, subscriber->event.package->media_type);
    ahoy_buf_put(&request.rows, SPAN("\r\nExpires: "));
    ahoy_buf_put_number(&request.rows, leaving ? 0 : subscriber->asked_s);
    ahoy_buf_put(&request.rows, SPAN("\r\n"));
    ahoy_credentials_put(&subscriber->credentials, &request.rows);
    subscriber->due_ms = UINT64_MAX;
    subscriber->timer_n_ms = now_ms + UINT64_C(64) * context->t1_ms; /* 4.1.2.4 */
    subscriber->transaction = ahoy_ua_request_send(&request, SPAN(""), AHOY_UA_SUBSCRIBER, now_ms);
    if (subscriber->transaction.generation == 0)
        end(subscriber, context, 503, SPAN("The request could not be sent"));
}

static void begin(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                  uint64_t now_ms)
{
    subscriber->credentials = (struct ahoy_credentials){ .proofs[0].tries = 0 };
    subscriber->raised = false;
    send(subscriber, context, now_ms);
}

/* A new subscription, with a Call-ID and a tag of its own (4.1.2.2). */
static bool begin_anew(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                       uint64_t now_ms)
{
    const struct span uri = { subscriber->uri, subscriber->uri_size };
    if (!ahoy_ua_begin_outside(context, uri, &subscriber->dialog))
        return false;
    subscriber->state = AHOY_SUBSCRIBER_WAITING;
    begin(subscriber, context, now_ms);
    return true;
}

bool ahoy_subscriber_start(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                           const struct ahoy_event_package *package, struct span uri,
                           uint32_t expires_s, uint64_t now_ms)
{
    if (subscriber->state != AHOY_SUBSCRIBER_NONE || uri.size > sizeof subscriber->uri)
        return false;
    memcpy(subscriber->uri, uri.at, uri.size);
    subscriber->uri_size = uri.size;
    subscriber->event = (struct ahoy_event_name){ .package = package, .id = SPAN("") };
    subscriber->asked_s = expires_s;
    return begin_anew(subscriber, context, now_ms);
}

void ahoy_subscriber_stop(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    if (subscriber->state == AHOY_SUBSCRIBER_HELD) {
        /* What else is under way no longer counts. */
        subscriber->state = AHOY_SUBSCRIBER_LEAVING;
        begin(subscriber, context, now_ms);
    } else if (subscriber->state == AHOY_SUBSCRIBER_WAITING ||
               subscriber->state == AHOY_SUBSCRIBER_RESTING) {
        end(subscriber, context, 200, SPAN("")); /* A NOTIFY that comes yet gets 481. */
    }
}

/* The end, where nothing is heard before.  A fifth of the time is left for the refresh. */
static void set_expiry(struct ahoy_subscriber *subscriber, uint32_t expires_s, uint64_t now_ms)
{
    uint64_t whole_ms = expires_s * UINT64_C(1000);
    subscriber->expires_ms = now_ms + whole_ms;
    if (subscriber->transaction.generation == 0 && subscriber->state == AHOY_SUBSCRIBER_HELD)
        subscriber->due_ms = now_ms + whole_ms - whole_ms / 5;
}

/* R6665-8.3.1-1: any 2xx. */
static void accepted(struct ahoy_subscriber *subscriber, const struct ahoy_message *response,
                     uint64_t now_ms)
{
    bool is_told = subscriber->expires_ms != UINT64_MAX && subscriber->expires_ms > now_ms;
    /* Where it does not say, as the NOTIFY that came before it, or as asked. */
    uint64_t seconds = is_told ? (subscriber->expires_ms - now_ms) / 1000 : subscriber->asked_s;
    struct span text = ahoy_message_value(response, AHOY_HEADER_EXPIRES);
    subscriber->transaction = nobody;
    (void)ahoy_span_number(text, AHOY_SUBSCRIBER_LIMIT_S, &seconds);
    if (response->status == 204)
        subscriber->timer_n_ms = UINT64_MAX; /* R6665-4.1.2.2-2 */
    if (subscriber->state != AHOY_SUBSCRIBER_LEAVING && seconds > 0)
        set_expiry(subscriber, (uint32_t)seconds, now_ms);
}

/* A failure to refresh is none of the subscription, unless it says that there is none:
 * R6665-4.1.2.2-1.  It is tried again, until it expires. */
static void refused(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                    unsigned status, struct span why, uint64_t now_ms)
{
    subscriber->transaction = nobody;
    if (subscriber->state != AHOY_SUBSCRIBER_HELD) {
        end(subscriber, context, status, why);
    } else if (ahoy_subscription_is_ended_by(status)) {
        rest(subscriber, AHOY_SUBSCRIBER_RESTING, now_ms + AHOY_SUBSCRIBER_SOON_MS);
    } else {
        /* Where nothing was heard at all, timer N ends it, which is due now. */
        if (status != 408)
            subscriber->timer_n_ms = UINT64_MAX;
        subscriber->due_ms = now_ms + AHOY_SUBSCRIBER_LATER_MS;
    }
}

/* 423, which is obeyed once. */
static bool raise_interval(struct ahoy_subscriber *subscriber, const struct ahoy_message *response)
{
    uint64_t seconds;
    struct span text = ahoy_message_value(response, AHOY_HEADER_MIN_EXPIRES);
    if (response->status != 423 || subscriber->raised ||
        !ahoy_span_number(text, AHOY_SUBSCRIBER_LIMIT_S, &seconds) ||
        seconds <= subscriber->asked_s)
        return false;
    subscriber->raised = true;
    subscriber->asked_s = (uint32_t)seconds;
    return true;
}

static void take_response(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                          const struct ahoy_message *response, uint64_t now_ms)
{
    if (response->status < 200)
        return;
    if (response->status < 300)
        accepted(subscriber, response, now_ms);
    else if (ahoy_ua_retry(context, &subscriber->credentials, &subscriber->dialog, response,
                           AHOY_METHOD_SUBSCRIBE, SPAN("")) ||
             raise_interval(subscriber, response))
        send(subscriber, context, now_ms);
    else
        refused(subscriber, context, response->status, response->reason, now_ms);
}

void ahoy_subscriber_step(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    if (!ahoy_handle_equal(event->transaction, subscriber->transaction))
        return;
    if (event->kind == AHOY_EVENT_RESPONSE)
        take_response(subscriber, context, event->message, now_ms);
    else if (event->kind == AHOY_EVENT_TIMEOUT)
        refused(subscriber, context, 408, SPAN("No answer"), now_ms);
    else if (event->kind == AHOY_EVENT_UNREACHABLE)
        refused(subscriber, context, 503, SPAN("The server cannot be reached"), now_ms);
}

/* Whether a NOTIFY is of our subscription (4.4.1): without a dialog, whoever tells first. */
static bool is_ours(const struct ahoy_subscriber *subscriber, const struct ahoy_routing *routing,
                    const struct ahoy_event_name *name)
{
    const struct ahoy_dialog *dialog = &subscriber->dialog;
    if (subscriber->state == AHOY_SUBSCRIBER_NONE || subscriber->state == AHOY_SUBSCRIBER_RESTING ||
        subscriber->event.package != name->package || name->id.size > 0)
        return false;
    if (has_dialog(subscriber))
        return ahoy_dialog_matches(dialog, routing);
    return ahoy_span_equal(dialog->call_id, routing->call_id) &&
           ahoy_span_equal_nocase(dialog->local_tag, routing->to_tag);
}

/* The status that refuses a NOTIFY; 0 where it is to be heard. */
static unsigned refusal_of(struct ahoy_subscriber *subscriber, const struct ahoy_event *event,
                           struct ahoy_subscription_status *status)
{
    struct ahoy_event_name name;
    struct ahoy_err err = { 0 };
    if (!ahoy_event_name_read(event->message, &name) || name.package == NULL)
        return 489;
    if (!is_ours(subscriber, event->routing, &name))
        return 481; /* R6665-4.1.3-1 */
    if (!ahoy_subscription_status_read(event->message, status))
        return 400; /* R6665-4.1.3-2 */
    if (!has_dialog(subscriber))
        return ahoy_dialog_from_notify(&subscriber->dialog, event->message, event->routing, &err)
                   ? 0
                   : err.status;
    if (!ahoy_dialog_take_cseq(&subscriber->dialog, event->routing->cseq.number))
        return 500;
    ahoy_dialog_refresh(&subscriber->dialog, event->message);
    return 0;
}

/* R6665-4.1.3-3; what comes then, the reason tells. */
static void take_end(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                     const struct ahoy_subscription_status *status, uint64_t now_ms)
{
    uint64_t wait_ms = AHOY_SUBSCRIBER_SOON_MS;
    enum ahoy_subscription_again again = ahoy_subscription_again(status->reason);
    if (again == AHOY_AGAIN_LATER)
        wait_ms = status->retry_after_s > 0 ? status->retry_after_s * UINT64_C(1000)
                                            : AHOY_SUBSCRIBER_LATER_MS;
    if (subscriber->state == AHOY_SUBSCRIBER_LEAVING || subscriber->asked_s == 0)
        end(subscriber, context, 200, SPAN(""));
    else if (again == AHOY_AGAIN_NEVER)
        end(subscriber, context, 0, ahoy_subscription_reason_word(status->reason));
    else
        rest(subscriber, AHOY_SUBSCRIBER_RESTING, now_ms + wait_ms);
}

static void take_status(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                        const struct ahoy_subscription_status *status, struct span body,
                        uint64_t now_ms)
{
    const struct ahoy_ua_news news = { .kind = AHOY_NEWS_NOTIFIED, .expires_s = status->expires_s };
    struct span word = ahoy_subscription_state_word(status->state);
    /* Where memory is refused it tells nothing. */
    if (!ahoy_ua_tell_all(context, &news, word, body))
        ahoy_ua_tell(context, &news, word);
    if (status->state == AHOY_SUBSCRIPTION_TERMINATED) {
        take_end(subscriber, context, status, now_ms);
        return;
    }
    if (subscriber->state == AHOY_SUBSCRIBER_LEAVING)
        return; /* It crossed our last SUBSCRIBE. */
    subscriber->state = AHOY_SUBSCRIBER_HELD;
    subscriber->timer_n_ms = UINT64_MAX;
    if (status->has_expires && status->expires_s <= AHOY_SUBSCRIBER_LIMIT_S)
        set_expiry(subscriber, status->expires_s, now_ms);
    else if (subscriber->expires_ms == UINT64_MAX)
        set_expiry(subscriber, subscriber->asked_s, now_ms);
}

void ahoy_subscriber_notified(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                              const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_subscription_status status;
    unsigned refusal = refusal_of(subscriber, event, &status);
    char space[128];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    if (refusal == 489)
        ahoy_event_put_allow(&rows);
    /* R6665-4.1.3-5: nobody is asked before. */
    ahoy_ua_reply(context, event, refusal == 0 ? 200 : refusal, SPAN(""), ahoy_buf_text(&rows),
                  now_ms);
    if (refusal != 0)
        return;
    take_status(subscriber, context, &status, event->message->body, now_ms);
}

void ahoy_subscriber_expire(struct ahoy_subscriber *subscriber, struct ahoy_ua_context *context,
                            uint64_t now_ms)
{
    bool is_late = now_ms >= subscriber->timer_n_ms || now_ms >= subscriber->expires_ms;
    if (is_late && subscriber->state == AHOY_SUBSCRIBER_HELD)
        rest(subscriber, AHOY_SUBSCRIBER_RESTING, now_ms + AHOY_SUBSCRIBER_SOON_MS);
    else if (is_late)
        end(subscriber, context, 408, SPAN("No NOTIFY came"));
    if (now_ms < subscriber->due_ms)
        return;
    subscriber->due_ms = UINT64_MAX;
    if (subscriber->state == AHOY_SUBSCRIBER_HELD)
        begin(subscriber, context, now_ms);
    else if (!begin_anew(subscriber, context, now_ms))
        end(subscriber, context, 500, SPAN(""));
}

uint64_t ahoy_subscriber_deadline(const struct ahoy_subscriber *subscriber)
{
    const uint64_t deadlines[] = { subscriber->due_ms, subscriber->timer_n_ms,
                                   subscriber->expires_ms };
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < sizeof deadlines / sizeof deadlines[0]; i++)
        first = deadlines[i] < first ? deadlines[i] : first;
    return first;
}

bool ahoy_subscriber_is_busy(const struct ahoy_subscriber *subscriber)
{
    return subscriber->state == AHOY_SUBSCRIBER_LEAVING || subscriber->transaction.generation != 0;
}
