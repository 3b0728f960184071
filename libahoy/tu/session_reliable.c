/* The callee's provisional responses, and their confirmation by PRACK: RFC 3261 13.3.1.1,
 * RFC 3262 3 and 5. */
#include "libahoy/tu/session.h"

#include "libahoy/syntax/value.h"

/* Sent, but not confirmed: a preview of what the 2xx will say (RFC 6337 3.1.1). */
static void send_unreliably(struct ahoy_session *session, struct ahoy_ua_context *context,
                            unsigned status, bool describes, uint64_t now_ms)
{
    struct span body = SPAN("");
    unsigned problem;
    bool answers =
        ahoy_offers_kind(&session->dialog.offers, AHOY_CARRIER_RELIABLE, true) == AHOY_ANSWER;
    if (describes && answers)
        body = ahoy_session_body(session, context, &problem);
    /* Lost ones are no harm: the next one is sent in a minute. */
    (void)ahoy_session_respond(session, context, status, body, now_ms);
}

/* R3262-3-8, R3262-3-13 */
static uint32_t next_rseq(const struct ahoy_session *session, struct ahoy_ua_context *context)
{
    uint32_t last = session->reliable.rseq;
    return last == 0 ? 1 + (uint32_t)ahoy_rng_below(&context->rng, INT32_MAX) : last + 1;
}

static void send_reliably(struct ahoy_session *session, struct ahoy_ua_context *context,
                          unsigned status, bool describes, uint64_t now_ms)
{
    struct ahoy_session_reliable *reliable = &session->reliable;
    uint32_t rseq = next_rseq(session, context);
    unsigned problem = 0;
    struct span body = describes ? ahoy_session_body(session, context, &problem) : SPAN("");
    if (problem != 0) {
        ahoy_session_reject(session, context, problem, now_ms);
        return;
    }
    struct span text = ahoy_session_compose(session, context, status, rseq, body);
    if (text.size == 0 ||
        !ahoy_session_repeat(&reliable->answer, context, text, session->server_cseq, now_ms))
        return; /* As if it were lost. */
    reliable->status = status;
    reliable->rseq = rseq;
    reliable->is_awaited = true;
    reliable->has_description = body.size > 0;
    /* Where it cannot be sent now, it is sent again soon. */
    (void)ahoy_transaction_respond(context->transactions, session->server, status, &text, 1,
                                   now_ms);
    if (body.size == 0)
        return;
    ahoy_offers_take(&session->dialog.offers, AHOY_CARRIER_RELIABLE, true);
    ahoy_sdp_local_copy(&session->in_force, &session->local);
    if (session->dialog.offers.state == AHOY_OFFERS_AGREED)
        ahoy_session_tell(session, context, AHOY_NEWS_EARLY, &session->dialog);
}

void ahoy_session_progress(struct ahoy_session *session, struct ahoy_ua_context *context,
                           unsigned status, bool describes, uint64_t now_ms)
{
    struct ahoy_session_reliable *reliable = &session->reliable;
    bool offers =
        ahoy_offers_kind(&session->dialog.offers, AHOY_CARRIER_RELIABLE, true) == AHOY_OFFER;
    bool is_reliable = reliable->is_required || (describes && reliable->is_possible);
    if (session->state != AHOY_SESSION_INCOMING)
        return;
    session->ring_status = status;
    session->ring_ms =
        now_ms + (is_reliable ? AHOY_SESSION_RING_AGAIN_RELIABLY_MS : AHOY_SESSION_RING_AGAIN_MS);
    if (!is_reliable) { /* R3262-3-4 */
        send_unreliably(session, context, status, describes, now_ms);
    } else if (reliable->answer.bytes != NULL) { /* R3262-3-12 */
        reliable->next = status;
        reliable->next_describes |= describes;
    } else if (!offers || session->local.media.family != AHOY_NO_FAMILY) {
        /* The first one offers where the INVITE did not, R3262-5-1; it cannot be sent as long as we
         * do not know where our media will be. */
        send_reliably(session, context, status, describes || offers, now_ms);
    }
}

