/* Datagrams from the kernel, a batch a call (recvmmsg).  Those that a peer sent as a train
 * (trains.h) come in one piece where the kernel has kept them so (UDP_GRO), and are told apart
 * here. */
#pragma once

#include "libahoy/io/arrival.h"
#include "libahoy/io/socket.h"
#include "libahoy/stack/wire.h"

enum {
    AHOY_BATCH = 32,
    AHOY_DATAGRAM_LIMIT = 65535 /* Above what UDP can carry, so nothing is ever cut. */
};

/* What the kernel tells of a train: when it came, how many were lost before it, and the size of its
 * segments. */
struct ahoy_in_control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct timespec)) +
                                        CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(int))];
};

/* How far a batch has been looked through. */
struct ahoy_in_place {
    unsigned piece;
    size_t offset;  /* Within that piece, ... */
    size_t segment; /* ... of which each datagram takes so much; 0 at a beginning. */
};

struct ahoy_datagrams_in {
    char *area; /* Virtual; only the pages that datagrams reached are really there. */
    unsigned count;
    struct ahoy_in_place place;
    struct span found[1 + AHOY_COMING_LIMIT];    /* The datagrams in front of |place| ... */
    unsigned found_piece[1 + AHOY_COMING_LIMIT]; /* ... and where they stand. */
    uint8_t found_count, taken_count;
    bool is_exact; /* To be set behind init: each datagram's own time counts. */
    struct timespec now; /* When the batch was read, by the kernel's clock (arrival.h). */
    /* Of the batch's last, as whatever waits, waits longer; or, once it was told, of each. */
    struct ahoy_arrival_note note;
    struct mmsghdr headers[AHOY_BATCH];
    struct iovec pieces[AHOY_BATCH];
    union ahoy_socket_name names[AHOY_BATCH];
    struct ahoy_in_control controls[AHOY_BATCH];
};

/* False where memory is refused. */
bool ahoy_datagrams_in_init(struct ahoy_datagrams_in *in);
void ahoy_datagrams_in_fini(struct ahoy_datagrams_in *in);

/* Lets trains that come to |fd| stay together, and has it noted when they come, where the kernel
 * can do it. */
void ahoy_datagrams_in_couple(int fd);
/* Reads up to AHOY_BATCH datagrams or trains, over those of the call before; how many, or -1 and
 * errno.  Fewer than AHOY_BATCH: the socket is empty. */
int ahoy_datagrams_in_read(struct ahoy_datagrams_in *in, int fd);
/* The next datagram of the batch that holds anything, until false.  |bytes| live until the next
 * read. */
bool ahoy_datagrams_in_next(struct ahoy_datagrams_in *in, struct ahoy_ip *from, struct span *bytes);
/* What comes behind the datagram that was taken last, as |coming| of an event has it
 * (stack/wire.h): NULL where it was told along with one before. */
const struct span *ahoy_datagrams_in_coming(const struct ahoy_datagrams_in *in, uint8_t *count);
/* Gives the kernel its pages back. */
void ahoy_datagrams_in_trim(struct ahoy_datagrams_in *in);
