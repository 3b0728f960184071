/* Our changes to a session: hold, resume, another address, by re-INVITE (RFC 3261 14.1). */
#include "libahoy/tu/session.h"

#include "libahoy/syntax/status.h"

static const struct ahoy_handle nobody = { 0, 0 };

static bool is_same(const struct ahoy_sdp_local *a, const struct ahoy_sdp_local *b)
{
    return a->direction == b->direction && ahoy_ip_equal(&a->media, &b->media);
}

unsigned ahoy_session_ongoing(const struct ahoy_session *session)
{
    bool is_calling =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    unsigned ongoing = 0;
    if (is_calling || session->change.client.generation != 0)
        ongoing |= AHOY_ONGOING_OUR_INVITE;
    if (session->state == AHOY_SESSION_INCOMING)
        ongoing |= AHOY_ONGOING_THEIR_INVITE;
    if (session->answer.bytes != NULL)
        ongoing |= AHOY_ONGOING_THEIR_ACK;
    return ongoing;
}

static void send_offer(struct ahoy_session *session, struct ahoy_ua_context *context,
                       struct span offer, uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    struct ahoy_dialog *dialog = &session->dialog;
    struct ahoy_ua_request request;
    change->cseq = ++dialog->local_cseq;
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_INVITE, change->cseq, false, &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(dialog), &request.rows);
    ahoy_ua_put_abilities(context, &request.rows);
    ahoy_credentials_put(&change->credentials, &request.rows);
    change->client = ahoy_ua_request_send(&request, offer, ahoy_handle_pack(session->self), now_ms);
    if (change->client.generation == 0)
        return;
    session->transactions++;
    ahoy_offers_take(&dialog->offers, AHOY_CARRIER_INVITE, true);
}

/* Describes what we would have, and sends it.  False where something refuses. */
static bool send_change(struct ahoy_session *session, struct ahoy_ua_context *context,
                        uint64_t now_ms)
{
    struct ahoy_sdp_agreed none;
    unsigned status;
    struct span offer = ahoy_session_describe(session, context, NULL, &none, &status);
    session->change.offered = session->local;
    if (offer.size > 0)
        send_offer(session, context, offer, now_ms);
    return session->change.client.generation != 0;
}

/* All is as it was: R3261-14.1-4. */
static void give_up(struct ahoy_session *session, struct ahoy_ua_context *context, unsigned status,
                    struct span reason)
{
    session->local.media = session->in_force.media;
    session->local.direction = session->in_force.direction;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){
                     .kind = AHOY_NEWS_CHANGE_REFUSED, .session = session->self, .status = status },
                 reason.size > 0 ? reason : ahoy_status_reason(status));
}

void ahoy_session_pursue(struct ahoy_session *session, struct ahoy_ua_context *context,
                         uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    if (session->state != AHOY_SESSION_CONFIRMED ||
        (change->again_ms != UINT64_MAX && now_ms < change->again_ms))
        return;
    change->again_ms = UINT64_MAX;
    if (is_same(&session->local, &session->in_force) ||
        !ahoy_offers_may_send(&session->dialog.offers, AHOY_METHOD_INVITE,
                              ahoy_session_ongoing(session)))
        return;
    change->credentials = (struct ahoy_credentials){ .proofs = { { .tries = 0 } } };
    if (!send_change(session, context, now_ms))
        give_up(session, context, 500, SPAN("The change cannot be sent"));
}

/* 14.1: in units of 10 ms, and not when the other side does, whose call it is or is not. */
static uint64_t wait_after_glare(const struct ahoy_session *session,
                                 struct ahoy_ua_context *context)
{
    return session->is_caller ? 2100 + 10 * (uint64_t)ahoy_rng_below(&context->rng, 191)
                              : 10 * (uint64_t)ahoy_rng_below(&context->rng, 201);
}

void ahoy_session_change_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                                unsigned status, struct span reason, uint64_t now_ms)
{
    session->change.client = nobody;
    if (session->state != AHOY_SESSION_CONFIRMED)
        return;
    ahoy_offers_reject(&session->dialog.offers);
    if (status == 481 || status == 408) /* 12.2.1.2: the peer has no such dialog any more. */
        ahoy_session_bye(session, context, AHOY_SIDE_NETWORK,
                         reason.size > 0 ? reason : ahoy_status_reason(status), now_ms);
    else if (status == 491)
        session->change.again_ms = now_ms + wait_after_glare(session, context);
    else
        give_up(session, context, status, reason);
}

static void take_success(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_session_change *change = &session->change;
    struct ahoy_dialog *dialog = &session->dialog;
    change->client = nobody;
    if (session->state == AHOY_SESSION_CONFIRMED)
        ahoy_dialog_refresh(dialog, event->message);
    ahoy_session_send_ack(session, context, dialog, change->cseq, now_ms);
    if (session->state != AHOY_SESSION_CONFIRMED)
        return; /* Our BYE crossed it: RFC 5407 3.2.3. */
    if (!ahoy_session_read_answer(dialog, context, event->message, &change->offered)) {
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("The answer has no codec of ours"),
                         now_ms);
        return;
    }
    ahoy_offers_take(&dialog->offers, AHOY_CARRIER_RELIABLE, false);
    session->in_force = change->offered;
    ahoy_session_tell(session, context, AHOY_NEWS_CHANGED, dialog);
}

/* Whether a challenge was answered. */
static bool try_again(struct ahoy_session *session, struct ahoy_ua_context *context,
                      const struct ahoy_message *response, uint64_t now_ms)
{
    struct span offer = { session->described, session->described_size };
    if (session->state != AHOY_SESSION_CONFIRMED ||
        !ahoy_ua_retry(context, &session->change.credentials, &session->dialog, response,
                       AHOY_METHOD_INVITE, offer))
        return false;
    ahoy_offers_reject(&session->dialog.offers);
    send_offer(session, context, offer, now_ms);
    return session->change.client.generation != 0;
}

void ahoy_session_changed(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    if (response->status < 200)
        return;
    if (response->status < 300)
        take_success(session, context, event, now_ms);
    else if (!try_again(session, context, response, now_ms))
        ahoy_session_change_failed(session, context, response->status, response->reason, now_ms);
}
