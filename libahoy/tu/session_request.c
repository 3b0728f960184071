/* Requests within a session's dialog: ACK, BYE, re-INVITE and OPTIONS (RFC 3261 12.2.2, 14.2,
 * 15.1.2), UPDATE (RFC 3311 5.2). */
#include "libahoy/tu/transfer.h"

#include "libahoy/tu/beside.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* The answer to our offer, where the 2xx held one: R3261-13.2.1-4. */
static void take_answer(struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_message *ack, uint64_t now_ms)
{
    struct ahoy_dialog *dialog = &session->dialog;
    if (!ahoy_session_read_answer(dialog, context, ack, &session->in_force)) {
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("The answer has no codec of ours"),
                         now_ms);
        return;
    }
    ahoy_offers_take(&dialog->offers, AHOY_CARRIER_ACK, false);
    ahoy_session_tell(session, context, AHOY_NEWS_CHANGED, dialog);
}

static void take_ack(struct ahoy_session *session, struct ahoy_ua_context *context,
                     const struct ahoy_event *event, uint64_t now_ms)
{
    if (session->answer.bytes == NULL || event->routing->cseq.number != session->answer.cseq)
        return;
    ahoy_session_drop_answer(&session->answer);
    if (session->hang_up)
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("Hung up"), now_ms);
    else if (ahoy_offers_kind(&session->dialog.offers, AHOY_CARRIER_ACK, false) == AHOY_ANSWER)
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

/* The status that keeps an offer of the peer, or a re-INVITE without one, from being looked at; 0
 * for none. */
static unsigned refuses(const struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_dialog *dialog, const struct ahoy_message *request,
                        struct ahoy_buf *rows)
{
    unsigned status =
        ahoy_offers_refuse(&dialog->offers, request->method, ahoy_session_ongoing(session, dialog));
    if (status == 500) {
        ahoy_buf_put(rows, SPAN("Retry-After: ")); /* R3261-14.2-1, R3311-5.2-3 */
        ahoy_buf_put_number(rows, ahoy_rng_below(&context->rng, 11));
        ahoy_buf_put(rows, SPAN("\r\n"));
    }
    if (status == 0)
        status = ahoy_ua_refuses_body(request, rows);
    return status != 0 ? status : ahoy_session_timer_refuses(request, rows);
}

static void take_reinvite(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    char space[1024];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    unsigned status = refuses(session, context, &session->dialog, event->message, &rows);
    if (status == 0 && !ahoy_session_keep_invite(session, context, event))
        status = 500;
    struct ahoy_handle server = nobody;
    if (status == 0)
        server = ahoy_ua_accept(context, event, ahoy_handle_pack(session->self), now_ms);
    if (server.generation == 0) {
        ahoy_ua_refuse(context, event, status != 0 ? status : 503, ahoy_buf_text(&rows));
        return;
    }
    /* Whoever changes a call has got our last 2xx, though its ACK is late (RFC 5407 3.1.4). */
    ahoy_session_drop_answer(&session->answer);
    session->server = server;
    session->transactions++;
    ahoy_session_take_offer(session);
    status = ahoy_session_accept(session, context, now_ms);
    if (status != 0) {
        /* The session goes on as it was. */
        ahoy_offers_reject(&session->dialog.offers);
        (void)ahoy_session_respond(session, context, status, SPAN(""), now_ms);
        return;
    }
    ahoy_dialog_refresh(&session->dialog, event->message);
    if (session->offer_size > 0)
        ahoy_session_tell(session, context, AHOY_NEWS_CHANGED, &session->dialog);
}

/* An UPDATE in a call refreshes it (RFC 4028 9). */
static void grant(struct ahoy_session *session, const struct ahoy_ua_context *context,
                  const struct ahoy_message *update, uint64_t now_ms, struct ahoy_buf *rows)
{
    struct ahoy_session_terms asked;
    ahoy_session_terms_read(update, &asked);
    const struct ahoy_session_terms granted =
        ahoy_session_timer_grant(&session->timer, &asked, context->session_s);
    ahoy_session_terms_put(&granted, rows);
    ahoy_session_timer_granted(&session->timer, &granted, now_ms);
}

/* The answer to an UPDATE, which must come at once: R3311-5.2-6. */
static void answer_update(struct ahoy_session *session, struct ahoy_ua_context *context,
                          struct ahoy_dialog *dialog, const struct ahoy_event *event,
                          struct span body, uint64_t now_ms)
{
    struct ahoy_buf rows = ahoy_buf_over(context->rows, sizeof context->rows);
    if (session->state == AHOY_SESSION_CONFIRMED)
        grant(session, context, event->message, now_ms, &rows);
    ahoy_dialog_refresh(dialog, event->message);
    ahoy_ua_put_contact(context, &context->server, ahoy_dialog_is_sips(dialog), &rows);
    ahoy_ua_put_abilities(context, &rows);
    ahoy_beside_answer_packages(event->message, &rows);
    ahoy_ua_reply_described(context, event, &rows, body, now_ms);
}

