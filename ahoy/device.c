/* Two streams, each with its own clock and callback, which copies and does nothing else.  The
 * worker and the thread that opens them tell each other by atomics and a semaphore, on which the
 * worker only posts. */
#include "ahoy/device.h"

#ifdef AHOY_HAS_PORTAUDIO

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ahoy/bridge.h"
#include "ahoy/device_list.h"

enum {
    CHANNELS_MOST = 2,
    LEAST_LATENCY_MS = 20,
    SILENT_FRAMES = 100, /* After so many in which it asked for nothing it has gone. */
    CLOSE_S = 2
};

enum state { CLOSED, OPEN, REFUSED, GONE };

struct device {
    PaDeviceIndex index; /* paNoDevice: none. */
    int channels;
    uint32_t rate_hz;
    PaStream *stream;              /* Of the thread. */
    _Atomic int state;             /* Set by the thread, and by the callback's end. */
    _Atomic PaError fault;         /* Why it was refused. */
    _Atomic uint32_t turns, burst; /* Of the callback: how often, and the most samples at once. */
    uint32_t seen_turns, silent_frames;
    bool is_said, is_lost; /* Of the worker: that it does not work. */
    struct phone_ring ring;
};

struct phone_devices {
    struct device ways[PHONE_WAYS];
    unsigned calls;
    const void *holder; /* NULL: none. */
    pthread_t thread;
    _Atomic bool is_wanted, is_leaving;
    sem_t wish, left;
};

static const char *const names[] = { [PHONE_MICROPHONE] = "microphone",
                                     [PHONE_SPEAKER] = "loudspeaker" };

/* A thread that a driver does not let go outlives phone_devices_close, and so does this. */
static struct phone_devices *abandoned;

static void count_turn(struct device *device, unsigned long frames)
{
    if (frames > atomic_load_explicit(&device->burst, memory_order_relaxed))
        atomic_store_explicit(&device->burst, (uint32_t)frames, memory_order_relaxed);
    atomic_fetch_add_explicit(&device->turns, 1, memory_order_relaxed);
}

static int on_microphone(const void *input, void *output, unsigned long frames,
                         const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags,
                         void *context)
{
    struct device *device = context;
    (void)output, (void)time, (void)flags; /* PortAudio's, and not of use. */
    phone_ring_put(&device->ring, input, frames);
    count_turn(device, frames);
    return paContinue;
}

/* One channel becomes all of them, from the end, in place. */
static void spread(int16_t *samples, size_t count, int channels)
{
    for (size_t i = count; channels > 1 && i-- > 0;) {
        for (int channel = 0; channel < channels; channel++)
            samples[i * (size_t)channels + (size_t)channel] = samples[i];
    }
}

static int on_speaker(const void *input, void *output, unsigned long frames,
                      const PaStreamCallbackTimeInfo *time, PaStreamCallbackFlags flags,
                      void *context)
{
    struct device *device = context;
    int16_t *samples = output;
    (void)input, (void)time, (void)flags;
    size_t count = phone_ring_take(&device->ring, samples, frames);
    memset(samples + count, 0, (frames - count) * sizeof *samples);
    spread(samples, frames, device->channels);
    count_turn(device, frames);
    return paContinue;
}

/* It has stopped by itself, or because we have asked. */
static void on_end(void *context)
{
    struct device *device = context;
    int open = OPEN;
    atomic_compare_exchange_strong(&device->state, &open, GONE);
}

