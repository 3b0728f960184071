/* How long what is read has waited in its socket: the kernel notes when it came. */
#pragma once

#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

struct ahoy_arrival_note {
    uint32_t waited_us; /* 0 where the kernel does not say. */
    uint32_t lost;      /* Datagrams that had no room in the socket, since it was opened. */
};

/* Has the kernel note when it comes to |fd|, and how much is lost there.  Where it cannot, nothing
 * ever seems to wait, or to be lost. */
void ahoy_arrival_note_times(int fd);
void ahoy_arrival_note_losses(int fd);
/* The time by the clock that it notes with. */
struct timespec ahoy_arrival_now(void);
/* What it has noted of a message that was read at |now|: of a stream, of its last byte. */
struct ahoy_arrival_note ahoy_arrival_read(struct msghdr *header, const struct timespec *now);
