/* Telephone numbers: as URIs have them, as routes compare them, and as trunks want them. */
#pragma once

#include "libahoy/base/buf.h"

enum { AHOYD_NUMBER_LIMIT = 40 }; /* Bytes of a number: a longer name is none. */

/* Puts the number that |user|, the user part of a URI with its escapes, stands for: digits, "*" and
 * "#", and "+" in front, without visual separators and parameters (RFC 3966 5.1.1).  False where it
 * is something else, or nothing; |number| is then not to be used. */
bool ahoyd_number_read(struct span user, struct ahoy_buf *number);

/* A pattern is a number in which X stands for any digit, Z for 1 to 9, N for 2 to 9, and "." at the
 * end for one or more of whatever follows. */
bool ahoyd_pattern_is_sound(struct span pattern);
/* Whether |narrow|, a number or a pattern, is of the kind of |wide|: all that fits it does. */
bool ahoyd_pattern_covers(struct span wide, struct span narrow);

/* What numbers begin with, and what they begin with instead; the longest first. */
struct ahoyd_prefixes {
    size_t count;
    const struct ahoyd_prefix {
        struct span from, to;
    } * at;
};

/* Puts |number| with the longest prefix that it begins with replaced, or as it is where it begins
 * with none of them. */
void ahoyd_prefixes_put(const struct ahoyd_prefixes *prefixes, struct span number,
                        struct ahoy_buf *buf);
