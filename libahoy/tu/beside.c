/* None of these changes a session, and none is answered by more than a head. */
#include "libahoy/tu/beside.h"

void ahoy_beside_put_packages(struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("Recv-Info:\r\n"));
}

void ahoy_beside_answer_packages(const struct ahoy_message *request, struct ahoy_buf *buf)
{
    if (ahoy_message_first(request, AHOY_HEADER_RECV_INFO) != NULL)
        ahoy_beside_put_packages(buf);
}

/* R3261-11.2-1: what an INVITE would get was found out before; this is the 200. */
static void answer_options(struct ahoy_ua_context *context, const struct ahoy_event *event,
                           uint64_t now_ms)
{
    struct ahoy_buf rows = ahoy_buf_over(context->rows, sizeof context->rows);
    ahoy_ua_put_abilities(context, &rows);
    ahoy_beside_answer_packages(event->message, &rows);
    ahoy_buf_put(&rows, SPAN("Accept-Encoding: identity\r\nAccept-Language: en\r\n"));
    ahoy_ua_reply(context, event, 200, SPAN(""), ahoy_buf_text(&rows), now_ms);
}

/* False where it cannot be kept. */
static bool tell_message(struct ahoy_ua_context *context, const struct ahoy_event *event,
                         struct ahoy_handle session)
{
    uint64_t expires_s = 0;
    struct span text = ahoy_message_value(event->message, AHOY_HEADER_EXPIRES);
    (void)ahoy_span_number(text, UINT32_MAX, &expires_s); /* Else it does not expire. */
    const struct ahoy_ua_news news = { .kind = AHOY_NEWS_MESSAGE,
                                       .session = session,
                                       .expires_s = (uint32_t)expires_s };
    return ahoy_ua_tell_all(context, &news, event->routing->from.uri.text, event->message->body);
}

/* R3428-7-3: text, which is kept before it is answered, so that a 200 is no empty promise.  The
 * 200 has neither body nor Contact: R3428-7-1, -2. */
static void answer_message(struct ahoy_ua_context *context, const struct ahoy_event *event,
                           struct ahoy_handle session, uint64_t now_ms)
{
    char space[128];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    unsigned status = ahoy_ua_refuses_type(event->message, SPAN("text/plain"), &rows);
    if (status == 0)
        status = tell_message(context, event, session) ? 200 : 503;
    ahoy_ua_reply(context, event, status, SPAN(""), ahoy_buf_text(&rows), now_ms);
}

/* No package is known: R6086-4.2.2-1.  An INFO without one is what applications of old agree on:
 * without a body it says nothing, which is granted, and bodies we know none of. */
static void answer_info(struct ahoy_ua_context *context, const struct ahoy_event *event,
                        uint64_t now_ms)
{
    char space[128];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    unsigned status = 200; /* R6086-4.2.2-3 */
    if (ahoy_message_first(event->message, AHOY_HEADER_INFO_PACKAGE) != NULL) {
        status = 469;
        ahoy_beside_put_packages(&rows);
    } else if (event->message->body.size > 0) {
        status = 415;
        ahoy_buf_put(&rows, SPAN("Accept:\r\n"));
    }
    ahoy_ua_reply(context, event, status, SPAN(""), ahoy_buf_text(&rows), now_ms);
}

void ahoy_beside_answer(struct ahoy_ua_context *context, const struct ahoy_event *event,
                        struct ahoy_handle session, uint64_t now_ms)
{
    switch (event->message->method) {
    case AHOY_METHOD_OPTIONS:
        answer_options(context, event, now_ms);
        return;
    case AHOY_METHOD_MESSAGE:
        answer_message(context, event, session, now_ms);
        return;
    case AHOY_METHOD_INFO:
        if (session.generation != 0) {
            answer_info(context, event, now_ms);
            return;
        }
        break;
    default:
        break;
    }
    ahoy_ua_reply(context, event, 481, SPAN(""), SPAN(""), now_ms);
}
