/* Our changes to a session: hold, resume, another address; by re-INVITE (RFC 3261 14.1), and by
 * UPDATE (RFC 3311 5.1) before it is answered. */
#include "libahoy/tu/session.h"

#include "libahoy/syntax/status.h"

static const struct ahoy_handle nobody = { 0, 0 };

static bool is_same(const struct ahoy_sdp_local *a, const struct ahoy_sdp_local *b)
{
    return a->direction == b->direction && ahoy_ip_equal(&a->media, &b->media) &&
           (a->security.wish == AHOY_SECURITY_OFF ||
            ahoy_sdp_ice_equal(&a->security.handshake.ice, &b->security.handshake.ice));
}

unsigned ahoy_session_ongoing(const struct ahoy_session *session, const struct ahoy_dialog *dialog)
{
    const struct ahoy_session_change *change = &session->change;
    bool is_changing = change->client.generation != 0 && change->dialog == dialog;
    bool is_calling =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    unsigned ongoing = 0;
    if (is_calling || (is_changing && change->method == AHOY_METHOD_INVITE))
        ongoing |= AHOY_ONGOING_OUR_INVITE;
    if (is_changing && change->method == AHOY_METHOD_UPDATE)
        ongoing |= AHOY_ONGOING_OUR_UPDATE;
    if (dialog->prack.generation != 0)
        ongoing |= AHOY_ONGOING_OUR_PRACK;
    if (session->state == AHOY_SESSION_INCOMING)
        ongoing |= AHOY_ONGOING_THEIR_INVITE;
    if (session->reliable.answer.bytes != NULL && session->reliable.has_description)
        ongoing |= AHOY_ONGOING_THEIR_PRACK;
    if (session->answer.bytes != NULL)
        ongoing |= AHOY_ONGOING_THEIR_ACK;
    return ongoing;
}

static enum ahoy_carrier carrier_of(enum ahoy_method method)
{
    return method == AHOY_METHOD_INVITE ? AHOY_CARRIER_INVITE : AHOY_CARRIER_UPDATE;
}

static void send_offer(struct ahoy_session *session, struct ahoy_ua_context *context,
                       struct span offer, uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    struct ahoy_dialog *dialog = change->dialog;
    struct ahoy_ua_request request;
    change->cseq = ++dialog->local_cseq;
    if (change->method == AHOY_METHOD_INVITE)
        dialog->rseq = 0; /* R3262-4-9 */
    ahoy_ua_request_begin(context, dialog, change->method, change->cseq, false, &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(dialog), &request.rows);
    ahoy_ua_put_accepted(&request.rows);
    if (session->state == AHOY_SESSION_CONFIRMED)
        ahoy_session_timer_put(&session->timer, context->session_s, &request.rows);
    ahoy_credentials_put(change->credentials, &request.rows);
    change->client = ahoy_ua_request_send(&request, offer, ahoy_handle_pack(session->self), now_ms);
    if (change->client.generation == 0)
        return;
    session->transactions++;
    ahoy_offers_take(&dialog->offers, carrier_of(change->method), true);
}

/* Describes what we would have, and sends it.  False where something refuses. */
static bool send_change(struct ahoy_session *session, struct ahoy_ua_context *context,
                        uint64_t now_ms)
{
    struct ahoy_sdp_agreed none;
    unsigned status;
    const struct ahoy_hop hop = ahoy_ua_next_hop(context, session->change.dialog);
    ahoy_session_goes_by(session, &hop);
    struct span offer = ahoy_session_describe(session, context, NULL, &none, &status);
    ahoy_sdp_local_copy(&session->offered, &session->local);
    if (offer.size > 0)
        send_offer(session, context, offer, now_ms);
    return session->change.client.generation != 0;
}

/* All is as it was: R3261-14.1-4. */
static void give_up(struct ahoy_session *session, struct ahoy_ua_context *context, unsigned status,
                    struct span reason, uint64_t now_ms)
{
    if (session->change.is_refresh) {
        ahoy_session_timer_failed(&session->timer, now_ms);
        return;
    }
    ahoy_session_stay_settled(session);
    session->local.media = session->in_force.media;
    session->local.direction = session->in_force.direction;
    if (session->is_secured)
        session->local.security = session->in_force.security;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){
                     .kind = AHOY_NEWS_CHANGE_REFUSED, .session = session->self, .status = status },
                 reason.size > 0 ? reason : ahoy_status_reason(status));
}

/* Where it can be changed now: RFC 3311 5.1 wants a re-INVITE once that is allowed.  Where the call
 * has forked, changes wait until one has answered. */
static struct ahoy_dialog *changeable(struct ahoy_session *session)
{
    switch (session->state) {
    case AHOY_SESSION_CONFIRMED:
        session->change.method = AHOY_METHOD_INVITE;
        return &session->dialog;
    case AHOY_SESSION_INCOMING:
        session->change.method = AHOY_METHOD_UPDATE;
        return session->dialog.takes_update ? &session->dialog : NULL;
    case AHOY_SESSION_CALLING:
        session->change.method = AHOY_METHOD_UPDATE;
        return session->early_count == 1 && session->early[0]->takes_update ? session->early[0]
                                                                            : NULL;
    case AHOY_SESSION_CANCELLING:
    case AHOY_SESSION_OVER:
        break;
    }
    return NULL;
}

