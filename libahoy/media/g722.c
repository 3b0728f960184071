/* G.722 is a pair of filters and two predictors: somebody else's work. */
#include "libahoy/media/g722.h"

#ifdef AHOY_HAS_SPANDSP

#include <assert.h>
#include <spandsp/telephony.h>

#include <spandsp/g722.h>

enum { BITS = 64000 };

void *ahoy_g722_encoder_new(const struct ahoy_sdp_opus *none)
{
    (void)none;
    return g722_encode_init(NULL, BITS, 0);
}

void *ahoy_g722_decoder_new(uint32_t rate_hz)
{
    return g722_decode_init(NULL, BITS, rate_hz == 8000 ? G722_SAMPLE_RATE_8000 : 0);
}

void ahoy_g722_encoder_free(void *state)
{
    g722_encode_free(state);
}

void ahoy_g722_decoder_free(void *state)
{
    g722_decode_free(state);
}

/* Two samples are a byte. */
size_t ahoy_g722_encode(void *state, const int16_t *samples, size_t count, char *bytes, size_t room)
{
    assert(count / 2 <= room);
    return (size_t)g722_encode(state, (uint8_t *)bytes, samples, (int)count);
}

size_t ahoy_g722_decode(void *state, struct span payload, int16_t *samples, size_t room)
{
    size_t size = payload.size < room / 2 ? payload.size : room / 2;
    return (size_t)g722_decode(state, samples, (const uint8_t *)payload.at, (int)size);
}

#endif
