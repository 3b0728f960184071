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

/* Where a message that ends with |last| and has |size| bytes may grow; 0 where that does not tell.
 * What is forwarded ends as the message at hand does, from its Content-Length on: with these very
 * bytes, as whoever quotes a message in a body copies it. */
static uint16_t find_gap(const struct ahoy_message *message, struct span last, size_t size)
{
    const struct ahoy_field *length = ahoy_message_first(message, AHOY_HEADER_CONTENT_LENGTH);
    const char *end = ahoy_span_end(message->bytes);
    if (length == NULL || ahoy_span_end(last) != end || last.at > length->row.at)
        return 0;
    /* On a folded row parsers differ about it: io/glance.c. */
    bool is_plain = length->value.at - ahoy_span_end(length->name) <= 2 &&
                    ahoy_span_end(length->row) - ahoy_span_end(length->value) == 2;
    size_t gap = size - (size_t)(end - length->value.at);
    return is_plain && gap <= UINT16_MAX ? (uint16_t)gap : 0; /* No datagram is longer. */
}

void ahoy_owner_forget_joined(struct ahoy_transactions *owner)
{
    owner->joined.at = NULL;
}

void ahoy_owner_note_joined(struct ahoy_transactions *owner, const struct span *pieces,
                            size_t count, struct span bytes)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    ahoy_owner_forget_joined(owner);
    if (!arrival->is_at_hand || count == 0)
        return;
    owner->joined.at = bytes.at;
    owner->joined.call = 0;
    owner->joined.gap = find_gap(arrival->message, pieces[count - 1], bytes.size);
}

bool ahoy_owner_note_known(struct ahoy_transactions *owner, uint32_t call, uint32_t behind,
                           struct span bytes)
{
    size_t gap = bytes.size - behind;
    if (call == 0 || behind == 0 || behind > bytes.size)
        return false;
    owner->joined.at = bytes.at;
    owner->joined.call = call;
    owner->joined.gap = gap <= UINT16_MAX ? (uint16_t)gap : 0; /* No datagram is longer. */
    return true;
}

void ahoy_owner_note_composed(struct ahoy_transactions *owner, const struct ahoy_outgoing *request,
                              struct span bytes)
{
    if (!ahoy_owner_note_known(owner, request->call, request->behind, bytes))
        ahoy_owner_note_joined(owner, request->pieces, request->count, bytes);
}

/* Most of what is sent while a message is at hand belongs to its call.  Where that of another call
 * is taken for it, its messages may change places, as on any way. */
static void tell_what_is_known(struct ahoy_transactions *owner, struct ahoy_sending *sending)
{
    struct ahoy_arrival *arrival = &owner->arrival;
    /* While none is at hand, other bytes may stand where the last one's answer stood. */
    bool is_joined = sending->bytes.at == owner->joined.at &&
                     (arrival->is_at_hand || owner->joined.call != 0);
    if (is_joined)
        sending->gap = owner->joined.gap;
    if (is_joined && owner->joined.call != 0) {
        sending->call = owner->joined.call;
    } else if (arrival->is_at_hand) {
        if (arrival->call == 0)
            arrival->call = ahoy_span_mark(arrival->routing->call_id);
        sending->call = arrival->call;
    }
}

bool ahoy_owner_send(struct ahoy_transactions *owner, const struct ahoy_hop *hop, struct span bytes,
                     struct ahoy_handle transaction)
{
    if (!ahoy_owner_reserve(owner))
        return false;
    struct ahoy_sending *sending = &owner->sendings[owner->sending_count++];
    *sending = (struct ahoy_sending){ .hop = *hop, .bytes = bytes, .transaction = transaction };
    if (hop->transport == AHOY_UDP)
        tell_what_is_known(owner, sending);
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

static void make_event(const struct ahoy_transaction *transaction, enum ahoy_event_kind kind,
                       struct ahoy_event *event)
{
    bool is_server = ahoy_owner_is_server(transaction);
    *event = (struct ahoy_event){ .kind = kind,
                                  .transaction = ahoy_owner_handle(transaction),
                                  .user = transaction->user,
                                  .is_server = is_server,
                                  .sent_to = is_server ? NULL : &transaction->hop };
}

void ahoy_owner_tell_message(struct ahoy_transactions *owner, enum ahoy_event_kind kind,
                             const struct ahoy_transaction *transaction)
{
    owner->arrival.told = kind;
    owner->arrival.about = transaction;
    owner->arrival.sent = SPAN("");
}

/* The event that was told.  It is made where the user has it: a copy of what was written by parts
 * just now would wait until all of it has left the processor. */
static void take_told(struct ahoy_arrival *arrival, struct ahoy_event *event)
{
    if (arrival->about != NULL)
        make_event(arrival->about, arrival->told, event);
    else
        *event = (struct ahoy_event){ .kind = arrival->told };
    event->message = arrival->message;
    event->routing = arrival->routing;
    event->hop = arrival->source;
    event->sent = arrival->sent;
    arrival->told = 0;
}

/* The first transaction in line gives its next event, and leaves with its last one. */
static void take_owed(struct ahoy_transactions *owner, struct ahoy_event *event)
{
    struct ahoy_transaction *transaction = owner->first_owed;
    unsigned lowest = (unsigned)__builtin_ctz(transaction->owed);
    make_event(transaction, owed_kinds[lowest], event);
    transaction->owed = (uint8_t)(transaction->owed & (transaction->owed - 1));
    if (transaction->owed > 0)
        return;
    owner->first_owed = transaction->next;
    if (transaction->is_over) {
        transaction->next = owner->dead;
        owner->dead = transaction;
    }
}

bool ahoy_transactions_event(struct ahoy_transactions *owner, struct ahoy_event *event)
{
    ahoy_server_see_to_unanswered(owner);
    if (owner->arrival.told != 0) {
        take_told(&owner->arrival, event);
        return true;
    }
    if (owner->first_owed == NULL) {
        owner->arrival.is_at_hand = false;
        return false;
    }
    take_owed(owner, event);
    return true;
}
