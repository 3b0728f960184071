/* The resampler of Speex, whose rate is set anew twice a second by how much waits: a quarter of
 * what is too much is to be gone after a second.  Half a percent, more than any crystal is off, is
 * the most, and is not heard. */
#include "ahoy/bridge.h"

#ifdef AHOY_HAS_PORTAUDIO

#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUALITY = 6, /* Of 10. */
    FRAMES_A_SECOND = 50,
    STEER_FRAMES = FRAMES_A_SECOND / 2,
    SMOOTH_FRAMES = 64, /* Bursts of the device must not be heard. */
    OUT_MOST = 65535, /* The resampler multiplies its part of the rate with itself in 32 bits. */
    SCRATCH_SAMPLES = PHONE_DEVICE_HIGHEST_HZ / FRAMES_A_SECOND * 102 / 100 + 16
};

static const double correction_s = 4, most_bent = 0.005;

struct phone_bridge {
    SpeexResamplerState *resampler;
    uint32_t from_hz, to_hz, device_hz;
    uint32_t in, out, steps; /* The rates as small numbers, and by how much they are multiplied. */
    double excess;           /* Samples that wait and should not. */
    unsigned frames;
    bool is_flowing; /* What is to wait has been there. */
    uint64_t gaps;
    int16_t scratch[SCRATCH_SAMPLES];
};

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* More goes in for what comes out, by the share |bent|. */
static void bend(struct phone_bridge *bridge, double bent)
{
    uint32_t in = (uint32_t)(bridge->in * (double)bridge->steps * (1 + bent) + 0.5);
    /* It refuses only what is zero or too big, which these never are. */
    (void)speex_resampler_set_rate_frac(bridge->resampler, in, bridge->out * bridge->steps,
                                        bridge->from_hz, bridge->to_hz);
}

static struct phone_bridge *bridge_new(uint32_t from_hz, uint32_t to_hz, uint32_t device_hz)
{
    int fault;
    struct phone_bridge *bridge = calloc(1, sizeof *bridge);
    if (bridge == NULL)
        return NULL;
    uint32_t divisor = common_divisor(from_hz, to_hz);
    bridge->from_hz = from_hz;
    bridge->to_hz = to_hz;
    bridge->device_hz = device_hz;
    bridge->in = from_hz / divisor;
    bridge->out = to_hz / divisor;
    bridge->steps = OUT_MOST / bridge->out;
    bridge->resampler = speex_resampler_init(1, from_hz, to_hz, QUALITY, &fault);
    if (bridge->resampler == NULL) {
        free(bridge);
        return NULL;
    }
    bend(bridge, 0);
    return bridge;
}

struct phone_bridge *phone_bridge_to(uint32_t call_hz, uint32_t device_hz)
{
    return bridge_new(call_hz, device_hz, device_hz);
}

struct phone_bridge *phone_bridge_from(uint32_t device_hz, uint32_t call_hz)
{
    return bridge_new(device_hz, call_hz, device_hz);
}

void phone_bridge_free(struct phone_bridge *bridge)
{
    if (bridge == NULL)
        return;
    speex_resampler_destroy(bridge->resampler);
    free(bridge);
}

uint64_t phone_bridge_gaps(const struct phone_bridge *bridge)
{
    return bridge->gaps;
}

static size_t samples_of(const struct phone_bridge *bridge, uint32_t ms)
{
    return (size_t)bridge->device_hz * ms / 1000;
}

/* A frame was due when |waiting| samples were there and |wanted| were to be. */
static void steer(struct phone_bridge *bridge, size_t waiting, size_t wanted)
{
    double excess = (double)waiting - (double)wanted;
    bridge->excess += (excess - bridge->excess) / SMOOTH_FRAMES;
    if (++bridge->frames < STEER_FRAMES)
        return;
    bridge->frames = 0;
    double bent = bridge->excess / bridge->device_hz / correction_s;
    bent = bent > most_bent ? most_bent : bent;
    bend(bridge, bent < -most_bent ? -most_bent : bent);
}

/* From here on as in the beginning. */
static void interrupt(struct phone_bridge *bridge)
{
    bridge->gaps += bridge->is_flowing;
    bridge->is_flowing = false;
    bridge->excess = 0;
}

void phone_bridge_play(struct phone_bridge *bridge, struct phone_ring *ring, size_t burst,
                       const int16_t *samples, size_t count)
{
    size_t wanted = burst + samples_of(bridge, PHONE_BRIDGE_MARGIN_MS);
    size_t waiting = phone_ring_count(ring);
    if (waiting == 0) {
        interrupt(bridge);
        waiting = phone_ring_put(ring, NULL, wanted);
        bridge->is_flowing = true;
    } else if (waiting > wanted + samples_of(bridge, PHONE_BRIDGE_SLACK_MS)) {
        bridge->gaps++;
        return;
    }
    uint32_t in = (uint32_t)count, out = SCRATCH_SAMPLES;
    /* It fails only without a resampler or a channel. */
    (void)speex_resampler_process_int(bridge->resampler, 0, samples, &in, bridge->scratch, &out);
    phone_ring_put(ring, bridge->scratch, out);
    steer(bridge, waiting, wanted);
}

void phone_bridge_take(struct phone_bridge *bridge, struct phone_ring *ring, size_t burst,
                       int16_t *samples, size_t count)
{
    size_t frame = (size_t)((double)count * bridge->from_hz / bridge->to_hz * 1.01) + 8;
    size_t wanted = burst + frame + samples_of(bridge, PHONE_BRIDGE_MARGIN_MS);
    size_t waiting = phone_ring_count(ring);
    memset(samples, 0, count * sizeof *samples);
    if (waiting < (bridge->is_flowing ? frame : wanted)) {
        interrupt(bridge);
        return;
    }
    if (waiting > wanted + samples_of(bridge, PHONE_BRIDGE_SLACK_MS)) {
        bridge->gaps += bridge->is_flowing;
        phone_ring_skip(ring, waiting - wanted);
        waiting = wanted;
    }
    bridge->is_flowing = true;
    frame = frame < SCRATCH_SAMPLES ? frame : SCRATCH_SAMPLES;
    uint32_t in = (uint32_t)phone_ring_peek(ring, bridge->scratch, frame), out = (uint32_t)count;
    (void)speex_resampler_process_int(bridge->resampler, 0, bridge->scratch, &in, samples, &out);
    phone_ring_skip(ring, in);
    steer(bridge, waiting, wanted);
}

#endif
