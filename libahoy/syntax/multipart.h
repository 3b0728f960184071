/* Bodies of several parts: multipart (RFC 2046 5.1) as SIP uses it (RFC 5621). */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/base/err.h"

enum {
    AHOY_MULTIPART_DEPTH_LIMIT = 4,  /* Bodies within bodies. */
    AHOY_MULTIPART_PARTS_LIMIT = 32, /* Of all depths together. */
    AHOY_BOUNDARY_LIMIT = 70         /* Bytes (RFC 2046 5.1.1). */
};

/* One part, a view.  Values that are absent are empty. */
struct ahoy_part {
    struct span rows; /* Its header, each row with its CRLF. */
    struct span content;
    struct span type; /* Content-Type; text/plain where absent, in a digest message/rfc822. */
    struct span disposition; /* Content-Disposition without its parameters. */
    struct span id;          /* Content-ID, with its brackets. */
    struct span encoding;    /* Content-Transfer-Encoding; SIP is binary without (RFC 5621 3.2). */
    bool is_optional;        /* Content-Disposition says handling=optional (RFC 3261 20.11). */
};

/* A walk over the parts of one body. */
struct ahoy_multipart {
    struct span boundary;
    struct span rest; /* Behind the last boundary that was met. */
    unsigned depth;   /* From 1. */
    bool ended;       /* That boundary was the last one. */
    bool is_digest;
    size_t count;       /* Parts so far, where depth is 1. */
    size_t *part_count; /* That of the outermost walk. */
};

/* Whether |type|, the value of a Content-Type, is |media| ("application/sdp"), case and parameters
 * aside; "multipart/" with nothing behind fits all its subtypes. */
bool ahoy_media_is(struct span type, struct span media);

/* Begins the walk over |body|, whose Content-Type has the value |type|: multipart with a boundary.
 * |walk| must stay where it is while it is walked.  What stands before the first boundary and
 * behind the last is passed over.  Faults: 400. */
bool ahoy_multipart_open(struct ahoy_multipart *walk, struct span type, struct span body,
                         struct ahoy_err *err);
/* The same for the content of |part|, which |outer| gave and whose limits go on. */
bool ahoy_multipart_enter(struct ahoy_multipart *walk, const struct ahoy_multipart *outer,
                          const struct ahoy_part *part, struct ahoy_err *err);
/* Takes the next part.  False at the end (err->expected NULL) or at a fault (400): no last
 * boundary, a line that only begins like a boundary, a row that is none, more than 32 parts. */
bool ahoy_multipart_next(struct ahoy_multipart *walk, struct ahoy_part *part, struct ahoy_err *err);

/* Finds what is |media| in a body of |type|: the body itself; of multipart/alternative the last
 * such part (RFC 2046 5.1.4); of multipart/related its root (RFC 2387 3.2); of all others, which
 * are as multipart/mixed (5.1.7), the first; in depth too.  False where there is none
 * (err->expected NULL) or at a fault. */
bool ahoy_body_find(struct span type, struct span body, struct span media, struct ahoy_part *found,
                    struct ahoy_err *err);

/* Prints |count| parts, their rows and content, as the body of a multipart with |boundary|.  False
 * where there are none, |boundary| is not one, or it occurs in a part: take another. */
bool ahoy_multipart_print(const struct ahoy_part *parts, size_t count, struct span boundary,
                          struct ahoy_buf *buf);
