/* The caller's side: INVITE, its responses, ACK (RFC 3261 13.2), and the responses to BYE. */
#include "libahoy/tu/transfer.h"

#include "libahoy/base/unset.h"
#include "libahoy/tu/beside.h"

static struct span print_offer(struct ahoy_session *session, struct ahoy_ua_context *context)
{
    AHOY_UNSET struct ahoy_sdp_agreed none;
    unsigned status;
    return ahoy_session_describe(session, context, NULL, &none, &status);
}

bool ahoy_session_send_invite(struct ahoy_session *session, struct ahoy_ua_context *context,
                              uint64_t now_ms)
{
    struct ahoy_ua_request request;
    session->invite_cseq = ++session->dialog.local_cseq;
    ahoy_ua_request_begin(context, &session->dialog, AHOY_METHOD_INVITE, session->invite_cseq, true,
                          &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(&session->dialog),
                        &request.rows);
    ahoy_ua_put_accepted(&request.rows);
    ahoy_beside_put_packages(&request.rows); /* R6086-5.2.3-1 */
    ahoy_session_timer_put(&session->timer, context->session_s, &request.rows);
    ahoy_buf_put(&request.rows, (struct span){ session->extra, session->extra_size });
    ahoy_credentials_put(session->credentials, &request.rows);
    struct span offer = print_offer(session, context);
    if (offer.size == 0)
        return false;
    ahoy_session_leave(session, context, &session->client); /* One that was refused. */
    session->client =
        ahoy_ua_request_send(&request, offer, ahoy_handle_pack(session->self), now_ms);
    if (session->client.generation == 0)
        return false;
    ahoy_offers_take(&session->dialog.offers, AHOY_CARRIER_INVITE, true);
    ahoy_sdp_local_copy(&session->in_force, &session->local);
    session->transactions++;
    return true;
}

bool ahoy_session_call(struct ahoy_session *session, struct ahoy_ua_context *context,
                       struct span uri, uint64_t now_ms)
{
    char call_id[AHOY_TOKEN_SIZE];
    ahoy_rng_token(&context->rng, call_id);
    ahoy_rng_token(&context->rng, session->local_tag);
    const struct ahoy_dialog_seed seed = {
        .call_id = { call_id, sizeof call_id },
        .local_tag = { session->local_tag, sizeof session->local_tag },
        .local_uri = context->account.uri,
        .remote_uri = uri,
        .target = uri,
        .route = context->route,
        .service_route = ahoy_granted_route(&context->granted),
    };
    session->is_caller = true;
    session->state = AHOY_SESSION_CALLING;
    ahoy_session_goes_by(session, &context->server);
    return ahoy_dialog_begin(&session->dialog, &seed) &&
           ahoy_session_send_invite(session, context, now_ms);
}

static struct ahoy_acked acked(const struct ahoy_session *session, uint32_t cseq)
{
    bool is_first = cseq == session->invite_cseq;
    return (struct ahoy_acked){ cseq,
                                is_first ? session->credentials : session->change.credentials };
}

void ahoy_session_send_ack(const struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_dialog *dialog, uint32_t cseq, uint64_t now_ms)
{
    const struct ahoy_acked repeated = acked(session, cseq);
    ahoy_forks_acknowledge(context, dialog, &repeated, now_ms);
}

static void give_up_fork(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_acked repeated = acked(session, session->invite_cseq);
    struct ahoy_dialog *early = ahoy_session_early(session, event->routing->to_tag);
    ahoy_forks_give_up(&session->forks, context, &session->dialog, &repeated, early, event, now_ms);
}

/* The call ends by an answer that makes no dialog: without one there is nobody to send an ACK or a
 * BYE to. */
static void refuse_answer(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_message *answer, const struct ahoy_err *err)
{
    char space[AHOY_NEWS_TEXT_LIMIT];
    struct ahoy_buf reason = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&reason, SPAN("The answer cannot be used: expected "));
    ahoy_buf_put(&reason, ahoy_span(err->expected));
    for (size_t i = 0; i < answer->field_count; i++) {
        const struct span row = answer->fields[i].row;
        if (err->at < row.at || err->at >= ahoy_span_end(row))
            continue;
        ahoy_buf_put(&reason, SPAN(" in "));
        ahoy_buf_put(&reason, ahoy_header_name(answer->fields[i].header));
    }
    ahoy_session_refused(session, context, 502, ahoy_buf_text(&reason));
}

