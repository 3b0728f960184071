/* The table of codecs.  G.711 is ours and always there; G.722 is libspandsp's and Opus libopus',
 * where this build has them. */
#include "libahoy/media/codec.h"

#include <assert.h>

#include "libahoy/media/g711.h"
#include "libahoy/media/g722.h"
#include "libahoy/media/opus.h"

/* A sample is a byte of either law, and neither remembers anything. */

static size_t encode(uint8_t (*law)(int16_t), const int16_t *samples, size_t count, char *bytes,
                     size_t room)
{
    assert(count <= room);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)law(samples[i]);
    return count;
}

static size_t decode(int16_t (*law)(uint8_t), struct span payload, int16_t *samples, size_t room)
{
    size_t count = payload.size < room ? payload.size : room;
    for (size_t i = 0; i < count; i++)
        samples[i] = law((uint8_t)payload.at[i]);
    return count;
}

static size_t encode_mu(void *none, const int16_t *samples, size_t count, char *bytes, size_t room)
{
    (void)none;
    return encode(ahoy_mu_law, samples, count, bytes, room);
}

static size_t encode_a(void *none, const int16_t *samples, size_t count, char *bytes, size_t room)
{
    (void)none;
    return encode(ahoy_a_law, samples, count, bytes, room);
}

static size_t decode_mu(void *none, struct span payload, int16_t *samples, size_t room)
{
    (void)none;
    return decode(ahoy_mu_law_sample, payload, samples, room);
}

static size_t decode_a(void *none, struct span payload, int16_t *samples, size_t room)
{
    (void)none;
    return decode(ahoy_a_law_sample, payload, samples, room);
}

/* clang-format off */
/* RFC 3551 4.5.2 and 4.5.14, table 4; RFC 7587 4.1. */
static const struct ahoy_coder coders[] = {
    { .codec = AHOY_PCMU, .rate_hz = 8000, .clock_hz = 8000, .bits = 64000,
      .encode = encode_mu, .decode = decode_mu },
    { .codec = AHOY_PCMA, .rate_hz = 8000, .clock_hz = 8000, .bits = 64000,
      .encode = encode_a, .decode = decode_a },
#ifdef AHOY_HAS_SPANDSP
    { .codec = AHOY_G722, .rate_hz = 16000, .clock_hz = 8000, .bits = 64000,
      .encoder_new = ahoy_g722_encoder_new, .decoder_new = ahoy_g722_decoder_new,
      .encoder_free = ahoy_g722_encoder_free, .decoder_free = ahoy_g722_decoder_free,
      .encode = ahoy_g722_encode, .decode = ahoy_g722_decode },
#endif
#ifdef AHOY_HAS_OPUS
    { .codec = AHOY_OPUS, .rate_hz = AHOY_OPUS_RATE_HZ, .clock_hz = 48000, .bits = AHOY_OPUS_BITS,
      .encoder_new = ahoy_opus_encoder_new, .decoder_new = ahoy_opus_decoder_new,
      .encoder_free = ahoy_opus_encoder_free, .decoder_free = ahoy_opus_decoder_free,
      .encode = ahoy_opus_encode, .decode = ahoy_opus_decode, .conceal = ahoy_opus_conceal },
#endif
};
/* clang-format on */

const struct ahoy_coder *ahoy_coder(enum ahoy_codec codec)
{
    for (size_t i = 0; i < sizeof coders / sizeof coders[0]; i++) {
        if (coders[i].codec == codec)
            return &coders[i];
    }
    return NULL;
}
