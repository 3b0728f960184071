/* Summer time is a table of moments, so that no clock and no setting of the machine is asked. */
#include "ahoyd/hours.h"

enum {
    HEADER_SIZE = 44,
    DAY_MIN = 24 * 60,
    SHIFTS_LIMIT = 4096, /* Of one zone; the database has some 240 at most. */
    TYPES_LIMIT = 256
};

static const int64_t day_s = 86400;
/* Days of the week fall on the same dates again. */
static const int64_t calendar_s = 10227 * 86400LL;
/* 2037-01-01: where the tables of Debian's files end that have summer time for ever. */
static const int64_t table_end_s = 2114380800;

static uint64_t read_number(const char *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | (uint8_t)at[i];
    return number;
}

/* The counts of a header, in their order (RFC 8536 3.1). */
struct counts {
    size_t isut, isstd, leap, time, type, letter;
};

/* Takes a header and what belongs to it off |rest|; numbers of time have |time_size| bytes. */
static bool take_block(struct span *rest, size_t time_size, struct counts *counts,
                       struct span *block)
{
    if (rest->size < HEADER_SIZE || memcmp(rest->at, "TZif", 4) != 0)
        return false;
    size_t *const all[] = { &counts->isut, &counts->isstd, &counts->leap,
                            &counts->time, &counts->type,  &counts->letter };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        *all[i] = read_number(rest->at + 20 + 4 * i, 4);
        if (*all[i] > SHIFTS_LIMIT)
            return false;
    }
    size_t size = counts->time * (time_size + 1) + counts->type * 6 + counts->letter +
                  counts->leap * (time_size + 4) + counts->isstd + counts->isut;
    if (rest->size - HEADER_SIZE < size)
        return false;
    *block = (struct span){ rest->at + HEADER_SIZE, size };
    *rest = ahoy_span_after(*rest, HEADER_SIZE + size);
    return true;
}

const char *ahoyd_zone_read(struct span file, struct ahoy_arena *arena, struct ahoyd_zone *zone)
{
    static const char broken[] = "is no file of the time zone database";
    struct counts counts;
    struct span old, block; /* The former, of 32 bits, is for others. */
    if (!take_block(&file, 4, &counts, &old) || !take_block(&file, 8, &counts, &block) ||
        counts.type == 0 || counts.type > TYPES_LIMIT)
        return broken;
    struct ahoyd_shift *shifts = ahoy_arena_take(arena, counts.time * sizeof *shifts);
    if (shifts == NULL)
        return "needs more memory than there is";
    const char *kinds = block.at + counts.time * 8, *types = kinds + counts.time;
    for (size_t i = 0; i < counts.time; i++) {
        size_t kind = (uint8_t)kinds[i];
        if (kind >= counts.type)
            return broken;
        shifts[i].from_s = (int64_t)read_number(block.at + i * 8, 8);
        shifts[i].ahead_s = (int32_t)read_number(types + kind * 6, 4);
        if (i > 0 && shifts[i].from_s <= shifts[i - 1].from_s)
            return broken;
    }
    zone->at = shifts;
    zone->count = counts.time;
    zone->before_s = (int32_t)read_number(types, 4);
    /* What follows is a rule for all later years; one with a comma has summer time. */
    if (ahoy_span_find(file, ',') < file.size &&
        (counts.time == 0 || shifts[counts.time - 1].from_s < table_end_s))
        return "has no table up to 2037; install Debian's tzdata";
    return NULL;
}

int32_t ahoyd_zone_ahead(const struct ahoyd_zone *zone, int64_t now_s)
{
    if (zone == NULL)
        return 0;
    size_t low = 0, high = zone->count;
    if (high > 0 && zone->at[high - 1].from_s >= table_end_s) {
        while (now_s >= zone->at[high - 1].from_s)
            now_s -= calendar_s;
    }
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (zone->at[middle].from_s <= now_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? zone->before_s : zone->at[low - 1].ahead_s;
}

/* Takes "Mon" off |text|. */
static bool take_day(struct span *text, unsigned *day)
{
    static const char names[] = "SunMonTueWedThuFriSat";
    for (*day = 0; *day < 7; ++*day) {
        if (ahoy_span_starts_nocase(*text, (struct span){ names + 3 * *day, 3 })) {
            *text = ahoy_span_after(*text, 3);
            return true;
        }
    }
    return false;
}

static bool take_byte(struct span *text, char byte)
{
    if (text->size == 0 || *text->at != byte)
        return false;
    *text = ahoy_span_after(*text, 1);
    return true;
}

/* Takes "08:00" off |text|; "24:00" is the end of a day. */
static bool take_time(struct span *text, uint16_t *minutes)
{
    uint64_t hour, minute;
    if (text->size < 5 || text->at[2] != ':' ||
        !ahoy_span_number((struct span){ text->at, 2 }, 24, &hour) ||
        !ahoy_span_number((struct span){ text->at + 3, 2 }, 59, &minute))
        return false;
    *text = ahoy_span_after(*text, 5);
    *minutes = (uint16_t)(hour * 60 + minute);
    return *minutes <= DAY_MIN;
}

/* "Mon-Fri 08:00-18:00"; without days it is all of them. */
static bool parse_stretch(struct span text, struct ahoyd_stretch *stretch)
{
    unsigned first, last;
    stretch->days = 0x7f;
    text = ahoy_span_trim(text);
    if (take_day(&text, &first)) {
        last = first;
        if (take_byte(&text, '-') && !take_day(&text, &last))
            return false;
        stretch->days = (uint8_t)(1u << last);
        for (; first != last; first = (first + 1) % 7)
            stretch->days |= (uint8_t)(1u << first);
        if (!take_byte(&text, ' '))
            return false;
    }
    return take_time(&text, &stretch->from_min) && take_byte(&text, '-') &&
           take_time(&text, &stretch->to_min) && text.size == 0 && stretch->from_min < DAY_MIN &&
           stretch->from_min != stretch->to_min;
}

bool ahoyd_hours_parse(struct span text, struct ahoyd_hours *hours)
{
    bool more = true;
    for (hours->count = 0; more; hours->count++) {
        size_t comma = ahoy_span_find(text, ',');
        if (hours->count == AHOYD_HOURS_LIMIT ||
            !parse_stretch((struct span){ text.at, comma }, &hours->at[hours->count]))
            return false;
        more = comma < text.size;
        text = ahoy_span_after(text, more ? comma + 1 : comma);
    }
    return true;
}

bool ahoyd_hours_hold(const struct ahoyd_hours *hours, uint64_t now_ms)
{
    int64_t now_s = (int64_t)(now_ms / 1000);
    int64_t there_s = now_s + ahoyd_zone_ahead(hours->zone, now_s) + 7 * day_s;
    unsigned day = (unsigned)((there_s / day_s + 4) % 7); /* 1970 began on a Thursday. */
    unsigned minute = (unsigned)(there_s % day_s / 60);
    for (size_t i = 0; i < hours->count; i++) {
        const struct ahoyd_stretch *at = &hours->at[i];
        bool today = (at->days >> day & 1) != 0, yesterday = (at->days >> (day + 6) % 7 & 1) != 0;
        if (at->from_min < at->to_min
                ? today && minute >= at->from_min && minute < at->to_min
                : (today && minute >= at->from_min) || (yesterday && minute < at->to_min))
            return true;
    }
    return false;
}
