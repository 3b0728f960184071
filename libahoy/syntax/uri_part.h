/* The parameters and headers of a URI, one by one; for those who read and compare URIs. */
#pragma once

#include "libahoy/base/span.h"

struct ahoy_uri_part {
    struct span name;
    struct span value; /* Still escaped; empty without "=". */
    bool has_value;
};

/* Takes ";name=value" (|separator| ';', |set| AHOY_PARAMCHAR) or "name=value" with "&" between
 * ('&', AHOY_HNV) off |rest|.  False where there is none; it stops where a byte does not belong,
 * so |rest| may be left at any. */
bool ahoy_uri_part_next(struct span *rest, char separator, unsigned set,
                        struct ahoy_uri_part *part);

/* Whether two stretches of a URI mean the same: an escape equals its character, but for reserved
 * ones (RFC 3261 19.1.4). */
bool ahoy_escaped_equal(struct span a, struct span b);
bool ahoy_escaped_equal_nocase(struct span a, struct span b);

/* Takes one character off |rest|, which is not empty: an escape as the byte that it means, and of a
 * reserved one as another than that byte, above 0xff. */
unsigned ahoy_escaped_take(struct span *rest);
/* That in lower case. */
unsigned ahoy_escaped_lower(unsigned unit);
