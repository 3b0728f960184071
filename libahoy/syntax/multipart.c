/* Walking over the parts of a body: RFC 2046 5.1.1. */
#include "libahoy/syntax/multipart.h"

#include "libahoy/syntax/fragment.h"
#include "libahoy/syntax/media.h"
#include "libahoy/syntax/scan.h"

bool ahoy_boundary_is_sound(struct span boundary)
{
    static const struct span marks = SPAN_INIT("'()+_,-./:=? ");
    for (size_t i = 0; i < boundary.size; i++) {
        if (!ahoy_is(boundary.at[i], AHOY_ALPHA | AHOY_DIGIT) &&
            ahoy_span_find(marks, boundary.at[i]) == marks.size)
            return false;
    }
    return boundary.size > 0 && boundary.size <= AHOY_BOUNDARY_LIMIT &&
           ahoy_span_end(boundary)[-1] != ' ';
}

/* A boundary between parts, with the CRLF in front. */
struct delimiter {
    const char *line; /* Its own begin, behind that CRLF. */
    const char *next; /* Behind its line. */
    bool is_last;
};

/* Whether the line at |at| begins as a delimiter does.  One that only begins so is a fault: parts
 * must not have such lines, and readers must not differ about where parts end. */
static bool is_delimiter(const struct ahoy_multipart *walk, const char *at, const char *end)
{
    size_t size = 2 + walk->boundary.size;
    return (size_t)(end - at) >= size && at[0] == '-' && at[1] == '-' &&
           memcmp(at + 2, walk->boundary.at, walk->boundary.size) == 0;
}

/* Reads what is behind the boundary in a delimiter's line, transport-padding included. */
static bool read_delimiter(const struct ahoy_multipart *walk, struct delimiter *found,
                           const char *end, struct ahoy_err *err)
{
    const char *at = found->line + 2 + walk->boundary.size;
    found->is_last = end - at >= 2 && at[0] == '-' && at[1] == '-';
    at = ahoy_skip(found->is_last ? at + 2 : at, end, AHOY_WSP);
    found->next = at;
    if (at == end && found->is_last)
        return true;
    if (end - at < 2 || at[0] != '\r' || at[1] != '\n')
        return ahoy_fail(err, 400, at, "CRLF behind a boundary");
    found->next = at + 2;
    return true;
}

/* Finds the first delimiter in |text|, which begins with a line. */
static bool find_delimiter(const struct ahoy_multipart *walk, struct span text,
                           struct delimiter *found, struct ahoy_err *err)
{
    const char *at = text.at;
    const char *end = ahoy_span_end(text);
    while (at < end) {
        if (is_delimiter(walk, at, end)) {
            found->line = at;
            return read_delimiter(walk, found, end, err);
        }
        do {
            at = memchr(at, '\n', (size_t)(end - at));
            if (at == NULL)
                return ahoy_fail(err, 400, end, "the last boundary");
            at++;
        } while (at - text.at < 2 || at[-2] != '\r');
    }
    return ahoy_fail(err, 400, end, "the last boundary");
}

