/* The callee's side: the peer's INVITE and its responses (RFC 3261 13.3), CANCEL (9.2). */
#include "libahoy/tu/session.h"

#include <stdlib.h>

#include "libahoy/syntax/compose.h"

static bool replace(char **bytes, size_t *size, struct span text)
{
    char *copy = malloc(text.size + 1);
    if (copy == NULL)
        return false;
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    free(*bytes);
    *bytes = copy;
    *size = text.size;
    return true;
}

static struct span tag_of(const struct ahoy_session *session)
{
    return (struct span){ session->local_tag, sizeof session->local_tag };
}

bool ahoy_session_keep_invite(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event)
{
    /* Its 2xx repeats Record-Route (R3261-12.1.1-1), so that is kept with the rest. */
    struct ahoy_buf routes = ahoy_buf_over(context->rows, sizeof context->rows);
    const struct ahoy_field *field = ahoy_message_first(event->message, AHOY_HEADER_RECORD_ROUTE);
    for (; field != NULL; field = ahoy_message_next(event->message, field))
        ahoy_buf_put(&routes, field->row);
    struct ahoy_response trying = { .status = 100,
                                    .headers = ahoy_buf_text(&routes),
                                    .received = &event->hop->remote };
    struct ahoy_buf head = ahoy_buf_over(context->response, sizeof context->response);
    ahoy_compose_response(&head, event->message, &trying);
    session->is_sips = ahoy_ua_asks_for_sips(event->message);
    return !routes.overflow && !head.overflow &&
           replace(&session->head, &session->head_size, ahoy_buf_text(&head)) &&
           replace(&session->offer, &session->offer_size, event->message->body);
}

/* A response to the INVITE that was kept, in the context's room; empty where it is too large. */
static struct span compose(const struct ahoy_session *session, struct ahoy_ua_context *context,
                           unsigned status, struct span body)
{
    /* It was sound enough to be composed, and composing needs no more. */
    (void)ahoy_message_parse((struct span){ session->head, session->head_size }, &context->message,
                             NULL);
    struct ahoy_buf rows = ahoy_buf_over(context->rows, sizeof context->rows);
    if (status < 300) {
        const struct ahoy_field *field =
            ahoy_message_first(&context->message, AHOY_HEADER_RECORD_ROUTE);
        for (; field != NULL; field = ahoy_message_next(&context->message, field))
            ahoy_buf_put(&rows, field->row);
        ahoy_ua_put_contact(context, &context->server, session->is_sips, &rows);
        if (status < 200)
            ahoy_ua_put_allow(&rows);
        else
            ahoy_ua_put_abilities(context, &rows);
    }
    if (body.size > 0)
        ahoy_buf_put(&rows, SPAN("Content-Type: application/sdp\r\n"));
    struct ahoy_response response = {
        .status = status, .to_tag = tag_of(session), .headers = ahoy_buf_text(&rows), .body = body
    };
    struct ahoy_buf buf = ahoy_buf_over(context->response, sizeof context->response);
    ahoy_compose_response(&buf, &context->message, &response);
    return rows.overflow ? SPAN("") : ahoy_buf_text(&buf);
}

bool ahoy_session_respond(struct ahoy_session *session, struct ahoy_ua_context *context,
                          unsigned status, struct span body, uint64_t now_ms)
{
    struct span text = compose(session, context, status, body);
    return text.size > 0 && ahoy_transaction_respond(context->transactions, session->server, status,
                                                     &text, 1, now_ms);
}

/* What an INVITE outside of dialogs must have before somebody is rung (8.2.3, 12.1.1). */
static unsigned objection(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, struct ahoy_buf *rows)
{
    struct ahoy_err err = { .status = 0 };
    unsigned refusal = ahoy_ua_refuses_body(event->message, rows);
    if (refusal != 0)
        return refusal;
    if (event->message->body.size > 0 && !ahoy_sdp_parse(event->message->body, &context->sdp, &err))
        return err.status;
    if (!ahoy_dialog_from_request(&session->dialog, event->message, event->routing, tag_of(session),
                                  &err))
        return err.status;
    return ahoy_session_keep_invite(session, context, event) ? 0 : 500;
}

bool ahoy_session_invited(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    char space[1024];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    ahoy_rng_token(&context->rng, session->local_tag);
    session->state = AHOY_SESSION_INCOMING;
    session->ring_ms = UINT64_MAX;
    unsigned status = objection(session, context, event, &rows);
    if (status == 0) {
        session->server = ahoy_transaction_accept(context->transactions, event,
                                                  ahoy_handle_pack(session->self), now_ms);
        if (session->server.generation == 0)
            status = 503;
    }
    if (status != 0) {
        ahoy_ua_refuse(context, event, status, ahoy_buf_text(&rows));
        return false;
    }
    session->transactions++;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_INCOMING, .session = session->self },
                 event->routing->from.uri.text);
    return true;
}

