/* Each PUBLISH is one of four, as table 1 of RFC 3903 has them:
 *
 *              body   SIP-If-Match   Expires
 *     initial  yes    no             above 0
 *     refresh  no     yes            above 0
 *     modify   yes    yes            above 0
 *     remove   no     yes            0 */
#include "libahoy/tu/publication.h"

#include <stdlib.h>

#include "libahoy/syntax/status.h"

void ahoy_publication_init(struct ahoy_publication *publication)
{
    publication->due_ms = UINT64_MAX;
    publication->exchange.user = AHOY_UA_PUBLICATION;
}

void ahoy_publication_fini(struct ahoy_publication *publication)
{
    ahoy_exchange_fini(&publication->exchange);
    free(publication->document);
    publication->document = NULL;
}

static bool is_under_way(const struct ahoy_publication *publication)
{
    return publication->exchange.transaction.generation != 0;
}

static void end(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                unsigned status, struct span reason)
{
    ahoy_publication_fini(publication);
    publication->state = AHOY_PUBLICATION_NONE;
    publication->due_ms = UINT64_MAX;
    publication->etag_size = 0;
    ahoy_ua_tell(context,
                 &(struct ahoy_ua_news){ .kind = AHOY_NEWS_PUBLISH_ENDED, .status = status },
                 reason.size > 0 ? reason : ahoy_status_reason(status));
}

/* A failure of ours or of the server's: what has been published may still be there, and is
 * refreshed later. */
static void fail(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                 unsigned status, struct span reason, uint64_t now_ms)
{
    bool may_pass = status == 408 || status >= 500;
    if (may_pass && publication->state == AHOY_PUBLICATION_HELD && publication->etag_size > 0)
        publication->due_ms = now_ms + AHOY_PUBLICATION_AGAIN_MS;
    else
        end(publication, context, status, reason);
}

