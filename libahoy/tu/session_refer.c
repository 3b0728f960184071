/* Our REFER, in a call or outside of any, and what we are told of it (RFC 3515 2.4.1, 2.4.4; RFC
 * 5589 6, 7). */
#include <stdlib.h>

#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/sipfrag.h"
#include "libahoy/syntax/status.h"
#include "libahoy/syntax/value.h"
#include "libahoy/tu/replaces.h"
#include "libahoy/tu/subscription.h"
#include "libahoy/tu/transfer.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* The value of Refer-To.  Only the phone that has the dialog may take the call: RFC 5589 7.3. */
static void put_target(struct span uri, const struct ahoy_dialog *replaced, struct ahoy_buf *rows)
{
    char space[AHOY_REFER_TEXT_LIMIT];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(rows, SPAN("Refer-To: <"));
    ahoy_buf_put(rows, uri);
    if (replaced != NULL) {
        struct ahoy_replaces replaces = ahoy_replaces_of(replaced);
        ahoy_replaces_print(&replaces, &text);
        ahoy_buf_put(rows, SPAN("?Replaces="));
        ahoy_uri_put_escaped(rows, ahoy_buf_text(&text), AHOY_HNV);
        ahoy_buf_put(rows, SPAN("&Require=replaces"));
        rows->overflow |= text.overflow;
    }
    ahoy_buf_put(rows, SPAN(">\r\n"));
}

struct span ahoy_refer_uri_of(const struct ahoy_dialog *dialog)
{
    struct span target = ahoy_dialog_target(dialog), value;
    struct ahoy_uri uri;
    bool is_gruu = ahoy_uri_parse(target, &uri, NULL) && ahoy_uri_param(&uri, SPAN("gr"), &value);
    return is_gruu ? target : dialog->remote_uri;
}

static bool has_no_dialog(const struct ahoy_session *session)
{
    return session->refer != NULL && session->refer->is_outside &&
           session->dialog.remote_tag.size == 0;
}

static bool send(struct ahoy_session *session, struct ahoy_ua_context *context, uint64_t now_ms)
{
    struct ahoy_refer *refer = session->refer;
    struct ahoy_dialog *dialog = &session->dialog;
    struct ahoy_ua_request request;
    refer->cseq = ++dialog->local_cseq;
    refer->end_ms = UINT64_MAX; /* It ends by itself. */
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_REFER, refer->cseq, has_no_dialog(session),
                          &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(dialog), &request.rows);
    ahoy_buf_put(&request.rows, (struct span){ refer->rows, refer->rows_size });
    ahoy_credentials_put(&refer->credentials, &request.rows);
    refer->client =
        ahoy_ua_request_send(&request, SPAN(""), ahoy_handle_pack(session->self), now_ms);
    session->transactions += refer->client.generation != 0;
    return refer->client.generation != 0;
}

static void forget(struct ahoy_session *session)
{
    free(session->refer);
    session->refer = NULL;
}

static bool begin(struct ahoy_session *session, struct ahoy_ua_context *context, struct span uri,
                  const struct ahoy_dialog *replaced, bool is_outside, uint64_t now_ms)
{
    session->refer = calloc(1, sizeof *session->refer);
    if (session->refer == NULL)
        return false;
    session->refer->is_outside = is_outside;
    struct ahoy_buf rows = ahoy_buf_over(session->refer->rows, sizeof session->refer->rows);
    put_target(uri, replaced, &rows);
    ahoy_buf_put(&rows, SPAN("Referred-By: <")); /* R3892-3-2 */
    ahoy_buf_put(&rows, context->account.uri);
    ahoy_buf_put(&rows, SPAN(">\r\n"));
    session->refer->rows_size = rows.size;
    if (!rows.overflow && send(session, context, now_ms))
        return true;
    forget(session);
    return false;
}

bool ahoy_refer(struct ahoy_session *session, struct ahoy_ua_context *context, struct span uri,
                const struct ahoy_dialog *replaced, uint64_t now_ms)
{
    return session->state == AHOY_SESSION_CONFIRMED && session->refer == NULL &&
           begin(session, context, uri, replaced, false, now_ms);
}

bool ahoy_refer_outside(struct ahoy_session *session, struct ahoy_ua_context *context,
                        struct span phone, struct span uri, uint64_t now_ms)
{
    session->state = AHOY_SESSION_OVER;
    return ahoy_ua_begin_outside(context, phone, &session->dialog) &&
           begin(session, context, uri, NULL, true, now_ms);
}

