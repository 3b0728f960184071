/* A tone to be said, and what tone is heard.  Levels are in dBov: 0 is the mean power of the
 * largest square wave, so the largest sine has -3.01 (ITU-T G.100.1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ahoy_tone {
    double phase, step; /* Radians. */
    double amplitude;
};

void ahoy_tone_init(struct ahoy_tone *tone, double hz, double level_dbov, uint32_t rate_hz);
void ahoy_tone_next(struct ahoy_tone *tone, int16_t *samples, size_t count);

/* The level of |samples|; AHOY_SILENCE_DBOV is the lowest. */
enum { AHOY_SILENCE_DBOV = -96 };
double ahoy_level_dbov(const int16_t *samples, size_t count);

enum {
    AHOY_METER_RATE_MAX_HZ = 16000,
    AHOY_METER_BLOCKS_A_SECOND = 20,
    AHOY_METER_BLOCK_SAMPLES = AHOY_METER_RATE_MAX_HZ / AHOY_METER_BLOCKS_A_SECOND,
    AHOY_METER_BINS = 4000 / AHOY_METER_BLOCKS_A_SECOND /* Up to 4 kHz. */
};

/* Blocks of 50 ms in which one tone stands out, counted by its frequency. */
struct ahoy_tone_bin {
    uint32_t blocks;
    double sum_hz;
    double sum_power;
};

struct ahoy_tone_meter {
    uint32_t rate_hz;
    size_t count;
    int16_t block[AHOY_METER_BLOCK_SAMPLES];
    struct ahoy_tone_bin bins[AHOY_METER_BINS];
};

/* |rate_hz| is a multiple of 20, from 8000 to AHOY_METER_RATE_MAX_HZ. */
void ahoy_tone_meter_init(struct ahoy_tone_meter *meter, uint32_t rate_hz);
void ahoy_tone_meter_take(struct ahoy_tone_meter *meter, const int16_t *samples, size_t count);
/* The tone that was heard longest.  False where none was. */
bool ahoy_tone_meter_read(const struct ahoy_tone_meter *meter, double *hz, double *level_dbov);