/* Whether the PRACK is for the response that waits for it.  False with |status| set. */
static bool matches(const struct ahoy_session *session, const struct ahoy_message *prack,
                    unsigned *status)
{
    const struct ahoy_session_reliable *reliable = &session->reliable;
    const struct ahoy_field *field = ahoy_message_first(prack, AHOY_HEADER_RACK);
    struct ahoy_value rack;
    *status = 400;
    if (field == NULL || !ahoy_value_parse(AHOY_HEADER_RACK, field->value, &rack, NULL))
        return false;
    *status = 481; /* R3262-3-9 */
    return reliable->is_awaited && rack.as.rack.response == reliable->rseq &&
           rack.as.rack.cseq.number == session->server_cseq &&
           rack.as.rack.cseq.method == AHOY_METHOD_INVITE;
}

/* What the PRACK says, and our answer in |answer|.  Returns 0, or the status that the INVITE is
 * refused by, since the PRACK itself must be taken: R3262-3-10, RFC 6337 2.3. */
static unsigned take_description(struct ahoy_session *session, struct ahoy_ua_context *context,
                                 const struct ahoy_message *prack, struct span *answer)
{
    struct ahoy_dialog *dialog = &session->dialog;
    struct ahoy_sdp_agreed agreed;
    unsigned status = 0;
    switch (ahoy_offers_kind(&dialog->offers, AHOY_CARRIER_PRACK, false)) {
    case AHOY_NEITHER:
        return 0;
    case AHOY_ANSWER:
        if (!ahoy_session_read_answer(dialog, context, prack, &session->in_force))
            return 488;
        break;
    case AHOY_OFFER:
        if (prack->body.size == 0)
            return 0;
        if (!ahoy_ua_read_description(context, prack))
            return 488;
        *answer = ahoy_session_describe(session, context, &prack->body, &agreed, &status);
        if (status != 0)
            return status;
        ahoy_session_agree(dialog, context, &agreed);
        ahoy_sdp_local_copy(&session->in_force, &session->local);
        ahoy_offers_take(&dialog->offers, AHOY_CARRIER_PRACK, false);
        ahoy_offers_take(&dialog->offers, AHOY_CARRIER_SUCCESS, true); /* R3262-5-3 */
        ahoy_session_tell(session, context, AHOY_NEWS_EARLY, dialog);
        return 0;
    }
    ahoy_offers_take(&dialog->offers, AHOY_CARRIER_PRACK, false);
    ahoy_session_tell(session, context, AHOY_NEWS_EARLY, dialog);
    return 0;
}

/* What had to wait for the PRACK. */
static void go_on(struct ahoy_session *session, struct ahoy_ua_context *context, uint64_t now_ms)
{
    struct ahoy_session_reliable *reliable = &session->reliable;
    unsigned next = reliable->next;
    bool describes = reliable->next_describes;
    reliable->next = 0;
    reliable->next_describes = false;
    if (reliable->pick_up)
        ahoy_session_pick_up(session, context, now_ms);
    else if (next != 0)
        ahoy_session_progress(session, context, next, describes, now_ms);
}

void ahoy_session_prack(struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_buf rows = ahoy_buf_over(context->rows, sizeof context->rows);
    struct span answer = SPAN("");
    unsigned status;
    if (!matches(session, event->message, &status)) {
        ahoy_ua_reply(context, event, status, SPAN(""), SPAN(""), now_ms);
        return;
    }
    session->reliable.is_awaited = false; /* R3262-3-11 */
    ahoy_session_drop_answer(&session->reliable.answer);
    bool is_late = session->state != AHOY_SESSION_INCOMING;
    status = is_late ? 0 : take_description(session, context, event->message, &answer);
    ahoy_ua_reply_described(context, event, &rows, answer, now_ms);
    if (status != 0)
        ahoy_session_reject(session, context, status, now_ms);
    else if (!is_late)
        go_on(session, context, now_ms);
}
