/* What is played where a packet is missing: the last period of the voice again, fading (as ITU-T
 * G.711 appendix I does, in short). */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { AHOY_CONCEAL_SAMPLES = 640 }; /* 40 ms at 16 kHz. */

struct ahoy_concealer {
    uint32_t rate_hz;
    size_t period;                      /* Samples; while something is made up. */
    size_t made_up;                     /* Samples since the last that came. */
    int16_t past[AHOY_CONCEAL_SAMPLES]; /* What was played, the latest last. */
};

/* |rate_hz| is at most 16000. */
void ahoy_conceal_init(struct ahoy_concealer *concealer, uint32_t rate_hz);
/* |samples| came and will be played.  After a gap their beginning is blended with what was made
 * up. */
void ahoy_conceal_join(struct ahoy_concealer *concealer, int16_t *samples, size_t count);
/* Makes up |count| samples. */
void ahoy_conceal_fill(struct ahoy_concealer *concealer, int16_t *samples, size_t count);
