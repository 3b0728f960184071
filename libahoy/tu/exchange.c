/* One request, sent again where its credentials are asked for, and what became of it. */
#include "libahoy/tu/exchange.h"

#include <stdlib.h>

#include "libahoy/syntax/status.h"

/* The row that the transaction layer adds, at the most: Via with an address of IPv6. */
enum { VIA_ROOM = 160 };

static const struct ahoy_handle nobody = { 0, 0 };

static struct span rows_of(const struct ahoy_exchange *exchange)
{
    return (struct span){ exchange->text, exchange->rows_size };
}

static struct span type_of(const struct ahoy_exchange *exchange)
{
    return (struct span){ exchange->text + exchange->rows_size, exchange->type_size };
}

static struct span body_of(const struct ahoy_exchange *exchange)
{
    return (struct span){ exchange->text + exchange->rows_size + exchange->type_size,
                          exchange->body_size };
}

/* It may have to be sent again.  Returns 0 or the status that refuses. */
static unsigned keep(struct ahoy_exchange *exchange, const struct ahoy_exchange_request *request)
{
    size_t size = request->rows.size + request->type.size + request->body.size;
    if (size > AHOY_EXCHANGE_TEXT_LIMIT)
        return 513;
    exchange->text = malloc(size + 1);
    if (exchange->text == NULL)
        return 500;
    struct ahoy_buf buf = ahoy_buf_over(exchange->text, size);
    ahoy_buf_put(&buf, request->rows);
    ahoy_buf_put(&buf, request->type);
    ahoy_buf_put(&buf, request->body);
    exchange->rows_size = request->rows.size;
    exchange->type_size = request->type.size;
    exchange->body_size = request->body.size;
    return 0;
}

/* R3428-8-1: whether it is a MESSAGE that somebody on its way might lose. */
static bool is_too_long(const struct ahoy_exchange *exchange, const struct ahoy_ua_request *request)
{
    size_t size = request->line.size + request->rows.size + request->type.size + VIA_ROOM +
                  strlen("Content-Type: \r\nContent-Length: 1300\r\n\r\n") + exchange->body_size;
    return exchange->method == AHOY_METHOD_MESSAGE && size > AHOY_PAGER_LIMIT;
}

/* A MESSAGE has no Contact: R3428-4-2.  Nor has any other of them, for none makes a dialog. */
static unsigned send(struct ahoy_exchange *exchange, struct ahoy_ua_context *context,
                     struct ahoy_dialog *dialog, uint64_t now_ms)
{
    struct ahoy_ua_request request;
    bool is_outside = dialog == NULL;
    if (is_outside)
        dialog = &exchange->dialog;
    dialog->local_cseq++;
    ahoy_ua_request_begin(context, dialog, exchange->method, dialog->local_cseq, is_outside,
                          &request);
    if (exchange->method == AHOY_METHOD_OPTIONS)
        ahoy_ua_put_accepted(&request.rows); /* 11.1 */
    ahoy_buf_put(&request.rows, rows_of(exchange));
    ahoy_credentials_put(&exchange->credentials, &request.rows);
    request.type = type_of(exchange);
    if (is_too_long(exchange, &request))
        return 513;
    exchange->transaction =
        ahoy_ua_request_send(&request, body_of(exchange), exchange->user, now_ms);
    return exchange->transaction.generation != 0 ? 0 : 503;
}

unsigned ahoy_exchange_begin(struct ahoy_exchange *exchange, struct ahoy_ua_context *context,
                             struct ahoy_dialog *dialog,
                             const struct ahoy_exchange_request *request, uint64_t now_ms)
{
    exchange->method = request->method;
    exchange->credentials = (struct ahoy_credentials){ .proofs[0].tries = 0 };
    unsigned status = keep(exchange, request);
    if (status == 0 && dialog == NULL &&
        !ahoy_ua_begin_outside(context, request->uri, &exchange->dialog))
        status = 500;
    return status != 0 ? status : send(exchange, context, dialog, now_ms);
}

static unsigned take_response(struct ahoy_exchange *exchange, struct ahoy_ua_context *context,
                              struct ahoy_dialog *dialog, const struct ahoy_message *response,
                              uint64_t now_ms)
{
    bool is_outside = exchange->session.generation == 0;
    if (response->status < 200)
        return 0;
    exchange->transaction = nobody;
    if (dialog == NULL && is_outside)
        dialog = &exchange->dialog;
    if (dialog == NULL || !ahoy_ua_retry(context, &exchange->credentials, dialog, response,
                                         exchange->method, body_of(exchange)))
        return response->status;
    return send(exchange, context, is_outside ? NULL : dialog, now_ms);
}

