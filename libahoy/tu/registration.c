/* The client's side of REGISTER: RFC 3261 10.2. */
#include "libahoy/tu/registration.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/status.h"

enum { BINDING_LIMIT = 1024, LITTLE_S = 5 };

static const struct ahoy_handle nobody = { 0, 0 };

bool ahoy_registration_client_init(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context,
                                   const struct ahoy_registration_way *way)
{
    char call_id[AHOY_TOKEN_SIZE];
    char tag[AHOY_TOKEN_SIZE];
    char target[512];
    struct ahoy_uri uri;
    if (!ahoy_uri_parse(context->account.uri, &uri, NULL) || uri.scheme == AHOY_SCHEME_OTHER)
        return false; /* R3261-10.2-5 */
    ahoy_rng_token(&context->rng, call_id);
    ahoy_rng_token(&context->rng, tag);
    /* The Request-URI names the domain and no user: R3261-10.2-4. */
    struct ahoy_buf buf = ahoy_buf_over(target, sizeof target);
    ahoy_buf_put(&buf, uri.scheme == AHOY_SCHEME_SIPS ? SPAN("sips:") : SPAN("sip:"));
    ahoy_buf_put(&buf, context->account.domain);
    const struct ahoy_dialog_seed seed = { .call_id = { call_id, sizeof call_id },
                                           .local_tag = { tag, sizeof tag },
                                           .local_uri = context->account.uri,
                                           .remote_uri = context->account.uri,
                                           .target = ahoy_buf_text(&buf),
                                           .route = way->route };
    client->way = *way;
    client->state = AHOY_REGISTRATION_NONE;
    client->transaction = nobody;
    client->due_ms = UINT64_MAX;
    client->leave = client->raised = client->is_renewed = false;
    client->credentials = (struct ahoy_credentials){ .proofs[0].tries = 0 };
    return ahoy_dialog_begin(&client->dialog, &seed);
}

static void fail(struct ahoy_registration_client *client, struct ahoy_ua_context *context,
                 unsigned status, struct span reason, uint64_t now_ms)
{
    bool may_pass = status == 408 || status >= 500;
    bool again = may_pass && (client->state == AHOY_REGISTRATION_HELD || client->way.has_others);
    client->transaction = nobody;
    ahoy_granted_clear(&client->granted);
    client->due_ms = UINT64_MAX;
    if (again)
        client->due_ms = ahoy_registration_client_retry_ms(client, context, now_ms);
    client->is_up = client->is_answered = false;
    client->keep_ms = 0;
    if (!again)
        client->state = AHOY_REGISTRATION_NONE;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_REGISTRATION_FAILED,
                                         .status = status,
                                         .reg_id = client->way.reg_id },
                 reason.size > 0 ? reason : ahoy_status_reason(status));
}

static void send(struct ahoy_registration_client *client, struct ahoy_ua_context *context,
                 uint64_t now_ms)
{
    struct ahoy_ua_request request;
    bool leaving = client->state == AHOY_REGISTRATION_LEAVING;
    client->due_ms = UINT64_MAX;
    client->dialog.local_cseq++; /* R3261-10.2-6 */
    ahoy_ua_request_begin(context, &client->dialog, AHOY_METHOD_REGISTER, client->dialog.local_cseq,
                          true, &request);
    ahoy_ua_request_aim(&request, &client->dialog, &client->way.server);
    ahoy_ua_put_binding(context, &request.hop, client->way.reg_id, &request.rows);
    ahoy_buf_put(&request.rows, SPAN("Expires: "));
    ahoy_buf_put_number(&request.rows, leaving ? 0 : client->asked_s);
    ahoy_buf_put(&request.rows, SPAN("\r\n"));
    ahoy_credentials_put(&client->credentials, &request.rows);
    client->transaction = ahoy_ua_request_send(&request, SPAN(""), AHOY_UA_REGISTRATION, now_ms);
    if (client->transaction.generation == 0)
        fail(client, context, 503, SPAN("The request could not be sent"), now_ms);
}

void ahoy_registration_client_begin(struct ahoy_registration_client *client,
                                    struct ahoy_ua_context *context, uint64_t now_ms)
{
    if (!client->is_renewed)
        client->credentials = (struct ahoy_credentials){ .proofs[0].tries = 0 };
    client->is_renewed = client->raised = false;
    send(client, context, now_ms);
}

void ahoy_registration_client_start(struct ahoy_registration_client *client,
                                    struct ahoy_ua_context *context, uint32_t expires_s,
                                    uint64_t now_ms)
{
    if (client->transaction.generation != 0)
        return; /* R3261-10.2-7 */
    client->asked_s = expires_s;
    client->leave = false;
    client->state = AHOY_REGISTRATION_ASKING;
    ahoy_registration_client_begin(client, context, now_ms);
}

void ahoy_registration_client_stop(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context, uint64_t now_ms)
{
    if (client->transaction.generation != 0) {
        client->leave = true;
        return;
    }
    client->leave = false;
    client->state = AHOY_REGISTRATION_LEAVING;
    ahoy_registration_client_begin(client, context, now_ms);
}

/* Our own binding, as we have registered it; false where it does not fit into |space|. */
static bool read_ours(const struct ahoy_registration_client *client,
                      const struct ahoy_ua_context *context, char space[BINDING_LIMIT],
                      struct ahoy_address *ours)
{
    struct ahoy_buf buf = ahoy_buf_over(space, BINDING_LIMIT);
    ahoy_ua_put_binding(context, &client->way.server, client->way.reg_id, &buf);
    size_t name = buf.overflow ? 0 : strlen("Contact:");
    return ahoy_address_parse(ahoy_span_trim(ahoy_span_after(ahoy_buf_text(&buf), name)), ours,
                              NULL);
}

