/* The caller's side: INVITE, its responses, ACK (RFC 3261 13.2), and the responses to BYE. */
#include "libahoy/tu/session.h"

static const struct ahoy_handle nobody = { 0, 0 };

static struct span print_offer(const struct ahoy_session *session, struct ahoy_ua_context *context)
{
    struct ahoy_buf body = ahoy_buf_over(context->body, sizeof context->body);
    ahoy_sdp_print_offer(&session->local, &body);
    return ahoy_buf_text(&body);
}

static bool send_invite(struct ahoy_session *session, struct ahoy_ua_context *context,
                        uint64_t now_ms)
{
    struct ahoy_ua_request request;
    session->invite_cseq = ++session->dialog.local_cseq;
    ahoy_ua_request_begin(context, &session->dialog, AHOY_METHOD_INVITE, session->invite_cseq, true,
                          &request);
    ahoy_ua_put_contact(context, &request.hop, ahoy_dialog_is_sips(&session->dialog),
                        &request.rows);
    ahoy_ua_put_abilities(context, &request.rows);
    ahoy_credentials_put(&session->credentials, &request.rows);
    session->client = ahoy_ua_request_send(&request, print_offer(session, context),
                                           ahoy_handle_pack(session->self), now_ms);
    if (session->client.generation == 0)
        return false;
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
    session->ring_ms = UINT64_MAX;
    return ahoy_dialog_begin(&session->dialog, &seed) && send_invite(session, context, now_ms);
}

/* ACK to a 2xx, made anew for each one that comes: R3261-13.2.2.4-3, -8. */
static void send_ack(const struct ahoy_session *session, struct ahoy_ua_context *context,
                     const struct ahoy_dialog *dialog, uint64_t now_ms)
{
    struct ahoy_ua_request request;
    const struct span parts[] = { dialog->call_id, dialog->remote_tag };
    char seed[AHOY_TAG_LIMIT + 512];
    struct ahoy_buf buf = ahoy_buf_over(seed, sizeof seed);
    ahoy_buf_put_number(&buf, session->invite_cseq);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ahoy_buf_put(&buf, parts[i]);
    ahoy_ua_request_begin(context, dialog, AHOY_METHOD_ACK, session->invite_cseq, false, &request);
    ahoy_credentials_put(&session->credentials, &request.rows); /* R3261-13.2.2.4-5 */
    /* Where it cannot be sent the 2xx comes again. */
    (void)ahoy_ua_request_send_ack(&request, SPAN(""), ahoy_buf_text(&buf), now_ms);
}

/* A tag that looks like another's only spares its own fork the BYE: the key is no secret. */
static uint64_t hash_fork(struct span to_tag)
{
    static const struct ahoy_hash_key key = { { 0, 0 } };
    return ahoy_siphash(&key, to_tag);
}

static bool has_given_up(const struct ahoy_session *session, uint64_t fork)
{
    for (unsigned i = 0; i < session->fork_count; i++) {
        if (session->forks[i] == fork)
            return true;
    }
    return false;
}

/* A fork that answered too late: acknowledged, and ended (R3261-13.2.2.4-9), but once: its 2xx may
 * come again, and a second BYE would need another CSeq. */
static void give_up_fork(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_dialog *stray = &context->stray;
    struct ahoy_ua_request request;
    uint64_t fork = hash_fork(event->routing->to_tag);
    bool is_known = has_given_up(session, fork);
    if (!is_known && session->fork_count == AHOY_SESSION_FORKS_LIMIT)
        return; /* Without an ACK it ends by itself: 13.3.1.4. */
    if (!ahoy_dialog_from_response(stray, event->message, event->routing, NULL))
        return;
    send_ack(session, context, stray, now_ms);
    if (is_known)
        return;
    stray->local_cseq++;
    ahoy_ua_request_begin(context, stray, AHOY_METHOD_BYE, stray->local_cseq, false, &request);
    struct ahoy_handle bye =
        ahoy_ua_request_send(&request, SPAN(""), ahoy_handle_pack(session->self), now_ms);
    if (bye.generation == 0)
        return; /* The next 2xx tries again. */
    session->transactions++;
    session->forks[session->fork_count++] = fork;
}

/* The first 2xx: the dialog stands.  Whatever is wrong with it, it is acknowledged first. */
static void take_first(struct ahoy_session *session, struct ahoy_ua_context *context,
                       const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_sdp_agreed agreed;
    bool cancelled = session->state == AHOY_SESSION_CANCELLING;
    if (!ahoy_dialog_from_response(&session->dialog, event->message, event->routing, NULL)) {
        /* Without a Contact there is nobody to send ACK or BYE to. */
        ahoy_session_refused(session, context, 502, SPAN("The answer names no contact"));
        return;
    }
    session->state = AHOY_SESSION_CONFIRMED;
    send_ack(session, context, &session->dialog, now_ms);
    if (cancelled) {
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("Cancelled"), now_ms);
        return;
    }
    if (!ahoy_ua_read_description(context, event->message) ||
        !ahoy_sdp_read_answer(&context->sdp, &session->local, &agreed)) {
        ahoy_session_bye(session, context, AHOY_SIDE_US, SPAN("The answer has no codec of ours"),
                         now_ms);
        return;
    }
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){
                     .kind = AHOY_NEWS_ANSWERED, .session = session->self, .agreed = agreed },
                 session->dialog.remote_uri);
}

static void take_success(struct ahoy_session *session, struct ahoy_ua_context *context,
                         const struct ahoy_event *event, uint64_t now_ms)
{
    bool is_first =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    if (is_first)
        take_first(session, context, event, now_ms);
    else if (ahoy_span_equal_nocase(event->routing->to_tag, session->dialog.remote_tag))
        send_ack(session, context, &session->dialog, now_ms);
    else
        give_up_fork(session, context, event, now_ms);
}

static void take_provisional(struct ahoy_session *session, struct ahoy_ua_context *context,
                             const struct ahoy_message *response)
{
    if (response->status == 100 || session->state != AHOY_SESSION_CALLING || session->told_ringing)
        return;
    session->told_ringing = true;
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
    if (ahoy_ua_retry(context, &session->credentials, &session->dialog, response,
                      AHOY_METHOD_INVITE, print_offer(session, context)) &&
        send_invite(session, context, now_ms))
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
    if (ahoy_ua_retry(context, &session->bye_credentials, &session->dialog, response,
                      AHOY_METHOD_BYE, SPAN("")))
        ahoy_session_send_bye(session, context, now_ms);
}

void ahoy_session_response(struct ahoy_session *session, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    if (session->bye.generation != 0 && ahoy_handle_equal(event->transaction, session->bye)) {
        take_bye_response(session, context, response, now_ms);
        return;
    }
    if (!ahoy_handle_equal(event->transaction, session->client) ||
        ahoy_handle_equal(session->client, nobody))
        return;
    if (response->status < 200)
        take_provisional(session, context, response);
    else if (response->status < 300)
        take_success(session, context, event, now_ms);
    else
        take_final(session, context, response, now_ms);
}
