/* libspandsp, with all that its fax machine brings, is opened when the first call speaks G.722.
 * libahoy_media calls these instead: what a program defines itself comes before its libraries. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

#include <spandsp/telephony.h>

#include <spandsp/g722.h>

#include "ahoy/late.h"

/* The makers are the last ones: where one is there, all are. */
#define SPANDSP_CALLS(CALL)                                                                        \
    CALL(g722_encode)                                                                              \
    CALL(g722_encode_free)                                                                         \
    CALL(g722_decode)                                                                              \
    CALL(g722_decode_free)                                                                         \
    CALL(g722_decode_init)                                                                         \
    CALL(g722_encode_init)

static struct {
    SPANDSP_CALLS(PHONE_LATE_FIELD)
} calls;

/* False, said, where it is not there. */
static bool is_open(void)
{
    static const char *const names[] = { SPANDSP_CALLS(PHONE_LATE_NAME) };
    if (calls.g722_encode_init != NULL ||
        phone_late_open("libspandsp.so.2", names, sizeof names / sizeof names[0], &calls) != NULL)
        return true;
    fprintf(stderr, "ahoy: no G.722: %s\n", dlerror());
    return false;
}

g722_encode_state_t *g722_encode_init(g722_encode_state_t *state, int rate, int options)
{
    return is_open() ? calls.g722_encode_init(state, rate, options) : NULL;
}

g722_decode_state_t *g722_decode_init(g722_decode_state_t *state, int rate, int options)
{
    return is_open() ? calls.g722_decode_init(state, rate, options) : NULL;
}

/* Whoever has a state has opened it. */
int g722_encode(g722_encode_state_t *state, uint8_t *bytes, const int16_t *samples, int count)
{
    return calls.g722_encode(state, bytes, samples, count);
}

int g722_decode(g722_decode_state_t *state, int16_t *samples, const uint8_t *bytes, int count)
{
    return calls.g722_decode(state, samples, bytes, count);
}

int g722_encode_free(g722_encode_state_t *state)
{
    return calls.g722_encode_free(state);
}

int g722_decode_free(g722_decode_state_t *state)
{
    return calls.g722_decode_free(state);
}