void ahoy_session_pursue(struct ahoy_session *session, struct ahoy_ua_context *context,
                         uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    if (session->state == AHOY_SESSION_OVER) {
        /* Nobody sends its final response again in a dialog that is over.  Nothing happens where
         * it is no INVITE, which ends by itself, or cancelled before. */
        ahoy_transaction_cancel(context->transactions, change->client, SPAN(""), now_ms);
        return;
    }
    if (change->client.generation != 0 ||
        (change->again_ms != UINT64_MAX && now_ms < change->again_ms))
        return;
    change->again_ms = UINT64_MAX;
    bool is_refresh = is_same(&session->local, &session->in_force);
    if (session->described == NULL || (is_refresh && !session->timer.is_due))
        return;
    change->dialog = changeable(session);
    if (change->dialog == NULL ||
        !ahoy_offers_may_send(&change->dialog->offers, change->method,
                              ahoy_session_ongoing(session, change->dialog)))
        return;
    ahoy_session_forget(&change->credentials);
    change->is_refresh = is_refresh;
    session->timer.is_due = false; /* Any change refreshes: RFC 4028 7.2. */
    if (!send_change(session, context, now_ms))
        give_up(session, context, 500, SPAN("The change cannot be sent"), now_ms);
}

/* 14.1: in units of 10 ms, and not when the other side does, whose call it is or is not. */
static void wait_after_glare(struct ahoy_session *session, struct ahoy_ua_context *context,
                             uint64_t now_ms)
{
    uint64_t wait_ms = session->is_caller ? 2100 + 10 * (uint64_t)ahoy_rng_below(&context->rng, 191)
                                          : 10 * (uint64_t)ahoy_rng_below(&context->rng, 201);
    session->change.again_ms = now_ms + wait_ms;
    session->timer.is_due |= session->change.is_refresh;
}

/* Whether it still matters: the call may be over, or another fork have answered it. */
static bool is_of_use(const struct ahoy_session *session)
{
    const struct ahoy_dialog *dialog = session->change.dialog;
    switch (session->state) {
    case AHOY_SESSION_CONFIRMED:
        return dialog == &session->dialog;
    case AHOY_SESSION_CALLING:
    case AHOY_SESSION_INCOMING:
        return dialog != NULL;
    case AHOY_SESSION_CANCELLING:
    case AHOY_SESSION_OVER:
        break;
    }
    return false;
}

void ahoy_session_change_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                                unsigned status, struct span reason, uint64_t now_ms)
{
    bool is_answered = session->state == AHOY_SESSION_CONFIRMED;
    session->change.client = nobody;
    if (!is_of_use(session))
        return;
    ahoy_offers_reject(&session->change.dialog->offers);
    if (is_answered && (status == 481 || status == 408))
        ahoy_session_bye(session, context, AHOY_SIDE_NETWORK,
                         reason.size > 0 ? reason : ahoy_status_reason(status), now_ms);
    else if (status == 491)
        wait_after_glare(session, context, now_ms);
    else
        give_up(session, context, status, reason, now_ms);
}

/* Reads the answer; false where it is none, and the call has been ended. */
static bool take_answer(struct ahoy_session *session, struct ahoy_ua_context *context,
                        const struct ahoy_message *response, uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    struct ahoy_offers *offers = &change->dialog->offers;
    bool is_invite = change->method == AHOY_METHOD_INVITE;
    enum ahoy_carrier carrier = is_invite ? AHOY_CARRIER_RELIABLE : AHOY_CARRIER_SUCCESS;
    if (ahoy_offers_kind(offers, carrier, false) != AHOY_ANSWER)
        return true; /* It came in a provisional response: RFC 3262 5. */
    if (ahoy_session_read_answer(change->dialog, context, response, &session->offered)) {
        ahoy_offers_take(offers, carrier, false);
        return true;
    }
    if (session->state == AHOY_SESSION_CONFIRMED)
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("The answer has no codec of ours"),
                         now_ms);
    else
        ahoy_session_hang_up(session, context, now_ms);
    return false;
}

static void take_success(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    bool is_answered = session->state == AHOY_SESSION_CONFIRMED;
    change->client = nobody;
    if (is_of_use(session))
        ahoy_dialog_refresh(change->dialog, event->message);
    if (change->method == AHOY_METHOD_INVITE)
        ahoy_session_send_ack(session, context, &session->dialog, change->cseq, now_ms);
    /* Our BYE may have crossed it: RFC 5407 3.2.3. */
    if (!is_of_use(session) || !take_answer(session, context, event->message, now_ms))
        return;
    if (is_answered)
        ahoy_session_timer_take(&session->timer, event->message, context->session_s, now_ms);
    ahoy_sdp_local_copy(&session->in_force, &session->offered);
    if (change->is_refresh)
        return;
    ahoy_session_tell(session, context, is_answered ? AHOY_NEWS_CHANGED : AHOY_NEWS_EARLY,
                      change->dialog);
}

/* Whether it was sent again, as a challenge or a 422 asks for. */
static bool try_again(struct ahoy_session *session, struct ahoy_ua_context *context,
                      const struct ahoy_message *response, uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    struct span offer = { session->described, session->described_size };
    if (!is_of_use(session) ||
        (!ahoy_session_retry(context, &change->credentials, change->dialog, response,
                             change->method, offer) &&
         !ahoy_session_timer_raise(&session->timer, response, context->session_s)))
        return false;
    ahoy_offers_reject(&change->dialog->offers);
    send_offer(session, context, offer, now_ms);
    return change->client.generation != 0;
}

void ahoy_session_changed(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    struct ahoy_session_change *change = &session->change;
    if (response->status >= 300) {
        if (!try_again(session, context, response, now_ms))
            ahoy_session_change_failed(session, context, response->status, response->reason,
                                       now_ms);
    } else if (response->status >= 200) {
        take_success(session, context, event, now_ms);
    } else if (response->status > 100 && change->method == AHOY_METHOD_INVITE &&
               is_of_use(session)) {
        (void)ahoy_session_confirm(session, context, change->dialog, event, now_ms); /* No news. */
    }
}
