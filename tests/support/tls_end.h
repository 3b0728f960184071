/* One end of TLS without a socket, and what has come out of it. */
#pragma once

#include "libahoy/io/tls.h"

enum { END_ROOM = 4 * AHOY_TLS_RECORD_SIZE };

struct end {
    struct ahoy_tls *tls;
    struct ahoy_outgoing outgoing;
    char plain[END_ROOM];
    size_t size;
};

extern struct ahoy_pages end_pages; /* Of all ends. */

struct ahoy_tls_way end_way_of(struct end *end);
/* Frees |tls| and forgets the rest. */
void end_free(struct end *end);

/* |sealed| bytes come to |end|. */
void end_take(struct end *end, struct span sealed);
/* Carries what has left |from| to |to|, |piece| bytes at a time; false where there is nothing. */
bool end_carry(struct end *from, struct end *to, size_t piece);
/* Until neither has anything more to say. */
void end_talk(struct end *client, struct end *server, size_t piece);

/* Seals |plain|. */
void end_put(struct end *end, struct span plain);
/* Fails the test unless exactly |plain| has come; forgets it. */
void end_expect(struct end *end, struct span plain);
