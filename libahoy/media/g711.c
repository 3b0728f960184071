/* G.711.  Samples have 16 bits here; mu-law knows the upper 14 of them, A-law 13. */
#include "libahoy/media/g711.h"

enum { SIGN = 0x80, MU_BIAS = 0x84, MU_MOST = 32767 - MU_BIAS, A_EVEN_BITS = 0x55 };

/* The place of the highest bit of |size| above |lowest|; 0 where it is there or below. */
static unsigned segment(unsigned size, unsigned lowest)
{
    unsigned found = 0;
    while (size >> (lowest + found + 1) != 0)
        found++;
    return found;
}

uint8_t ahoy_mu_law(int16_t sample)
{
    unsigned sign = sample < 0 ? SIGN : 0;
    int size = sample < 0 ? -(int)sample : sample;
    unsigned biased = (unsigned)(size > MU_MOST ? MU_MOST : size) + MU_BIAS;
    unsigned power = segment(biased, 7);
    return (uint8_t) ~(sign | power << 4 | (biased >> (power + 3) & 15));
}

int16_t ahoy_mu_law_sample(uint8_t byte)
{
    unsigned bits = (uint8_t)~byte;
    int size = (int)(((bits & 15) << 3 | MU_BIAS) << (bits >> 4 & 7)) - MU_BIAS;
    return (int16_t)((bits & SIGN) != 0 ? -size : size);
}

uint8_t ahoy_a_law(int16_t sample)
{
    unsigned sign = sample < 0 ? 0 : SIGN;
    unsigned size = (unsigned)(sample < 0 ? -((int)sample + 1) : sample);
    unsigned power = segment(size, 7);
    unsigned digits = size >> (power > 0 ? power + 3 : 4) & 15;
    return (uint8_t)((sign | power << 4 | digits) ^ A_EVEN_BITS);
}

int16_t ahoy_a_law_sample(uint8_t byte)
{
    unsigned bits = byte ^ A_EVEN_BITS;
    unsigned power = bits >> 4 & 7;
    unsigned size = (bits & 15) << 4 | 8;
    if (power > 0)
        size = (size | 0x100) << (power - 1);
    return (int16_t)((bits & SIGN) != 0 ? (int)size : -(int)size);
}
