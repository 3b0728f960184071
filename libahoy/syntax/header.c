/* Names of header fields, full and compact (RFC 3261 7.3.3, 20). */
#include "libahoy/syntax/header.h"

#include <assert.h>

#include "libahoy/syntax/params.h"

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

enum { SLOT_BITS = 9, SLOTS = 1 << SLOT_BITS };

/* An open hash table of names and compact forms by their fronts, no two of which are alike.  It is
 * filled once, before main, and only read after: so the list of headers stays written once, and no
 * compiler has to take a letter of a literal for a constant. */
static ahoy_block fronts[SLOTS];
static uint8_t headers[SLOTS];

/* The first |size| of |bytes|, letters in lower case, and zeros behind: what two spellings of a
 * name share.  So would a control byte and a digit or sign, were they let in here. */
static ahoy_block front_of(ahoy_block bytes, size_t size)
{
    static const uint8_t ones[2 * AHOY_BLOCK_SIZE] = { 255, 255, 255, 255, 255, 255, 255, 255,
                                                       255, 255, 255, 255, 255, 255, 255, 255 };
    ahoy_block kept;
    memcpy(&kept, ones + AHOY_BLOCK_SIZE - size, sizeof kept);
    return (bytes | 0x20) & kept;
}

/* The slot that holds |front|, or the empty one where it would stand. */
static size_t slot_of(ahoy_block front)
{
    uint64_t halves[2];
    memcpy(halves, &front, sizeof halves);
    size_t slot = (halves[0] ^ halves[1]) * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS);
    while (ahoy_block_mask((ahoy_block)(front == fronts[slot])) != 0xffff && headers[slot] != 0)
        slot = (slot + 1) % SLOTS;
    return slot;
}

static ahoy_block front_of_name(struct span name)
{
    ahoy_block bytes = ahoy_block_load(name.at, ahoy_span_end(name));
    return front_of(bytes, name.size < AHOY_BLOCK_SIZE ? name.size : AHOY_BLOCK_SIZE);
}

static void add(struct span name, unsigned header)
{
    ahoy_block front = front_of_name(name);
    size_t slot = slot_of(front);
    assert(headers[slot] == 0); /* Else one name would hide the other. */
    fronts[slot] = front;
    headers[slot] = (uint8_t)header;
}

__attribute__((constructor)) static void fill(void)
{
    for (unsigned i = 1; i < AHOY_HEADER_COUNT; i++) {
        add(rows[i].name, i);
        if (rows[i].compact != 0)
            add((struct span){ &rows[i].compact, 1 }, i);
    }
}

enum ahoy_header ahoy_header_find(ahoy_block bytes, size_t size)
{
    return (enum ahoy_header)headers[slot_of(front_of(bytes, size))];
}

enum ahoy_header ahoy_header_parse(struct span name)
{
    unsigned header = headers[slot_of(front_of_name(name))];
    struct span compact = { &rows[header].compact, 1 };
    if (ahoy_span_equal_nocase(name, rows[header].name) || ahoy_span_equal_nocase(name, compact))
        return (enum ahoy_header)header;
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

bool ahoy_header_next(enum ahoy_header header, struct span *rest, struct span *item,
                      struct ahoy_err *err)
{
    if (rows[header].form == AHOY_FORM_CALL_ID)
        return ahoy_words_next(rest, item, err);
    return ahoy_list_next(rest, item, err);
}

enum ahoy_form ahoy_header_form(enum ahoy_header header)
{
    return rows[header].form;
}

struct span ahoy_header_source(enum ahoy_header header)
{
    return rows[header].source;
}
