/* Names of header fields, full and compact (RFC 3261 7.3.3, 20). */
#include "libahoy/syntax/header.h"

#include <assert.h>

#include "libahoy/syntax/scan.h"

struct row {
    struct span name;
    char compact;
    enum ahoy_header_kind kind;
    enum ahoy_form form;
    struct span source;
};

#define AHOY_HEADER_ROW(constant, name, compact, kind, form, source)                               \
    { SPAN_INIT(name), compact, AHOY_##kind, AHOY_FORM_##form, SPAN_INIT(source) },
static const struct row rows[AHOY_HEADER_COUNT] = {
    { SPAN_INIT(""), 0, AHOY_ROWS, AHOY_FORM_TEXT, SPAN_INIT("") }, AHOY_HEADERS(AHOY_HEADER_ROW)
};
#undef AHOY_HEADER_ROW

enum { SLOT_BITS = 10, SLOTS = 1 << SLOT_BITS };

/* An open hash table over rows[], and the front of each name in lower case, no two alike.  They are
 * filled once, before main, and only read after: so the list of headers stays written once, and no
 * compiler has to take a letter of a literal for a constant. */
static uint8_t slots[SLOTS];
static ahoy_block fronts[AHOY_HEADER_COUNT];
static uint8_t sizes[AHOY_HEADER_COUNT];
static uint8_t compacts[32];

/* |bytes| up to |size| in lower case, zeros behind: what two spellings of a name share. */
static ahoy_block front_of(ahoy_block bytes, size_t size)
{
    static const uint8_t ones[2 * AHOY_BLOCK_SIZE] = { 255, 255, 255, 255, 255, 255, 255, 255,
                                                       255, 255, 255, 255, 255, 255, 255, 255 };
    ahoy_block kept;
    memcpy(&kept, ones + AHOY_BLOCK_SIZE - (size < AHOY_BLOCK_SIZE ? size : AHOY_BLOCK_SIZE),
           sizeof kept);
    ahoy_block upper = (ahoy_block)(bytes - 'A' < 26);
    return (bytes | (upper & 0x20)) & kept;
}

static unsigned slot_of(ahoy_block front)
{
    uint64_t halves[2];
    memcpy(halves, &front, sizeof halves);
    return (unsigned)((halves[0] ^ halves[1] >> 3) * UINT64_C(0x9e3779b97f4a7c15) >>
                      (64 - SLOT_BITS));
}

static bool is_front(ahoy_block front, unsigned header)
{
    return ahoy_block_mask((ahoy_block)(front == fronts[header])) == 0xffff;
}

__attribute__((constructor)) static void fill(void)
{
    for (unsigned i = 1; i < AHOY_HEADER_COUNT; i++) {
        struct span name = rows[i].name;
        fronts[i] = front_of(ahoy_block_load(name.at, ahoy_span_end(name)), name.size);
        sizes[i] = (uint8_t)name.size;
        unsigned slot = slot_of(fronts[i]);
        for (; slots[slot] != 0; slot = (slot + 1) % SLOTS)
            assert(!is_front(fronts[i], slots[slot])); /* Else one name would hide the other. */
        slots[slot] = (uint8_t)i;
        if (rows[i].compact != 0)
            compacts[(unsigned char)rows[i].compact & 31] = (uint8_t)i;
    }
}

/* Whether |name| is that of the |header| with the same front; apart, because few names are longer
 * than a front. */
__attribute__((noinline)) static enum ahoy_header find_long(struct span name, unsigned header)
{
    bool same = ahoy_span_equal_nocase(name, rows[header].name);
    return same ? (enum ahoy_header)header : AHOY_HEADER_OTHER;
}

enum ahoy_header ahoy_header_find(struct span name, ahoy_block bytes)
{
    if (name.size <= 1) {
        bool letter = name.size == 1 && ahoy_is(name.at[0], AHOY_ALPHA);
        return letter ? (enum ahoy_header)compacts[name.at[0] & 31] : AHOY_HEADER_OTHER;
    }
    ahoy_block front = front_of(bytes, name.size);
    unsigned slot = slot_of(front);
    while (!is_front(front, slots[slot])) {
        if (slots[slot] == 0)
            return AHOY_HEADER_OTHER;
        slot = (slot + 1) % SLOTS;
    }
    unsigned header = slots[slot];
    if (name.size > AHOY_BLOCK_SIZE)
        return find_long(name, header);
    return name.size == sizes[header] ? (enum ahoy_header)header : AHOY_HEADER_OTHER;
}

enum ahoy_header ahoy_header_parse(struct span name)
{
    return ahoy_header_find(name, ahoy_block_load(name.at, ahoy_span_end(name)));
}

struct span ahoy_header_name(enum ahoy_header header)
{
    return rows[header].name;
}

enum ahoy_header_kind ahoy_header_kind(enum ahoy_header header)
{
    return rows[header].kind;
}

bool ahoy_header_is_list(enum ahoy_header header)
{
    return rows[header].kind == AHOY_LIST || rows[header].kind == AHOY_MAYBE;
}

enum ahoy_form ahoy_header_form(enum ahoy_header header)
{
    return rows[header].form;
}

struct span ahoy_header_source(enum ahoy_header header)
{
    return rows[header].source;
}