void ahoy_session_ring(struct ahoy_session *session, struct ahoy_ua_context *context,
                       uint64_t now_ms)
{
    if (session->state != AHOY_SESSION_INCOMING)
        return;
    session->ring_ms = now_ms + AHOY_SESSION_RING_AGAIN_MS;
    /* Lost ones are no harm: the next one is sent in a minute. */
    (void)ahoy_session_respond(session, context, 180, SPAN(""), now_ms);
}

/* The answer to what was offered, or an offer where nothing was; where there is none, |status| says
 * why. */
static struct span describe(struct ahoy_session *session, struct ahoy_ua_context *context,
                            struct ahoy_sdp_agreed *agreed, unsigned *status)
{
    struct ahoy_err err = { .status = 400 };
    struct ahoy_buf body = ahoy_buf_over(context->body, sizeof context->body);
    *agreed = (struct ahoy_sdp_agreed){ .codec = AHOY_NO_CODEC };
    *status = 488;
    session->local.version++;
    if (session->offer_size == 0) {
        ahoy_sdp_print_offer(&session->local, &body);
        return ahoy_buf_text(&body);
    }
    if (!ahoy_sdp_parse((struct span){ session->offer, session->offer_size }, &context->sdp,
                        &err)) {
        *status = err.status;
        return SPAN("");
    }
    if (!ahoy_sdp_print_answer(&context->sdp, &session->local, &body, agreed))
        return SPAN("");
    return ahoy_buf_text(&body);
}

unsigned ahoy_session_accept(struct ahoy_session *session, struct ahoy_ua_context *context,
                             struct ahoy_sdp_agreed *agreed, uint64_t now_ms)
{
    unsigned status;
    struct span body = describe(session, context, agreed, &status);
    if (body.size == 0)
        return status;
    struct span text = compose(session, context, 200, body);
    struct ahoy_session_answer *answer = &session->answer;
    if (text.size == 0 || !replace(&answer->bytes, &answer->size, text))
        return 500;
    answer->is_offer = session->offer_size == 0;
    answer->cseq = session->dialog.remote_cseq;
    answer->interval_ms = context->t1_ms;
    answer->again_ms = now_ms + answer->interval_ms;
    answer->give_up_ms = now_ms + UINT64_C(64) * context->t1_ms;
    /* Where it cannot be sent now, it is sent again soon. */
    (void)ahoy_transaction_respond(context->transactions, session->server, 200, &text, 1, now_ms);
    return 0;
}

void ahoy_session_pick_up(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    struct ahoy_sdp_agreed agreed;
    if (session->state != AHOY_SESSION_INCOMING)
        return;
    unsigned status = ahoy_session_accept(session, context, &agreed, now_ms);
    if (status != 0) {
        ahoy_session_reject(session, context, status, now_ms);
        return;
    }
    session->state = AHOY_SESSION_CONFIRMED;
    session->ring_ms = UINT64_MAX;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){
                     .kind = AHOY_NEWS_ANSWERED, .session = session->self, .agreed = agreed },
                 session->dialog.remote_uri);
}

void ahoy_session_reject(struct ahoy_session *session, struct ahoy_ua_context *context,
                         unsigned status, uint64_t now_ms)
{
    if (session->state != AHOY_SESSION_INCOMING)
        return;
    /* Where it cannot be sent, the caller's own patience ends the call. */
    (void)ahoy_session_respond(session, context, status, SPAN(""), now_ms);
    ahoy_session_refused(session, context, status, SPAN(""));
}

void ahoy_session_cancelled(struct ahoy_session *session, struct ahoy_ua_context *context,
                            const struct ahoy_event *event, uint64_t now_ms)
{
    ahoy_ua_reply(context, event, 200, tag_of(session), SPAN(""), now_ms);
    /* Once there is a final response a CANCEL has no effect: RFC 3261 9.2. */
    if (session->state != AHOY_SESSION_INCOMING ||
        !ahoy_handle_equal(event->transaction, session->server))
        return;
    (void)ahoy_session_respond(session, context, 487, SPAN(""), now_ms);
    ahoy_session_end(session, context, AHOY_SIDE_PEER, SPAN("Cancelled"));
}