static void take_update(struct ahoy_session *session, struct ahoy_ua_context *context,
                        struct ahoy_dialog *dialog, const struct ahoy_event *event, uint64_t now_ms)
{
    char space[1024];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    struct ahoy_sdp_agreed agreed;
    const struct span *offer = &event->message->body;
    struct span answer = SPAN("");
    unsigned status = offer->size == 0 ? ahoy_session_timer_refuses(event->message, &rows)
                                       : refuses(session, context, dialog, event->message, &rows);
    if (status == 0 && offer->size > 0)
        answer = ahoy_session_describe(session, context, offer, &agreed, &status);
    if (status != 0) {
        ahoy_ua_reply(context, event, status, SPAN(""), ahoy_buf_text(&rows), now_ms);
        return;
    }
    if (offer->size == 0) {
        answer_update(session, context, dialog, event, SPAN(""), now_ms);
        return;
    }
    ahoy_session_agree(dialog, context, &agreed);
    ahoy_sdp_local_copy(&session->in_force, &session->local);
    answer_update(session, context, dialog, event, answer, now_ms);
    bool is_answered = session->state == AHOY_SESSION_CONFIRMED;
    ahoy_session_tell(session, context, is_answered ? AHOY_NEWS_CHANGED : AHOY_NEWS_EARLY, dialog);
}

/* In an early dialog of our own INVITE. */
static void take_early(struct ahoy_session *session, struct ahoy_ua_context *context,
                       struct ahoy_dialog *dialog, const struct ahoy_event *event, uint64_t now_ms)
{
    switch (event->message->method) {
    case AHOY_METHOD_UPDATE:
        take_update(session, context, dialog, event, now_ms);
        return;
    case AHOY_METHOD_OPTIONS:
    case AHOY_METHOD_MESSAGE:
    case AHOY_METHOD_INFO:
        ahoy_beside_answer(context, event, session->self, now_ms);
        return;
    case AHOY_METHOD_INVITE: /* R3261-14.2-2 */
        ahoy_ua_reply(context, event, 491, SPAN(""), SPAN(""), now_ms);
        return;
    default: /* A BYE may not come from the callee, who has a response to end it by: R3261-15-2. */
        ahoy_ua_reply(context, event, 481, SPAN(""), SPAN(""), now_ms);
        return;
    }
}

/* In the session's own dialog. */
static void take_request(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    switch (event->message->method) {
    case AHOY_METHOD_INVITE:
        take_reinvite(session, context, event, now_ms);
        return;
    case AHOY_METHOD_BYE:
        take_bye(session, context, event, now_ms);
        return;
    case AHOY_METHOD_PRACK:
        ahoy_session_prack(session, context, event, now_ms);
        return;
    case AHOY_METHOD_UPDATE:
        take_update(session, context, &session->dialog, event, now_ms);
        return;
    case AHOY_METHOD_REFER:
        ahoy_referred_asked(session, context, event, now_ms);
        return;
    case AHOY_METHOD_SUBSCRIBE:
        ahoy_referred_subscribed(session, context, event, now_ms);
        return;
    case AHOY_METHOD_NOTIFY:
        ahoy_refer_notified(session, context, event, now_ms);
        return;
    default:
        ahoy_beside_answer(context, event, session->self, now_ms);
        return;
    }
}

/* When it is over: attack 53.  But a BYE that crosses ours has done nothing wrong, nor has a late
 * PRACK (R3262-3-16). */
static void take_late(struct ahoy_session *session, struct ahoy_ua_context *context,
                      const struct ahoy_event *event, uint64_t now_ms)
{
    if (event->message->method == AHOY_METHOD_PRACK) {
        ahoy_session_prack(session, context, event, now_ms);
        return;
    }
    bool is_end = event->message->method == AHOY_METHOD_BYE && session->bye_unanswered;
    ahoy_ua_reply(context, event, is_end ? 200 : 481, SPAN(""), SPAN(""), now_ms);
}

/* What REFER subscribes to outlives the session: RFC 6665 4.5.2. */
static bool is_of_transfer(enum ahoy_method method)
{
    return method == AHOY_METHOD_NOTIFY || method == AHOY_METHOD_SUBSCRIBE;
}

void ahoy_session_request(struct ahoy_session *session, struct ahoy_ua_context *context,
                          struct ahoy_dialog *dialog, const struct ahoy_event *event,
                          uint64_t now_ms)
{
    ahoy_session_goes_by(session, event->hop);
    if (event->message->method == AHOY_METHOD_ACK)
        take_ack(session, context, event, now_ms);
    else if (session->state == AHOY_SESSION_OVER && !is_of_transfer(event->message->method))
        take_late(session, context, event, now_ms);
    else if (!ahoy_dialog_take_cseq(dialog, event->routing->cseq.number))
        ahoy_ua_reply(context, event, 500, SPAN(""), SPAN(""), now_ms); /* R3261-12.2.2-3 */
    else if (dialog != &session->dialog)
        take_early(session, context, dialog, event, now_ms);
    else
        take_request(session, context, event, now_ms);
}