unsigned ahoy_exchange_step(struct ahoy_exchange *exchange, struct ahoy_ua_context *context,
                            struct ahoy_dialog *dialog, const struct ahoy_event *event,
                            uint64_t now_ms)
{
    if (event->kind == AHOY_EVENT_RESPONSE)
        return take_response(exchange, context, dialog, event->message, now_ms);
    if (event->kind != AHOY_EVENT_TIMEOUT && event->kind != AHOY_EVENT_UNREACHABLE)
        return 0;
    exchange->transaction = nobody;
    return event->kind == AHOY_EVENT_TIMEOUT ? 408 : 503;
}

void ahoy_exchange_fini(struct ahoy_exchange *exchange)
{
    ahoy_dialog_fini(&exchange->dialog);
    free(exchange->text);
    exchange->text = NULL;
}

void ahoy_exchanges_init(struct ahoy_exchanges *exchanges)
{
    ahoy_pool_init(&exchanges->pool, sizeof(struct ahoy_exchange), AHOY_EXCHANGES_LIMIT);
}

static void forget(struct ahoy_exchanges *exchanges, struct ahoy_exchange *exchange)
{
    ahoy_exchange_fini(exchange);
    ahoy_pool_remove(&exchanges->pool, exchange->self);
}

void ahoy_exchanges_fini(struct ahoy_exchanges *exchanges)
{
    struct ahoy_handle handle;
    struct ahoy_exchange *exchange = ahoy_pool_next(&exchanges->pool, 0, &handle);
    for (; exchange != NULL; exchange = ahoy_pool_next(&exchanges->pool, handle.slot + 1, &handle))
        forget(exchanges, exchange);
    ahoy_pool_fini(&exchanges->pool);
}

/* Whether a MESSAGE to the same place is unanswered. */
static bool is_waiting(const struct ahoy_exchanges *exchanges, struct ahoy_handle session,
                       struct span uri)
{
    struct ahoy_handle handle;
    const struct ahoy_exchange *one = ahoy_pool_next(&exchanges->pool, 0, &handle);
    for (; one != NULL; one = ahoy_pool_next(&exchanges->pool, handle.slot + 1, &handle)) {
        if (one->method == AHOY_METHOD_MESSAGE && ahoy_handle_equal(one->session, session) &&
            (session.generation != 0 || ahoy_span_equal(one->dialog.remote_uri, uri)))
            return true;
    }
    return false;
}

/* Tells how it ended, with the response, if one came; and forgets it. */
static void end(struct ahoy_exchanges *exchanges, struct ahoy_exchange *exchange,
                struct ahoy_ua_context *context, unsigned status,
                const struct ahoy_message *response)
{
    const struct ahoy_ua_news news = { .kind = AHOY_NEWS_REPLY,
                                       .exchange = exchange->self,
                                       .session = exchange->session,
                                       .status = status };
    struct span reason = response != NULL ? response->reason : ahoy_status_reason(status);
    if (response == NULL && status == 503)
        reason = SPAN("The server cannot be reached");
    else if (response == NULL && status == 408)
        reason = SPAN("No answer");
    struct span bytes = response != NULL ? response->bytes : SPAN("");
    if (!ahoy_ua_tell_all(context, &news, reason, bytes))
        ahoy_ua_tell(context, &news, reason);
    forget(exchanges, exchange);
}

struct ahoy_handle ahoy_exchanges_ask(struct ahoy_exchanges *exchanges,
                                      struct ahoy_ua_context *context, struct ahoy_dialog *dialog,
                                      struct ahoy_handle session,
                                      const struct ahoy_exchange_request *request, uint64_t now_ms)
{
    struct ahoy_handle self;
    if (request->method == AHOY_METHOD_MESSAGE && is_waiting(exchanges, session, request->uri))
        return nobody;
    struct ahoy_exchange *exchange = ahoy_pool_add(&exchanges->pool, &self);
    if (exchange == NULL)
        return nobody;
    exchange->self = self;
    exchange->session = session;
    exchange->user = AHOY_UA_EXCHANGES;
    unsigned status = ahoy_exchange_begin(exchange, context, dialog, request, now_ms);
    if (status != 0)
        end(exchanges, exchange, context, status, NULL);
    return self;
}

struct ahoy_exchange *ahoy_exchanges_find(const struct ahoy_exchanges *exchanges,
                                          struct ahoy_handle transaction)
{
    struct ahoy_handle handle;
    struct ahoy_exchange *one = ahoy_pool_next(&exchanges->pool, 0, &handle);
    while (one != NULL && !ahoy_handle_equal(one->transaction, transaction))
        one = ahoy_pool_next(&exchanges->pool, handle.slot + 1, &handle);
    return one;
}

unsigned ahoy_exchanges_step(struct ahoy_exchanges *exchanges, struct ahoy_exchange *exchange,
                             struct ahoy_ua_context *context, struct ahoy_dialog *dialog,
                             const struct ahoy_event *event, uint64_t now_ms)
{
    unsigned status = ahoy_exchange_step(exchange, context, dialog, event, now_ms);
    if (status != 0)
        end(exchanges, exchange, context, status,
            event->kind == AHOY_EVENT_RESPONSE && event->message->status == status ? event->message
                                                                                   : NULL);
    return status;
}
