/* The peer's REFER: whom we are to call, and what he is told of it (RFC 3515 2.4.2, 2.4.4 to
 * 2.4.7).  Nobody is called before the program has agreed. */
#include <stdlib.h>

#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/status.h"
#include "libahoy/syntax/uri_part.h"
#include "libahoy/tu/replaces.h"
#include "libahoy/tu/subscription.h"
#include "libahoy/tu/transfer.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* |escaped| as it is meant. */
static struct span unescape(struct span escaped, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < escaped.size; i++) {
        bool is_escape = escaped.at[i] == '%'; /* Two digits follow in a URI that was read. */
        ahoy_buf_put_byte(buf, is_escape ? ahoy_unescape(escaped.at + i) : escaped.at[i]);
        i += is_escape ? 2 : 0;
    }
    return ahoy_buf_text(buf);
}

/* Of the headers of a Refer-To none but Replaces is heard, which is printed anew (R3261-19.1.5-5):
 * 400 where it cannot be read. */
static unsigned put_replaces(const struct ahoy_uri *uri, struct ahoy_buf *rows)
{
    struct span headers = uri->headers;
    struct ahoy_uri_part part;
    while (ahoy_uri_part_next(&headers, '&', AHOY_HNV, &part)) {
        char space[AHOY_URI_LIMIT];
        struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
        struct ahoy_replaces replaces;
        if (!ahoy_span_equal_nocase(part.name, SPAN("Replaces")))
            continue;
        if (rows->size > 0 || !ahoy_replaces_read(unescape(part.value, &text), &replaces))
            return 400;
        ahoy_buf_put(rows, SPAN("Replaces: "));
        ahoy_replaces_print(&replaces, rows);
        ahoy_buf_put(rows, SPAN("\r\nRequire: replaces\r\n")); /* RFC 5589 7.3 */
    }
    return 0;
}

/* The Refer-To, of which no message that is read has two: R3515-2.4.2-2. */
static unsigned read_target(const struct ahoy_message *request, struct ahoy_address *target)
{
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_REFER_TO);
    return field != NULL && ahoy_address_parse(field->value, target, NULL) ? 0 : 400;
}

/* Fills |referred| in with what |request| asks for.  0, or the status that refuses it: 603 for what
 * nobody could agree to. */
static unsigned read_request(struct ahoy_referred *referred, const struct ahoy_message *request,
                             bool is_sips)
{
    struct ahoy_address target;
    struct span method;
    struct ahoy_buf uri = ahoy_buf_over(referred->target, sizeof referred->target);
    struct ahoy_buf rows = ahoy_buf_over(referred->rows, sizeof referred->rows);
    const struct ahoy_field *sender = ahoy_message_first(request, AHOY_HEADER_REFERRED_BY);
    unsigned status = read_target(request, &target);
    if (status != 0)
        return status;
    if (target.uri.scheme == AHOY_SCHEME_OTHER ||
        (is_sips && target.uri.scheme != AHOY_SCHEME_SIPS) || /* R5630-5.1.1.3-1 */
        (ahoy_uri_param(&target.uri, SPAN("method"), &method) &&
         !ahoy_span_equal(method, SPAN("INVITE"))))
        return 603;
    ahoy_uri_print_request(&target.uri, &uri);
    status = put_replaces(&target.uri, &rows);
    if (sender != NULL)
        ahoy_buf_put(&rows, sender->row); /* R3892-2.2-1 */
    referred->target_size = uri.size;
    referred->rows_size = rows.size;
    return status == 0 && (uri.overflow || rows.overflow) ? 513 : status;
}

static void put_body(unsigned status, struct ahoy_buf *body)
{
    ahoy_buf_put(body, SPAN("SIP/2.0 ")); /* R3515-2.4.5-2 */
    ahoy_buf_put_number(body, status);
    ahoy_buf_put_byte(body, ' ');
    ahoy_buf_put(body, ahoy_status_reason(status));
    ahoy_buf_put(body, SPAN("\r\n"));
}

/* R3515-2.4.4-2, R3515-2.4.6-1, R3515-2.4.7-1 */
static void put_state(const struct ahoy_referred *referred, uint64_t now_ms, struct ahoy_buf *rows)
{
    struct ahoy_subscription_status status = { .state = AHOY_SUBSCRIPTION_TERMINATED,
                                               .reason = AHOY_SUBSCRIPTION_NORESOURCE };
    if (!referred->told_end)
        status = (struct ahoy_subscription_status){
            .state = AHOY_SUBSCRIPTION_ACTIVE,
            .has_expires = true,
            .expires_s = (uint32_t)((referred->end_ms - now_ms) / 1000),
        };
    ahoy_buf_put(rows, SPAN("Event: refer"));
    if (referred->id != 0) {
        ahoy_buf_put(rows, SPAN(";id="));
        ahoy_buf_put_number(rows, referred->id);
    }
    ahoy_buf_put(rows, SPAN("\r\n"));
    ahoy_subscription_status_put(&status, rows);
}

