/* Who talks last has the microphone; where he leaves it, whoever asks next. */
#include "ahoy/handset.h"

#ifdef AHOY_HAS_PORTAUDIO

#include <stdlib.h>
#include <string.h>

#include "ahoy/bridge.h"

struct phone_handset {
    struct phone_devices *devices;
    struct phone_bridge *in, *out; /* NULL where there is no such device. */
    bool talks;
};

struct phone_handset *phone_handset_open(struct phone_devices *devices, uint32_t call_hz)
{
    struct phone_handset *handset = devices != NULL ? calloc(1, sizeof *handset) : NULL;
    if (handset == NULL)
        return NULL;
    uint32_t in_hz = phone_device_rate(devices, PHONE_MICROPHONE);
    uint32_t out_hz = phone_device_rate(devices, PHONE_SPEAKER);
    handset->devices = devices;
    handset->talks = true;
    phone_devices_join(devices);
    handset->in = in_hz != 0 ? phone_bridge_from(in_hz, call_hz) : NULL;
    handset->out = out_hz != 0 ? phone_bridge_to(call_hz, out_hz) : NULL;
    if ((in_hz != 0 && handset->in == NULL) || (out_hz != 0 && handset->out == NULL)) {
        phone_handset_close(handset);
        return NULL;
    }
    return handset;
}

void phone_handset_close(struct phone_handset *handset)
{
    if (handset == NULL)
        return;
    phone_handset_attend(handset, false);
    phone_devices_part(handset->devices);
    phone_bridge_free(handset->in);
    phone_bridge_free(handset->out);
    free(handset);
}

void phone_handset_attend(struct phone_handset *handset, bool talks)
{
    if (handset == NULL)
        return;
    handset->talks = talks;
    if (talks)
        phone_devices_give(handset->devices, handset);
    else if (phone_devices_holder(handset->devices) == handset)
        phone_devices_give(handset->devices, NULL);
}

bool phone_handset_speaks(const struct phone_handset *handset)
{
    return handset != NULL && handset->in != NULL;
}

static bool has_devices(struct phone_handset *handset)
{
    if (handset->talks && phone_devices_holder(handset->devices) == NULL)
        phone_devices_give(handset->devices, handset);
    return phone_devices_holder(handset->devices) == handset;
}

void phone_handset_say(struct phone_handset *handset, int16_t *samples, size_t count)
{
    struct phone_ring *ring = NULL;
    size_t burst;
    if (handset->in != NULL && has_devices(handset))
        ring = phone_device_ring(handset->devices, PHONE_MICROPHONE, &burst);
    if (ring != NULL)
        phone_bridge_take(handset->in, ring, burst, samples, count);
    else
        memset(samples, 0, count * sizeof *samples);
}

void phone_handset_hear(struct phone_handset *handset, const int16_t *samples, size_t count)
{
    struct phone_ring *ring = NULL;
    size_t burst;
    if (handset != NULL && handset->out != NULL && has_devices(handset))
        ring = phone_device_ring(handset->devices, PHONE_SPEAKER, &burst);
    if (ring != NULL)
        phone_bridge_play(handset->out, ring, burst, samples, count);
}

#endif