static void open_stream(struct device *device, enum phone_way way)
{
    const PaDeviceInfo *info = phone_portaudio()->Pa_GetDeviceInfo(device->index);
    bool is_in = way == PHONE_MICROPHONE;
    double latency = is_in ? info->defaultLowInputLatency : info->defaultLowOutputLatency;
    const PaStreamParameters wish = {
        .device = device->index,
        .channelCount = device->channels,
        .sampleFormat = paInt16,
        .suggestedLatency = latency > LEAST_LATENCY_MS / 1e3 ? latency : LEAST_LATENCY_MS / 1e3,
    };
    PaError fault = phone_portaudio()->Pa_OpenStream(
        &device->stream, is_in ? &wish : NULL, is_in ? NULL : &wish, device->rate_hz,
        paFramesPerBufferUnspecified, paNoFlag, is_in ? on_microphone : on_speaker, device);
    if (fault == paNoError)
        fault = phone_portaudio()->Pa_SetStreamFinishedCallback(device->stream, on_end);
    if (fault == paNoError) {
        atomic_store(&device->state, OPEN); /* Before it can end. */
        fault = phone_portaudio()->Pa_StartStream(device->stream);
    }
    if (fault != paNoError) {
        atomic_store(&device->fault, fault);
        atomic_store(&device->state, REFUSED);
    }
}

static void close_stream(struct device *device)
{
    atomic_store(&device->state, CLOSED);
    if (device->stream != NULL) /* It is aborted; nothing is left to be done if not. */
        (void)phone_portaudio()->Pa_CloseStream(device->stream);
    device->stream = NULL;
}

static void *open_and_close(void *context)
{
    struct phone_devices *devices = context;
    bool is_leaving, was_wanted = false;
    do {
        while (sem_wait(&devices->wish) != 0) {
        }
        is_leaving = atomic_load(&devices->is_leaving);
        bool is_wanted = atomic_load(&devices->is_wanted) && !is_leaving;
        for (int way = 0; way < PHONE_WAYS && is_wanted != was_wanted; way++) {
            struct device *device = &devices->ways[way];
            if (device->index == paNoDevice)
                continue;
            if (is_wanted)
                open_stream(device, (enum phone_way)way);
            else
                close_stream(device);
        }
        was_wanted = is_wanted;
    } while (!is_leaving);
    (void)phone_portaudio()->Pa_Terminate(); /* As there are no streams it has nothing to refuse. */
    sem_post(&devices->left);
    return NULL;
}

/* False, said, where |name| is of no device. */
static bool choose(struct phone_devices *devices, enum phone_way way, const char *name)
{
    struct device *device = &devices->ways[way];
    device->index = phone_device_find(way == PHONE_MICROPHONE, name);
    const PaDeviceInfo *info = phone_portaudio()->Pa_GetDeviceInfo(device->index);
    if (info == NULL) {
        device->index = paNoDevice;
        fprintf(stderr, "ahoy: no %s%s%s (ahoy devices lists what there is)\n", names[way],
                name != NULL ? " is named " : " is here", name != NULL ? name : "");
        return false;
    }
    int most = way == PHONE_MICROPHONE ? 1 : CHANNELS_MOST;
    device->channels = info->maxOutputChannels < most ? info->maxOutputChannels : most;
    if (way == PHONE_MICROPHONE)
        device->channels = 1;
    device->rate_hz = (uint32_t)info->defaultSampleRate;
    if (device->rate_hz < PHONE_DEVICE_LOWEST_HZ || device->rate_hz > PHONE_DEVICE_HIGHEST_HZ ||
        device->rate_hz % PHONE_DEVICE_MULTIPLE_HZ != 0)
        device->rate_hz = PHONE_DEVICE_USUAL_HZ;
    return true;
}

/* What is named, or, where |by_itself|, what the system takes. */
static bool choose_all(struct phone_devices *devices, const struct phone_options *options,
                       bool by_itself)
{
    bool is_good = true;
    if (by_itself || (options->microphone != NULL && !options->has_play))
        is_good &= choose(devices, PHONE_MICROPHONE, options->microphone);
    if (by_itself || options->speaker != NULL)
        is_good &= choose(devices, PHONE_SPEAKER, options->speaker);
    return is_good;
}

