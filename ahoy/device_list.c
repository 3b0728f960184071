/* ahoy devices, and how a device is found by its name. */
#include "ahoy/device_list.h"

#ifdef AHOY_HAS_PORTAUDIO

#include <dlfcn.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ahoy/json.h"

static const char library[] = "libportaudio.so.2";
static struct phone_portaudio calls;

const struct phone_portaudio *phone_portaudio(void)
{
    return &calls;
}

static void say_nothing(const char *text)
{
    (void)text; /* JACK's, mostly that it is not there. */
}

static void say_nothing_of(const char *file, int line, const char *function, int fault,
                           const char *format, ...)
{
    (void)file, (void)line, (void)function, (void)fault, (void)format; /* ALSA's. */
}

/* Calls |function| of whichever library came with |portaudio|, with the address of what is to be
 * called. */
static void set_handler(void *portaudio, const char *function, void *handler)
{
    void *found = dlsym(portaudio, function);
    int (*set)(void *);
    memcpy(&set, &found, sizeof set);
    if (found != NULL)
        set(handler);
}

static void silence_libraries(void *portaudio)
{
    void (*plain)(const char *) = say_nothing;
    void (*of)(const char *, int, const char *, int, const char *, ...) = say_nothing_of;
    void *handler;
    memcpy(&handler, &plain, sizeof handler);
    set_handler(portaudio, "jack_set_error_function", handler);
    set_handler(portaudio, "jack_set_info_function", handler);
    memcpy(&handler, &of, sizeof handler);
    set_handler(portaudio, "snd_lib_error_set_handler", handler);
}

/* PortAudio itself has no handler for what it prints while it looks around. */
static PaError look_around(void *portaudio)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    silence_libraries(portaudio);
    setenv("JACK_NO_START_SERVER", "1", 0); /* A phone starts no server of sound. */
    fflush(stderr);
    if (nowhere >= 0 && kept >= 0)
        dup2(nowhere, STDERR_FILENO);
    PaError fault = calls.Pa_Initialize();
    if (nowhere >= 0 && kept >= 0)
        dup2(kept, STDERR_FILENO);
    if (nowhere >= 0)
        close(nowhere);
    if (kept >= 0)
        close(kept);
    return fault;
}

bool phone_portaudio_open(void)
{
    static const char *const names[] = { PHONE_PORTAUDIO_CALLS(PHONE_LATE_NAME) };
    void *portaudio = phone_late_open(library, names, sizeof names / sizeof names[0], &calls);
    if (portaudio == NULL) {
        fprintf(stderr, "ahoy: no sound devices: %s\n", dlerror());
        return false;
    }
    PaError fault = look_around(portaudio);
    if (fault != paNoError)
        fprintf(stderr, "ahoy: no sound devices: %s\n", calls.Pa_GetErrorText(fault));
    return fault == paNoError;
}

static bool has_way(const PaDeviceInfo *info, bool is_input)
{
    return (is_input ? info->maxInputChannels : info->maxOutputChannels) > 0;
}

PaDeviceIndex phone_device_find(bool is_input, const char *name)
{
    PaDeviceIndex found = paNoDevice;
    if (name == NULL)
        return is_input ? calls.Pa_GetDefaultInputDevice() : calls.Pa_GetDefaultOutputDevice();
    for (PaDeviceIndex i = 0; i < calls.Pa_GetDeviceCount(); i++) {
        const PaDeviceInfo *info = calls.Pa_GetDeviceInfo(i);
        if (!has_way(info, is_input))
            continue;
        if (strcmp(info->name, name) == 0)
            return i;
        if (found == paNoDevice && strcasestr(info->name, name) != NULL)
            found = i;
    }
    return found;
}

static void print_device(PaDeviceIndex index, bool is_json)
{
    const PaDeviceInfo *info = calls.Pa_GetDeviceInfo(index);
    bool is_input = index == calls.Pa_GetDefaultInputDevice();
    bool is_output = index == calls.Pa_GetDefaultOutputDevice();
    const char *api = calls.Pa_GetHostApiInfo(info->hostApi)->name;
    if (is_json) {
        printf("{\"device\":\"");
        phone_json_print(ahoy_span(info->name));
        printf("\",\"system\":\"%s\",\"inputs\":%d,\"outputs\":%d,\"rate_hz\":%.0f,"
               "\"is_microphone\":%s,\"is_speaker\":%s}\n",
               api, info->maxInputChannels, info->maxOutputChannels, info->defaultSampleRate,
               is_input ? "true" : "false", is_output ? "true" : "false");
        return;
    }
    printf("%s (%s): %d in, %d out, %.0f Hz%s%s\n", info->name, api, info->maxInputChannels,
           info->maxOutputChannels, info->defaultSampleRate, is_input ? ", the microphone" : "",
           is_output ? ", the loudspeaker" : "");
}

static int list(bool is_json)
{
    if (!phone_portaudio_open())
        return PHONE_REFUSED;
    PaDeviceIndex count = calls.Pa_GetDeviceCount();
    for (PaDeviceIndex i = 0; i < count; i++)
        print_device(i, is_json);
    if (count <= 0 && !is_json)
        printf("There are no sound devices here.\n");
    (void)calls.Pa_Terminate(); /* What it had to tell was told. */
    return PHONE_DONE;
}

int phone_list_devices(int argc, char **argv)
{
    static const struct option known[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool is_json = false;
    int id;
    opterr = 0;
    while ((id = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (id == 'h') {
            printf("ahoy devices [--json]: list microphones and loudspeakers, for --device.\n");
            return PHONE_DONE;
        }
        if (id != 'j')
            break;
        is_json = true;
    }
    if (id == -1 && optind == argc)
        return list(is_json);
    fprintf(stderr, "ahoy devices: it takes nothing but --json\n");
    return PHONE_MISUSED;
}

#endif
