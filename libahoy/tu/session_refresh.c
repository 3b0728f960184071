/* A session is kept alive: by UPDATE without an offer where the peer knows that, else by a
 * re-INVITE (RFC 4028 7.4, 10); or it is over, as nobody did. */
#include "libahoy/tu/session.h"

static const struct ahoy_handle nobody = { 0, 0 };

static void send_update(struct ahoy_session *session, struct ahoy_ua_context *context,
                        uint64_t now_ms)
{
    struct ahoy_dialog *dialog = &session->dialog;
    struct ahoy_ua_request request;
    dialog->local_cseq++;
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_UPDATE, dialog->local_cseq, false, &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(dialog), &request.rows);
    ahoy_ua_put_accepted(&request.rows);
    ahoy_session_timer_put(&session->timer, context->session_s, &request.rows);
    ahoy_credentials_put(session->timer.credentials, &request.rows);
    session->timer.update =
        ahoy_ua_request_send(&request, SPAN(""), ahoy_handle_pack(session->self), now_ms);
    if (session->timer.update.generation != 0)
        session->transactions++;
    else
        ahoy_session_timer_failed(&session->timer, now_ms);
}

void ahoy_session_refresh(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    struct ahoy_session_timer *timer = &session->timer;
    if (now_ms >= timer->end_ms) {
        ahoy_session_bye(session, context, AHOY_SIDE_NETWORK, SPAN("Nobody refreshed the session"),
                         now_ms);
        return;
    }
    if (now_ms < timer->refresh_ms)
        return;
    timer->refresh_ms = UINT64_MAX;
    ahoy_session_forget(&timer->credentials);
    if (session->dialog.takes_update)
        send_update(session, context, now_ms);
    else
        timer->is_due = true; /* ahoy_session_pursue waits until it may be sent. */
}

void ahoy_session_refresh_failed(struct ahoy_session *session, struct ahoy_ua_context *context,
                                 unsigned status, struct span reason, uint64_t now_ms)
{
    struct ahoy_session_timer *timer = &session->timer;
    timer->update = nobody;
    if (session->state != AHOY_SESSION_CONFIRMED)
        return;
    if (status == 481 || status == 408) {
        ahoy_session_bye(session, context, AHOY_SIDE_NETWORK, reason, now_ms);
        return;
    }
    if (status == 405 || status == 501) { /* He serves no UPDATE after all. */
        session->dialog.takes_update = false;
        timer->is_due = true;
    } else {
        ahoy_session_timer_failed(timer, now_ms);
    }
}

void ahoy_session_refreshed(struct ahoy_session *session, struct ahoy_ua_context *context,
                            const struct ahoy_message *response, uint64_t now_ms)
{
    struct ahoy_session_timer *timer = &session->timer;
    if (response->status < 200)
        return;
    if (session->state != AHOY_SESSION_CONFIRMED) {
        timer->update = nobody;
    } else if (response->status < 300) {
        timer->update = nobody;
        ahoy_dialog_refresh(&session->dialog, response);
        ahoy_session_timer_take(timer, response, context->session_s, now_ms);
    } else if (ahoy_session_retry(context, &timer->credentials, &session->dialog, response,
                                  AHOY_METHOD_UPDATE, SPAN("")) ||
               ahoy_session_timer_raise(timer, response, context->session_s)) {
        send_update(session, context, now_ms);
    } else {
        ahoy_session_refresh_failed(session, context, response->status, response->reason, now_ms);
    }
}
