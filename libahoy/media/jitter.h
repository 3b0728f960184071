/* The playout buffer: packets come as the network likes, and leave one after the other, in order,
 * as the listener needs them.  It waits as long as the unevenness of late asks for, and no longer.
 * Pure: time is an argument.
 *
 * Whoever fills it has judged the sequence before (reception.h).  A frame is taken every time that
 * one is to be played; what is missing then is LOST, and comes too late if it still comes. */
#pragma once

#include "libahoy/media/rtp.h"

enum {
    AHOY_JITTER_PACKETS_LIMIT = 32,
    AHOY_JITTER_PAYLOAD_LIMIT = 1460,
    AHOY_JITTER_MS_LIMIT = 200, /* Older packets are given up. */
    AHOY_JITTER_FRAME_MS = 20   /* What a packet lasts until it is known. */
};

struct ahoy_jitter_slot {
    bool is_used;
    bool is_silent;    /* It has nothing to play: it takes its number, and no time. */
    uint64_t sequence; /* With its cycles above. */
    uint64_t arrival_us;
    size_t size;
    char bytes[AHOY_JITTER_PAYLOAD_LIMIT];
};

/* Each counter written once. */
#define AHOY_JITTER_COUNTERS(COUNTER)                                                              \
    COUNTER(played)                                                                                \
    COUNTER(concealed) COUNTER(late) COUNTER(duplicates) COUNTER(given_up) COUNTER(too_large)

struct ahoy_jitter_counters {
#define AHOY_COUNTER_FIELD(name) uint64_t name;
    AHOY_JITTER_COUNTERS(AHOY_COUNTER_FIELD)
#undef AHOY_COUNTER_FIELD
};

enum ahoy_jitter_state { AHOY_JITTER_EMPTY, AHOY_JITTER_FILLING, AHOY_JITTER_PLAYING };

struct ahoy_jitter {
    uint32_t clock_hz; /* Of timestamps. */
    enum ahoy_jitter_state state;
    uint64_t next;      /* The sequence number that is played next. */
    uint64_t highest;   /* That came; 0 before the first. */
    bool last_is_sound; /* The highest has something to play, at ... */
    uint32_t last_timestamp;
    uint64_t packet_us; /* What a packet lasts. */
    uint64_t start_us;  /* FILLING: when to begin. */
    unsigned dry;       /* Frames concealed since something was played. */
    uint64_t wait_us;   /* How long packets should wait: the peak of late, slowly forgotten. */
    bool has_base;
    uint32_t base_timestamp; /* The fastest packet of late: its timestamp, ... */
    uint64_t base_us;        /* ... and its arrival. */
    uint64_t delay_us;       /* From arrival to playing, smoothed. */
    unsigned turns;          /* Packets played since |spare| began. */
    uint64_t spare;          /* The fewest packets that were held in that time. */
    struct ahoy_jitter_counters counters;
    struct ahoy_jitter_slot slots[AHOY_JITTER_PACKETS_LIMIT];
};

/* Also for a new source: what was held is forgotten, the counters stay. */
void ahoy_jitter_init(struct ahoy_jitter *jitter, uint32_t clock_hz);

/* Takes a packet.  With |is_silent| it is of the same sequence, but nothing to play. */
void ahoy_jitter_put(struct ahoy_jitter *jitter, const struct ahoy_rtp *rtp, bool is_silent,
                     uint64_t now_us);

enum ahoy_jitter_frame {
    AHOY_JITTER_PLAY,   /* |payload| is to be played; it lives until the next put. */
    AHOY_JITTER_LOST,   /* It is to be concealed. */
    AHOY_JITTER_SILENCE /* Nobody speaks. */
};

/* What is to be played now. */
enum ahoy_jitter_frame ahoy_jitter_get(struct ahoy_jitter *jitter, uint64_t now_us,
                                       struct span *payload);

/* The payload of the packet that is to be played next, where it is here and in its turn: what
 * repairs the one that is LOST now.  Lives until the next put; empty where there is none. */
struct span ahoy_jitter_peek(const struct ahoy_jitter *jitter);