bool ahoy_refer_is_begun_by(const struct ahoy_session *session, const struct ahoy_routing *routing)
{
    return has_no_dialog(session) && routing->cseq.method == AHOY_METHOD_NOTIFY &&
           ahoy_span_equal(session->dialog.call_id, routing->call_id) &&
           ahoy_span_equal_nocase(session->dialog.local_tag, routing->to_tag);
}

void ahoy_refer_end(struct ahoy_session *session, struct ahoy_ua_context *context, unsigned status,
                    struct span reason)
{
    forget(session);
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){
                     .kind = AHOY_NEWS_TRANSFER_ENDED, .session = session->self, .status = status },
                 reason.size > 0 ? reason : ahoy_status_reason(status));
}

void ahoy_refer_answered(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_message *response, uint64_t now_ms)
{
    struct ahoy_refer *refer = session->refer;
    if (response->status < 200)
        return;
    refer->client = nobody;
    if (response->status < 300) { /* A 202 is a 200: RFC 7647 5. */
        if (!refer->is_told)
            refer->end_ms = now_ms + UINT64_C(64) * context->t1_ms; /* RFC 6665 4.1.2.4 */
        ahoy_ua_tell(
            context,
            &(struct ahoy_ua_news){ .kind = AHOY_NEWS_TRANSFER_ACCEPTED, .session = session->self },
            SPAN(""));
    } else if (!ahoy_ua_retry(context, &refer->credentials, &session->dialog, response,
                              AHOY_METHOD_REFER, SPAN("")) ||
               !send(session, context, now_ms)) {
        ahoy_refer_end(session, context, response->status, response->reason);
    }
}

static bool read_event(const struct ahoy_message *message, struct ahoy_value *event)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_EVENT);
    return field != NULL && ahoy_value_parse(AHOY_HEADER_EVENT, field->value, event, NULL) &&
           ahoy_span_equal(event->head, SPAN("refer"));
}

bool ahoy_refer_is_event(const struct ahoy_message *message)
{
    struct ahoy_value event;
    return read_event(message, &event);
}

/* Whether Event names the transfer |id|.  Who knows but one gives it no name. */
bool ahoy_refer_is_id(const struct ahoy_message *message, uint32_t id)
{
    struct ahoy_value event;
    struct span text;
    uint64_t number;
    if (!read_event(message, &event))
        return false;
    return !ahoy_value_param(&event, SPAN("id"), &text) ||
           (ahoy_span_number(text, UINT32_MAX, &number) && number == id);
}

/* What a NOTIFY says: the status of the reference (2.4.5).  Its first line is all that is looked
 * at, and may end by LF alone, as baresip's does. */
static bool read_fragment(struct ahoy_ua_context *context, const struct ahoy_message *notify)
{
    struct span type = ahoy_message_value(notify, AHOY_HEADER_CONTENT_TYPE);
    struct span line = { notify->body.at, ahoy_span_find(notify->body, '\n') };
    return ahoy_span_starts_nocase(type, SPAN("message/sipfrag")) &&
           ahoy_sipfrag_parse(ahoy_span_trim(line), &context->message, NULL) &&
           !context->message.is_request && context->message.status != 0;
}

static void take_status(struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_subscription_status *status, uint64_t now_ms)
{
    const struct ahoy_message *fragment = &context->message;
    uint32_t expires_s = status->has_expires ? status->expires_s : AHOY_REFER_LASTS_S;
    if (status->state == AHOY_SUBSCRIPTION_TERMINATED) {
        ahoy_refer_end(session, context, fragment->status, fragment->reason);
        return;
    }
    session->refer->is_told = true;
    session->refer->end_ms =
        now_ms + UINT64_C(1000) * (expires_s < AHOY_REFER_MOST_S ? expires_s : AHOY_REFER_MOST_S);
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_TRANSFER_PROGRESS,
                                         .session = session->self,
                                         .status = fragment->status },
                 fragment->reason);
}

void ahoy_refer_notified(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_subscription_status status;
    unsigned refusal = 0;
    if (session->refer == NULL || !ahoy_refer_is_id(event->message, session->refer->cseq))
        refusal = 481;
    else if (!ahoy_subscription_status_read(event->message, &status) ||
             !read_fragment(context, event->message) ||
             (has_no_dialog(session) && !ahoy_dialog_from_notify(&session->dialog, event->message,
                                                                 event->routing, NULL)))
        refusal = 400;
    ahoy_ua_reply(context, event, refusal == 0 ? 200 : refusal, SPAN(""), SPAN(""), now_ms);
    if (refusal == 0)
        take_status(session, context, &status, now_ms);
}
