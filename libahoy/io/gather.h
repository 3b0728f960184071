/* Whether to let messages gather before they are read.  Where the next one comes while the last is
 * served, each would be read and sent by itself, by calls to the kernel that could have carried
 * twenty.  After a short rest they are read together, and what goes to one peer leaves as a train
 * (trains.h).  Where few come, nobody waits. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    AHOY_GATHER_US = 50,         /* A rest; the kernel makes it some 100. */
    AHOY_GATHER_RATE = 50,       /* Events a millisecond from which on there are rests. */
    AHOY_GATHER_WINDOW_US = 2000 /* Over which they are counted, at least. */
};

/* Zeroed at first. */
struct ahoy_gather {
    uint64_t since_us; /* When the window began. */
    uint64_t events;   /* In it. */
    bool is_rush;      /* The window before had as many as that. */
};

/* A turn has ended at |now_us|, which does not go back, with so many |events|; |is_dry|: it left
 * none behind, as far as it saw.  Returns for how many microseconds to rest before the next. */
unsigned ahoy_gather_turn(struct ahoy_gather *gather, unsigned events, bool is_dry,
                          uint64_t now_us);
