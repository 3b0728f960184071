/* What both sides of a session share: its end (RFC 3261 15), its timers, its transactions. */
#include "libahoy/tu/session.h"

#include <stdlib.h>

#include "libahoy/syntax/status.h"
#include "libahoy/tu/transfer.h"

static const struct ahoy_handle nobody = { 0, 0 };

/* What was and is described serves no more. */
static void forget_descriptions(struct ahoy_session *session)
{
    ahoy_session_wipe(session->offer, session->offer_size);
    session->offer = NULL;
    session->offer_size = 0;
    ahoy_session_forget_described(session);
    session->described_media = 0;
}

static void settle(struct ahoy_session *session)
{
    session->state = AHOY_SESSION_OVER;
    forget_descriptions(session); /* Its transactions may go on for half a minute. */
    session->ring_ms = session->change.again_ms = UINT64_MAX;
    ahoy_session_timer_stop(&session->timer);
    ahoy_session_drop_answer(&session->answer);
    ahoy_session_drop_answer(&session->reliable.answer);
}

void ahoy_session_end(struct ahoy_session *session, struct ahoy_ua_context *context,
                      enum ahoy_side by, struct span reason)
{
    if (session->state == AHOY_SESSION_OVER)
        return;
    if (session->heard < 200)
        session->heard = 487;
    settle(session);
    ahoy_ua_tell(
        context,
        &(struct ahoy_ua_news){ .kind = AHOY_NEWS_ENDED, .session = session->self, .by = by },
        reason);
}

void ahoy_session_refused(struct ahoy_session *session, struct ahoy_ua_context *context,
                          unsigned status, struct span reason)
{
    session->heard = status;
    settle(session);
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){
                     .kind = AHOY_NEWS_REFUSED, .session = session->self, .status = status },
                 reason.size > 0 ? reason : ahoy_status_reason(status));
}

void ahoy_session_drop_answer(struct ahoy_session_answer *answer)
{
    ahoy_session_wipe(answer->bytes, answer->size);
    *answer = (struct ahoy_session_answer){ .bytes = NULL };
}

bool ahoy_session_retry(struct ahoy_ua_context *context, struct ahoy_credentials **credentials,
                        const struct ahoy_dialog *dialog, const struct ahoy_message *response,
                        enum ahoy_method method, struct span body)
{
    if (*credentials == NULL && (response->status == 401 || response->status == 407))
        *credentials = calloc(1, sizeof **credentials);
    return *credentials != NULL &&
           ahoy_ua_retry(context, *credentials, dialog, response, method, body);
}

void ahoy_session_forget(struct ahoy_credentials **credentials)
{
    free(*credentials);
    *credentials = NULL;
}

bool ahoy_session_repeat(struct ahoy_session_answer *answer, const struct ahoy_ua_context *context,
                         struct span text, uint32_t cseq, uint64_t now_ms)
{
    if (!ahoy_session_keep(&answer->bytes, &answer->size, text))
        return false;
    answer->cseq = cseq;
    answer->interval_ms = context->t1_ms;
    answer->again_ms = now_ms + answer->interval_ms;
    answer->give_up_ms = now_ms + UINT64_C(64) * context->t1_ms;
    return true;
}

void ahoy_session_leave(struct ahoy_session *session, struct ahoy_ua_context *context,
                        struct ahoy_handle *transaction)
{
    if (transaction->generation == 0)
        return;
    ahoy_ua_disown(context, *transaction);
    *transaction = nobody;
    session->transactions--;
}

void ahoy_session_send_bye(struct ahoy_session *session, struct ahoy_ua_context *context,
                           uint64_t now_ms)
{
    struct ahoy_ua_request request;
    session->dialog.local_cseq++; /* R3261-12.2.1.1-7 */
    ahoy_ua_request_begin(context, &session->dialog, AHOY_METHOD_BYE, session->dialog.local_cseq,
                          false, &request);
    ahoy_credentials_put(session->bye_credentials, &request.rows);
    session->bye =
        ahoy_ua_request_send(&request, SPAN(""), ahoy_handle_pack(session->self), now_ms);
    session->bye_unanswered = session->bye.generation != 0;
    if (session->bye_unanswered)
        session->transactions++;
}

void ahoy_session_bye(struct ahoy_session *session, struct ahoy_ua_context *context,
                      enum ahoy_side by, struct span reason, uint64_t now_ms)
{
    /* It is over for us whatever becomes of the BYE: R3261-15.1.1-1. */
    ahoy_session_send_bye(session, context, now_ms);
    ahoy_session_end(session, context, by, reason);
}

