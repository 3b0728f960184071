/* The parameters and headers of a URI, one by one; for those who read and compare URIs. */
#pragma once

#include "libahoy/syntax/scan.h"

struct ahoy_uri_part {
    struct span name;
    struct span value; /* Still escaped; empty without "=". */
    bool has_value;
};

/* Takes ";name=value" (|separator| ';', |set| AHOY_PARAMCHAR) or "name=value" with "&" between
 * ('&', AHOY_HNV) off |rest|.  False where there is none; it stops where a byte does not belong,
 * so |rest| may be left at any. */
static inline bool ahoy_uri_part_next(struct span *rest, char separator, unsigned set,
                                      struct ahoy_uri_part *part)
{
    if (rest->size == 0)
        return false;
    const char *end = ahoy_span_end(*rest);
    const char *at = rest->at + (*rest->at == separator);
    const char *stop = ahoy_skip_escaped(at, end, set);
    part->name = ahoy_span_between(at, stop);
    part->value = ahoy_nothing(stop);
    part->has_value = stop < end && *stop == '=';
    if (part->has_value) {
        at = stop + 1;
        stop = ahoy_skip_escaped(at, end, set);
        part->value = ahoy_span_between(at, stop);
    }
    if (stop == rest->at)
        return false;
    *rest = ahoy_span_between(stop, end);
    return true;
}

/* A bit for the first letter of |name|, case aside, and all where that is escaped.  Those of all
 * names together tell of most others that they are not among them. */
static inline uint32_t ahoy_uri_initial(struct span name)
{
    return *name.at == '%' ? UINT32_MAX : UINT32_C(1) << (*name.at & 31);
}

/* Whether two stretches of a URI mean the same: an escape equals its character, but for reserved
 * ones (RFC 3261 19.1.4). */
bool ahoy_escaped_equal(struct span a, struct span b);
bool ahoy_escaped_equal_nocase(struct span a, struct span b);

/* Takes one character off |rest|, which is not empty: an escape as the byte that it means, and of a
 * reserved one as another than that byte, above 0xff. */
unsigned ahoy_escaped_take(struct span *rest);
/* That in lower case. */
unsigned ahoy_escaped_lower(unsigned unit);
