/* Which part of a user agent an event is for: RFC 3261 8.2, 12.2.2. */
#include "libahoy/tu/ua.h"

#include <stdlib.h>

#include "libahoy/syntax/compose.h"
#include "libahoy/tu/beside.h"
#include "libahoy/tu/transfer.h"
#include "libahoy/tu/ua_parts.h"

static bool init_registrations(struct ahoy_ua *ua, const struct ahoy_ua_options *options)
{
    struct ahoy_registration_way ways[AHOY_UA_SERVERS_LIMIT];
    size_t count = 1 + options->more_count;
    for (size_t i = 0; i < count && i < AHOY_UA_SERVERS_LIMIT; i++) {
        const struct ahoy_ua_server *more = i > 0 ? &options->more_servers[i - 1] : NULL;
        ways[i] = (struct ahoy_registration_way){ .server = more ? more->hop : options->server,
                                                  .route = more ? more->route : options->route,
                                                  .reg_id = (unsigned)i + 1,
                                                  .has_others = count > 1 };
    }
    return ahoy_registrations_init(&ua->registrations, &ua->context, ways, count);
}

struct ahoy_ua *ahoy_ua_new(const struct ahoy_ua_options *options)
{
    struct ahoy_ua *ua = calloc(1, sizeof *ua);
    if (ua == NULL)
        return NULL;
    struct ahoy_ua_context *context = &ua->context;
    context->transactions = options->transactions;
    context->number = options->number;
    context->account = options->account;
    context->locate = options->locate;
    context->t1_ms = options->t1_ms;
    context->t2_ms = options->t2_ms;
    context->codecs = options->codecs;
    context->session_s = options->session_s;
    context->takes_transfers = options->takes_transfers;
    context->takes_referrals = options->takes_referrals;
    context->takes_replacers = options->takes_replacers;
    ahoy_rng_init(&context->rng, options->seed);
    ahoy_subscriber_init(&ua->subscriber);
    ahoy_publication_init(&ua->publication);
    ahoy_exchanges_init(&ua->exchanges);
    ua->is_busy = options->is_busy;
    uint32_t sessions = options->sessions != 0 ? options->sessions : AHOY_UA_SESSIONS_LIMIT;
    if (!ahoy_ua_init_sessions(ua, sessions, options->seed) || !init_registrations(ua, options)) {
        ahoy_ua_free(ua);
        return NULL;
    }
    return ua;
}

void ahoy_ua_free(struct ahoy_ua *ua)
{
    if (ua == NULL)
        return;
    ahoy_ua_fini_sessions(ua);
    ahoy_exchanges_fini(&ua->exchanges);
    ahoy_publication_fini(&ua->publication);
    ahoy_ua_hush(&ua->context);
    ahoy_dialog_fini(&ua->context.stray);
    free(ua->context.early);
    ahoy_dialog_fini(&ua->subscriber.dialog);
    explicit_bzero(ua, sizeof *ua);
    free(ua);
}

/* Who asked for this call is told how it goes. */
static void report(struct ahoy_ua *ua, struct ahoy_session *session, uint64_t now_ms)
{
    struct ahoy_session *referrer = ahoy_ua_get_session(ua, session->referrer);
    if (referrer == NULL || session->heard == 0)
        return;
    if (session->heard >= 200)
        session->referrer = (struct ahoy_handle){ 0, 0 };
    ahoy_referred_tell(referrer, &ua->context, session->heard, now_ms);
    ahoy_ua_settle(ua, referrer, now_ms);
}

/* It is answered, and takes the place of another: RFC 3891 3. */
static void displace(struct ahoy_ua *ua, struct ahoy_session *session, uint64_t now_ms)
{
    struct ahoy_session *replaced = ahoy_ua_get_session(ua, session->replaced);
    if (replaced == NULL || session->state != AHOY_SESSION_CONFIRMED)
        return;
    session->replaced = (struct ahoy_handle){ 0, 0 };
    ahoy_session_hang_up(replaced, &ua->context, now_ms);
    ahoy_ua_settle(ua, replaced, now_ms);
}

void ahoy_ua_settle(struct ahoy_ua *ua, struct ahoy_session *session, uint64_t now_ms)
{
    ahoy_session_pursue(session, &ua->context, now_ms);
    report(ua, session, now_ms);
    displace(ua, session, now_ms);
    if (ahoy_session_is_done(session) ||
        (ahoy_session_is_spent(session) &&
         ahoy_remnants_take(&ua->remnants, session, &ua->context)))
        ahoy_ua_remove_session(ua, session);
    else
        ahoy_ua_time_session(ua, session);
}

