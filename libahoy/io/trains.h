/* Which datagrams leave together.
 *
 * The kernel takes several datagrams to one peer in one call (UDP_SEGMENT), for little more than
 * the price of one: a train.  All of a train but the last must be equally long, so messages grow
 * by spaces (glance.h) within what the operator allows.  No message overtakes an earlier one of
 * its call to the same peer; others may.  Pure: no socket. */
#pragma once

#include "libahoy/io/glance.h"

enum {
    AHOY_OUT_LIMIT = 128,         /* Datagrams that gather. */
    AHOY_PADDING_LIMIT = 1024,    /* Spaces that an operator may allow a message. */
    AHOY_TRAIN_LIMIT = 64,        /* Datagrams of a train; the kernel's limit. */
    AHOY_TRAIN_SIZE_LIMIT = 65507 /* Bytes of a train; the kernel's limit. */
};

/* A datagram that waits to leave. */
struct ahoy_wagon {
    struct span bytes;
    uint8_t peer;              /* Peers are numbered from 0. */
    struct ahoy_glance glance; /* As far as it is known; the plan looks for the rest. */
};

struct ahoy_train {
    uint8_t first, count; /* Of the plan's order. */
    uint16_t segment;     /* The size of each wagon but the last, which is not padded; 0 where
                           * there is one only. */
};

struct ahoy_trains {
    uint8_t order[AHOY_OUT_LIMIT]; /* Indices of wagons, as they leave. */
    struct ahoy_train list[AHOY_OUT_LIMIT];
    unsigned count;
};

struct ahoy_trains_options {
    unsigned padding;        /* At most so many bytes a message. */
    const uint16_t *segment; /* By peer: the size of the largest wagon of a train; 0: no trains. */
    unsigned peer_count;     /* At most AHOY_OUT_LIMIT. */
};

/* Puts |wagons|, in the order in which they came, into trains, each wagon into one.  Trains to one
 * peer stand together, peers in the order of their numbers. */
void ahoy_trains_plan(struct ahoy_trains *trains, struct ahoy_wagon *wagons, unsigned count,
                      const struct ahoy_trains_options *options);