static void put_row(struct ahoy_buf *buf, struct span name, struct span value)
{
    ahoy_buf_put(buf, name);
    ahoy_buf_put(buf, value);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

static void send(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                 uint64_t now_ms)
{
    char space[512];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    bool leaving = publication->state == AHOY_PUBLICATION_LEAVING;
    /* R3903-4.1-1 */
    put_row(&rows, SPAN("Event: "), (struct span){ publication->event, publication->event_size });
    if (publication->etag_size > 0) /* R3903-4.1-2, R3903-4.2-1, R3903-4.3-1 */
        put_row(&rows, SPAN("SIP-If-Match: "),
                (struct span){ publication->etag, publication->etag_size });
    ahoy_buf_put(&rows, SPAN("Expires: "));
    ahoy_buf_put_number(&rows, leaving ? 0 : publication->asked_s); /* R3903-4.5-1 */
    ahoy_buf_put(&rows, SPAN("\r\n"));
    /* R3903-4.2-2, R3903-4.3-3, R3903-4.4-2, R3903-4.5-2 */
    bool has_body = !leaving && (publication->is_new || publication->etag_size == 0);
    struct ahoy_exchange_request request = { .method = AHOY_METHOD_PUBLISH,
                                             .uri = context->account.uri,
                                             .rows = ahoy_buf_text(&rows) };
    if (has_body) {
        request.type = (struct span){ publication->type, publication->type_size };
        request.body = (struct span){ publication->document, publication->document_size };
    }
    publication->is_sent = has_body;
    publication->is_removal = leaving;
    if (has_body)
        publication->is_new = false;
    publication->due_ms = UINT64_MAX;
    ahoy_exchange_fini(&publication->exchange);
    unsigned status = ahoy_exchange_begin(&publication->exchange, context, NULL, &request, now_ms);
    if (status != 0)
        fail(publication, context, status, SPAN("The request could not be sent"), now_ms);
}

static void begin(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                  uint64_t now_ms)
{
    publication->raised = false;
    send(publication, context, now_ms);
}

static bool keep_document(struct ahoy_publication *publication, struct span document)
{
    char *copy = malloc(document.size);
    if (copy == NULL)
        return false;
    memcpy(copy, document.at, document.size);
    free(publication->document);
    publication->document = copy;
    publication->document_size = document.size;
    return true;
}

bool ahoy_publication_start(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                            const struct ahoy_published *state, uint32_t expires_s, uint64_t now_ms)
{
    const struct span event = { publication->event, publication->event_size };
    bool is_other =
        publication->state != AHOY_PUBLICATION_NONE && !ahoy_span_equal(state->event, event);
    if (is_other || state->document.size == 0 || state->document.size > AHOY_UA_BODY_LIMIT / 2 ||
        state->event.size > sizeof publication->event ||
        state->type.size > sizeof publication->type || expires_s == 0 ||
        !keep_document(publication, state->document))
        return false;
    memcpy(publication->event, state->event.at, state->event.size);
    publication->event_size = state->event.size;
    memcpy(publication->type, state->type.at, state->type.size);
    publication->type_size = state->type.size;
    publication->asked_s = expires_s;
    publication->is_new = true;
    publication->state = AHOY_PUBLICATION_HELD;
    if (!is_under_way(publication)) /* R3903-4-3 */
        begin(publication, context, now_ms);
    return true;
}

void ahoy_publication_stop(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                           uint64_t now_ms)
{
    if (publication->state != AHOY_PUBLICATION_HELD)
        return;
    publication->state = AHOY_PUBLICATION_LEAVING;
    if (!is_under_way(publication))
        begin(publication, context, now_ms);
}

/* The entity-tag that stands for it from now on: R3903-4.3-2, R3903-4.4-3.  False where there is
 * none that can be kept. */
static bool keep_etag(struct ahoy_publication *publication, const struct ahoy_message *response)
{
    struct span etag = ahoy_message_value(response, AHOY_HEADER_SIP_ETAG);
    if (etag.size == 0 || etag.size > sizeof publication->etag)
        return false;
    memcpy(publication->etag, etag.at, etag.size);
    publication->etag_size = etag.size;
    return true;
}

/* A fifth of the time is left for the refresh. */
static void succeed(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                    const struct ahoy_message *response, uint64_t now_ms)
{
    uint64_t seconds = publication->asked_s;
    struct span text = ahoy_message_value(response, AHOY_HEADER_EXPIRES);
    (void)ahoy_span_number(text, AHOY_PUBLICATION_LIMIT_S, &seconds); /* Else as asked. */
    publication->began_anew = false;
    if (!keep_etag(publication, response)) {
        end(publication, context, 502, SPAN("The answer has no entity-tag"));
        return;
    }
    publication->due_ms = now_ms + (seconds > 1 ? seconds * 800 : 1000);
    ahoy_ua_tell(
        context,
        &(struct ahoy_ua_news){ .kind = AHOY_NEWS_PUBLISHED, .expires_s = (uint32_t)seconds },
        SPAN(""));
    if (publication->is_new)
        begin(publication, context, now_ms);
}

/* 423: the server wants longer intervals.  Obeyed once. */
static bool raise_interval(struct ahoy_publication *publication,
                           const struct ahoy_message *response)
{
    uint64_t seconds;
    struct span text = ahoy_message_value(response, AHOY_HEADER_MIN_EXPIRES);
    if (response->status != 423 || publication->raised ||
        !ahoy_span_number(text, AHOY_PUBLICATION_LIMIT_S, &seconds) ||
        seconds <= publication->asked_s)
        return false;
    publication->raised = true;
    publication->asked_s = (uint32_t)seconds;
    return true;
}

/* 412: what we have published is there no more.  Its tag is good for nothing, R3903-5-2, and the
 * request is not sent again, R3903-5-1; the document is handed in anew, but not for ever. */
static bool begin_anew(struct ahoy_publication *publication, unsigned status)
{
    if (status != 412)
        return false;
    publication->etag_size = 0;
    if (publication->began_anew)
        return false;
    publication->began_anew = true;
    return true;
}

/* It is to be taken back: at once, or it just has been, or nothing is there. */
static void leave(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                  unsigned status, const struct ahoy_message *response, uint64_t now_ms)
{
    bool is_taken = status < 300 && !publication->is_removal && keep_etag(publication, response);
    bool is_there = !publication->is_removal && publication->etag_size > 0 && status != 412;
    if (is_taken || is_there)
        begin(publication, context, now_ms);
    else
        end(publication, context, status < 300 || status == 412 ? 200 : status, SPAN(""));
}

static void refused(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                    unsigned status, const struct ahoy_message *response, uint64_t now_ms)
{
    publication->is_new |= publication->is_sent; /* It has not been taken. */
    if (response != NULL && raise_interval(publication, response))
        send(publication, context, now_ms);
    else if (begin_anew(publication, status))
        begin(publication, context, now_ms);
    else
        fail(publication, context, status, response != NULL ? response->reason : SPAN(""), now_ms);
}

void ahoy_publication_step(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                           const struct ahoy_event *event, uint64_t now_ms)
{
    if (!ahoy_handle_equal(event->transaction, publication->exchange.transaction))
        return;
    unsigned status = ahoy_exchange_step(&publication->exchange, context, NULL, event, now_ms);
    const struct ahoy_message *response =
        event->kind == AHOY_EVENT_RESPONSE ? event->message : NULL;
    if (status == 0)
        return;
    if (publication->state == AHOY_PUBLICATION_LEAVING)
        leave(publication, context, status, response, now_ms);
    else if (status < 300)
        succeed(publication, context, response, now_ms);
    else
        refused(publication, context, status, response, now_ms);
}

void ahoy_publication_expire(struct ahoy_publication *publication, struct ahoy_ua_context *context,
                             uint64_t now_ms)
{
    if (now_ms >= publication->due_ms && !is_under_way(publication))
        begin(publication, context, now_ms);
}
