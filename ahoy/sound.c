/* Sound from and to files by libsndfile, which knows their formats.  A file of another rate is read
 * between its samples, which is good enough for speech. */
#include "ahoy/sound.h"

#include <dlfcn.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoy/late.h"

enum { CHANNELS_LIMIT = 16, TONE_DBOV = -10 };

#define SNDFILE_CALLS(CALL)                                                                        \
    CALL(sf_open)                                                                                  \
    CALL(sf_close)                                                                                 \
    CALL(sf_strerror)                                                                              \
    CALL(sf_readf_short)                                                                           \
    CALL(sf_writef_short)

static const char library[] = "libsndfile.so.1";
static struct {
    SNDFILE_CALLS(PHONE_LATE_FIELD)
} calls; /* Once a file is wished for. */

struct phone_sound {
    struct phone_handset *handset; /* NULL where there are no devices. */
    struct ahoy_tone tone;
    struct ahoy_tone_meter meter;
    SNDFILE *said, *heard; /* NULL where there are none. */
    unsigned channels;
    double step, place;    /* Of samples of the file to one of ours, and between two of them. */
    int16_t before, after; /* The two. */
};

/* False, said, where what reads and writes files is not there. */
static bool open_library(const char *path)
{
    static const char *const names[] = { SNDFILE_CALLS(PHONE_LATE_NAME) };
    if (phone_late_open(library, names, sizeof names / sizeof names[0], &calls) != NULL)
        return true;
    fprintf(stderr, "ahoy: %s: %s\n", path, dlerror());
    return false;
}

static bool open_said(struct phone_sound *sound, const char *path, uint32_t rate_hz)
{
    SF_INFO info = { 0 };
    if (!open_library(path))
        return false;
    sound->said = calls.sf_open(path, SFM_READ, &info);
    if (sound->said == NULL || info.channels > CHANNELS_LIMIT) {
        fprintf(stderr, "ahoy: %s: %s\n", path,
                sound->said == NULL ? calls.sf_strerror(NULL) : "too many channels");
        return false;
    }
    sound->channels = (unsigned)info.channels;
    sound->step = (double)info.samplerate / rate_hz;
    sound->place = 2; /* Both are still to be read. */
    return true;
}

static bool open_heard(struct phone_sound *sound, const char *path, uint32_t rate_hz)
{
    SF_INFO info = { .samplerate = (int)rate_hz,
                     .channels = 1,
                     .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16 };
    if (!open_library(path))
        return false;
    sound->heard = calls.sf_open(path, SFM_WRITE, &info);
    if (sound->heard == NULL)
        fprintf(stderr, "ahoy: %s: %s\n", path, calls.sf_strerror(NULL));
    return sound->heard != NULL;
}

struct phone_sound *phone_sound_open(const struct phone_options *options,
                                     struct phone_devices *devices, uint32_t rate_hz, bool records)
{
    struct phone_sound *sound = calloc(1, sizeof *sound);
    if (sound == NULL) {
        fprintf(stderr, "ahoy: out of memory\n");
        return NULL;
    }
    ahoy_tone_meter_init(&sound->meter, rate_hz);
    if (options->tone_hz > 0)
        ahoy_tone_init(&sound->tone, options->tone_hz, TONE_DBOV, rate_hz);
    if ((options->play != NULL && !open_said(sound, options->play, rate_hz)) ||
        (options->record != NULL && records && !open_heard(sound, options->record, rate_hz))) {
        phone_sound_close(sound);
        return NULL;
    }
    sound->handset = phone_handset_open(devices, rate_hz);
    return sound;
}

void phone_sound_close(struct phone_sound *sound)
{
    if (sound == NULL)
        return;
    phone_handset_close(sound->handset);
    if (sound->said != NULL)
        calls.sf_close(sound->said);
    if (sound->heard != NULL && calls.sf_close(sound->heard) != 0)
        fprintf(stderr, "ahoy: the recording could not be finished\n");
    free(sound);
}

/* The first channel of the next sample; 0 behind the end. */
static int16_t read_one(struct phone_sound *sound)
{
    short frame[CHANNELS_LIMIT];
    return calls.sf_readf_short(sound->said, frame, 1) == 1 ? frame[0] : 0;
}

static int16_t next_said(struct phone_sound *sound)
{
    for (; sound->place >= 1; sound->place -= 1) {
        sound->before = sound->after;
        sound->after = read_one(sound);
    }
    double sample = sound->before + (sound->after - sound->before) * sound->place;
    sound->place += sound->step;
    return (int16_t)sample;
}

void phone_sound_attend(struct phone_sound *sound, bool talks)
{
    phone_handset_attend(sound->handset, talks);
}

void phone_sound_say(struct phone_sound *sound, int16_t *samples, size_t count)
{
    if (phone_handset_speaks(sound->handset)) {
        phone_handset_say(sound->handset, samples, count);
        return;
    }
    if (sound->said == NULL) {
        ahoy_tone_next(&sound->tone, samples, count); /* Zeroed, it is silence. */
        return;
    }
    for (size_t i = 0; i < count; i++)
        samples[i] = next_said(sound);
}

void phone_sound_hear(struct phone_sound *sound, const int16_t *samples, size_t count)
{
    ahoy_tone_meter_take(&sound->meter, samples, count);
    phone_handset_hear(sound->handset, samples, count);
    if (sound->heard == NULL ||
        calls.sf_writef_short(sound->heard, samples, (sf_count_t)count) == (sf_count_t)count)
        return;
    fprintf(stderr, "ahoy: recording ends: %s\n", calls.sf_strerror(sound->heard));
    calls.sf_close(sound->heard);
    sound->heard = NULL;
}

bool phone_sound_tone(const struct phone_sound *sound, double *hz, double *level_dbov)
{
    return ahoy_tone_meter_read(&sound->meter, hz, level_dbov);
}
