/* ITU-T G.722 at 64 kbit/s, by libspandsp: samples at 16 kHz, timestamps at 8 (RFC 3551 4.5.2);
 * it decodes into 8 kHz too.
 * For the table of codec.c, where this build has the library (AHOY_HAS_SPANDSP). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "libahoy/sdp/formats.h"

void *ahoy_g722_encoder_new(const struct ahoy_sdp_opus *none);
void *ahoy_g722_decoder_new(uint32_t rate_hz);
void ahoy_g722_encoder_free(void *state);
void ahoy_g722_decoder_free(void *state);
size_t ahoy_g722_encode(void *state, const int16_t *samples, size_t count, char *bytes,
                        size_t room);
size_t ahoy_g722_decode(void *state, struct span payload, int16_t *samples, size_t room);
