/* The playout buffer.  Its delay follows the network by itself: a packet that is not there in time
 * is concealed but not given up, so what follows is played a frame later; and when packets were
 * to spare for a second, one is left out.  Clocks that run apart are served by the same two. */
#include "libahoy/media/jitter.h"

enum {
    FIRST_WAIT_US = 40000,
    LEAST_WAIT_US = 10000,
    LIMIT_US = AHOY_JITTER_MS_LIMIT * 1000,
    LONGEST_PACKET_US = 120000,
    ODD_US = 1000000,   /* A timestamp that is off by more has nothing to do with time. */
    SPARE_US = 1000000, /* So long packets must be to spare. */
    FORGETTING = 256,   /* Packets, about, in which a peak is forgotten. */
    DRY_LIMIT = 3       /* Frames that are concealed before it is silence. */
};

void ahoy_jitter_init(struct ahoy_jitter *jitter, uint32_t clock_hz)
{
    struct ahoy_jitter_counters counters = jitter->counters;
    memset(jitter, 0, sizeof *jitter);
    jitter->counters = counters;
    jitter->clock_hz = clock_hz;
    jitter->packet_us = AHOY_JITTER_FRAME_MS * 1000;
    jitter->wait_us = FIRST_WAIT_US;
}

static struct ahoy_jitter_slot *slot_of(struct ahoy_jitter *jitter, uint64_t sequence)
{
    struct ahoy_jitter_slot *slot = &jitter->slots[sequence % AHOY_JITTER_PACKETS_LIMIT];
    return slot->is_used && slot->sequence == sequence ? slot : NULL;
}

/* The lowest that is held; one above the highest where nothing is. */
static uint64_t lowest(const struct ahoy_jitter *jitter)
{
    uint64_t sequence = jitter->highest + 1;
    for (size_t i = 0; i < AHOY_JITTER_PACKETS_LIMIT; i++) {
        const struct ahoy_jitter_slot *slot = &jitter->slots[i];
        if (slot->is_used && slot->sequence < sequence)
            sequence = slot->sequence;
    }
    return sequence;
}

/* How many may be held, gaps among them. */
static uint64_t room(const struct ahoy_jitter *jitter)
{
    uint64_t packets = LIMIT_US / jitter->packet_us;
    return packets < 2                           ? 2
           : packets > AHOY_JITTER_PACKETS_LIMIT ? AHOY_JITTER_PACKETS_LIMIT
                                                 : packets;
}

static int64_t span_us(const struct ahoy_jitter *jitter, uint32_t from, uint32_t to)
{
    return (int64_t)(int32_t)(to - from) * 1000000 / jitter->clock_hz;
}

/* How much later than the fastest of late |timestamp| has come.  The fastest grows slower by a
 * thousandth, so that a clock which runs behind is not taken for a network that does. */
static uint64_t lateness(struct ahoy_jitter *jitter, uint32_t timestamp, uint64_t now_us)
{
    int64_t late_us = 0;
    jitter->base_us += jitter->packet_us / 1000;
    if (jitter->has_base)
        late_us = (int64_t)(now_us - jitter->base_us) -
                  span_us(jitter, jitter->base_timestamp, timestamp);
    if (!jitter->has_base || late_us <= 0 || late_us > ODD_US) {
        jitter->has_base = true;
        jitter->base_timestamp = timestamp;
        jitter->base_us = now_us;
        return 0;
    }
    return (uint64_t)late_us;
}

/* Learns from a packet that is the highest so far. */
static void learn(struct ahoy_jitter *jitter, const struct ahoy_rtp *rtp, uint64_t sequence,
                  uint64_t now_us)
{
    int64_t lasted_us = span_us(jitter, jitter->last_timestamp, rtp->timestamp);
    if (jitter->last_is_sound && !rtp->marker && sequence == jitter->highest + 1 &&
        lasted_us >= 1000 && lasted_us <= LONGEST_PACKET_US)
        jitter->packet_us = (uint64_t)lasted_us;
    uint64_t late_us = lateness(jitter, rtp->timestamp, now_us);
    uint64_t most_us = LIMIT_US - jitter->packet_us;
    if (late_us > jitter->wait_us)
        jitter->wait_us = late_us < most_us ? late_us : most_us;
    else
        jitter->wait_us -= (jitter->wait_us - late_us) / FORGETTING;
    if (jitter->wait_us < LEAST_WAIT_US)
        jitter->wait_us = LEAST_WAIT_US;
}

/* Gives up what is older than |next|. */
static void advance(struct ahoy_jitter *jitter, uint64_t next)
{
    for (size_t i = 0; i < AHOY_JITTER_PACKETS_LIMIT; i++) {
        struct ahoy_jitter_slot *slot = &jitter->slots[i];
        if (slot->is_used && slot->sequence < next) {
            slot->is_used = false;
            jitter->counters.given_up++;
        }
    }
    jitter->next = next;
}

/* Makes room for |sequence|, a new highest: when there is none, as many are kept as should wait. */
static void make_room(struct ahoy_jitter *jitter, uint64_t sequence)
{
    uint64_t low = jitter->state == AHOY_JITTER_PLAYING ? jitter->next : lowest(jitter);
    jitter->highest = sequence;
    if (sequence - low < room(jitter))
        return;
    uint64_t kept = jitter->wait_us / jitter->packet_us;
    advance(jitter, sequence - (kept < room(jitter) ? kept : room(jitter) - 1));
}

