/* Requests within a session's dialog: ACK, BYE, re-INVITE and OPTIONS (RFC 3261 12.2.2, 14.2,
 * 15.1.2). */
#include "libahoy/tu/session.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* The answer to our offer, where the 2xx held one: R3261-13.2.1-4. */
static void take_answer(struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_message *ack, uint64_t now_ms)
{
    struct ahoy_sdp_agreed agreed;
    if (ahoy_ua_read_description(context, ack) &&
        ahoy_sdp_read_answer(&context->sdp, &session->local, &agreed)) {
        ahoy_ua_tell(context,
                     &(struct ahoy_ua_news){
                         .kind = AHOY_NEWS_CHANGED, .session = session->self, .agreed = agreed },
                     SPAN(""));
        return;
    }
    ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("The answer has no codec of ours"),
                     now_ms);
}

static void take_ack(struct ahoy_session *session, struct ahoy_ua_context *context,
                     const struct ahoy_event *event, uint64_t now_ms)
{
    if (session->answer.bytes == NULL || event->routing->cseq.number != session->answer.cseq)
        return;
    bool is_offer = session->answer.is_offer;
    ahoy_session_drop_answer(session);
    if (session->hang_up)
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("Hung up"), now_ms);
    else if (is_offer)
        take_answer(session, context, event->message, now_ms);
}

static void take_bye(struct ahoy_session *session, struct ahoy_ua_context *context,
                     const struct ahoy_event *event, uint64_t now_ms)
{
    ahoy_ua_reply(context, event, 200, SPAN(""), SPAN(""), now_ms);
    /* The peer's own INVITE still gets its response: R3261-15.1.2-3. */
    if (session->state == AHOY_SESSION_INCOMING)
        (void)ahoy_session_respond(session, context, 487, SPAN(""), now_ms);
    ahoy_session_end(session, context, AHOY_SIDE_PEER, SPAN("Hung up"));
}

/* The status that keeps a re-INVITE from being looked at (14.2); 0 for none. */
static unsigned refuses_reinvite(const struct ahoy_session *session,
                                 struct ahoy_ua_context *context,
                                 const struct ahoy_message *request, struct ahoy_buf *rows)
{
    /* The answer to our offer comes with the ACK, and is not here yet (RFC 5407 3.1.5). */
    if (session->answer.bytes != NULL && session->answer.is_offer)
        return 491;
    if (session->state == AHOY_SESSION_INCOMING) {
        ahoy_buf_put(rows, SPAN("Retry-After: ")); /* R3261-14.2-1 */
        ahoy_buf_put_number(rows, ahoy_rng_below(&context->rng, 11));
        ahoy_buf_put(rows, SPAN("\r\n"));
        return 500;
    }
    return ahoy_ua_refuses_body(request, rows);
}

static void take_reinvite(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    char space[1024];
    struct ahoy_sdp_agreed agreed;
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    unsigned status = refuses_reinvite(session, context, event->message, &rows);
    if (status == 0 && !ahoy_session_keep_invite(session, context, event))
        status = 500;
    struct ahoy_handle server = nobody;
    if (status == 0)
        server = ahoy_transaction_accept(context->transactions, event,
                                         ahoy_handle_pack(session->self), now_ms);
    if (server.generation == 0) {
        ahoy_ua_refuse(context, event, status != 0 ? status : 503, ahoy_buf_text(&rows));
        return;
    }
    /* Whoever changes a call has got our last 2xx, though its ACK is late (RFC 5407 3.1.4). */
    ahoy_session_drop_answer(session);
    session->server = server;
    session->transactions++;
    status = ahoy_session_accept(session, context, &agreed, now_ms);
    if (status != 0) {
        /* The session goes on as it was. */
        (void)ahoy_session_respond(session, context, status, SPAN(""), now_ms);
        return;
    }
    ahoy_dialog_refresh(&session->dialog, event->message);
    if (session->offer_size > 0)
        ahoy_ua_tell(context,
                     &(struct ahoy_ua_news){
                         .kind = AHOY_NEWS_CHANGED, .session = session->self, .agreed = agreed },
                     SPAN(""));
}

void ahoy_session_request(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    enum ahoy_method method = event->message->method;
    if (method == AHOY_METHOD_ACK) {
        take_ack(session, context, event, now_ms);
        return;
    }
    if (session->state == AHOY_SESSION_OVER) { /* Attack 53; but for a BYE that crosses ours. */
        bool is_end = method == AHOY_METHOD_BYE && session->bye_unanswered;
        ahoy_ua_reply(context, event, is_end ? 200 : 481, SPAN(""), SPAN(""), now_ms);
        return;
    }
    if (!ahoy_dialog_take_cseq(&session->dialog, event->routing->cseq.number)) {
        ahoy_ua_reply(context, event, 500, SPAN(""), SPAN(""), now_ms); /* R3261-12.2.2-3 */
        return;
    }
    if (method == AHOY_METHOD_INVITE)
        take_reinvite(session, context, event, now_ms);
    else if (method == AHOY_METHOD_BYE)
        take_bye(session, context, event, now_ms);
    else
        ahoy_ua_answer_options(context, event, now_ms);
}