void ahoy_session_hang_up(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    switch (session->state) {
    case AHOY_SESSION_CALLING:
        session->state = AHOY_SESSION_CANCELLING;
        ahoy_transaction_cancel(context->transactions, session->client, SPAN(""), now_ms);
        return;
    case AHOY_SESSION_INCOMING:
        ahoy_session_reject(session, context, 480, now_ms);
        return;
    case AHOY_SESSION_CONFIRMED:
        session->hang_up = true;
        /* The callee waits for its ACK: R3261-15-3. */
        if (session->answer.bytes == NULL)
            ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("Hung up"), now_ms);
        return;
    case AHOY_SESSION_OVER:
        if (session->refer != NULL) /* Nobody waits for it any more. */
            ahoy_refer_end(session, context, 487, SPAN(""));
        return;
    case AHOY_SESSION_CANCELLING:
        return;
    }
}

static void take_end(struct ahoy_session *session, struct ahoy_ua_context *context,
                     const struct ahoy_event *event)
{
    struct ahoy_handle *names[] = { &session->client, &session->server, &session->bye,
                                    &session->change.client, &session->timer.update };
    if (session->transactions > 0)
        session->transactions--;
    ahoy_session_pracked(session, event->transaction);
    ahoy_transfer_forget(session, event->transaction);
    if (ahoy_handle_equal(event->transaction, session->client))
        ahoy_session_forget_early(session, context); /* 13.2.2.4: 64*T1 after the first 2xx. */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (ahoy_handle_equal(*names[i], event->transaction))
            *names[i] = nobody;
    }
}

/* Our INVITE was not answered, or could not be sent; a BYE's fate does not matter any more. */
static void take_failure(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    bool unheard = event->kind == AHOY_EVENT_TIMEOUT;
    if (ahoy_handle_equal(event->transaction, session->bye))
        session->bye_unanswered = false;
    if (ahoy_handle_equal(event->transaction, session->change.client))
        ahoy_session_change_failed(session, context, unheard ? 408 : 503, SPAN(""), now_ms);
    if (ahoy_handle_equal(event->transaction, session->timer.update))
        ahoy_session_refresh_failed(session, context, unheard ? 408 : 503, SPAN(""), now_ms);
    ahoy_transfer_failed(session, context, event, unheard ? 408 : 503, now_ms);
    if (!ahoy_handle_equal(event->transaction, session->client))
        return;
    if (session->state == AHOY_SESSION_CANCELLING)
        ahoy_session_end(session, context, AHOY_SIDE_US, SPAN("Cancelled"));
    else if (session->state == AHOY_SESSION_CALLING &&
             !ahoy_session_redirect(session, context, unheard ? 408 : 503, NULL, now_ms))
        ahoy_session_refused(session, context, unheard ? 408 : 503,
                             unheard ? SPAN("No answer") : SPAN("The server cannot be reached"));
}

void ahoy_session_step(struct ahoy_session *session, struct ahoy_ua_context *context,
                       const struct ahoy_event *event, uint64_t now_ms)
{
    switch (event->kind) {
    case AHOY_EVENT_RESPONSE:
        ahoy_session_response(session, context, event, now_ms);
        return;
    case AHOY_EVENT_CANCEL:
        ahoy_session_cancelled(session, context, event, now_ms);
        return;
    case AHOY_EVENT_TIMEOUT:
    case AHOY_EVENT_UNREACHABLE:
        if (!event->is_server)
            take_failure(session, context, event, now_ms);
        return;
    case AHOY_EVENT_ENDED:
        take_end(session, context, event);
        return;
    case AHOY_EVENT_REQUEST:
    case AHOY_EVENT_ACK:
    case AHOY_EVENT_STRAY:
    case AHOY_EVENT_NO_ACK:
        return;
    }
}

/* It is sent again; where that cannot be now, the next time may be better. */
static void repeat(struct ahoy_session *session, struct ahoy_ua_context *context,
                   struct ahoy_session_answer *answer, unsigned status, uint32_t most_ms,
                   uint64_t now_ms)
{
    struct span bytes = { answer->bytes, answer->size };
    (void)ahoy_transaction_respond(context->transactions, session->server, status, &bytes, 1,
                                   now_ms);
    uint32_t doubled = answer->interval_ms * 2;
    answer->interval_ms = doubled < most_ms ? doubled : most_ms;
    answer->again_ms = now_ms + answer->interval_ms;
}

static bool is_due(const struct ahoy_session_answer *answer, uint64_t now_ms)
{
    return answer->bytes != NULL && (now_ms >= answer->again_ms || now_ms >= answer->give_up_ms);
}

