/* application/simple-message-summary (RFC 3842 3.5 and 5.2), which is lines; all else is XML. */
#include "ahoy/told.h"

#include <stdio.h>

void phone_told_add(struct phone_told_text *text, struct span more)
{
    size_t room = sizeof text->at - text->size;
    size_t size = more.size < room ? more.size : room;
    memcpy(text->at + text->size, more.at, size);
    text->size += size;
}

/* The next line, without its end; false behind the last, and at an empty one, which ends the
 * summary: what follows are headers of messages. */
static bool next_line(struct span *rest, struct span *line)
{
    size_t size = ahoy_span_find(*rest, '\n');
    *line = ahoy_span_trim((struct span){ rest->at, size });
    *rest = ahoy_span_after(*rest, size < rest->size ? size + 1 : size);
    return line->size > 0;
}

/* "Name: value", white space aside. */
static bool split(struct span line, char separator, struct span *left, struct span *right)
{
    size_t at = ahoy_span_find(line, separator);
    if (at == line.size)
        return false;
    *left = ahoy_span_trim((struct span){ line.at, at });
    *right = ahoy_span_trim(ahoy_span_after(line, at + 1));
    return true;
}

/* R3842-3.5-5, R3842-5.2-1: what is larger counts as the largest. */
static bool read_count(struct span text, uint32_t *count)
{
    uint64_t value = UINT32_MAX;
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    }
    if (!ahoy_span_number(text, UINT32_MAX, &value) && text.size == 0)
        return false;
    *count = (uint32_t)value;
    return true;
}

/* "2/8", as words behind |name|. */
static bool read_counts(struct span text, const char *name, struct phone_told_text *to)
{
    struct span left, right;
    uint32_t fresh, old;
    char words[64];
    if (!split(text, '/', &left, &right) || !read_count(left, &fresh) || !read_count(right, &old))
        return false;
    (void)snprintf(words, sizeof words, "%s%u new, %u old", name, fresh, old); /* They fit. */
    phone_told_add(to, ahoy_span(words));
    return true;
}

/* "Voice-Message: 2/8 (0/2)" */
static bool read_kind(struct span line, struct phone_told_item *item)
{
    struct span name, counts, urgent;
    *item = (struct phone_told_item){ .state.size = 0 };
    if (!split(line, ':', &name, &counts) || name.size == 0)
        return false;
    phone_told_add(&item->about, name);
    size_t open = ahoy_span_find(counts, '(');
    if (open < counts.size) {
        urgent = ahoy_span_after(counts, open + 1);
        if (urgent.size == 0 || urgent.at[urgent.size - 1] != ')')
            return false;
        urgent.size--;
        if (!read_counts(urgent, "urgent: ", &item->note))
            return false;
        counts = ahoy_span_trim((struct span){ counts.at, open });
    }
    return read_counts(counts, "", &item->state);
}

static bool read_summary(struct span document, struct phone_told *told)
{
    struct phone_told_item *whole = &told->items[told->count++];
    struct span line, name, value;
    *whole = (struct phone_told_item){ .state.size = 0 };
    if (!next_line(&document, &line) || !split(line, ':', &name, &value) ||
        !ahoy_span_equal_nocase(name, SPAN("Messages-Waiting")))
        return false;
    bool are_any = ahoy_span_equal_nocase(value, SPAN("yes"));
    if (!are_any && !ahoy_span_equal_nocase(value, SPAN("no")))
        return false;
    phone_told_add(&whole->state, are_any ? SPAN("messages") : SPAN("no messages"));
    while (next_line(&document, &line)) {
        bool is_account = split(line, ':', &name, &value) && told->count == 1 &&
                          whole->about.size == 0 &&
                          ahoy_span_equal_nocase(name, SPAN("Message-Account"));
        if (is_account)
            phone_told_add(&whole->about, value);
        else if (told->count == PHONE_TOLD_ITEMS)
            break;
        else if (!read_kind(line, &told->items[told->count++]))
            return false;
    }
    return true;
}

/* White space that indented it, or stood where it was cut, says nothing. */
static void trim(struct phone_told_text *text)
{
    struct span bare = ahoy_span_trim((struct span){ text->at, text->size });
    memmove(text->at, bare.at, bare.size);
    text->size = bare.size;
}

bool phone_told_read(const struct ahoy_event_package *package, struct span document,
                     struct phone_told *told)
{
    bool is_summary = ahoy_span_equal(package->name, SPAN("message-summary"));
    told->count = 0;
    bool is_read =
        is_summary ? read_summary(document, told) : phone_told_read_xml(package, document, told);
    if (!is_read)
        told->count = 0;
    for (size_t i = 0; i < told->count; i++) {
        trim(&told->items[i].state);
        trim(&told->items[i].about);
        trim(&told->items[i].note);
    }
    return is_read;
}