static void forget(struct ahoy_session *session)
{
    free(session->referred);
    session->referred = NULL;
}

/* Sends a NOTIFY; where something refuses, nobody is told any more. */
static void send(struct ahoy_session *session, struct ahoy_ua_context *context, uint64_t now_ms)
{
    struct ahoy_referred *referred = session->referred;
    struct ahoy_dialog *dialog = &session->dialog;
    struct ahoy_ua_request request;
    char space[128];
    struct ahoy_buf body = ahoy_buf_over(space, sizeof space);
    bool is_over = now_ms >= referred->end_ms;
    if (is_over && !referred->has_begun)
        referred->status = 603; /* The program has not decided. */
    referred->told_end = is_over || referred->status >= 200;
    referred->has_news = false;
    put_body(referred->status, &body);
    dialog->local_cseq++;
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_NOTIFY, dialog->local_cseq, false, &request);
    request.type = SPAN("message/sipfrag;version=2.0"); /* R3515-2.4.5-1 */
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(dialog), &request.rows);
    put_state(referred, now_ms, &request.rows);
    ahoy_credentials_put(&referred->credentials, &request.rows);
    referred->notify = ahoy_ua_request_send(&request, ahoy_buf_text(&body),
                                            ahoy_handle_pack(session->self), now_ms);
    if (referred->notify.generation != 0)
        session->transactions++;
    else
        forget(session);
}

void ahoy_referred_expire(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    send(session, context, now_ms);
}

/* One NOTIFY is under way at a time. */
static void tell(struct ahoy_session *session, struct ahoy_ua_context *context, uint64_t now_ms)
{
    session->referred->has_news = true;
    if (session->referred->notify.generation == 0)
        send(session, context, now_ms);
}

void ahoy_referred_tell(struct ahoy_session *session, struct ahoy_ua_context *context,
                        unsigned status, uint64_t now_ms)
{
    struct ahoy_referred *referred = session->referred;
    if (referred == NULL || referred->status == status || referred->told_end)
        return;
    referred->status = status;
    tell(session, context, now_ms);
}

void ahoy_referred_told(struct ahoy_session *session, struct ahoy_ua_context *context,
                        unsigned status, const struct ahoy_message *response, uint64_t now_ms)
{
    struct ahoy_referred *referred = session->referred;
    if (status < 200)
        return;
    referred->notify = nobody;
    if (response != NULL && ahoy_ua_retry(context, &referred->credentials, &session->dialog,
                                          response, AHOY_METHOD_NOTIFY, SPAN("")))
        send(session, context, now_ms);
    else if (referred->told_end || status == 408 || ahoy_subscription_is_ended_by(status))
        forget(session); /* The call goes on all the same: 2.4.4. */
    else if (referred->has_news || now_ms >= referred->end_ms)
        send(session, context, now_ms);
}

static void reply(struct ahoy_session *session, struct ahoy_ua_context *context,
                  const struct ahoy_event *event, struct ahoy_buf *rows, uint64_t now_ms)
{
    ahoy_ua_put_contact(context, &context->server, ahoy_dialog_is_sips(&session->dialog), rows);
    ahoy_ua_reply(context, event, 200, SPAN(""), ahoy_buf_text(rows), now_ms);
}

/* The status that refuses a REFER before the program is asked, who |is_willing| to be. */
static unsigned refuse(struct ahoy_session *session, bool is_willing,
                       const struct ahoy_event *event, struct ahoy_buf *rows)
{
    unsigned status = ahoy_ua_refuses_body(event->message, rows);
    struct ahoy_address target;
    if (status == 0)
        status = read_target(event->message, &target);
    if (status != 0)
        return status;
    if (!is_willing)
        return 603;
    if (session->referred != NULL)
        return 491; /* One after the other. */
    session->referred = calloc(1, sizeof *session->referred);
    if (session->referred == NULL)
        return 500;
    status = read_request(session->referred, event->message, ahoy_dialog_is_sips(&session->dialog));
    if (status != 0)
        forget(session);
    return status;
}

