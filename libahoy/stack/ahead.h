/* Messages that are known to come are read some at a time, before the first of them is acted upon:
 * what reads them stays in the processor's cache, which does not hold all that a message passes
 * through, and what each will be matched with comes near meanwhile. */
#pragma once

#include "libahoy/stack/wire.h"
#include "libahoy/syntax/message.h"
#include "libahoy/transaction/transactions.h"

struct ahoy_stack;

/* A message, and what was found in it. */
struct ahoy_reading {
    struct span bytes;
    bool is_sound;
    struct ahoy_err err; /* What is wrong, where it is not sound. */
    struct ahoy_expected expected;
    struct ahoy_routing routing;
    struct ahoy_message message;
};

struct ahoy_ahead {
    size_t next, count;
    struct ahoy_reading at_hand; /* What was not read ahead. */
    struct ahoy_reading readings[1 + AHOY_COMING_LIMIT];
};

/* Reads |bytes|, the datagram of this step, and the |count| that come after it; what was read
 * before is forgotten. */
void ahoy_ahead_read(struct ahoy_stack *stack, struct span bytes, const struct span *coming,
                     size_t count);
/* The reading of the one whole message |bytes|, made now if it was not before; it lives until the
 * next step. */
struct ahoy_reading *ahoy_ahead_take(struct ahoy_stack *stack, struct span bytes);
/* Reads what is left of a message of which the end was not found. */
struct ahoy_reading *ahoy_ahead_salvage(struct ahoy_stack *stack, struct span bytes);
