/* Codecs: a row for each that this build has. */
#pragma once

#include "libahoy/sdp/formats.h"

enum { AHOY_FRAME_MS = 20, AHOY_FRAME_SAMPLES_MAX = 320, AHOY_DECODED_SAMPLES_LIMIT = 1920 };
enum { AHOY_OPUS_RATE_HZ = 16000, AHOY_OPUS_BITS = 32000 };

struct ahoy_coder {
    enum ahoy_codec codec;
    uint32_t rate_hz;  /* Of samples; it decodes into 8 or 16 kHz where it has a decoder_new. */
    uint32_t clock_hz; /* Of timestamps. */
    uint32_t bits;     /* A second, about, on the wire. */
    /* What one direction of one call needs; NULL where memory is refused.  No function here: it
     * needs nothing, and |state| is NULL. */
    void *(*encoder_new)(const struct ahoy_sdp_opus *wish);
    void *(*decoder_new)(uint32_t rate_hz);
    void (*encoder_free)(void *state);
    void (*decoder_free)(void *state);
    /* A frame of 20 ms.  Returns the bytes written, at most |room|. */
    size_t (*encode)(void *state, const int16_t *samples, size_t count, char *bytes, size_t room);
    /* A payload of any size and content.  Returns the samples written, at most |room|; 0 where
     * it is none of this codec. */
    size_t (*decode)(void *state, struct span payload, int16_t *samples, size_t room);
    /* About |count| samples in place of a packet that is lost, by what |next|, the one behind it,
     * repeats of it, if that is here; 0 where that fails.  NULL: conceal.h is to do it. */
    size_t (*conceal)(void *state, struct span next, int16_t *samples, size_t count);
};

/* NULL where this build has none for |codec|. */
const struct ahoy_coder *ahoy_coder(enum ahoy_codec codec);
