/* What goes up and down.
 *
 * No event can be lost for want of room: those of a transaction are bits in its slot, which stands
 * in line once, and a message brings one event at most. */
#include <stdlib.h>

#include "libahoy/transaction/owner.h"

/* The events that a transaction may owe, in the order in which they are told. */
static const enum ahoy_event_kind owed_kinds[] = { AHOY_EVENT_TIMEOUT, AHOY_EVENT_UNREACHABLE,
                                                   AHOY_EVENT_NO_ACK, AHOY_EVENT_ENDED };

enum { OWED_KINDS = sizeof owed_kinds / sizeof owed_kinds[0] };

bool ahoy_owner_reserve(struct ahoy_transactions *owner)
{
    if (owner->sending_count < owner->sending_capacity)
        return true;
    if (owner->sending_capacity >= owner->sending_limit)
        return false;
    size_t capacity = owner->sending_capacity == 0 ? 64 : 2 * owner->sending_capacity;
    if (capacity > owner->sending_limit)
        capacity = owner->sending_limit;
    struct ahoy_sending *sendings = realloc(owner->sendings, capacity * sizeof *sendings);
    if (sendings == NULL)
        return false;
    owner->sendings = sendings;
    owner->sending_capacity = capacity;
    return true;
}

bool ahoy_owner_send(struct ahoy_transactions *owner, const struct ahoy_hop *hop, struct span bytes,
                     struct ahoy_handle transaction)
{
    if (!ahoy_owner_reserve(owner))
        return false;
    owner->sendings[owner->sending_count++] =
        (struct ahoy_sending){ .hop = *hop, .bytes = bytes, .transaction = transaction };
    return true;
}

void ahoy_owner_send_kept(struct ahoy_transactions *owner, struct ahoy_transaction *transaction)
{
    if (transaction->kept.size == 0)
        return;
    (void)ahoy_owner_send(owner, &transaction->hop, transaction->kept,
                          ahoy_owner_handle(transaction)); /* The header says what false means. */
}

bool ahoy_transactions_poll(struct ahoy_transactions *owner, struct ahoy_sending *sending)
{
    if (owner->next_sending < owner->sending_count) {
        *sending = owner->sendings[owner->next_sending++];
        return true;
    }
    owner->next_sending = owner->sending_count = 0;
    return false;
}

void ahoy_owner_tell(struct ahoy_transactions *owner, struct ahoy_transaction *transaction,
                     enum ahoy_event_kind kind)
{
    if (transaction->is_silent)
        return;
    if (transaction->owed == 0) {
        transaction->next = NULL;
        if (owner->first_owed == NULL)
            owner->first_owed = transaction;
        else
            owner->last_owed->next = transaction;
        owner->last_owed = transaction;
    }
    for (unsigned i = 0; i < OWED_KINDS; i++) {
        if (owed_kinds[i] == kind)
            transaction->owed |= (uint8_t)(1u << i);
    }
}

static struct ahoy_event event_of(const struct ahoy_transaction *transaction,
                                  enum ahoy_event_kind kind)
{
    bool is_server = ahoy_owner_is_server(transaction);
    return (struct ahoy_event){ .kind = kind,
                                .transaction = ahoy_owner_handle(transaction),
                                .user = transaction->user,
                                .is_server = is_server,
                                .sent_to = is_server ? NULL : &transaction->hop };
}

void ahoy_owner_tell_message(struct ahoy_transactions *owner, enum ahoy_event_kind kind,
                             const struct ahoy_transaction *transaction)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    if (transaction != NULL)
        arrival->event = event_of(transaction, kind);
    else
        arrival->event = (struct ahoy_event){ .kind = kind };
    arrival->event.message = arrival->message;
    arrival->event.routing = arrival->routing;
    arrival->event.hop = arrival->source;
}

/* The first transaction in line gives its next event, and leaves with its last one. */
static struct ahoy_event next_owed(struct ahoy_transactions *owner)
{
    struct ahoy_transaction *transaction = owner->first_owed;
    unsigned lowest = (unsigned)__builtin_ctz(transaction->owed);
    struct ahoy_event event = event_of(transaction, owed_kinds[lowest]);
    transaction->owed = (uint8_t)(transaction->owed & (transaction->owed - 1));
    if (transaction->owed > 0)
        return event;
    owner->first_owed = transaction->next;
    if (transaction->is_over) {
        transaction->next = owner->dead;
        owner->dead = transaction;
    }
    return event;
}

bool ahoy_transactions_event(struct ahoy_transactions *owner, struct ahoy_event *event)
{
    ahoy_server_see_to_unanswered(owner);
    if (owner->arrival.event.kind != 0) {
        *event = owner->arrival.event;
        owner->arrival.event.kind = 0;
        return true;
    }
    if (owner->first_owed == NULL)
        return false;
    *event = next_owed(owner);
    return true;
}
