/* Sines, and the discrete Fourier transform by Goertzel's recurrence. */
#include "libahoy/media/tone.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LOWEST_HZ = 100, OVERLOAD = 32768 };

void ahoy_tone_init(struct ahoy_tone *tone, double hz, double level_dbov, uint32_t rate_hz)
{
    tone->phase = 0;
    tone->step = 2 * M_PI * hz / rate_hz;
    tone->amplitude = OVERLOAD * M_SQRT2 * pow(10, level_dbov / 20);
    if (tone->amplitude > INT16_MAX)
        tone->amplitude = INT16_MAX;
}

void ahoy_tone_next(struct ahoy_tone *tone, int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        samples[i] = (int16_t)lrint(tone->amplitude * sin(tone->phase));
        tone->phase = fmod(tone->phase + tone->step, 2 * M_PI);
    }
}

double ahoy_level_dbov(const int16_t *samples, size_t count)
{
    double power = 0;
    for (size_t i = 0; i < count; i++)
        power += (double)samples[i] * samples[i];
    if (power == 0)
        return AHOY_SILENCE_DBOV;
    double dbov = 10 * log10(power / (double)count / ((double)OVERLOAD * OVERLOAD));
    return dbov > AHOY_SILENCE_DBOV ? dbov : AHOY_SILENCE_DBOV;
}

void ahoy_tone_meter_init(struct ahoy_tone_meter *meter, uint32_t rate_hz)
{
    assert(rate_hz <= AHOY_METER_RATE_MAX_HZ && rate_hz % AHOY_METER_BLOCKS_A_SECOND == 0);
    memset(meter, 0, sizeof *meter);
    meter->rate_hz = rate_hz;
}

/* The squared magnitude of bin |k| of |size| samples. */
static double magnitude(const double *samples, size_t size, size_t k)
{
    double factor = 2 * cos(2 * M_PI * (double)k / (double)size);
    double last = 0;
    double before = 0;
    for (size_t i = 0; i < size; i++) {
        double next = samples[i] + factor * last - before;
        before = last;
        last = next;
    }
    return last * last + before * before - factor * last * before;
}

/* Where between two bins a tone lies that is seen through Hann's window (Grandke). */
static double offset(double at, double below, double above)
{
    double ratio = sqrt((above > below ? above : below) / at);
    double distance = (2 * ratio - 1) / (ratio + 1);
    return above > below ? distance : -distance;
}

/* One block.  It counts where most of its power is around one frequency. */
static void judge(struct ahoy_tone_meter *meter)
{
    const double share = 0.8;
    double windowed[AHOY_METER_BLOCK_SAMPLES];
    double bins[AHOY_METER_BINS + 1];
    double power = 0;
    size_t size = meter->count;
    size_t best = LOWEST_HZ / AHOY_METER_BLOCKS_A_SECOND;
    for (size_t i = 0; i < size; i++) {
        double sample = meter->block[i];
        power += sample * sample / (double)size;
        windowed[i] = sample * (0.5 - 0.5 * cos(2 * M_PI * (double)i / (double)size));
    }
    if (power < 1)
        return;
    for (size_t k = best - 1; k <= AHOY_METER_BINS; k++)
        bins[k] = magnitude(windowed, size, k);
    for (size_t k = best; k < AHOY_METER_BINS; k++)
        best = bins[k] > bins[best] ? k : best;
    double around = bins[best - 1] + bins[best] + bins[best + 1];
    /* A sine of this power has 3/16 of it, times the squared size, in the bins of one half. */
    if (around < share * power * (double)size * (double)size * 3 / 16)
        return;
    struct ahoy_tone_bin *bin = &meter->bins[best];
    double shift = offset(bins[best], bins[best - 1], bins[best + 1]);
    bin->blocks++;
    bin->sum_hz += ((double)best + shift) * AHOY_METER_BLOCKS_A_SECOND;
    bin->sum_power += power;
}

void ahoy_tone_meter_take(struct ahoy_tone_meter *meter, const int16_t *samples, size_t count)
{
    size_t size = meter->rate_hz / AHOY_METER_BLOCKS_A_SECOND;
    for (size_t i = 0; i < count; i++) {
        meter->block[meter->count++] = samples[i];
        if (meter->count == size) {
            judge(meter);
            meter->count = 0;
        }
    }
}

bool ahoy_tone_meter_read(const struct ahoy_tone_meter *meter, double *hz, double *level_dbov)
{
    const struct ahoy_tone_bin *best = &meter->bins[0];
    for (size_t i = 1; i < AHOY_METER_BINS; i++)
        best = meter->bins[i].blocks > best->blocks ? &meter->bins[i] : best;
    if (best->blocks == 0)
        return false;
    *hz = best->sum_hz / best->blocks;
    *level_dbov = 10 * log10(best->sum_power / best->blocks / OVERLOAD / OVERLOAD);
    return true;
}
