/* Names of header fields, full and compact (RFC 3261 7.3.3, 20). */
#include "libahoy/syntax/header.h"

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

enum { SLOTS = 256 };

/* An open hash table over rows[].  It is filled once, before main, and only read after: so the
 * list of headers stays written once, and no compiler has to take a letter of a literal for a
 * constant. */
static uint8_t slots[SLOTS];
static uint8_t compacts[32];

/* A name's slot by its size and three of its letters; |name| is not empty. */
static unsigned slot_of(struct span name)
{
    unsigned first = (unsigned char)name.at[0] | 0x20u;
    unsigned middle = (unsigned char)name.at[name.size / 2] | 0x20u;
    unsigned last = (unsigned char)name.at[name.size - 1] | 0x20u;
    unsigned mixed = (first << 16 | middle << 8 | last) + ((unsigned)name.size << 20);
    return mixed * 0x9e3779b1u >> 24;
}

__attribute__((constructor)) static void fill(void)
{
    for (unsigned i = 1; i < AHOY_HEADER_COUNT; i++) {
        unsigned slot = slot_of(rows[i].name);
        while (slots[slot] != 0)
            slot = (slot + 1) % SLOTS;
        slots[slot] = (uint8_t)i;
        if (rows[i].compact != 0)
            compacts[(unsigned char)rows[i].compact & 31] = (uint8_t)i;
    }
}

static bool is_name(struct span name, struct span canonical)
{
    return name.size == canonical.size && (memcmp(name.at, canonical.at, name.size) == 0 ||
                                           ahoy_span_equal_nocase(name, canonical));
}

enum ahoy_header ahoy_header_parse(struct span name)
{
    if (name.size == 0)
        return AHOY_HEADER_OTHER;
    if (name.size == 1) {
        bool letter = ahoy_is(name.at[0], AHOY_ALPHA);
        return letter ? (enum ahoy_header)compacts[name.at[0] & 31] : AHOY_HEADER_OTHER;
    }
    for (unsigned slot = slot_of(name); slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        if (is_name(name, rows[slots[slot]].name))
            return (enum ahoy_header)slots[slot];
    }
    return AHOY_HEADER_OTHER;
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
