/* Which devices PortAudio knows. */
#pragma once

#include "ahoy/device.h"

#ifdef AHOY_HAS_PORTAUDIO

#include <portaudio.h>

enum { PHONE_DEVICE_USUAL_HZ = 48000 };

/* Has PortAudio look around, without a word of the libraries beneath it, which write to standard
 * error.  False, said, where it cannot.  For the first thread, before there is another. */
bool phone_portaudio_open(void);
/* The device of exactly this name, or else the first that has it in its name in whichever case;
 * NULL is for the system's choice.  paNoDevice where there is none with such channels. */
PaDeviceIndex phone_device_find(bool is_input, const char *name);

#endif
