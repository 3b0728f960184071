/* What is sent once and forgotten.  Answers without state (RFC 3261 8.2.7): their ACK is known
 * again by a To tag that nobody else could have made.  Requests without state (16.11): their
 * responses are known again by a branch that nobody else could have made of the one below it. */
#include <assert.h>

#include "libahoy/transaction/owner.h"

static const struct ahoy_handle nobody = { 0, 0 };

void ahoy_transaction_answer(struct ahoy_transactions *owner, const struct ahoy_event *event,
                             const struct span *pieces, size_t count)
{
    assert(event->kind == AHOY_EVENT_REQUEST || event->kind == AHOY_EVENT_CANCEL);
    assert(event->message == owner->arrival.message);
    if (owner->arrival.keeps_answer && ahoy_server_answer(owner, event, pieces, count))
        return;
    if (!ahoy_owner_reserve(owner))
        return;
    struct span bytes = ahoy_arena_join(&owner->outbox, pieces, count);
    /* Where memory is refused it is lost: the request will come again. */
    if (bytes.at != NULL)
        (void)ahoy_owner_send(owner, owner->arrival.reply, bytes, nobody);
}

void ahoy_transaction_keep_answer(struct ahoy_transactions *owner, const struct ahoy_event *event)
{
    assert(event->kind == AHOY_EVENT_REQUEST && event->message == owner->arrival.message);
    owner->arrival.keeps_answer = true;
}

void ahoy_transaction_stateless_tag(const struct ahoy_transactions *owner,
                                    const struct ahoy_routing *routing, char tag[AHOY_TOKEN_SIZE])
{
    /* What an ACK to a final response other than 2xx has in common with its INVITE (17.1.1.3).
     * Sizes are mixed in, so that no part can borrow from its neighbour, and each is of one row. */
    bool has_cookie = ahoy_via_has_cookie(&routing->via);
    struct span hop = has_cookie ? routing->via.branch : routing->via.text;
    const struct span cseq = { (const char *)&routing->cseq.number, sizeof routing->cseq.number };
    const struct span parts[] = { hop, routing->call_id, routing->from_tag, cseq };
    uint64_t sizes = (uint64_t)routing->call_id.size << 16 | routing->from_tag.size;
    ahoy_token_print(ahoy_siphash_apart(&owner->tag_key, parts, has_cookie ? 3 : 4, sizes), tag);
}

bool ahoy_stateless_is_ack(const struct ahoy_transactions *owner,
                           const struct ahoy_routing *routing)
{
    char tag[AHOY_TOKEN_SIZE];
    if (routing->to_tag.size != sizeof tag) /* Most are to others' answers, with tags of theirs. */
        return false;
    ahoy_transaction_stateless_tag(owner, routing, tag);
    return ahoy_span_equal_nocase(routing->to_tag, (struct span){ tag, sizeof tag });
}

void ahoy_transaction_pass(struct ahoy_transactions *owner, const struct ahoy_hop *hop,
                           const struct span *pieces, size_t count)
{
    if (!ahoy_owner_reserve(owner))
        return;
    struct span bytes = ahoy_arena_join(&owner->outbox, pieces, count);
    ahoy_owner_note_joined(owner, pieces, count, bytes);
    if (bytes.at != NULL)
        (void)ahoy_owner_send(owner, hop, bytes, nobody); /* Else it is lost. */
}

bool ahoy_stateless_is_response(const struct ahoy_transactions *owner)
{
    const struct ahoy_arrival *arrival = &owner->arrival;
    struct ahoy_values values = ahoy_message_values(arrival->message, AHOY_HEADER_VIA);
    struct ahoy_branch branch;
    struct ahoy_via below;
    struct span text;
    return ahoy_branch_parse(arrival->routing->via.branch, &branch) &&
           ahoy_values_next(&values, &text, NULL) && ahoy_values_next(&values, &text, NULL) &&
           ahoy_via_parse(text, &below, NULL) &&
           branch.token == ahoy_siphash(&owner->branch_key, below.branch);
}