/* The first 2xx: the dialog stands.  Whatever is wrong with it, it is acknowledged first. */
static void take_first(struct ahoy_session *session, struct ahoy_ua_context *context,
                       const struct ahoy_event *event, uint64_t now_ms)
{
    bool cancelled = session->state == AHOY_SESSION_CANCELLING;
    const struct ahoy_dialog *early = ahoy_session_early(session, event->routing->to_tag);
    struct ahoy_err err;
    if (early != NULL) /* Where he is who takes the call is known then: he says it again. */
        (void)ahoy_dialog_retarget(&session->dialog, ahoy_dialog_target(early));
    if (!ahoy_dialog_from_response(&session->dialog, event->message, event->routing, &err)) {
        refuse_answer(session, context, event->message, &err);
        return;
    }
    session->state = AHOY_SESSION_CONFIRMED;
    ahoy_session_timer_take(&session->timer, event->message, context->session_s, now_ms);
    session->timer.least_s = 0; /* What 422s said is not for the dialog: RFC 4028 7.4. */
    ahoy_session_leave_early(session, context);
    ahoy_session_send_ack(session, context, &session->dialog, session->invite_cseq, now_ms);
    if (cancelled) {
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("Cancelled"), now_ms);
        return;
    }
    struct ahoy_offers *offers = &session->dialog.offers;
    if (ahoy_offers_kind(offers, AHOY_CARRIER_RELIABLE, false) == AHOY_ANSWER &&
        !ahoy_session_read_answer(&session->dialog, context, event->message, &session->in_force)) {
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("The answer has no codec of ours"),
                         now_ms);
        return;
    }
    ahoy_offers_take(offers, AHOY_CARRIER_RELIABLE, false);
    session->dialog.takes_update |=
        ahoy_ua_lists(event->message, AHOY_HEADER_ALLOW, SPAN("UPDATE"));
    session->heard = 200;
    ahoy_session_tell(session, context, AHOY_NEWS_ANSWERED, &session->dialog);
}

static void take_success(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    bool is_first =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    if (is_first)
        take_first(session, context, event, now_ms);
    else if (ahoy_span_equal_nocase(event->routing->to_tag, session->dialog.remote_tag))
        ahoy_session_send_ack(session, context, &session->dialog, session->invite_cseq, now_ms);
    else
        give_up_fork(session, context, event, now_ms);
}

static void take_provisional(struct ahoy_session *session, struct ahoy_ua_context *context,
                             const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    bool is_open =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    if (response->status == 100 || !is_open ||
        !ahoy_session_provisional(session, context, event, now_ms) ||
        session->state != AHOY_SESSION_CALLING || session->told_ringing)
        return;
    session->told_ringing = true;
    session->heard = response->status;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_RINGING,
                                         .session = session->self,
                                         .status = response->status },
                 response->reason);
}

static void take_final(struct ahoy_session *session, struct ahoy_ua_context *context,
                       const struct ahoy_message *response, uint64_t now_ms)
{
    if (session->state == AHOY_SESSION_CANCELLING) {
        ahoy_session_end(session, context, AHOY_SIDE_US, SPAN("Cancelled"));
        return;
    }
    if (session->state != AHOY_SESSION_CALLING)
        return;
    bool again = ahoy_session_retry(context, &session->credentials, &session->dialog, response,
                                    AHOY_METHOD_INVITE, print_offer(session, context)) ||
                 ahoy_session_timer_raise(&session->timer, response, context->session_s);
    if (again && ahoy_session_send_invite(session, context, now_ms))
        return;
    if (ahoy_session_redirect(session, context, response->status, response, now_ms))
        return;
    ahoy_session_refused(session, context, response->status, response->reason);
}

/* A challenge to our BYE: only our own proxy learns a digest. */
static void take_bye_response(struct ahoy_session *session, struct ahoy_ua_context *context,
                              const struct ahoy_message *response, uint64_t now_ms)
{
    if (response->status < 200)
        return;
    session->bye_unanswered = false;
    ahoy_session_leave(session, context, &session->bye);
    if (ahoy_session_retry(context, &session->bye_credentials, &session->dialog, response,
                           AHOY_METHOD_BYE, SPAN("")))
        ahoy_session_send_bye(session, context, now_ms);
}

/* What our re-INVITE was answered by may come again when the next one is under way. */
static void take_repeated(struct ahoy_session *session, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_cseq *cseq = &event->routing->cseq;
    if (cseq->method == AHOY_METHOD_INVITE && event->message->status / 100 == 2)
        ahoy_session_send_ack(session, context, &session->dialog, cseq->number, now_ms);
}

void ahoy_session_response(struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    if (response->status >= 200 && event->routing->cseq.method == AHOY_METHOD_PRACK)
        ahoy_session_pracked(session, event->transaction);
    if (ahoy_handle_equal(event->transaction, session->bye))
        take_bye_response(session, context, response, now_ms);
    else if (ahoy_handle_equal(event->transaction, session->change.client))
        ahoy_session_changed(session, context, event, now_ms);
    else if (ahoy_handle_equal(event->transaction, session->timer.update))
        ahoy_session_refreshed(session, context, response, now_ms);
    else if (ahoy_transfer_response(session, context, event, now_ms))
        return;
    else if (!ahoy_handle_equal(event->transaction, session->client))
        take_repeated(session, context, event, now_ms);
    else if (response->status < 200)
        take_provisional(session, context, event, now_ms);
    else if (response->status < 300)
        take_success(session, context, event, now_ms);
    else
        take_final(session, context, response, now_ms);
}
