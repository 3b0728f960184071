/* Bodies of several parts: within the limits all parts lie inside, printed again they are the same
 * parts, and whatever is found is of the type that was asked for. */
#include "fuzz/target.h"
#include "libahoy/syntax/multipart.h"

enum { PRINTED_LIMIT = 1 << 16 };

static char space[PRINTED_LIMIT];

static void check_inside(struct span part, struct span whole)
{
    MUST(part.at >= whole.at && ahoy_span_end(part) <= ahoy_span_end(whole));
}

static void check_print(const struct ahoy_part *part)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_multipart walk;
    struct ahoy_part back;
    struct ahoy_err err;
    if (!ahoy_multipart_print(part, 1, SPAN("boundary"), &buf) || buf.overflow)
        return;
    MUST(ahoy_multipart_open(&walk, SPAN("multipart/mixed;boundary=boundary"), ahoy_buf_text(&buf),
                             NULL));
    MUST(ahoy_multipart_next(&walk, &back, NULL));
    MUST(ahoy_span_equal(back.rows, part->rows) && ahoy_span_equal(back.content, part->content));
    MUST(back.is_optional == part->is_optional && ahoy_span_equal(back.id, part->id));
    MUST(!ahoy_multipart_next(&walk, &back, &err) && err.expected == NULL);
}

static void walk_all(struct ahoy_multipart *walk, struct span body)
{
    struct ahoy_part part;
    struct ahoy_err err;
    while (ahoy_multipart_next(walk, &part, &err)) {
        struct ahoy_multipart inner;
        check_inside(part.rows, body);
        check_inside(part.content, body);
        MUST(*walk->part_count <= AHOY_MULTIPART_PARTS_LIMIT);
        check_print(&part);
        if (ahoy_multipart_enter(&inner, walk, &part, NULL)) {
            MUST(inner.depth <= AHOY_MULTIPART_DEPTH_LIMIT);
            walk_all(&inner, part.content);
        }
    }
    if (err.expected != NULL)
        MUST(err.status == 400 && ahoy_err_offset(&err, body) <= body.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The Content-Type in a line, the body behind. */
    struct span bytes = { (const char *)data, size };
    struct span type = { bytes.at, ahoy_span_find(bytes, '\n') };
    struct span body = ahoy_span_after(bytes, type.size + (type.size < size));
    struct ahoy_multipart walk;
    struct ahoy_part part;
    struct ahoy_err err = { .expected = NULL };
    if (ahoy_multipart_open(&walk, type, body, &err))
        walk_all(&walk, body);
    else
        MUST(err.status == 400 && ahoy_err_offset(&err, bytes) <= size);
    if (ahoy_body_find(type, body, SPAN("application/sdp"), &part, NULL))
        MUST(ahoy_media_is(part.type, SPAN("application/sdp")));
    return 0;
}
