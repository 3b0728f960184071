/* What bounds forking (RFC 5393): a request that is forked is known again when it comes round
 * (4.2), and Max-Breadth says how many branches it may have at a time, here and further down
 * (5.3). */
#include "libahoy/tu/proxy_context.h"

bool ahoy_proxy_read_breadth(const struct ahoy_message *message, uint8_t *breadth)
{
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_MAX_BREADTH);
    uint64_t number = AHOY_MAX_BREADTH_LIMIT; /* R5393-5.3.3-1 */
    bool is_sound = field == NULL || field->value.size > 0;
    for (size_t i = 0; field != NULL && i < field->value.size; i++)
        is_sound &= field->value.at[i] >= '0' && field->value.at[i] <= '9';
    /* A number above the limit is as the limit: R5393-5.3.3-2, R5393-5.3.3-3. */
    if (field != NULL && !ahoy_span_number(field->value, AHOY_MAX_BREADTH_LIMIT, &number))
        number = AHOY_MAX_BREADTH_LIMIT;
    *breadth = (uint8_t)number;
    return is_sound;
}

/* Those that have a final response do not count any more (5.3.3.1). */
unsigned ahoy_proxy_free_breadth(struct proxy_context *context)
{
    unsigned out = 0;
    for (const struct proxy_branch *branch = &context->first; branch != NULL; branch = branch->next)
        out += branch->done ? 0 : branch->breadth;
    return context->breadth - out;
}

/* One is held back for each that waits, so that it can begin beside a branch whose CANCEL is not
 * answered. */
static unsigned held_back(const struct proxy_context *context)
{
    unsigned count = 0;
    if (context->search == NULL)
        return 0;
    for (const struct proxy_candidate *candidate = context->search->waiting; candidate != NULL;
         candidate = candidate->next)
        count++;
    return count;
}

void ahoy_proxy_share_breadth(struct proxy_context *context, unsigned from)
{
    unsigned rest = ahoy_proxy_free_breadth(context);
    unsigned spare = rest - (context->count - from);
    unsigned held = held_back(context);
    rest -= held < spare ? held : spare;
    for (unsigned i = from; i < context->count; i++) {
        unsigned left = context->count - i;
        struct proxy_branch *branch = proxy_branch_at(context, i);
        branch->breadth = (uint8_t)((rest + left - 1) / left); /* R5393-5.3.3-5 */
        rest -= branch->breadth;
    }
}

/* Over all that decides where a request goes: its Request-URI and its Routes (R5393-4.2.1-3, -4),
 * and who sends it in which transaction; not over its method (R5393-4.2.1-5). */
uint64_t ahoy_proxy_loop_hash(const struct ahoy_proxy *proxy, const struct ahoy_event *event)
{
    const struct ahoy_routing *routing = event->routing;
    const uint32_t numbers[] = { routing->cseq.number, (uint32_t)routing->call_id.size,
                                 (uint32_t)routing->from.text.size,
                                 (uint32_t)routing->to_tag.size };
    const struct span parts[] = { { (const char *)numbers, sizeof numbers },
                                  routing->call_id,
                                  routing->from.text,
                                  routing->to_tag,
                                  event->message->request_uri };
    uint64_t hash = ahoy_siphash_parts(&proxy->loop_key, parts, sizeof parts / sizeof parts[0]);
    const struct ahoy_field *route = ahoy_message_first(event->message, AHOY_HEADER_ROUTE);
    for (; route != NULL; route = ahoy_message_next(event->message, route)) {
        const struct span more[] = { { (const char *)&hash, sizeof hash }, route->value };
        hash = ahoy_siphash_parts(&proxy->loop_key, more, 2);
    }
    return hash != 0 ? hash : 1;
}

/* Whether |via| is one of ours for a request of the same hash, which its branch ends with. */
static bool is_mark(const struct ahoy_proxy *proxy, const struct ahoy_via *via, struct span mark)
{
    const size_t size = sizeof AHOY_BRANCH_COOKIE - 1 + 2 * AHOY_TOKEN_SIZE;
    return via->branch.size == size &&
           ahoy_span_equal_nocase(ahoy_span_after(via->branch, size - mark.size), mark) &&
           ahoy_transaction_is_own_via(proxy->transactions, via);
}

/* R5393-4.2.2-1, -2, -3 */
bool ahoy_proxy_has_looped(const struct ahoy_proxy *proxy, const struct ahoy_event *event,
                           uint64_t loop)
{
    char token[AHOY_TOKEN_SIZE];
    ahoy_token_print(loop, token);
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_VIA);
    struct ahoy_via via;
    struct span value;
    while (ahoy_values_next(&values, &value, NULL)) {
        if (ahoy_via_parse(value, &via, NULL) &&
            is_mark(proxy, &via, (struct span){ token, sizeof token }))
            return true;
    }
    return false;
}
