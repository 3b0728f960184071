/* What a phone says and what it does with what it hears: devices, tones, files, silence. */
#pragma once

#include "ahoy/handset.h"
#include "libahoy/media/tone.h"

struct phone_sound;

/* |rate_hz| is that of the call's codec.  NULL, said, where a file cannot be opened.  |records| is
 * whether options->record is written: of several calls at once only one can be.  |devices| may be
 * NULL. */
struct phone_sound *phone_sound_open(const struct phone_options *options,
                                     struct phone_devices *devices, uint32_t rate_hz,
                                     bool records);
void phone_sound_close(struct phone_sound *sound);

/* Whether the call talks now, or is on hold. */
void phone_sound_attend(struct phone_sound *sound, bool talks);
/* The next |count| samples to say; behind the end of a file they are silence. */
void phone_sound_say(struct phone_sound *sound, int16_t *samples, size_t count);
void phone_sound_hear(struct phone_sound *sound, const int16_t *samples, size_t count);
/* The tone that was heard; false where there was none. */
bool phone_sound_tone(const struct phone_sound *sound, double *hz, double *level_dbov);
