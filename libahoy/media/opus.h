/* Opus (RFC 6716, RFC 7587) by libopus: samples at 8 or 16 kHz, timestamps at 48.  For the table of
 * codec.c, where this build has the library (AHOY_HAS_OPUS). */
#pragma once

#include "libahoy/sdp/formats.h"

/* One channel, at 16 kHz, as |wish| has it.  Both are the caller's, to be freed by the functions
 * below; NULL where memory is refused. */
void *ahoy_opus_encoder_new(const struct ahoy_sdp_opus *wish);
void *ahoy_opus_decoder_new(uint32_t rate_hz);
void ahoy_opus_encoder_free(void *state);
void ahoy_opus_decoder_free(void *state);
/* |count| samples into a packet of at most |room| bytes, and back into at most |room| samples: how
 * many were written; 0 where it cannot be done. */
size_t ahoy_opus_encode(void *state, const int16_t *samples, size_t count, char *bytes,
                        size_t room);
size_t ahoy_opus_decode(void *state, struct span payload, int16_t *samples, size_t room);
/* Samples for a packet that is missing: out of the repair that |next|, the one behind it, carries,
 * or made up where that is empty (RFC 6716 4.4). */
size_t ahoy_opus_conceal(void *state, struct span next, int16_t *samples, size_t count);
