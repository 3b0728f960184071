/* Finding a kind of body in a body, and printing several as one: RFC 5621 4 to 7, RFC 2046 5.1. */
#include "libahoy/syntax/media.h"
#include "libahoy/syntax/multipart.h"

/* Which of the parts is taken. */
enum choice { FIRST, LAST, ROOT };

static enum choice choice_of(struct span type)
{
    if (ahoy_media_is(type, SPAN("multipart/alternative")))
        return LAST;
    return ahoy_media_is(type, SPAN("multipart/related")) ? ROOT : FIRST;
}

static bool find_in(struct ahoy_multipart *walk, struct span type, struct span media,
                    struct ahoy_part *found, struct ahoy_err *err);

/* Whether |part| is what is looked for, or has it inside. */
static bool find_in_part(const struct ahoy_multipart *walk, const struct ahoy_part *part,
                         struct span media, struct ahoy_part *found, struct ahoy_err *err)
{
    struct ahoy_multipart inner;
    if (ahoy_media_is(part->type, media)) {
        *found = *part;
        return true;
    }
    if (!ahoy_media_is(part->type, SPAN("multipart/")))
        return ahoy_finished(err);
    return ahoy_multipart_enter(&inner, walk, part, err) &&
           find_in(&inner, part->type, media, found, err);
}

/* Looks through all parts, so that a fault behind the one that is taken is a fault too. */
static bool find_in(struct ahoy_multipart *walk, struct span type, struct span media,
                    struct ahoy_part *found, struct ahoy_err *err)
{
    enum choice choice = choice_of(type);
    struct span start = { type.at, 0 };
    struct ahoy_err fault = { .expected = NULL };
    if (choice == ROOT && !ahoy_media_param(type, SPAN("start"), &start, &fault) &&
        fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    bool is_found = false;
    struct ahoy_part part;
    for (size_t index = 0; ahoy_multipart_next(walk, &part, &fault); index++) {
        struct ahoy_part inside;
        bool is_root = start.size > 0 ? ahoy_span_equal(part.id, start) : index == 0;
        bool fits = find_in_part(walk, &part, media, &inside, &fault);
        if (!fits && fault.expected != NULL)
            break;
        if (fits && (choice == LAST || (choice == ROOT ? is_root : !is_found))) {
            *found = inside;
            is_found = true;
        }
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    return is_found || ahoy_finished(err);
}

bool ahoy_body_find(struct span type, struct span body, struct span media, struct ahoy_part *found,
                    struct ahoy_err *err)
{
    struct span none = { type.at, 0 };
    struct ahoy_multipart walk;
    if (ahoy_media_is(type, media)) {
        *found = (struct ahoy_part){ none, body, type, none, none, none, false };
        return true;
    }
    if (!ahoy_media_is(type, SPAN("multipart/")))
        return ahoy_finished(err);
    return ahoy_multipart_open(&walk, type, body, err) && find_in(&walk, type, media, found, err);
}

/* Whether "--boundary" occurs anywhere in |text|. */
static bool occurs(struct span text, struct span boundary)
{
    while (text.size >= 2 + boundary.size) {
        if (text.at[0] == '-' && text.at[1] == '-' &&
            memcmp(text.at + 2, boundary.at, boundary.size) == 0)
            return true;
        text = ahoy_span_after(text, 1);
    }
    return false;
}

static void put_boundary(struct ahoy_buf *buf, struct span boundary)
{
    ahoy_buf_put(buf, SPAN("--"));
    ahoy_buf_put(buf, boundary);
}

bool ahoy_multipart_print(const struct ahoy_part *parts, size_t count, struct span boundary,
                          struct ahoy_buf *buf)
{
    if (count == 0 || !ahoy_boundary_is_sound(boundary))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (occurs(parts[i].rows, boundary) || occurs(parts[i].content, boundary))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        put_boundary(buf, boundary);
        ahoy_buf_put(buf, SPAN("\r\n"));
        ahoy_buf_put(buf, parts[i].rows);
        ahoy_buf_put(buf, SPAN("\r\n"));
        ahoy_buf_put(buf, parts[i].content);
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
    put_boundary(buf, boundary);
    ahoy_buf_put(buf, SPAN("--\r\n"));
    return true;
}
