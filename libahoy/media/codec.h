/* Codecs: a row for each that this build has. */
#pragma once

#include "libahoy/sdp/negotiate.h"

enum { AHOY_FRAME_MS = 20, AHOY_FRAME_SAMPLES_MAX = 320, AHOY_DECODED_SAMPLES_LIMIT = 1920 };

struct ahoy_coder {
    enum ahoy_codec codec;
    uint32_t rate_hz;  /* Of samples. */
    uint32_t clock_hz; /* Of timestamps. */
    uint32_t bits;     /* A second, about, on the wire. */
    /* What one direction of one call needs; NULL where memory is refused.  No function here: it
     * needs nothing, and |state| is NULL. */
    void *(*encoder_new)(void);
    void *(*decoder_new)(void);
    void (*encoder_free)(void *state);
    void (*decoder_free)(void *state);
    /* A frame of 20 ms.  Returns the bytes written, at most |room|. */
    size_t (*encode)(void *state, const int16_t *samples, size_t count, char *bytes, size_t room);
    /* A payload of any size and content.  Returns the samples written, at most |room|; 0 where
     * it is none of this codec. */
    size_t (*decode)(void *state, struct span payload, int16_t *samples, size_t room);
};

/* NULL where this build has none for |codec|. */
const struct ahoy_coder *ahoy_coder(enum ahoy_codec codec);
