/* What one call has of the microphone and the loudspeaker: of several calls, one has both. */
#pragma once

#include "ahoy/device.h"

struct phone_handset;

/* For a call whose samples are at |call_hz|.  NULL where there are no |devices|, or no memory. */
struct phone_handset *phone_handset_open(struct phone_devices *devices, uint32_t call_hz);
void phone_handset_close(struct phone_handset *handset);

/* The call talks, and takes both from any other; or it is on hold, and leaves them. */
void phone_handset_attend(struct phone_handset *handset, bool talks);
/* Whether what is said comes from a microphone. */
bool phone_handset_speaks(const struct phone_handset *handset);
/* The next frame, which is silence where the microphone has none; and one that is heard. */
void phone_handset_say(struct phone_handset *handset, int16_t *samples, size_t count);
void phone_handset_hear(struct phone_handset *handset, const int16_t *samples, size_t count);