struct phone_devices *phone_devices_open(const struct phone_options *options, bool sits_there,
                                         bool *is_fault)
{
    bool is_named = options->microphone != NULL || options->speaker != NULL;
    bool by_itself = sits_there && !is_named && !options->has_play;
    *is_fault = false;
    if ((!is_named && !by_itself) || !phone_portaudio_open()) {
        *is_fault = is_named;
        return NULL;
    }
    struct phone_devices *devices = calloc(1, sizeof *devices);
    if (devices != NULL) {
        devices->ways[PHONE_MICROPHONE].index = paNoDevice;
        devices->ways[PHONE_SPEAKER].index = paNoDevice;
        *is_fault = !choose_all(devices, options, by_itself) && is_named;
        if (!*is_fault && sem_init(&devices->wish, 0, 0) == 0 &&
            sem_init(&devices->left, 0, 0) == 0 &&
            pthread_create(&devices->thread, NULL, open_and_close, devices) == 0)
            return devices;
    }
    if (!*is_fault)
        fprintf(stderr, "ahoy: no memory for sound devices\n");
    free(devices);
    (void)phone_portaudio()->Pa_Terminate();
    return NULL;
}

void phone_devices_close(struct phone_devices *devices)
{
    struct timespec end;
    if (devices == NULL)
        return;
    atomic_store(&devices->is_leaving, true);
    sem_post(&devices->wish);
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += CLOSE_S;
    if (sem_timedwait(&devices->left, &end) != 0) {
        abandoned = devices;
        pthread_detach(devices->thread);
        return;
    }
    pthread_join(devices->thread, NULL);
    sem_destroy(&devices->wish);
    sem_destroy(&devices->left);
    free(devices);
}

uint32_t phone_device_rate(const struct phone_devices *devices, enum phone_way way)
{
    bool is_there = devices != NULL && devices->ways[way].index != paNoDevice;
    return is_there ? devices->ways[way].rate_hz : 0;
}

static void want(struct phone_devices *devices, bool is_wanted)
{
    for (int way = 0; way < PHONE_WAYS; way++) {
        devices->ways[way].is_said = devices->ways[way].is_lost = false;
        devices->ways[way].silent_frames = 0;
    }
    atomic_store(&devices->is_wanted, is_wanted);
    sem_post(&devices->wish);
}

void phone_devices_join(struct phone_devices *devices)
{
    if (devices != NULL && devices->calls++ == 0)
        want(devices, true);
}

void phone_devices_part(struct phone_devices *devices)
{
    if (devices != NULL && --devices->calls == 0)
        want(devices, false);
}

void phone_devices_give(struct phone_devices *devices, const void *call)
{
    devices->holder = call;
}

const void *phone_devices_holder(const struct phone_devices *devices)
{
    return devices->holder;
}

/* A driver may also just stop asking, as where a plug was pulled. */
static void watch(struct device *device)
{
    uint32_t turns = atomic_load_explicit(&device->turns, memory_order_relaxed);
    device->silent_frames = turns == device->seen_turns ? device->silent_frames + 1 : 0;
    device->seen_turns = turns;
    device->is_lost |= device->silent_frames >= SILENT_FRAMES;
}

struct phone_ring *phone_device_ring(struct phone_devices *devices, enum phone_way way,
                                     size_t *burst)
{
    struct device *device = &devices->ways[way];
    int state = atomic_load(&device->state);
    if (device->index == paNoDevice || state == CLOSED)
        return NULL;
    if (state == OPEN)
        watch(device);
    bool is_lost = state == GONE || device->is_lost;
    if (!device->is_said && (is_lost || state == REFUSED))
        fprintf(stderr, "ahoy: the %s %s%s; the call goes on in silence\n", names[way],
                is_lost ? "has gone" : "cannot be opened: ",
                is_lost ? "" : phone_portaudio()->Pa_GetErrorText(atomic_load(&device->fault)));
    device->is_said |= is_lost || state == REFUSED;
    *burst = atomic_load_explicit(&device->burst, memory_order_relaxed);
    return state == OPEN && !is_lost ? &device->ring : NULL;
}

#endif
