/* The table of codecs.  G.711 is ours and always there; the others are libspandsp's and libopus's,
 * where this build has them. */
#include "libahoy/media/codec.h"

#include <assert.h>

#include "libahoy/media/g711.h"
#include "libahoy/media/g722.h"

static size_t encode_mu(void *state, const int16_t *samples, size_t count, char *bytes, size_t room)
{
    (void)state; /* It has none. */
    assert(count <= room);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)ahoy_mu_law(samples[i]);
    return count;
}

static size_t encode_a(void *state, const int16_t *samples, size_t count, char *bytes, size_t room)
{
    (void)state; /* It has none. */
    assert(count <= room);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (char)ahoy_a_law(samples[i]);
    return count;
}

static size_t decode_mu(void *state, struct span payload, int16_t *samples, size_t room)
{
    (void)state; /* It has none. */
    size_t count = payload.size < room ? payload.size : room;
    for (size_t i = 0; i < count; i++)
        samples[i] = ahoy_mu_law_sample((uint8_t)payload.at[i]);
    return count;
}

static size_t decode_a(void *state, struct span payload, int16_t *samples, size_t room)
{
    (void)state; /* It has none. */
    size_t count = payload.size < room ? payload.size : room;
    for (size_t i = 0; i < count; i++)
        samples[i] = ahoy_a_law_sample((uint8_t)payload.at[i]);
    return count;
}

/* clang-format off */
/* RFC 3551 4.5.2 and 4.5.14, table 4. */
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