/* What refuses an INVITE before anybody looks into it; 0 for nothing. */
static unsigned refusal_of(const struct ahoy_ua *ua, const struct ahoy_event *event)
{
    enum ahoy_method method = event->message->method;
    bool is_full = ua->sessions.used == ua->sessions.limit;
    if (!ahoy_span_equal(event->routing->request_uri.user, ua->context.account.user))
        return 404;
    return (method == AHOY_METHOD_OPTIONS && (ua->is_busy || is_full)) ||
                   (method == AHOY_METHOD_INVITE && is_full)
               ? 486
               : 0;
}

static void take_invite(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_ua_context *context = &ua->context;
    if (ahoy_ua_is_merged(ua, event->routing)) {
        ahoy_ua_refuse(context, event, 482, SPAN(""));
        return;
    }
    struct ahoy_handle replaced;
    unsigned status = ahoy_session_find_replaced(
        &ua->sessions, event, context->takes_replacers, &replaced);
    struct ahoy_session *session = status == 0 ? ahoy_ua_add_session(ua) : NULL;
    if (session == NULL) {
        ahoy_ua_refuse(context, event, status != 0 ? status : 500, SPAN(""));
        return;
    }
    session->replaced = replaced;
    if (ahoy_session_invited(session, context, event, now_ms))
        ahoy_ua_note_session(ua, session);
    else
        ahoy_ua_remove_session(ua, session);
}

/* Nobody dials by a stranger's word, unless the program wants to be asked. */
static void take_refer(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_ua_context *context = &ua->context;
    bool is_merged = ahoy_ua_is_merged(ua, event->routing);
    struct ahoy_session *session = NULL;
    if (context->takes_referrals && !is_merged)
        session = ahoy_ua_add_session(ua);
    if (session == NULL)
        ahoy_ua_reply(context, event,
                      !context->takes_referrals ? 403
                      : is_merged               ? 482
                                                : 486,
                      SPAN(""), SPAN(""), now_ms);
    else if (ahoy_referred_outside(session, context, event, now_ms))
        ahoy_ua_note_session(ua, session);
    else
        ahoy_ua_remove_session(ua, session);
}

/* R3515-2.4.4-5; and nothing else can be subscribed to. */
static void refuse_subscription(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    bool is_refer = ahoy_refer_is_event(event->message);
    ahoy_ua_reply(&ua->context, event, is_refer ? 403 : 489, SPAN(""),
                  is_refer ? SPAN("") : SPAN("Allow-Events: refer\r\n"), now_ms);
}

/* A request outside of dialogs.  OPTIONS is refused by what an INVITE would be: R3261-11.2-1. */
static void take_outside(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    unsigned status = refusal_of(ua, event);
    if (status != 0)
        ahoy_ua_refuse(&ua->context, event, status, SPAN(""));
    else if (event->message->method == AHOY_METHOD_INVITE)
        take_invite(ua, event, now_ms);
    else if (event->message->method == AHOY_METHOD_SUBSCRIBE)
        refuse_subscription(ua, event, now_ms);
    else if (event->message->method == AHOY_METHOD_REFER)
        take_refer(ua, event, now_ms);
    else
        ahoy_beside_answer(&ua->context, event, (struct ahoy_handle){ 0, 0 }, now_ms);
}

/* What a request must be before anybody looks at what it is for: sound, of a method that is served
 * (8.2.1), and not in need of an extension (8.2.2.3) that we do not know.  Else it is
 * refused. */
static bool admits(struct ahoy_ua *ua, const struct ahoy_event *event)
{
    struct ahoy_ua_context *context = &ua->context;
    struct ahoy_buf rows = ahoy_buf_over(context->rows, sizeof context->rows);
    struct ahoy_err err;
    unsigned status = 0;
    if (!ahoy_message_check_rest(event->message, event->routing, NULL, &err)) {
        status = err.status;
    } else if (!ahoy_ua_serves(event->message->method)) {
        status = 405;
        ahoy_ua_put_allow(&rows); /* R3261-21.4.6-1 */
    } else if (event->message->method != AHOY_METHOD_INVITE &&
               ahoy_message_first(event->message, AHOY_HEADER_REPLACES) != NULL) {
        status = 400; /* R3891-3-1 */
    } else {
        ahoy_compose_unsupported(&rows, event->message, AHOY_HEADER_REQUIRE, SPAN(AHOY_UA_OPTIONS));
        status = rows.size > 0 || rows.overflow ? 420 : 0; /* R3261-20.32-1, -2 */
    }
    if (status != 0)
        ahoy_ua_refuse(context, event, status, ahoy_buf_text(&rows));
    return status == 0;
}

