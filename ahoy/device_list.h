/* Which devices PortAudio knows. */
#pragma once

#include "ahoy/device.h"

#ifdef AHOY_HAS_PORTAUDIO

#include <portaudio.h>

#include "ahoy/late.h"

enum { PHONE_DEVICE_USUAL_HZ = 48000 };

#define PHONE_PORTAUDIO_CALLS(CALL)                                                                \
    CALL(Pa_Initialize)                                                                            \
    CALL(Pa_Terminate)                                                                             \
    CALL(Pa_GetErrorText)                                                                          \
    CALL(Pa_GetDeviceCount)                                                                        \
    CALL(Pa_GetDeviceInfo)                                                                         \
    CALL(Pa_GetHostApiInfo)                                                                        \
    CALL(Pa_GetDefaultInputDevice)                                                                 \
    CALL(Pa_GetDefaultOutputDevice)                                                                \
    CALL(Pa_OpenStream)                                                                            \
    CALL(Pa_SetStreamFinishedCallback)                                                             \
    CALL(Pa_StartStream)                                                                           \
    CALL(Pa_CloseStream)

struct phone_portaudio {
    PHONE_PORTAUDIO_CALLS(PHONE_LATE_FIELD)
};

/* PortAudio, once that is open. */
const struct phone_portaudio *phone_portaudio(void);
/* Opens it and has it look around, without a word of the libraries beneath it, which write to
 * standard error.  False, said, where it cannot.  For the first thread, before there is another. */
bool phone_portaudio_open(void);
/* The device of exactly this name, or else the first that has it in its name in whichever case;
 * NULL is for the system's choice.  paNoDevice where there is none with such channels. */
PaDeviceIndex phone_device_find(bool is_input, const char *name);

#endif
