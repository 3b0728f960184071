/* Opus is a codec of speech and one of music: somebody else's work. */
#include "libahoy/media/opus.h"

#ifdef AHOY_HAS_OPUS

#include <opus/opus.h>

#include "libahoy/media/codec.h"

enum {
    LEAST_BITS = 6000,    /* RFC 7587 6.1: maxaveragebitrate is 6000 at least. */
    EXPECTED_LOSS = 10,   /* Percent, which the bits for repairs are laid out for. */
    PARTS_A_SECOND = 400, /* Whatever is made up lasts a multiple of 2.5 ms. */
};

static opus_int32 bandwidth(uint32_t playback_hz)
{
    if (playback_hz == 0 || playback_hz > 12000)
        return OPUS_BANDWIDTH_WIDEBAND;
    return playback_hz > 8000 ? OPUS_BANDWIDTH_MEDIUMBAND : OPUS_BANDWIDTH_NARROWBAND;
}

/* RFC 7587 7.1: not more than the peer can use; 3.3: repairs only for who can use them. */
void *ahoy_opus_encoder_new(const struct ahoy_sdp_opus *wish)
{
    int fault;
    OpusEncoder *encoder = opus_encoder_create(AHOY_OPUS_RATE_HZ, 1, OPUS_APPLICATION_VOIP, &fault);
    if (encoder == NULL)
        return NULL;
    opus_int32 bits = AHOY_OPUS_BITS;
    if (wish->bits != 0 && wish->bits < AHOY_OPUS_BITS)
        bits = wish->bits < LEAST_BITS ? LEAST_BITS : (opus_int32)wish->bits;
    /* Each is one that the library has, with a value that it takes. */
    (void)opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits));
    (void)opus_encoder_ctl(encoder, OPUS_SET_MAX_BANDWIDTH(bandwidth(wish->playback_hz)));
    (void)opus_encoder_ctl(encoder, OPUS_SET_VBR(wish->wants_cbr ? 0 : 1));
    (void)opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(wish->takes_fec ? 1 : 0));
    (void)opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(wish->takes_fec ? EXPECTED_LOSS : 0));
    return encoder;
}

/* RFC 7587 7.1: it decodes every bandwidth, and stereo, into what it was made for. */
void *ahoy_opus_decoder_new(uint32_t rate_hz)
{
    int fault;
    return opus_decoder_create((opus_int32)rate_hz, 1, &fault);
}

void ahoy_opus_encoder_free(void *state)
{
    opus_encoder_destroy(state);
}

void ahoy_opus_decoder_free(void *state)
{
    opus_decoder_destroy(state);
}

size_t ahoy_opus_encode(void *state, const int16_t *samples, size_t count, char *bytes, size_t room)
{
    int size = opus_encode(state, samples, (int)count, (unsigned char *)bytes, (opus_int32)room);
    return size > 0 ? (size_t)size : 0;
}

size_t ahoy_opus_decode(void *state, struct span payload, int16_t *samples, size_t room)
{
    if (payload.size == 0)
        return 0; /* To the library it would be a packet that was lost. */
    int count = opus_decode(state, (const unsigned char *)payload.at, (opus_int32)payload.size,
                            samples, (int)room, 0);
    return count > 0 ? (size_t)count : 0;
}

size_t ahoy_opus_conceal(void *state, struct span next, int16_t *samples, size_t count)
{
    opus_int32 rate_hz;
    if (opus_decoder_ctl(state, OPUS_GET_SAMPLE_RATE(&rate_hz)) != OPUS_OK)
        return 0;
    size_t part = (size_t)rate_hz / PARTS_A_SECOND;
    count = count < part ? part : count - count % part;
    bool has_next = next.size > 0;
    int made_up = opus_decode(state, has_next ? (const unsigned char *)next.at : NULL,
                              (opus_int32)next.size, samples, (int)count, has_next);
    return made_up > 0 ? (size_t)made_up : 0;
}

#endif