/* Opens at the depth and with the counter that |walk| has. */
static bool open_body(struct ahoy_multipart *walk, struct span type, struct span body,
                      struct ahoy_err *err)
{
    struct delimiter first;
    struct ahoy_err fault;
    if (!ahoy_media_is(type, SPAN("multipart/")))
        return ahoy_fail(err, 400, type.at, "a multipart type");
    walk->boundary = ahoy_nothing(ahoy_span_end(type));
    if (!ahoy_media_param(type, SPAN("boundary"), &walk->boundary, &fault) &&
        fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    if (!ahoy_boundary_is_sound(walk->boundary))
        return ahoy_fail(err, 400, walk->boundary.at, "a boundary of 1 to 70 legal characters");
    walk->is_digest = ahoy_media_is(type, SPAN("multipart/digest"));
    if (!find_delimiter(walk, body, &first, err))
        return false;
    if (first.is_last)
        return ahoy_fail(err, 400, first.line, "a part before the last boundary");
    walk->ended = false;
    walk->rest = ahoy_span_between(first.next, ahoy_span_end(body));
    return true;
}

bool ahoy_multipart_open(struct ahoy_multipart *walk, struct span type, struct span body,
                         struct ahoy_err *err)
{
    walk->depth = 1;
    walk->count = 0;
    walk->part_count = &walk->count;
    return open_body(walk, type, body, err);
}

bool ahoy_multipart_enter(struct ahoy_multipart *walk, const struct ahoy_multipart *outer,
                          const struct ahoy_part *part, struct ahoy_err *err)
{
    walk->depth = outer->depth + 1;
    walk->part_count = outer->part_count;
    if (walk->depth > AHOY_MULTIPART_DEPTH_LIMIT)
        return ahoy_fail(err, 400, part->content.at, "at most 4 bodies within each other");
    return open_body(walk, part->type, part->content, err);
}

static bool read_disposition(struct ahoy_part *part, struct span value, struct ahoy_err *err)
{
    struct span handling;
    struct ahoy_err fault = { .expected = NULL };
    part->disposition = ahoy_span_trim((struct span){ value.at, ahoy_span_find(value, ';') });
    if (part->disposition.size == 0)
        return ahoy_fail(err, 400, value.at, "a disposition");
    if (ahoy_media_param(value, SPAN("handling"), &handling, &fault))
        part->is_optional = ahoy_span_equal_nocase(handling, SPAN("optional"));
    return fault.expected == NULL || ahoy_fail(err, fault.status, fault.at, fault.expected);
}

/* Takes what a part says of itself; each once. */
static bool read_row(struct ahoy_part *part, const struct ahoy_field *row, struct ahoy_err *err)
{
    const struct {
        struct span name;
        struct span *value;
    } known[] = {
        { SPAN_INIT("Content-Type"), &part->type },
        { SPAN_INIT("Content-Disposition"), &part->disposition },
        { SPAN_INIT("Content-ID"), &part->id },
        { SPAN_INIT("Content-Transfer-Encoding"), &part->encoding },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (!ahoy_span_equal_nocase(row->name, known[i].name))
            continue;
        if (known[i].value->size > 0)
            return ahoy_fail(err, 400, row->row.at, "this header only once");
        if (row->value.size == 0)
            return ahoy_fail(err, 400, row->value.at, "a value");
        *known[i].value = row->value;
    }
    return row->header != AHOY_HEADER_CONTENT_DISPOSITION ||
           read_disposition(part, row->value, err);
}

/* Reads the part from |at| up to the delimiter's line: rows, an empty line, the content.  The CRLF
 * before the delimiter belongs to it, but ends a row or is the empty line where these come last. */
static bool read_part(struct ahoy_part *part, struct span text, struct ahoy_err *err)
{
    struct ahoy_message message;
    struct span none = ahoy_nothing(text.at);
    *part = (struct ahoy_part){ .type = none, .disposition = none, .id = none, .encoding = none };
    if (!ahoy_fragment_parse(text, AHOY_PART, &message, err))
        return false;
    for (unsigned i = 0; i < message.field_count; i++) {
        if (!read_row(part, &message.fields[i], err))
            return false;
    }
    struct span rest = ahoy_span_after(text, message.headers_end);
    part->rows = (struct span){ text.at, message.headers_end };
    part->content = rest.size >= 4 ? (struct span){ rest.at + 2, rest.size - 4 }
                                   : ahoy_nothing(ahoy_span_end(rest));
    return true;
}

bool ahoy_multipart_next(struct ahoy_multipart *walk, struct ahoy_part *part, struct ahoy_err *err)
{
    struct delimiter next;
    if (walk->ended)
        return ahoy_finished(err);
    if (*walk->part_count == AHOY_MULTIPART_PARTS_LIMIT)
        return ahoy_fail(err, 400, walk->rest.at, "at most 32 parts");
    if (!find_delimiter(walk, walk->rest, &next, err) ||
        !read_part(part, ahoy_span_between(walk->rest.at, next.line), err))
        return false;
    if (part->type.size == 0)
        part->type = walk->is_digest ? SPAN("message/rfc822") : SPAN("text/plain");
    ++*walk->part_count;
    walk->ended = next.is_last;
    walk->rest = ahoy_span_between(next.next, ahoy_span_end(walk->rest));
    return true;
}
