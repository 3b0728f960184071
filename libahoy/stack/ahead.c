#include "libahoy/stack/ahead.h"

#include "libahoy/stack/inbound.h"

static void read_into(const struct ahoy_stack *stack, struct ahoy_reading *reading,
                      struct span bytes)
{
    reading->bytes = bytes;
    reading->is_sound = ahoy_message_parse(bytes, &reading->message, &reading->err);
    if (!reading->is_sound) /* For its Via. */
        (void)ahoy_message_routing(&reading->message, &reading->routing, NULL);
    else
        reading->is_sound =
            ahoy_message_routing(&reading->message, &reading->routing, &reading->err);
    if (reading->is_sound)
        ahoy_transactions_expect(stack->transactions, &reading->message, &reading->routing,
                                 &reading->expected);
}

/* Tells the user of |reading|. */
static void tell(const struct ahoy_stack *stack, const struct ahoy_reading *reading)
{
    if (stack->coming != NULL && reading->is_sound)
        stack->coming(stack->context, &reading->message, &reading->routing);
}

static void add(struct ahoy_stack *stack, struct span bytes)
{
    struct ahoy_ahead *ahead = &stack->ahead;
    if (ahead->count <= AHOY_COMING_LIMIT && ahoy_inbound_is_ours(stack, bytes))
        read_into(stack, &ahead->readings[ahead->count++], bytes);
}

void ahoy_ahead_read(struct ahoy_stack *stack, struct span bytes, const struct span *coming,
                     size_t count)
{
    stack->ahead.next = stack->ahead.count = 0;
    add(stack, bytes);
    for (size_t i = 0; i < count; i++)
        add(stack, coming[i]);
    for (size_t i = 0; i < stack->ahead.count; i++)
        tell(stack, &stack->ahead.readings[i]);
}

struct ahoy_reading *ahoy_ahead_take(struct ahoy_stack *stack, struct span bytes)
{
    struct ahoy_ahead *ahead = &stack->ahead;
    for (size_t i = ahead->next; i < ahead->count; i++) {
        struct ahoy_reading *reading = &ahead->readings[i];
        if (reading->bytes.at == bytes.at && reading->bytes.size == bytes.size) {
            ahead->next = i + 1;
            return reading;
        }
    }
    read_into(stack, &ahead->at_hand, bytes);
    tell(stack, &ahead->at_hand);
    return &ahead->at_hand;
}

struct ahoy_reading *ahoy_ahead_salvage(struct ahoy_stack *stack, struct span bytes)
{
    struct ahoy_reading *reading = &stack->ahead.at_hand;
    reading->bytes = bytes;
    reading->is_sound = false;
    /* Whatever these two find, that the end was not found comes first. */
    (void)ahoy_message_parse(bytes, &reading->message, NULL);
    (void)ahoy_message_routing(&reading->message, &reading->routing, NULL);
    return reading;
}
