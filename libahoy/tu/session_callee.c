/* The callee's side: the peer's INVITE and its responses (RFC 3261 13.3), CANCEL (9.2). */
#include "libahoy/tu/session.h"

#include "libahoy/syntax/compose.h"
#include "libahoy/tu/beside.h"

static struct span tag_of(const struct ahoy_session *session)
{
    return (struct span){ session->local_tag, sizeof session->local_tag };
}

bool ahoy_session_keep_invite(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_event *event)
{
    /* Its 2xx repeats Record-Route (R3261-12.1.1-1), so that is kept with the rest; and whether it
     * has Recv-Info. */
    struct ahoy_buf routes = ahoy_buf_over(context->rows, sizeof context->rows);
    const struct ahoy_field *field = ahoy_message_first(event->message, AHOY_HEADER_RECORD_ROUTE);
    for (; field != NULL; field = ahoy_message_next(event->message, field))
        ahoy_buf_put(&routes, field->row);
    ahoy_beside_answer_packages(event->message, &routes);
    struct ahoy_response trying = { .status = 100,
                                    .headers = ahoy_buf_text(&routes),
                                    .received = &event->hop->remote };
    struct ahoy_buf head = ahoy_buf_over(context->response, sizeof context->response);
    ahoy_compose_response(&head, event->message, &trying);
    session->is_sips = ahoy_ua_asks_for_sips(event->message);
    ahoy_session_terms_read(event->message, &session->timer.asked);
    session->server_cseq = event->routing->cseq.number;
    return !routes.overflow && !head.overflow &&
           ahoy_session_keep(&session->head, &session->head_size, ahoy_buf_text(&head)) &&
           ahoy_session_keep(&session->offer, &session->offer_size, event->message->body);
}

static void put_reliable(uint32_t rseq, struct ahoy_buf *rows)
{
    ahoy_buf_put(rows, SPAN("Require: 100rel\r\nRSeq: ")); /* R3262-3-7 */
    ahoy_buf_put_number(rows, rseq);
    ahoy_buf_put(rows, SPAN("\r\n"));
}

/* What a 2xx says beside all that. */
static void put_final(const struct ahoy_session *session, const struct ahoy_ua_context *context,
                      struct ahoy_buf *rows)
{
    const struct ahoy_session_terms granted =
        ahoy_session_timer_grant(&session->timer, &session->timer.asked, context->session_s);
    ahoy_ua_put_abilities(context, rows);
    ahoy_session_terms_put(&granted, rows);
}

struct span ahoy_session_compose(const struct ahoy_session *session,
                                 struct ahoy_ua_context *context, unsigned status, uint32_t rseq,
                                 struct span body)
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
            put_final(session, context, &rows);
        ahoy_beside_answer_packages(&context->message, &rows);
    }
    if (rseq != 0)
        put_reliable(rseq, &rows);
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
    struct span text = ahoy_session_compose(session, context, status, 0, body);
    bool is_sent = text.size > 0 && ahoy_transaction_respond(context->transactions, session->server,
                                                             status, &text, 1, now_ms);
    /* Nothing else ends the peer's transaction. */
    session->owed = is_sent || status < 300 || session->server.generation == 0 ? 0 : status;
    session->owed_ms = now_ms + context->t1_ms;
    return is_sent;
}

/* What an INVITE outside of dialogs must have before somebody is rung (8.2.3, 12.1.1). */
static unsigned objection(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, struct ahoy_buf *rows)
{
    struct ahoy_err err = { .status = 0 };
    unsigned refusal = ahoy_ua_refuses_body(event->message, rows);
    if (refusal == 0)
        refusal = ahoy_session_timer_refuses(event->message, rows);
    if (refusal != 0)
        return refusal;
    if (event->message->body.size > 0 && !ahoy_sdp_parse(event->message->body, &context->sdp, &err))
        return err.status;
    if (!ahoy_dialog_from_request(&session->dialog, event->message, event->routing, tag_of(session),
                                  &err))
        return err.status;
    session->dialog.takes_update = ahoy_ua_lists(event->message, AHOY_HEADER_ALLOW, SPAN("UPDATE"));
    session->reliable.is_possible =
        ahoy_ua_lists(event->message, AHOY_HEADER_SUPPORTED, SPAN("100rel"));
    session->reliable.is_required =
        ahoy_ua_lists(event->message, AHOY_HEADER_REQUIRE, SPAN("100rel"));
    return ahoy_session_keep_invite(session, context, event) ? 0 : 500;
}

bool ahoy_session_invited(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    char space[1024];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    ahoy_rng_token(&context->rng, session->local_tag);
    session->state = AHOY_SESSION_INCOMING;
    ahoy_session_goes_by(session, event->hop);
    unsigned status = objection(session, context, event, &rows);
    if (status == 0) {
        session->server = ahoy_ua_accept(context, event, ahoy_handle_pack(session->self), now_ms);
        if (session->server.generation == 0)
            status = 503;
    }
    if (status != 0) {
        ahoy_ua_refuse(context, event, status, ahoy_buf_text(&rows));
        return false;
    }
    session->transactions++;
    ahoy_session_take_offer(session);
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_INCOMING,
                                         .session = session->self,
                                         .replaced = session->replaced },
                 event->routing->from.uri.text);
    return true;
}

unsigned ahoy_session_accept(struct ahoy_session *session, struct ahoy_ua_context *context,
                             uint64_t now_ms)
{
    unsigned status;
    struct span body = ahoy_session_body(session, context, &status);
    if (status != 0)
        return status;
    struct span text = ahoy_session_compose(session, context, 200, 0, body);
    if (text.size == 0 ||
        !ahoy_session_repeat(&session->answer, context, text, session->server_cseq, now_ms))
        return 500;
    if (body.size > 0) {
        ahoy_offers_take(&session->dialog.offers, AHOY_CARRIER_RELIABLE, true);
        ahoy_sdp_local_copy(&session->in_force, &session->local);
    }
    const struct ahoy_session_terms granted =
        ahoy_session_timer_grant(&session->timer, &session->timer.asked, context->session_s);
    ahoy_session_timer_granted(&session->timer, &granted, now_ms);
    /* Where it cannot be sent now, it is sent again soon. */
    (void)ahoy_transaction_respond(context->transactions, session->server, 200, &text, 1, now_ms);
    return 0;
}

void ahoy_session_pick_up(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    if (session->state != AHOY_SESSION_INCOMING)
        return;
    if (session->reliable.answer.bytes != NULL) {
        session->reliable.pick_up = true; /* R3262-3-15, R3262-5-4 */
        return;
    }
    unsigned status = ahoy_session_accept(session, context, now_ms);
    if (status != 0) {
        ahoy_session_reject(session, context, status, now_ms);
        return;
    }
    session->state = AHOY_SESSION_CONFIRMED;
    session->ring_ms = UINT64_MAX;
    ahoy_session_tell(session, context, AHOY_NEWS_ANSWERED, &session->dialog);
}

void ahoy_session_reject(struct ahoy_session *session, struct ahoy_ua_context *context,
                         unsigned status, uint64_t now_ms)
{
    if (session->state != AHOY_SESSION_INCOMING)
        return;
    /* Where it cannot be sent now, it is sent soon. */
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
