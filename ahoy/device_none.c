/* What a phone without PortAudio says of devices. */
#include "ahoy/handset.h"

#ifndef AHOY_HAS_PORTAUDIO

#include <stdio.h>

static void say_none(void)
{
    fprintf(stderr, "ahoy: this build has no sound devices: it was made without PortAudio\n");
}

struct phone_devices *phone_devices_open(const struct phone_options *options, bool sits_there,
                                         bool *is_fault)
{
    (void)sits_there; /* Whoever does has spoken silence before. */
    *is_fault = options->microphone != NULL || options->speaker != NULL;
    if (*is_fault)
        say_none();
    return NULL;
}

void phone_devices_close(struct phone_devices *devices)
{
    (void)devices; /* NULL, as whatever follows here. */
}

struct phone_handset *phone_handset_open(struct phone_devices *devices, uint32_t call_hz)
{
    (void)devices, (void)call_hz;
    return NULL;
}

void phone_handset_close(struct phone_handset *handset)
{
    (void)handset;
}

void phone_handset_attend(struct phone_handset *handset, bool talks)
{
    (void)handset, (void)talks;
}

bool phone_handset_speaks(const struct phone_handset *handset)
{
    (void)handset;
    return false;
}

void phone_handset_say(struct phone_handset *handset, int16_t *samples, size_t count)
{
    (void)handset, (void)samples, (void)count;
}

void phone_handset_hear(struct phone_handset *handset, const int16_t *samples, size_t count)
{
    (void)handset, (void)samples, (void)count;
}

int phone_list_devices(int argc, char **argv)
{
    (void)argc, (void)argv; /* No option changes it. */
    say_none();
    return PHONE_REFUSED;
}

#endif
