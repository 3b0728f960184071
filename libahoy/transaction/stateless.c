/* Answers without state (RFC 3261 8.2.7): sent once, forgotten, and their ACK known again by a To
 * tag that nobody else could have made. */
#include <assert.h>

#include "libahoy/transaction/owner.h"

static const struct ahoy_handle nobody = { 0, 0 };

void ahoy_transaction_answer(struct ahoy_transactions *owner, const struct ahoy_event *event,
                             const struct span *pieces, size_t count)
{
    assert(event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_CANCEL);
    assert(event->message == owner->arrival.message);
    if (!ahoy_owner_reserve(owner))
        return;
    struct span bytes = ahoy_arena_join(&owner->outbox, pieces, count);
    /* Where memory is refused it is lost: the request will come again. */
    if (bytes.at != NULL)
        (void)ahoy_owner_send(owner, &owner->arrival.reply, bytes, nobody);
}

void ahoy_transaction_stateless_tag(const struct ahoy_transactions *owner,
                                    const struct ahoy_routing *routing, char tag[AHOY_TOKEN_SIZE])
{
    /* What an ACK to a final response other than 2xx has in common with its INVITE (17.1.1.3).
     * Sizes are mixed in, so that no part can borrow from its neighbour. */
    bool has_cookie = ahoy_via_has_cookie(&routing->via);
    struct span hop = has_cookie ? routing->via.branch : routing->via.text;
    const uint32_t numbers[] = { (uint32_t)routing->call_id.size, (uint32_t)routing->from_tag.size,
                                 has_cookie ? 0 : routing->cseq.number };
    const struct span parts[] = {
        { (const char *)numbers, sizeof numbers }, routing->call_id, routing->from_tag, hop
    };
    ahoy_token_print(ahoy_siphash_parts(&owner->tag_key, parts, sizeof parts / sizeof parts[0]),
                     tag);
}

bool ahoy_stateless_is_ack(const struct ahoy_transactions *owner,
                           const struct ahoy_routing *routing)
{
    char tag[AHOY_TOKEN_SIZE];
    ahoy_transaction_stateless_tag(owner, routing, tag);
    return ahoy_span_equal_nocase(routing->to_tag, (struct span){ tag, sizeof tag });
}