static void take_request(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    bool is_ack = event->kind == AHOY_EVENT_ACK;
    if (!is_ack && !admits(ua, event))
        return;
    if (event->message->method == AHOY_METHOD_NOTIFY && !ahoy_refer_is_event(event->message)) {
        ahoy_subscriber_notified(&ua->subscriber, &ua->context, event, now_ms);
        return;
    }
    if (event->routing->to_tag.size == 0) {
        if (!is_ack) /* An ACK is never answered. */
            take_outside(ua, event, now_ms);
        return;
    }
    struct ahoy_dialog *dialog;
    struct ahoy_session *session = ahoy_ua_find_session(ua, event->routing, &dialog);
    if (session != NULL) {
        ahoy_session_request(session, &ua->context, dialog, event, now_ms);
        ahoy_ua_settle(ua, session, now_ms);
    } else if (!is_ack) { /* R3261-12.2.2-1 */
        ahoy_ua_reply(&ua->context, event, 481, SPAN(""), SPAN(""), now_ms);
    }
}

/* What has become of a request of the program's.  Within a session, silence and 481 are its end:
 * 12.2.1.2. */
static void take_reply(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_exchange *exchange = ahoy_exchanges_find(&ua->exchanges, event->transaction);
    if (exchange == NULL)
        return;
    struct ahoy_session *session = ahoy_ua_get_session(ua, exchange->session);
    struct ahoy_dialog *dialog = session != NULL ? &session->dialog : NULL;
    unsigned status =
        ahoy_exchanges_step(&ua->exchanges, exchange, &ua->context, dialog, event, now_ms);
    if (session == NULL || session->state != AHOY_SESSION_CONFIRMED ||
        (status != 481 && status != 408))
        return;
    ahoy_session_bye(session, &ua->context, AHOY_SIDE_NETWORK, SPAN("The peer knows no such call"),
                     now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_step(struct ahoy_ua *ua, const struct ahoy_event *event, uint64_t now_ms)
{
    uint64_t user = ahoy_handle_pack(ahoy_ua_session(event));
    if (event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_ACK) {
        take_request(ua, event, now_ms);
        return;
    }
    if (event->kind == AHOY_EVENT_CANCEL && user <= AHOY_UA_PUBLICATION) {
        ahoy_ua_reply(&ua->context, event, 481, SPAN(""), SPAN(""), now_ms);
        return;
    }
    if (user == AHOY_UA_REGISTRATION) {
        ahoy_registrations_step(&ua->registrations, &ua->context, event, now_ms);
        return;
    }
    if (user == AHOY_UA_SUBSCRIBER) {
        ahoy_subscriber_step(&ua->subscriber, &ua->context, event, now_ms);
        return;
    }
    if (user == AHOY_UA_PUBLICATION) {
        ahoy_publication_step(&ua->publication, &ua->context, event, now_ms);
        return;
    }
    if (user == AHOY_UA_EXCHANGES) {
        take_reply(ua, event, now_ms);
        return;
    }
    if (ahoy_remnants_are_meant(event)) {
        ahoy_remnants_step(&ua->remnants, &ua->context, event, now_ms);
        return;
    }
    struct ahoy_session *session = ahoy_ua_get_session(ua, ahoy_ua_session(event));
    if (session == NULL)
        return;
    ahoy_session_step(session, &ua->context, event, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_expire(struct ahoy_ua *ua, uint64_t now_ms)
{
    ahoy_registrations_expire(&ua->registrations, &ua->context, now_ms);
    ahoy_subscriber_expire(&ua->subscriber, &ua->context, now_ms);
    ahoy_publication_expire(&ua->publication, &ua->context, now_ms);
    ahoy_ua_expire_sessions(ua, now_ms);
}

uint64_t ahoy_ua_deadline(const struct ahoy_ua *ua)
{
    uint64_t deadline = ahoy_subscriber_deadline(&ua->subscriber);
    uint64_t registrations = ahoy_registrations_deadline(&ua->registrations);
    if (registrations < deadline)
        deadline = registrations;
    if (ua->publication.due_ms < deadline)
        deadline = ua->publication.due_ms;
    const struct ahoy_due *due = ahoy_heap_first(&ua->due);
    return due != NULL && due->deadline_ms < deadline ? due->deadline_ms : deadline;
}

bool ahoy_ua_poll(struct ahoy_ua *ua, struct ahoy_ua_news *news)
{
    return ahoy_ua_hear(&ua->context, news);
}

void ahoy_ua_register(struct ahoy_ua *ua, uint32_t expires_s, uint64_t now_ms)
{
    ahoy_registrations_start(&ua->registrations, &ua->context, expires_s, now_ms);
}

void ahoy_ua_unregister(struct ahoy_ua *ua, uint64_t now_ms)
{
    ahoy_registrations_stop(&ua->registrations, &ua->context, now_ms);
}

bool ahoy_ua_flow(const struct ahoy_ua *ua, size_t index, struct ahoy_hop *flow, uint32_t *keep_ms)
{
    const struct ahoy_registration_client *client = &ua->registrations.clients[index];
    *flow = client->flow;
    *keep_ms = client->keep_ms;
    return client->keep_ms > 0;
}

void ahoy_ua_flow_answered(struct ahoy_ua *ua, size_t index)
{
    ahoy_registration_client_answered(&ua->registrations.clients[index]);
}

void ahoy_ua_flow_failed(struct ahoy_ua *ua, size_t index, uint64_t now_ms)
{
    ahoy_registrations_flow_failed(&ua->registrations, &ua->context, index, now_ms);
}

bool ahoy_ua_watch(struct ahoy_ua *ua, const struct ahoy_event_package *package, struct span uri,
                   uint32_t expires_s, uint64_t now_ms)
{
    struct ahoy_uri parsed;
    return ahoy_uri_parse(uri, &parsed, NULL) && parsed.scheme != AHOY_SCHEME_OTHER &&
           parsed.headers.size == 0 &&
           ahoy_subscriber_start(&ua->subscriber, &ua->context, package, uri, expires_s, now_ms);
}

void ahoy_ua_unwatch(struct ahoy_ua *ua, uint64_t now_ms)
{
    ahoy_subscriber_stop(&ua->subscriber, &ua->context, now_ms);
}

struct span ahoy_ua_notice(const struct ahoy_ua *ua)
{
    return (struct span){ ua->context.polled.bytes, ua->context.polled.size };
}

struct ahoy_handle ahoy_ua_ask(struct ahoy_ua *ua, const struct ahoy_ua_question *question,
                               uint64_t now_ms)
{
    const struct ahoy_handle none = { 0, 0 };
    char space[AHOY_URI_LIMIT];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    struct ahoy_uri uri;
    struct ahoy_session *session = ahoy_ua_get_session(ua, question->session);
    if (session != NULL && session->state != AHOY_SESSION_CONFIRMED)
        return none;
    if (session == NULL && (question->session.generation != 0 ||
                            question->method == AHOY_METHOD_INFO || /* R6086-4.2.1-4 */
                            !ahoy_uri_parse(question->uri, &uri, NULL) ||
                            uri.scheme == AHOY_SCHEME_OTHER || uri.headers.size > 0))
        return none;
    if (session == NULL)
        ahoy_uri_print_request(&uri, &text);
    const struct ahoy_exchange_request request = { .method = question->method,
                                                   .uri = ahoy_buf_text(&text),
                                                   .rows = question->rows,
                                                   .type = question->type,
                                                   .body = question->body };
    return ahoy_exchanges_ask(&ua->exchanges, &ua->context,
                              session != NULL ? &session->dialog : NULL, question->session,
                              &request, now_ms);
}

bool ahoy_ua_publish(struct ahoy_ua *ua, const struct ahoy_published *state, uint32_t expires_s,
                     uint64_t now_ms)
{
    return ahoy_publication_start(&ua->publication, &ua->context, state, expires_s, now_ms);
}

void ahoy_ua_unpublish(struct ahoy_ua *ua, uint64_t now_ms)
{
    ahoy_publication_stop(&ua->publication, &ua->context, now_ms);
}

uint32_t ahoy_ua_sessions(const struct ahoy_ua *ua)
{
    return ua->sessions.used + ua->remnants.used;
}

uint32_t ahoy_ua_busy(const struct ahoy_ua *ua)
{
    uint32_t busy = ahoy_registrations_busy(&ua->registrations);
    busy += ahoy_subscriber_is_busy(&ua->subscriber);
    busy += ua->publication.exchange.transaction.generation != 0;
    busy += ua->exchanges.pool.used;
    return busy + ahoy_ua_busy_sessions(ua);
}
