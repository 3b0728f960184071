/* Concealment by repetition.  A voice, and a tone all the more, is much the same a few
 * milliseconds later; longer than 60 ms nobody believes it. */
#include "libahoy/media/conceal.h"

#include <assert.h>
#include <string.h>

enum { SHORTEST_HZ = 400, LONGEST_HZ = 66, HOLD_MS = 10, FADE_MS = 50, BLEND_MS = 5 };

void ahoy_conceal_init(struct ahoy_concealer *concealer, uint32_t rate_hz)
{
    assert(rate_hz * 40 / 1000 <= AHOY_CONCEAL_SAMPLES);
    memset(concealer, 0, sizeof *concealer);
    concealer->rate_hz = rate_hz;
}

static void remember(struct ahoy_concealer *concealer, const int16_t *samples, size_t count)
{
    if (count > AHOY_CONCEAL_SAMPLES) {
        samples += count - AHOY_CONCEAL_SAMPLES;
        count = AHOY_CONCEAL_SAMPLES;
    }
    size_t kept = AHOY_CONCEAL_SAMPLES - count;
    memmove(concealer->past, concealer->past + count, kept * sizeof *samples);
    memcpy(concealer->past + kept, samples, count * sizeof *samples);
}

/* How alike the last |length| samples are to those |period| before them: 1 is the same. */
static double likeness(const struct ahoy_concealer *concealer, size_t period, size_t length)
{
    const int16_t *now = concealer->past + AHOY_CONCEAL_SAMPLES - length;
    const int16_t *then = now - period;
    double product = 0;
    double energy = 1;
    for (size_t i = 0; i < length; i++) {
        product += (double)now[i] * then[i];
        energy += (double)then[i] * then[i];
    }
    return product <= 0 ? 0 : product * product / energy;
}

static size_t find_period(const struct ahoy_concealer *concealer)
{
    size_t longest = concealer->rate_hz / LONGEST_HZ;
    size_t best = longest;
    double most = 0;
    for (size_t period = concealer->rate_hz / SHORTEST_HZ; period <= longest; period++) {
        double alike = likeness(concealer, period, longest);
        if (alike > most) {
            most = alike;
            best = period;
        }
    }
    return best;
}

static double gain(const struct ahoy_concealer *concealer)
{
    size_t held = concealer->rate_hz * HOLD_MS / 1000;
    size_t faded = concealer->rate_hz * FADE_MS / 1000;
    if (concealer->made_up <= held)
        return 1;
    return concealer->made_up >= held + faded
               ? 0
               : 1 - (double)(concealer->made_up - held) / (double)faded;
}

static int16_t make_up(struct ahoy_concealer *concealer)
{
    if (concealer->made_up == 0)
        concealer->period = find_period(concealer);
    size_t back = concealer->period - concealer->made_up % concealer->period;
    int16_t sample = concealer->past[AHOY_CONCEAL_SAMPLES - back];
    int16_t faded = (int16_t)(sample * gain(concealer));
    concealer->made_up++;
    return faded;
}

void ahoy_conceal_fill(struct ahoy_concealer *concealer, int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        samples[i] = make_up(concealer);
}

void ahoy_conceal_join(struct ahoy_concealer *concealer, int16_t *samples, size_t count)
{
    size_t blended = concealer->made_up > 0 ? concealer->rate_hz * BLEND_MS / 1000 : 0;
    for (size_t i = 0; i < blended && i < count; i++) {
        double weight = (double)i / (double)blended;
        samples[i] = (int16_t)(samples[i] * weight + make_up(concealer) * (1 - weight));
    }
    concealer->made_up = 0;
    remember(concealer, samples, count);
}