static void keep(struct ahoy_jitter *jitter, const struct ahoy_rtp *rtp, uint64_t sequence,
                 bool is_silent, uint64_t now_us)
{
    struct ahoy_jitter_slot *slot = &jitter->slots[sequence % AHOY_JITTER_PACKETS_LIMIT];
    slot->is_used = true;
    slot->is_silent = is_silent;
    slot->sequence = sequence;
    slot->arrival_us = now_us;
    slot->size = is_silent ? 0 : rtp->payload.size;
    if (slot->size > 0)
        memcpy(slot->bytes, rtp->payload.at, slot->size);
}

/* Begins when the last that is held would wait as long as it should. */
static void plan_start(struct ahoy_jitter *jitter, uint64_t now_us)
{
    uint64_t ahead_us = (jitter->highest - lowest(jitter)) * jitter->packet_us;
    uint64_t start_us = now_us + (ahead_us < jitter->wait_us ? jitter->wait_us - ahead_us : 0);
    if (jitter->state != AHOY_JITTER_FILLING || start_us < jitter->start_us)
        jitter->start_us = start_us;
    jitter->state = AHOY_JITTER_FILLING;
}

void ahoy_jitter_put(struct ahoy_jitter *jitter, const struct ahoy_rtp *rtp, bool is_silent,
                     uint64_t now_us)
{
    /* One cycle above 0, so that what is older than the first has a number too. */
    uint64_t sequence = UINT64_C(65536) + rtp->sequence;
    if (jitter->highest != 0)
        sequence = jitter->highest + (uint64_t)(int64_t)(int16_t)(rtp->sequence - jitter->highest);
    if (rtp->payload.size > AHOY_JITTER_PAYLOAD_LIMIT) {
        jitter->counters.too_large++;
        return;
    }
    if (slot_of(jitter, sequence) != NULL) {
        jitter->counters.duplicates++;
        return;
    }
    if (sequence < jitter->next || sequence + room(jitter) <= jitter->highest) {
        jitter->counters.late++;
        return;
    }
    if (sequence > jitter->highest) {
        if (!is_silent)
            learn(jitter, rtp, sequence, now_us);
        make_room(jitter, sequence);
        jitter->last_is_sound = !is_silent;
        jitter->last_timestamp = rtp->timestamp;
    }
    keep(jitter, rtp, sequence, is_silent, now_us);
    bool begins = rtp->marker && jitter->dry > 0; /* Somebody speaks again. */
    if (jitter->state != AHOY_JITTER_PLAYING || begins)
        plan_start(jitter, now_us);
}

/* When packets were to spare all the time, the next one is left out. */
static void shed(struct ahoy_jitter *jitter)
{
    uint64_t held = jitter->highest + 1 - jitter->next;
    if (jitter->turns == 0 || held < jitter->spare)
        jitter->spare = held;
    if (++jitter->turns * jitter->packet_us < SPARE_US)
        return;
    if (jitter->spare > 1 && (jitter->spare - 1) * jitter->packet_us > jitter->wait_us)
        advance(jitter, jitter->next + 1);
    jitter->turns = 0;
}

static enum ahoy_jitter_frame play(struct ahoy_jitter *jitter, const struct ahoy_jitter_slot *slot,
                                   uint64_t now_us, struct span *payload)
{
    uint64_t waited_us = now_us - slot->arrival_us;
    jitter->delay_us =
        jitter->counters.played == 0 ? waited_us : (jitter->delay_us * 15 + waited_us) / 16;
    jitter->counters.played++;
    jitter->dry = 0;
    *payload = (struct span){ slot->bytes, slot->size };
    shed(jitter);
    return AHOY_JITTER_PLAY;
}

static enum ahoy_jitter_frame conceal(struct ahoy_jitter *jitter)
{
    if (jitter->next <= jitter->highest)
        jitter->next++; /* A later one is here: this one is lost. */
    else if (jitter->dry == DRY_LIMIT) {
        jitter->state = AHOY_JITTER_EMPTY;
        jitter->counters.concealed -= jitter->dry; /* That was the end of speech. */
        jitter->dry = 0;
        return AHOY_JITTER_SILENCE;
    }
    jitter->dry += jitter->dry < DRY_LIMIT;
    jitter->counters.concealed++;
    return AHOY_JITTER_LOST;
}

enum ahoy_jitter_frame ahoy_jitter_get(struct ahoy_jitter *jitter, uint64_t now_us,
                                       struct span *payload)
{
    *payload = SPAN("");
    if (jitter->state == AHOY_JITTER_FILLING && now_us >= jitter->start_us) {
        jitter->state = AHOY_JITTER_PLAYING;
        jitter->next = lowest(jitter);
        jitter->turns = 0;
    }
    if (jitter->state != AHOY_JITTER_PLAYING)
        return AHOY_JITTER_SILENCE;
    bool was_silent = false;
    struct ahoy_jitter_slot *slot = slot_of(jitter, jitter->next);
    for (; slot != NULL; slot = slot_of(jitter, jitter->next)) {
        slot->is_used = false;
        jitter->next++;
        if (!slot->is_silent)
            return play(jitter, slot, now_us, payload);
        was_silent = true;
    }
    if (!was_silent || jitter->next <= jitter->highest)
        return conceal(jitter);
    jitter->state = AHOY_JITTER_EMPTY;
    return AHOY_JITTER_SILENCE;
}

struct span ahoy_jitter_peek(const struct ahoy_jitter *jitter)
{
    const struct ahoy_jitter_slot *slot = &jitter->slots[jitter->next % AHOY_JITTER_PACKETS_LIMIT];
    bool is_next = slot->is_used && !slot->is_silent && slot->sequence == jitter->next;
    return is_next ? (struct span){ slot->bytes, slot->size } : SPAN("");
}