/* 13.3.1.4: T1, doubled up to T2, on every transport; after 64*T1 the call is given up. */
static void repeat_answer(struct ahoy_session *session, struct ahoy_ua_context *context,
                          uint64_t now_ms)
{
    if (now_ms < session->answer.give_up_ms) {
        repeat(session, context, &session->answer, 200, context->t2_ms, now_ms);
        return;
    }
    ahoy_session_drop_answer(&session->answer);
    ahoy_session_bye(session, context, AHOY_SIDE_NETWORK, SPAN("The answer was not acknowledged"),
                     now_ms);
}

/* RFC 3262 3: T1, doubled without end; after 64*T1 the INVITE is refused. */
static void repeat_reliable(struct ahoy_session *session, struct ahoy_ua_context *context,
                            uint64_t now_ms)
{
    struct ahoy_session_reliable *reliable = &session->reliable;
    if (now_ms >= reliable->answer.give_up_ms)
        ahoy_session_reject(session, context, 504, now_ms);
    else
        repeat(session, context, &reliable->answer, reliable->status, UINT32_MAX, now_ms);
}

void ahoy_session_expire(struct ahoy_session *session, struct ahoy_ua_context *context,
                         uint64_t now_ms)
{
    if (session->owed != 0 && now_ms >= session->owed_ms)
        (void)ahoy_session_respond(session, context, session->owed, SPAN(""), now_ms);
    if (now_ms >= session->ring_ms)
        ahoy_session_progress(session, context, session->ring_status, false, now_ms);
    if (is_due(&session->answer, now_ms))
        repeat_answer(session, context, now_ms);
    if (is_due(&session->reliable.answer, now_ms))
        repeat_reliable(session, context, now_ms);
    ahoy_session_refresh(session, context, now_ms);
    ahoy_transfer_expire(session, context, now_ms);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t due_ms(const struct ahoy_session_answer *answer)
{
    return answer->bytes == NULL ? UINT64_MAX : sooner(answer->again_ms, answer->give_up_ms);
}

uint64_t ahoy_session_deadline(const struct ahoy_session *session)
{
    uint64_t answer_ms = sooner(due_ms(&session->answer), due_ms(&session->reliable.answer));
    uint64_t own_ms = sooner(session->ring_ms, session->change.again_ms);
    uint64_t owed_ms = session->owed != 0 ? session->owed_ms : UINT64_MAX;
    uint64_t timer_ms = sooner(session->timer.refresh_ms, session->timer.end_ms);
    uint64_t late_ms = sooner(timer_ms, ahoy_transfer_deadline(session));
    return sooner(sooner(sooner(answer_ms, own_ms), owed_ms), late_ms);
}

bool ahoy_session_is_busy(const struct ahoy_session *session)
{
    return session->state != AHOY_SESSION_OVER || session->bye_unanswered ||
           session->referred != NULL;
}

bool ahoy_session_is_done(const struct ahoy_session *session)
{
    return session->state == AHOY_SESSION_OVER && session->transactions == 0 &&
           !ahoy_transfer_goes_on(session);
}

bool ahoy_session_is_spent(const struct ahoy_session *session)
{
    return session->state == AHOY_SESSION_OVER && session->is_caller && session->heard == 200 &&
           session->transactions == 1 && session->client.generation != 0 &&
           !session->bye_unanswered && session->early_count == 0 &&
           !ahoy_transfer_goes_on(session);
}

static void wipe_keys(struct ahoy_session *session)
{
    if (!session->is_secured)
        return;
    explicit_bzero(&session->local, sizeof session->local);
    explicit_bzero(&session->in_force, sizeof session->in_force);
    explicit_bzero(&session->offered, sizeof session->offered);
    explicit_bzero(&session->dialog.agreed, sizeof session->dialog.agreed);
}

void ahoy_session_fini(struct ahoy_session *session, struct ahoy_ua_context *context)
{
    ahoy_session_drop_answer(&session->answer);
    ahoy_session_drop_answer(&session->reliable.answer);
    ahoy_session_forget_early(session, context);
    ahoy_dialog_fini(&session->dialog);
    free(session->head);
    forget_descriptions(session);
    free(session->targets);
    free(session->extra);
    free(session->refer);
    free(session->referred);
    ahoy_session_forget(&session->credentials);
    ahoy_session_forget(&session->bye_credentials);
    ahoy_session_forget(&session->change.credentials);
    ahoy_session_forget(&session->timer.credentials);
    session->head = NULL;
    wipe_keys(session);
}
