/* Hours of the week in a zone of the world: "Mon-Fri 08:00-18:00, Sat 09:00-13:00". */
#pragma once

#include "libahoy/base/arena.h"

enum { AHOYD_HOURS_LIMIT = 8 }; /* Stretches of one text. */

/* A file of the time zone database (RFC 8536), as far as it is needed: from when on how many
 * seconds a clock there is ahead of UTC. */
struct ahoyd_zone {
    struct span name;
    size_t count;
    const struct ahoyd_shift {
        int64_t from_s;
        int32_t ahead_s;
    } * at;
    int32_t before_s; /* Ahead of UTC before the first. */
};

struct ahoyd_hours {
    const struct ahoyd_zone *zone; /* NULL for UTC. */
    size_t count;
    struct ahoyd_stretch {
        uint8_t days;              /* On which it begins: bit 0 is Sunday. */
        uint16_t from_min, to_min; /* Of the day; up to, not including, the latter.  Where that is
                                    * not above the former it is one of the next day. */
    } at[AHOYD_HOURS_LIMIT];
};

/* Reads the bytes of a zone's file; what it keeps is in |arena|.  NULL, or why it is none. */
const char *ahoyd_zone_read(struct span file, struct ahoy_arena *arena, struct ahoyd_zone *zone);
/* How far ahead of UTC it is there; a |zone| of NULL is UTC. */
int32_t ahoyd_zone_ahead(const struct ahoyd_zone *zone, int64_t now_s);

/* Reads |text|; |hours|->zone is left as it is.  False where it is none. */
bool ahoyd_hours_parse(struct span text, struct ahoyd_hours *hours);
bool ahoyd_hours_hold(const struct ahoyd_hours *hours, uint64_t now_ms);
