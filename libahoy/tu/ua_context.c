/* Composing what a user agent says: RFC 3261 8.1.1, 8.2.6, and telling its program. */
#include "libahoy/tu/ua_context.h"

#include <assert.h>
#include <stdlib.h>

#include "libahoy/syntax/compose.h"
#include "libahoy/syntax/params.h"

/* Where it leads by itself; false where that cannot be told. */
static bool locate(const struct ahoy_ua_context *context, const struct ahoy_dialog *dialog,
                   struct ahoy_hop *hop)
{
    struct ahoy_uri uri;
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    bool is_read = ahoy_dialog_next_hop(dialog, &uri);
    if (ahoy_dialog_is_sips(dialog))
        uri.scheme = AHOY_SCHEME_SIPS; /* R3261-8.1.2-3 */
    if (!is_read || !context->locate(&uri, &transport, &ip, NULL))
        return false;
    *hop = (struct ahoy_hop){ .transport = (uint8_t)transport,
                              .listener = AHOY_ANY_LISTENER,
                              .remote = ip };
    return true;
}

/* What is located by: the first route, else the target; and whether the target is a sips URI. */
static struct span way_of(const struct ahoy_dialog *dialog, bool *is_sips)
{
    struct span target = ahoy_dialog_target(dialog);
    *is_sips = ahoy_span_starts_nocase(target, SPAN("sips:"));
    return dialog->route_count > 0 ? dialog->routes[0] : target;
}

/* Most requests go where the one before went. */
struct ahoy_hop ahoy_ua_next_hop(struct ahoy_ua_context *context, const struct ahoy_dialog *dialog)
{
    struct ahoy_ua_located *last = &context->located;
    struct ahoy_hop hop;
    bool is_sips, is_route = dialog->route_count > 0;
    struct span way = way_of(dialog, &is_sips);
    if (last->size > 0 && last->is_route == is_route && last->is_sips == is_sips &&
        ahoy_span_equal(way, (struct span){ last->way, last->size }))
        return last->hop;
    if (!locate(context, dialog, &hop))
        return context->server; /* It can look up what we cannot. */
    if (way.size <= sizeof last->way) {
        memcpy(last->way, way.at, way.size);
        last->size = way.size;
        last->is_route = is_route;
        last->is_sips = is_sips;
        last->hop = hop;
    }
    return hop;
}

bool ahoy_ua_begin_outside(struct ahoy_ua_context *context, struct span uri,
                           struct ahoy_dialog *dialog)
{
    char call_id[AHOY_TOKEN_SIZE], tag[AHOY_TOKEN_SIZE];
    ahoy_rng_token(&context->rng, call_id);
    ahoy_rng_token(&context->rng, tag);
    const struct ahoy_dialog_seed seed = { .call_id = { call_id, sizeof call_id },
                                           .local_tag = { tag, sizeof tag },
                                           .local_uri = context->account.uri,
                                           .remote_uri = uri,
                                           .target = uri,
                                           .route = context->route,
                                           .service_route = ahoy_granted_route(&context->granted) };
    return ahoy_dialog_begin(dialog, &seed);
}

void ahoy_ua_request_aim(struct ahoy_ua_request *request, const struct ahoy_dialog *dialog,
                         const struct ahoy_hop *hop)
{
    static const struct ahoy_hop nowhere = { .transport = AHOY_TRANSPORT_OTHER,
                                             .listener = AHOY_ANY_LISTENER };
    bool leaves = !ahoy_dialog_is_sips(dialog) || /* R3261-8.1.2-4 */
                  ahoy_transport_is_secure((enum ahoy_transport)hop->transport);
    request->hop = leaves ? *hop : nowhere;
}

void ahoy_ua_request_begin(struct ahoy_ua_context *context, const struct ahoy_dialog *dialog,
                           enum ahoy_method method, uint32_t cseq, bool outside,
                           struct ahoy_ua_request *request)
{
    request->context = context;
    request->method = method;
    request->call = ahoy_span_mark(dialog->call_id);
    request->type = SPAN("application/sdp");
    const struct ahoy_hop hop = outside ? context->server : ahoy_ua_next_hop(context, dialog);
    ahoy_ua_request_aim(request, dialog, &hop);
    request->line = ahoy_buf_over(context->line, sizeof context->line);
    request->rows = ahoy_buf_over(context->rows, sizeof context->rows);
    ahoy_dialog_print(dialog, method, cseq, &request->line, &request->rows);
    ahoy_buf_put(&request->rows, SPAN("User-Agent: ahoy\r\n"));
    if (method != AHOY_METHOD_ACK)
        ahoy_ua_put_supported(context, method, &request->rows); /* R4028-7.1-1 */
}

