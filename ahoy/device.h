/* A microphone and a loudspeaker, by PortAudio.  They are open while a call talks.  To open and to
 * close them takes a thread of its own, as that can take long; a call never waits for it, and is
 * silent where there is nothing to hear or to say it with. */
#pragma once

#include "ahoy/options.h"

struct phone_ring;

enum phone_way { PHONE_MICROPHONE, PHONE_SPEAKER, PHONE_WAYS };

struct phone_devices;

/* Those that the options name; where |sits_there|, somebody does, and none are named and nothing
 * is played, those that the system would take.  NULL where none are wished for, or, said, where
 * none are there; |is_fault| is whether what was named is not.  Once at a time; waits for
 * PortAudio to look around, which may take a second. */
struct phone_devices *phone_devices_open(const struct phone_options *options, bool sits_there,
                                         bool *is_fault);
/* Waits for them, but not for ever. */
void phone_devices_close(struct phone_devices *devices);

/* The rate of a device in Hz; 0 where there is none that way, or no |devices|. */
uint32_t phone_device_rate(const struct phone_devices *devices, enum phone_way way);

/* A call wants them, or no longer. */
void phone_devices_join(struct phone_devices *devices);
void phone_devices_part(struct phone_devices *devices);

/* Which of them has them now: only one does.  |call| is NULL for none. */
void phone_devices_give(struct phone_devices *devices, const void *call);
const void *phone_devices_holder(const struct phone_devices *devices);

/* Once a frame: where samples go to or come from, and up to how many at once in |burst|; NULL where
 * it is not open.  What has become of it is said once. */
struct phone_ring *phone_device_ring(struct phone_devices *devices, enum phone_way way,
                                     size_t *burst);

/* ahoy devices: reads options of its own; returns the exit code. */
int phone_list_devices(int argc, char **argv);
