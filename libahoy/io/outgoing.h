/* Bytes on their way into a stream: a queue of pages, so that a connection holds memory only while
 * something of its waits, and no byte moves when a part has left. */
#pragma once

#include <sys/uio.h>

#include "libahoy/base/span.h"

enum {
    AHOY_PAGE_SIZE = 16 * 1024 - 32, /* Bytes that a page carries. */
    AHOY_PAGES_A_WRITE = 64          /* Pages that one write takes along. */
};

struct ahoy_page;

/* Where pages come from and go back to.  One a driver. */
struct ahoy_pages {
    struct ahoy_page *free;
    size_t kept, keep; /* Pages that lie free, and how many may. */
    size_t used;       /* Bytes that wait in all queues. */
};

void ahoy_pages_init(struct ahoy_pages *pages, size_t keep);
/* Frees what lies free. */
void ahoy_pages_trim(struct ahoy_pages *pages);

/* Zeroed: empty. */
struct ahoy_outgoing {
    struct ahoy_page *first, *last;
    size_t size;
};

/* Copies |bytes| to the end; false where memory is refused: the queue is then of no more use. */
bool ahoy_outgoing_put(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages, struct span bytes);
/* The beginning of the queue as pieces to write; how many. */
int ahoy_outgoing_pieces(const struct ahoy_outgoing *outgoing,
                         struct iovec pieces[AHOY_PAGES_A_WRITE]);
/* The first |size| bytes have left. */
void ahoy_outgoing_take(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages, size_t size);
/* Forgets all of it. */
void ahoy_outgoing_clear(struct ahoy_outgoing *outgoing, struct ahoy_pages *pages);