/* It was answered.  The program is asked, and is told who asks where that is no call of his. */
static void begin(struct ahoy_session *session, struct ahoy_ua_context *context,
                  const struct ahoy_event *event, struct span by, uint64_t now_ms)
{
    struct ahoy_referred *referred = session->referred;
    referred->id = session->was_referred ? event->routing->cseq.number : 0;
    session->was_referred = true;
    referred->status = 100;
    referred->end_ms = now_ms + AHOY_REFER_LASTS_S * UINT64_C(1000);
    const struct ahoy_ua_news news = { .kind = AHOY_NEWS_TRANSFER_ASKED, .session = session->self };
    const struct span target = { referred->target, referred->target_size };
    if (!ahoy_ua_tell_all(context, &news, target, by))
        referred->status = 503; /* Nobody will decide about it. */
    tell(session, context, now_ms); /* At once: R3515-2.4.2-4. */
}

void ahoy_referred_asked(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    char space[512];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    bool is_willing = context->takes_transfers && session->state == AHOY_SESSION_CONFIRMED;
    unsigned status = refuse(session, is_willing, event, &rows);
    if (status != 0) {
        ahoy_ua_reply(context, event, status, SPAN(""), ahoy_buf_text(&rows), now_ms);
        return;
    }
    reply(session, context, event, &rows, now_ms); /* 200 and not 202: RFC 7647 5. */
    begin(session, context, event, SPAN(""), now_ms);
}

/* The 200 makes a dialog (12.1.1). */
static bool put_dialog(struct ahoy_session *session, struct ahoy_ua_context *context,
                       const struct ahoy_event *event, struct ahoy_buf *rows)
{
    const struct ahoy_field *field = ahoy_message_first(event->message, AHOY_HEADER_RECORD_ROUTE);
    for (; field != NULL; field = ahoy_message_next(event->message, field))
        ahoy_buf_put(rows, field->row);
    ahoy_ua_put_contact(context, &context->server, ahoy_dialog_is_sips(&session->dialog), rows);
    return !rows->overflow;
}

bool ahoy_referred_outside(struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_buf rows = ahoy_buf_over(context->rows, sizeof context->rows);
    const struct span tag = { session->local_tag, sizeof session->local_tag };
    struct ahoy_err err = { .status = 0 };
    ahoy_rng_token(&context->rng, session->local_tag);
    session->state = AHOY_SESSION_OVER;
    session->server_cseq = event->routing->cseq.number;
    if (!ahoy_dialog_from_request(&session->dialog, event->message, event->routing, tag, &err)) {
        ahoy_ua_reply(context, event, err.status, SPAN(""), SPAN(""), now_ms);
        return false;
    }
    unsigned status = refuse(session, context->takes_referrals, event, &rows);
    if (status == 0 && !put_dialog(session, context, event, &rows))
        status = 513;
    ahoy_ua_reply(context, event, status != 0 ? status : 200, status != 0 ? SPAN("") : tag,
                  status == 513 ? SPAN("") : ahoy_buf_text(&rows), now_ms);
    if (status == 0)
        begin(session, context, event, event->routing->from.uri.text, now_ms);
    return status == 0;
}

void ahoy_referred_subscribed(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event, uint64_t now_ms)
{
    char space[512];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    struct ahoy_referred *referred = session->referred;
    uint64_t expires_s = AHOY_REFER_LASTS_S;
    struct span text = ahoy_message_value(event->message, AHOY_HEADER_EXPIRES);
    if (!ahoy_refer_is_event(event->message)) {
        ahoy_ua_reply(context, event, 489, SPAN(""), SPAN("Allow-Events: refer\r\n"), now_ms);
    } else if (referred == NULL || referred->told_end ||
               !ahoy_refer_is_id(event->message, referred->id)) { /* R3515-2.4.4-5 */
        ahoy_ua_reply(context, event, 403, SPAN(""), SPAN(""), now_ms);
    } else if (text.size > 0 && !ahoy_span_number(text, UINT32_MAX, &expires_s)) {
        ahoy_ua_reply(context, event, 400, SPAN(""), SPAN(""), now_ms);
    } else {
        expires_s = expires_s < AHOY_REFER_MOST_S ? expires_s : AHOY_REFER_MOST_S;
        referred->end_ms = now_ms + expires_s * 1000;
        ahoy_buf_put(&rows, SPAN("Expires: "));
        ahoy_buf_put_number(&rows, expires_s);
        ahoy_buf_put(&rows, SPAN("\r\n"));
        reply(session, context, event, &rows, now_ms);
        tell(session, context, now_ms);
    }
}