static void put_address(const struct ahoy_ua_context *context, const struct ahoy_hop *hop,
                        bool is_sips, struct ahoy_buf *buf)
{
    const struct ahoy_listener *listener = ahoy_transaction_listener(context->transactions, hop);
    /* R3261-8.1.1.8-3; and no sips URI where none is asked for: R5630-5.1.1.2-1. */
    ahoy_buf_put(buf, is_sips ? SPAN("Contact: <sips:") : SPAN("Contact: <sip:"));
    ahoy_buf_put(buf, context->account.user);
    ahoy_buf_put_byte(buf, '@');
    /* Without a listener nothing is sent either. */
    if (listener != NULL)
        ahoy_buf_put(buf, listener->sent_by);
    /* DEPARTS: R5630-5.1.1-7 wants no transport=tls; but nothing else leads by TLS to a sip URI,
     * and sips would promise more than is meant (docs/decisions/0057). */
    if (listener != NULL && listener->transport != AHOY_UDP && !is_sips) {
        ahoy_buf_put(buf, SPAN(";transport="));
        ahoy_buf_put(buf, ahoy_transport_uri_name(listener->transport));
    }
    ahoy_buf_put_byte(buf, '>');
}

void ahoy_ua_put_binding(const struct ahoy_ua_context *context, const struct ahoy_hop *hop,
                         unsigned reg_id, struct ahoy_buf *buf)
{
    /* R5630-5.1.1.1-1, R5630-A-2 */
    bool is_sips = ahoy_span_starts_nocase(context->account.uri, SPAN("sips:"));
    put_address(context, hop, is_sips, buf);
    if (context->account.instance.size > 0) { /* R5627-4.1-3, R5626-4.2.1-4, -5 */
        ahoy_buf_put(buf, SPAN(";reg-id="));
        ahoy_buf_put_number(buf, reg_id);
        ahoy_buf_put(buf, SPAN(";+sip.instance=\"<"));
        ahoy_buf_put(buf, context->account.instance);
        ahoy_buf_put(buf, SPAN(">\""));
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

void ahoy_ua_put_contact(const struct ahoy_ua_context *context, const struct ahoy_hop *hop,
                         bool is_sips, struct ahoy_buf *buf)
{
    struct span gruu = ahoy_granted_gruu(&context->granted);
    if (gruu.size > 0 && !is_sips) { /* R5627-4.4-1 */
        ahoy_buf_put(buf, SPAN("Contact: <"));
        ahoy_buf_put(buf, gruu);
        ahoy_buf_put_byte(buf, '>');
    } else {
        put_address(context, hop, is_sips, buf);
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static bool is_sips_value(const struct ahoy_message *message, enum ahoy_header header, bool *found)
{
    struct ahoy_values values = ahoy_message_values(message, header);
    struct span text;
    struct ahoy_address address;
    *found = ahoy_values_next(&values, &text, NULL);
    return *found && ahoy_address_parse(text, &address, NULL) &&
           address.uri.scheme == AHOY_SCHEME_SIPS;
}

bool ahoy_ua_asks_for_sips(const struct ahoy_message *request)
{
    bool found;
    if (ahoy_span_starts_nocase(request->request_uri, SPAN("sips:")) ||
        is_sips_value(request, AHOY_HEADER_RECORD_ROUTE, &found))
        return true;
    return !found && is_sips_value(request, AHOY_HEADER_CONTACT, &found);
}

/* Each method that is served written once; INVITE begins the list. */
/* clang-format off */
#define SERVED(METHOD) METHOD(INVITE) SERVED_BESIDES(METHOD)
#define SERVED_BESIDES(METHOD)                                                                     \
    METHOD(ACK) METHOD(CANCEL) METHOD(BYE) METHOD(OPTIONS) METHOD(PRACK) METHOD(UPDATE)            \
    METHOD(NOTIFY) METHOD(REFER) METHOD(SUBSCRIBE) METHOD(MESSAGE) METHOD(INFO)
/* clang-format on */

bool ahoy_ua_serves(enum ahoy_method method)
{
#define BIT(name) | 1U << AHOY_METHOD_##name
    static_assert(AHOY_METHOD_COUNT <= 32, "a method is a bit");
    return ((0U SERVED(BIT)) >> method & 1) != 0;
#undef BIT
}

void ahoy_ua_put_allow(struct ahoy_buf *buf)
{
#define NAME(name) ", " #name
    ahoy_buf_put(buf, SPAN("Allow: INVITE" SERVED_BESIDES(NAME) "\r\n"));
#undef NAME
}

void ahoy_ua_put_accepted(struct ahoy_buf *buf)
{
    ahoy_ua_put_allow(buf);
    ahoy_buf_put(buf, SPAN("Accept: application/sdp, text/plain\r\n"));
}

void ahoy_ua_put_abilities(const struct ahoy_ua_context *context, struct ahoy_buf *buf)
{
    ahoy_ua_put_accepted(buf);
    ahoy_ua_put_supported(context, AHOY_METHOD_OTHER, buf);
}

void ahoy_ua_put_supported(const struct ahoy_ua_context *context, enum ahoy_method method,
                           struct ahoy_buf *buf)
{
#define OPTIONS "Supported: " AHOY_UA_OPTIONS /* R3262-4-2 */
    if (context->account.instance.size == 0)
        ahoy_buf_put(buf, SPAN(OPTIONS "\r\n"));
    else if (method != AHOY_METHOD_REGISTER) /* R5627-4.1-1, R5627-4.1-2, R5626-4.2.1-3 */
        ahoy_buf_put(buf, SPAN(OPTIONS ", gruu, outbound\r\n"));
    else
        ahoy_buf_put(buf, SPAN(OPTIONS ", gruu, outbound, path\r\n")); /* R5626-4.2.1-7 */
#undef OPTIONS
}

bool ahoy_ua_lists(const struct ahoy_message *message, enum ahoy_header header, struct span word)
{
    if (ahoy_message_first(message, header) == NULL)
        return false;
    struct ahoy_values values = ahoy_message_values(message, header);
    struct span value;
    while (ahoy_values_next(&values, &value, NULL)) {
        if (ahoy_span_equal_nocase(value, word))
            return true;
    }
    return false;
}

/* S/MIME that somebody encrypted, for a key that cannot be ours, as we have none (23.2). */
static bool is_encrypted(struct span type, struct span params)
{
    struct ahoy_param kind;
    return ahoy_span_equal_nocase(type, SPAN("application/pkcs7-mime")) &&
           !(ahoy_params_find(params, SPAN("smime-type"), &kind) &&
             ahoy_span_equal_nocase(ahoy_unquote(kind.value), SPAN("signed-data")));
}

unsigned ahoy_ua_refuses_type(const struct ahoy_message *message, struct span wanted,
                              struct ahoy_buf *rows)
{
    if (message->body.size == 0)
        return 0;
    if (ahoy_message_first(message, AHOY_HEADER_CONTENT_ENCODING) != NULL) {
        ahoy_buf_put(rows, SPAN("Accept-Encoding: identity\r\n")); /* R3261-8.2.3-3 */
        return 415;
    }
    struct span value = ahoy_message_value(message, AHOY_HEADER_CONTENT_TYPE);
    size_t end = ahoy_span_find(value, ';');
    struct span type = ahoy_span_trim((struct span){ value.at, end });
    if (ahoy_span_equal_nocase(type, wanted))
        return 0;
    if (is_encrypted(type, ahoy_span_after(value, end)))
        return 493;                       /* R3261-23.2-5 */
    ahoy_buf_put(rows, SPAN("Accept: ")); /* R3261-8.2.3-2 */
    ahoy_buf_put(rows, wanted);
    ahoy_buf_put(rows, SPAN("\r\n"));
    return 415;
}

unsigned ahoy_ua_refuses_body(const struct ahoy_message *message, struct ahoy_buf *rows)
{
    return ahoy_ua_refuses_type(message, SPAN("application/sdp"), rows);
}

bool ahoy_ua_has_description(const struct ahoy_message *message)
{
    char space[64];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    return ahoy_ua_refuses_body(message, &rows) == 0;
}

bool ahoy_ua_read_description(struct ahoy_ua_context *context, const struct ahoy_message *message)
{
    return ahoy_ua_has_description(message) && ahoy_sdp_parse(message->body, &context->sdp, NULL);
}

/* Returns how much of it stands behind "Content-Length: ". */
static size_t put_end(struct ahoy_buf *buf, struct span type, struct span body)
{
    if (body.size > 0) {
        ahoy_buf_put(buf, SPAN("Content-Type: "));
        ahoy_buf_put(buf, type);
    }
    ahoy_buf_put(buf, body.size > 0 ? SPAN("\r\nContent-Length: ") : SPAN("Content-Length: "));
    size_t before = buf->size;
    ahoy_buf_put_number(buf, body.size);
    ahoy_buf_put(buf, SPAN("\r\n\r\n"));
    ahoy_buf_put(buf, body);
    return buf->size - before;
}

static uint64_t numbered(const struct ahoy_ua_context *context, uint64_t user)
{
    return user | (uint64_t)context->number << AHOY_UA_NUMBER_SHIFT;
}

static struct ahoy_outgoing outgoing(struct ahoy_ua_request *request, struct span body,
                                     struct span *rows, uint64_t user)
{
    size_t behind = put_end(&request->rows, request->type, body);
    *rows = ahoy_buf_text(&request->rows);
    return (struct ahoy_outgoing){ .method = request->method,
                                   .request_line = ahoy_buf_text(&request->line),
                                   .pieces = rows,
                                   .count = 1,
                                   .hop = request->hop,
                                   .call = request->call,
                                   .behind = (uint32_t)behind,
                                   .user = numbered(request->context, user) };
}

struct ahoy_handle ahoy_ua_request_send(struct ahoy_ua_request *request, struct span body,
                                        uint64_t user, uint64_t now_ms)
{
    struct span rows;
    struct ahoy_outgoing out = outgoing(request, body, &rows, user);
    if (rows.size == 0 || out.request_line.size == 0)
        return (struct ahoy_handle){ 0, 0 };
    return ahoy_transaction_request(request->context->transactions, &out, now_ms);
}

bool ahoy_ua_request_send_ack(struct ahoy_ua_request *request, struct span body, struct span seed,
                              uint64_t now_ms)
{
    struct span rows;
    struct ahoy_outgoing out = outgoing(request, body, &rows, 0);
    (void)now_ms; /* Nothing of an ACK is timed. */
    return rows.size > 0 && out.request_line.size > 0 &&
           ahoy_transaction_send(request->context->transactions, &out, seed);
}

void ahoy_ua_assign(struct ahoy_ua_context *context, struct ahoy_handle transaction, uint64_t user)
{
    ahoy_transaction_assign(context->transactions, transaction, numbered(context, user));
}

void ahoy_ua_disown(struct ahoy_ua_context *context, struct ahoy_handle transaction)
{
    ahoy_ua_assign(context, transaction, AHOY_UA_NOBODY);
}

struct ahoy_handle ahoy_ua_accept(struct ahoy_ua_context *context, const struct ahoy_event *event,
                                  uint64_t user, uint64_t now_ms)
{
    return ahoy_transaction_accept(context->transactions, event, numbered(context, user), now_ms);
}

static struct span compose_reply(struct ahoy_ua_context *context, const struct ahoy_event *event,
                                 unsigned status, struct span tag, struct span rows,
                                 struct span body)
{
    struct ahoy_response response = { .status = status,
                                      .to_tag = tag,
                                      .headers = rows,
                                      .body = body,
                                      .received = &event->hop->remote };
    struct ahoy_buf buf = ahoy_buf_over(context->response, sizeof context->response);
    ahoy_compose_response(&buf, event->message, &response);
    return ahoy_buf_text(&buf);
}

void ahoy_ua_refuse(struct ahoy_ua_context *context, const struct ahoy_event *event,
                    unsigned status, struct span rows)
{
    char tag[AHOY_TOKEN_SIZE];
    ahoy_transaction_stateless_tag(context->transactions, event->routing, tag);
    struct span text =
        compose_reply(context, event, status, (struct span){ tag, sizeof tag }, rows, SPAN(""));
    if (text.size > 0)
        ahoy_transaction_answer(context->transactions, event, &text, 1);
}

static void reply(struct ahoy_ua_context *context, const struct ahoy_event *event, unsigned status,
                  struct span tag, struct span rows, struct span body, uint64_t now_ms)
{
    char token[AHOY_TOKEN_SIZE];
    if (tag.size == 0) {
        ahoy_transaction_stateless_tag(context->transactions, event->routing, token);
        tag = (struct span){ token, sizeof token };
    }
    struct span text = compose_reply(context, event, status, tag, rows, body);
    if (text.size == 0)
        return;
    struct ahoy_handle handle = { 0, 0 };
    /* Nothing would end the transaction of an INVITE whose response found no memory. */
    if (event->message->method != AHOY_METHOD_INVITE)
        handle = ahoy_ua_accept(context, event, AHOY_UA_NOBODY, now_ms);
    if (!ahoy_transaction_respond(context->transactions, handle, status, &text, 1, now_ms))
        ahoy_transaction_answer(context->transactions, event, &text, 1);
}

void ahoy_ua_reply(struct ahoy_ua_context *context, const struct ahoy_event *event, unsigned status,
                   struct span tag, struct span rows, uint64_t now_ms)
{
    reply(context, event, status, tag, rows, SPAN(""), now_ms);
}

void ahoy_ua_reply_described(struct ahoy_ua_context *context, const struct ahoy_event *event,
                             struct ahoy_buf *rows, struct span body, uint64_t now_ms)
{
    if (body.size > 0)
        ahoy_buf_put(rows, SPAN("Content-Type: application/sdp\r\n"));
    if (!rows->overflow)
        reply(context, event, 200, SPAN(""), ahoy_buf_text(rows), body, now_ms);
}

/* Whether whoever answers a request by 401 can be nobody but a server of ours. */
static bool is_for_our_server(const struct ahoy_ua_context *context,
                              const struct ahoy_dialog *dialog, enum ahoy_method method)
{
    return method == AHOY_METHOD_REGISTER ||
           ((method == AHOY_METHOD_SUBSCRIBE || method == AHOY_METHOD_PUBLISH) &&
            ahoy_span_equal(dialog->remote_uri, context->account.uri));
}

bool ahoy_ua_retry(struct ahoy_ua_context *context, struct ahoy_credentials *credentials,
                   const struct ahoy_dialog *dialog, const struct ahoy_message *response,
                   enum ahoy_method method, struct span body)
{
    const struct ahoy_digested request = { .method = ahoy_method_name(method), .body = body };
    if (response->status != 407 &&
        (response->status != 401 || !is_for_our_server(context, dialog, method)))
        return false;
    return ahoy_credentials_answer(credentials, &context->account, response, &request,
                                   ahoy_dialog_request_uri(dialog), &context->rng);
}

void ahoy_ua_tell(struct ahoy_ua_context *context, const struct ahoy_ua_news *news,
                  struct span text)
{
    /* The program polls after every step, and no step has so much to tell. */
    (void)ahoy_ua_tell_all(context, news, text, SPAN(""));
}

bool ahoy_ua_tell_all(struct ahoy_ua_context *context, const struct ahoy_ua_news *news,
                      struct span text, struct span notice)
{
    char *kept = NULL;
    if (context->news_count == AHOY_NEWS_LIMIT)
        return false;
    if (notice.size > 0) {
        kept = malloc(notice.size);
        if (kept == NULL)
            return false;
        memcpy(kept, notice.at, notice.size);
    }
    if (context->news_count == 0)
        context->news_first = 0; /* The place that was written last: the cache has it still. */
    struct ahoy_ua_entry *entry =
        &context->news[(context->news_first + context->news_count++) % AHOY_NEWS_LIMIT];
    entry->notice = (struct ahoy_ua_notice){ kept, notice.size };
    entry->news = *news;
    entry->news.text_size = text.size < sizeof news->text ? text.size : sizeof news->text;
    if (entry->news.text_size > 0)
        memcpy(entry->news.text, text.at, entry->news.text_size);
    return true;
}

bool ahoy_ua_hear(struct ahoy_ua_context *context, struct ahoy_ua_news *news)
{
    if (context->news_count == 0)
        return false;
    const struct ahoy_ua_entry *entry = &context->news[context->news_first];
    free(context->polled.bytes);
    context->polled = entry->notice;
    *news = entry->news;
    context->news_first = (context->news_first + 1) % AHOY_NEWS_LIMIT;
    context->news_count--;
    return true;
}

void ahoy_ua_hush(struct ahoy_ua_context *context)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_hear(context, &news)) {
    }
    free(context->polled.bytes);
    context->polled = (struct ahoy_ua_notice){ NULL, 0 };
}
