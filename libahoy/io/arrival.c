/* The kernel's times are those of the clock on the wall, which somebody may set: then what waits
 * seems not to, or to have waited for long, once. */
#include "libahoy/io/arrival.h"

#include <string.h>

void ahoy_arrival_note_times(int fd)
{
    int one = 1;
    /* The header says what happens where it fails. */
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
}

void ahoy_arrival_note_losses(int fd)
{
    int one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one); /* The same. */
}

struct timespec ahoy_arrival_now(void)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_REALTIME, &now); /* Where it fails, nothing has waited. */
    return now;
}

static uint32_t us_between(const struct timespec *then, const struct timespec *now)
{
    int64_t us =
        (int64_t)(now->tv_sec - then->tv_sec) * 1000000 + (now->tv_nsec - then->tv_nsec) / 1000;
    if (us < 0)
        return 0;
    return us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

struct ahoy_arrival_note ahoy_arrival_read(struct msghdr *header, const struct timespec *now)
{
    struct ahoy_arrival_note note = { 0, 0 };
    struct cmsghdr *control = CMSG_FIRSTHDR(header);
    for (; control != NULL; control = CMSG_NXTHDR(header, control)) {
        struct timespec came;
        if (control->cmsg_level != SOL_SOCKET)
            continue;
        if (control->cmsg_type == SO_TIMESTAMPNS) {
            memcpy(&came, CMSG_DATA(control), sizeof came);
            note.waited_us = us_between(&came, now);
        } else if (control->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&note.lost, CMSG_DATA(control), sizeof note.lost);
        }
    }
    return note;
}