/* The seconds that the registrar gave to |ours| (10.2.4). */
static uint32_t granted_s(const struct ahoy_registration_client *client,
                          const struct ahoy_message *response, const struct ahoy_uri *ours)
{
    uint64_t seconds = client->asked_s;
    (void)ahoy_span_number(ahoy_message_value(response, AHOY_HEADER_EXPIRES),
                           AHOY_REGISTRATION_LIMIT_S, &seconds); /* Else as asked. */
    struct ahoy_values values = ahoy_message_values(response, AHOY_HEADER_CONTACT);
    struct span text;
    struct ahoy_err err;
    while (ahoy_values_next(&values, &text, &err)) {
        struct ahoy_address contact;
        struct ahoy_param expires;
        if (ahoy_address_parse(text, &contact, NULL) && ahoy_uri_equal(&contact.uri, ours) &&
            ahoy_params_find(contact.params, SPAN("expires"), &expires))
            (void)ahoy_span_number(expires.value, AHOY_REGISTRATION_LIMIT_S, &seconds);
    }
    return (uint32_t)seconds;
}

/* When a registration of |expires_s| is refreshed: a fifth of the time is left for that, but enough
 * for a REGISTER that nobody answers (R5627-4.2-4), or half of a short time. */
static uint64_t refresh_ms(const struct ahoy_ua_context *context, uint32_t expires_s)
{
    uint64_t whole_ms = (uint64_t)expires_s * 1000;
    uint64_t least_ms = UINT64_C(64) * context->t1_ms + 1000;
    uint64_t left_ms = whole_ms / 5 > least_ms ? whole_ms / 5 : least_ms;
    if (expires_s <= LITTLE_S)
        return LITTLE_S * 800;
    return left_ms < whole_ms / 2 ? whole_ms - left_ms : whole_ms / 2;
}

static void succeed(struct ahoy_registration_client *client, struct ahoy_ua_context *context,
                    const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    const struct ahoy_digested next = { .method = ahoy_method_name(AHOY_METHOD_REGISTER) };
    if (!ahoy_credentials_confirm(&client->credentials, &context->account, response)) {
        fail(client, context, response->status, SPAN("The server does not know the password"),
             now_ms);
        return;
    }
    client->transaction = nobody;
    client->is_renewed =
        ahoy_credentials_renew(&client->credentials, &context->account, response, &next,
                               ahoy_dialog_request_uri(&client->dialog), &context->rng);
    ahoy_granted_clear(&client->granted);
    if (client->state == AHOY_REGISTRATION_LEAVING) {
        client->state = AHOY_REGISTRATION_NONE;
        client->is_up = false;
        client->keep_ms = 0;
        ahoy_ua_tell(
            context,
            &(struct ahoy_ua_news){ .kind = AHOY_NEWS_UNREGISTERED, .reg_id = client->way.reg_id },
            SPAN(""));
        return;
    }
    char space[BINDING_LIMIT];
    struct ahoy_address ours;
    uint32_t expires_s = client->asked_s;
    if (read_ours(client, context, space, &ours)) {
        expires_s = granted_s(client, response, &ours.uri);
        ahoy_granted_read(&client->granted, response, &ours.uri);
    }
    ahoy_registration_client_set_flow(client, response, event->hop);
    client->state = AHOY_REGISTRATION_HELD;
    client->due_ms = now_ms + refresh_ms(context, expires_s);
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_REGISTERED,
                                         .expires_s = expires_s,
                                         .reg_id = client->way.reg_id },
                 SPAN(""));
}

/* 423: the registrar wants longer intervals (10.2.8).  Obeyed once. */
static bool raise_interval(struct ahoy_registration_client *client,
                           const struct ahoy_message *response)
{
    uint64_t seconds;
    if (response->status != 423 || client->raised ||
        !ahoy_span_number(ahoy_message_value(response, AHOY_HEADER_MIN_EXPIRES),
                          AHOY_REGISTRATION_LIMIT_S, &seconds) ||
        seconds <= client->asked_s)
        return false;
    client->raised = true;
    client->asked_s = (uint32_t)seconds;
    return true;
}

static void take_response(struct ahoy_registration_client *client, struct ahoy_ua_context *context,
                          const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoy_message *response = event->message;
    if (response->status < 200)
        return;
    if (response->status < 300)
        succeed(client, context, event, now_ms);
    else if (ahoy_ua_retry(context, &client->credentials, &client->dialog, response,
                           AHOY_METHOD_REGISTER, SPAN("")) ||
             raise_interval(client, response))
        send(client, context, now_ms);
    else
        fail(client, context, response->status, response->reason, now_ms);
}

void ahoy_registration_client_step(struct ahoy_registration_client *client,
                                   struct ahoy_ua_context *context, const struct ahoy_event *event,
                                   uint64_t now_ms)
{
    if (!ahoy_handle_equal(event->transaction, client->transaction))
        return;
    if (event->kind == AHOY_EVENT_RESPONSE)
        take_response(client, context, event, now_ms);
    else if (event->kind == AHOY_EVENT_TIMEOUT)
        fail(client, context, 408, SPAN("No answer"), now_ms);
    else if (event->kind == AHOY_EVENT_UNREACHABLE)
        fail(client, context, 503, SPAN("The server cannot be reached"), now_ms);
    if (client->leave && client->transaction.generation == 0)
        ahoy_registration_client_stop(client, context, now_ms);
}

void ahoy_registration_client_expire(struct ahoy_registration_client *client,
                                     struct ahoy_ua_context *context, uint64_t now_ms)
{
    if (now_ms >= client->due_ms && client->transaction.generation == 0)
        ahoy_registration_client_begin(client, context, now_ms);
}
