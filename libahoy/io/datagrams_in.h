/* Datagrams from the kernel, a batch a call (recvmmsg). */
#pragma once

#include "libahoy/io/socket.h"

enum {
    AHOY_BATCH = 32,
    AHOY_DATAGRAM_LIMIT = 65535 /* Above what UDP can carry, so nothing is ever cut. */
};

struct ahoy_datagrams_in {
    char *area; /* Virtual; only the pages that datagrams reached are really there. */
    unsigned count, next;
    struct mmsghdr headers[AHOY_BATCH];
    struct iovec pieces[AHOY_BATCH];
    union ahoy_socket_name names[AHOY_BATCH];
};

/* False where memory is refused. */
bool ahoy_datagrams_in_init(struct ahoy_datagrams_in *in);
void ahoy_datagrams_in_fini(struct ahoy_datagrams_in *in);

/* Reads up to AHOY_BATCH datagrams, over those of the call before; how many, or -1 and errno.
 * Fewer than AHOY_BATCH: the socket is empty. */
int ahoy_datagrams_in_read(struct ahoy_datagrams_in *in, int fd);
/* The next one of the batch that holds anything, until false.  |bytes| live until the next
 * read. */
bool ahoy_datagrams_in_next(struct ahoy_datagrams_in *in, struct ahoy_ip *from, struct span *bytes);
/* Gives the kernel its pages back. */
void ahoy_datagrams_in_trim(struct ahoy_datagrams_in *in);
