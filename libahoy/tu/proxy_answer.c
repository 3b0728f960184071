/* What the proxy says itself (RFC 3261 16.2, 16.7 step 6, 16.10), as a user agent server: from the
 * request at hand, or later from the 100 that was made of it. */
#include "libahoy/tu/proxy_context.h"

/* A response to the request of |event|, in |proxy|'s room. */
static struct span compose(struct ahoy_proxy *proxy, const struct ahoy_event *event,
                           unsigned status, struct span to_tag, bool tells_load)
{
    struct ahoy_response response = { .status = status,
                                      .to_tag = to_tag,
                                      .received = &event->hop->remote,
                                      .routing = event->routing,
                                      .load = ahoy_proxy_load(proxy, tells_load) };
    struct ahoy_buf buf = ahoy_buf_over(proxy->text, sizeof proxy->text);
    ahoy_compose_response(&buf, event->message, &response);
    return ahoy_buf_text(&buf);
}

void ahoy_proxy_refuse(struct ahoy_proxy *proxy, const struct ahoy_event *event, unsigned status,
                       bool tells_load)
{
    char tag[AHOY_TOKEN_SIZE];
    ahoy_transaction_stateless_tag(proxy->transactions, event->routing, tag);
    struct span text = compose(proxy, event, status, (struct span){ tag, sizeof tag }, tells_load);
    ahoy_transaction_answer(proxy->transactions, event, &text, 1);
}

/* The To tag of all that this context says itself, its answer to a CANCEL included (9.2). */
static void make_tag(const struct ahoy_proxy *proxy, const struct proxy_context *context,
                     char tag[AHOY_TOKEN_SIZE])
{
    struct ahoy_rng rng = proxy->rng;
    rng.counter = context->serial;
    ahoy_rng_token(&rng, tag);
}

bool ahoy_proxy_keep_head(struct ahoy_proxy *proxy, struct proxy_context *context,
                          const struct ahoy_event *event)
{
    context->head =
        ahoy_arena_copy(&context->arena, compose(proxy, event, 100, SPAN(""), context->tells_load));
    return context->head.at != NULL && context->head.size > 0;
}

void ahoy_proxy_send_trying(struct ahoy_proxy *proxy, struct proxy_context *context,
                            uint64_t now_ms)
{
    /* Where it cannot be sent, the peer goes on sending its request, and nothing else is lost. */
    (void)ahoy_transaction_respond(proxy->transactions, context->server, 100, &context->head, 1,
                                   now_ms);
}

bool ahoy_proxy_send_own(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned status,
                         uint64_t now_ms)
{
    /* It was sound enough to be composed, and composing needs no more. */
    (void)ahoy_message_parse(context->head, &proxy->head, NULL);
    char tag[AHOY_TOKEN_SIZE];
    make_tag(proxy, context, tag);
    struct ahoy_response response = { .status = status,
                                      .to_tag = { tag, sizeof tag },
                                      .load = ahoy_proxy_load(proxy, context->tells_load) };
    struct ahoy_buf buf = ahoy_buf_over(proxy->text, sizeof proxy->text);
    ahoy_compose_response(&buf, &proxy->head, &response);
    struct span text = ahoy_buf_text(&buf);
    return ahoy_transaction_respond(proxy->transactions, context->server, status, &text, 1, now_ms);
}

void ahoy_proxy_answer_cancel(struct ahoy_proxy *proxy, const struct proxy_context *context,
                              const struct ahoy_event *event, uint64_t now_ms)
{
    char tag[AHOY_TOKEN_SIZE];
    make_tag(proxy, context, tag);
    bool tells_load = context->tells_load;
    struct span text = compose(proxy, event, 200, (struct span){ tag, sizeof tag }, tells_load);
    struct ahoy_handle cancel = ahoy_transaction_accept(
        proxy->transactions, event, ahoy_proxy_name(context->handle, PROXY_NO_BRANCH), now_ms);
    if (!ahoy_transaction_respond(proxy->transactions, cancel, 200, &text, 1, now_ms))
        ahoy_transaction_answer(proxy->transactions, event, &text, 1);
}
