/* The area below the line that the rate draws over time. */
#include "ahoy/load_pace.h"

static double rate_at(const struct load_pace *pace, double elapsed_ms)
{
    double from = pace->rate.from, to = pace->rate.to, ramp_ms = (double)pace->ramp_ms;
    double now = elapsed_ms < ramp_ms ? from + (to - from) * elapsed_ms / ramp_ms : to;
    return now / 1e6; /* A millisecond. */
}

/* How many all in all. */
static double area(const struct load_pace *pace, double elapsed_ms)
{
    double ramp_ms = (double)pace->ramp_ms;
    double sloping_ms = elapsed_ms < ramp_ms ? elapsed_ms : ramp_ms;
    double sloping = (rate_at(pace, 0) + rate_at(pace, sloping_ms)) / 2 * sloping_ms;
    return sloping + rate_at(pace, ramp_ms) * (elapsed_ms - sloping_ms);
}

uint64_t load_pace_due(const struct load_pace *pace, uint64_t elapsed_ms)
{
    double all = area(pace, (double)elapsed_ms) + 1; /* The first at once. */
    return all >= (double)pace->count + 1 ? (uint64_t)all - pace->count : 0;
}

uint64_t load_pace_take(struct load_pace *pace, uint64_t due, bool is_step)
{
    uint64_t taken = is_step ? due - due / 2 : pace->second < due ? pace->second : due;
    pace->second = is_step ? due / 2 : 0;
    return taken;
}

uint64_t load_pace_wait_ms(const struct load_pace *pace, uint64_t elapsed_ms)
{
    double missing = (double)pace->count - area(pace, (double)elapsed_ms);
    double rate = rate_at(pace, (double)elapsed_ms);
    if (missing <= 0)
        return 0;
    return missing >= rate * LOAD_PACE_REST_MS ? LOAD_PACE_REST_MS : (uint64_t)(missing / rate) + 1;
}

uint64_t load_pace_step_us(const struct load_pace *pace, uint64_t elapsed_ms)
{
    double rate = rate_at(pace, (double)elapsed_ms); /* A millisecond. */
    if (rate * LOAD_STEP_MOST_US <= LOAD_STEP_CALLS * 1e3)
        return LOAD_STEP_MOST_US;
    if (rate * LOAD_STEP_LEAST_US >= LOAD_STEP_CALLS * 1e3)
        return LOAD_STEP_LEAST_US;
    return (uint64_t)(LOAD_STEP_CALLS * 1e3 / rate);
}
