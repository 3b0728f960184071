/* Framing (RFC 3261 7.5, 18.3): every message is found at every way of splitting the stream, and
 * what is doubtful breaks it (security rows 1 to 3, rule R2). */
#include "libahoy/transport/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define HEAD "INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/TCP a.example;branch=z9hG4bK1\r\n"

/* Messages that are each whole. */
static const char *const sound[] = {
    HEAD "Content-Length: 4\r\n\r\nbody", HEAD "Content-Length: 0\r\n\r\n",
    HEAD "l:4\r\nSubject: after it\r\n\r\n\r\n\r\n",
    HEAD "CONTENT-length \t :\t 0007 \r\n\r\nl: 99\r\n", HEAD "Content-Length:\r\n 3\r\n\r\nabc",
    HEAD "L: 1\r\n\t\r\nX: y\r\n\r\nz",
    HEAD "Subject: Content-Length\r\n Content-Length: 9\r\nContent-Lengthy: 8\r\nl: 2\r\n\r\nab",
    /* R3261-7.4.2-1: there are no chunks; the length is what it says. */
    HEAD "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\n",
    "SIP/2.0 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n\n",
    "l: 9\r\nl: 0\r\n\r\n", /* The first line is the start line, whatever it looks like. */
};

static void assert_whole(struct span message, struct span bytes, struct ahoy_frame *frame)
{
    assert_int_equal(ahoy_frame_cut(frame, bytes, NULL), AHOY_FRAME_WHOLE);
    assert_int_equal(frame->size, message.size);
}

/* R3261-18.3-3: the end is known exactly when the last byte is there, whatever pieces came. */
static void each_byte_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        struct span message = ahoy_span(sound[i]);
        struct ahoy_frame frame = { 0 };
        for (size_t size = 1; size < message.size; size++) {
            struct span part = { message.at, size };
            assert_int_equal(ahoy_frame_cut(&frame, part, NULL), AHOY_FRAME_MORE);
        }
        assert_whole(message, message, &frame);
    }
}

static void any_split_and_what_follows(void **state)
{
    (void)state;
    char stream[1024];
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        struct span message = ahoy_span(sound[i]);
        struct ahoy_buf buf = ahoy_buf_over(stream, sizeof stream);
        ahoy_buf_put(&buf, message);
        ahoy_buf_put(&buf, SPAN("ACK sip:more@follows SIP/2.0\r\n\r\n"));
        struct span both = ahoy_buf_text(&buf);
        for (size_t size = 1; size < message.size; size++) {
            struct ahoy_frame frame = { 0 };
            struct span part = { both.at, size };
            assert_int_equal(ahoy_frame_cut(&frame, part, NULL), AHOY_FRAME_MORE);
            assert_whole(message, both, &frame);
        }
    }
}

struct attack {
    const char *name;
    const char *bytes;
    unsigned status;
    const char *head; /* What may be read of it; NULL: up to and with the empty line. */
};

static const struct attack attacks[] = {
    { "row 1: wraps 32 bits", HEAD "Content-Length: 4294967328\r\n\r\n", 413, NULL },
    { "row 1: wraps 64 bits", HEAD "Content-Length: 18446744073709551620\r\n\r\n", 413, NULL },
    { "row 2: 2^31", HEAD "Content-Length: 2147483648\r\n\r\n", 413, NULL },
    { "row 2: head and body above the limit", HEAD "Content-Length: 65530\r\n\r\n", 413, NULL },
    { "row 3: two of them", HEAD "Content-Length: 4\r\nl: 5\r\n\r\n", 400, NULL },
    { "row 3: negative", HEAD "Content-Length: -1\r\n\r\n", 400, NULL },
    { "signed", HEAD "Content-Length: +1\r\n\r\n", 400, NULL },
    { "hexadecimal", HEAD "Content-Length: 0x1\r\n\r\n", 400, NULL },
    { "empty", HEAD "Content-Length:\r\n\r\n", 400, NULL },
    { "a list", HEAD "Content-Length: 1, 1\r\n\r\n", 400, NULL },
    { "folded inside", HEAD "Content-Length: 1\r\n 2\r\n\r\n", 400, NULL },
    { "a NUL inside", HEAD "Content-Length: 1\x01\r\n\r\n", 400, NULL },
    { "the fault stays the first", HEAD "l: 4294967328\r\nl: x\r\n\r\n", 413, NULL },
    { "R3261-18.3-3: absent", HEAD "\r\n", 400, NULL },
    { "as a continuation only", HEAD " Content-Length: 3\r\n\r\n", 400, NULL },
    { "no name for it", HEAD "Content-Length\x01: 3\r\n\r\n", 400, NULL },
    { "R3261-7-1: LF alone", HEAD "A: b\nl: 0\r\n\r\n", 400, HEAD },
    { "an empty line of LF", HEAD "l: 0\r\n\nPOST", 400, HEAD "l: 0\r\n" },
    { "LF alone in a start line", "INVITE\n" HEAD, 400, "" },
};

static void attacks_break_the_stream(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        struct span bytes = ahoy_span(attacks[i].bytes);
        size_t head = attacks[i].head == NULL ? bytes.size : strlen(attacks[i].head);
        for (size_t split = 0; split < bytes.size; split++) {
            struct ahoy_frame frame = { 0 };
            struct ahoy_err err = { 0 };
            enum ahoy_frame_verdict verdict = AHOY_FRAME_MORE;
            if (split > 0)
                verdict = ahoy_frame_cut(&frame, (struct span){ bytes.at, split }, &err);
            if (verdict == AHOY_FRAME_MORE)
                verdict = ahoy_frame_cut(&frame, bytes, &err);
            if (verdict != AHOY_FRAME_BROKEN || err.status != attacks[i].status ||
                frame.size != head || err.expected == NULL)
                fail_msg("%s, split at %zu: verdict %d, status %u, head %zu", attacks[i].name,
                         split, (int)verdict, err.status, frame.size);
        }
    }
}

/* Writes |count| rows of |size| bytes each behind a start line. */
static struct span many_rows(char *at, size_t capacity, size_t count, size_t size, const char *end)
{
    struct ahoy_buf buf = ahoy_buf_over(at, capacity);
    ahoy_buf_put(&buf, SPAN("INVITE sip:b@b.example SIP/2.0\r\n"));
    for (size_t i = 0; i < count; i++) {
        ahoy_buf_put(&buf, SPAN("A:"));
        for (size_t j = 4; j < size; j++)
            ahoy_buf_put_byte(&buf, 'a');
        ahoy_buf_put(&buf, SPAN("\r\n"));
    }
    ahoy_buf_put(&buf, ahoy_span(end));
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

static unsigned status_of(struct span bytes, struct ahoy_frame *frame)
{
    struct ahoy_err err = { 0 };
    *frame = (struct ahoy_frame){ 0 };
    switch (ahoy_frame_cut(frame, bytes, &err)) {
    case AHOY_FRAME_MORE:
        return 0;
    case AHOY_FRAME_WHOLE:
        return 200;
    case AHOY_FRAME_BROKEN:
        return err.status;
    }
    return 0;
}

/* Row 7, and R4: a head that has no end is broken when a limit is passed, not when it ends. */
static void limits_of_the_head(void **state)
{
    (void)state;
    size_t capacity = 4 * AHOY_MESSAGE_LIMIT;
    char *space = malloc(capacity);
    assert_non_null(space);
    struct ahoy_frame frame;
    const size_t rows = AHOY_HEADERS_LIMIT;
    const char *end = "l:0\r\n\r\n";
    assert_int_equal(status_of(many_rows(space, capacity, rows - 1, 6, end), &frame), 200);
    assert_int_equal(status_of(many_rows(space, capacity, rows, 6, end), &frame), 400);
    assert_int_equal(status_of(many_rows(space, capacity, rows + 1, 6, ""), &frame), 400);
    const size_t line = AHOY_LINE_LIMIT;
    assert_int_equal(status_of(many_rows(space, capacity, 1, line, end), &frame), 200);
    assert_int_equal(status_of(many_rows(space, capacity, 1, line + 1, ""), &frame), 400);
    assert_int_equal(status_of(many_rows(space, capacity, 1, line - 2, " b\r\n"), &frame), 400);
    struct span endless = many_rows(space, capacity, 1, line + 100, "");
    endless.size -= 50;
    assert_int_equal(status_of(endless, &frame), 400);
    assert_int_equal(frame.size, strlen("INVITE sip:b@b.example SIP/2.0\r\n"));
    assert_int_equal(status_of(many_rows(space, capacity, 10, 8000, ""), &frame), 413);
    assert_int_equal(frame.size, strlen("INVITE sip:b@b.example SIP/2.0\r\n") + 8 * 8000);
    free(space);
}

/* A row at the limit stays sound wherever a chunk ends in it or behind it. */
static void long_rows_in_pieces(void **state)
{
    (void)state;
    char space[3 * AHOY_LINE_LIMIT];
    struct span bytes = many_rows(space, sizeof space, 2, AHOY_LINE_LIMIT, "l:0\r\n\r\n");
    struct ahoy_frame frame = { 0 };
    for (size_t size = 1; size < bytes.size; size++)
        assert_int_equal(ahoy_frame_cut(&frame, (struct span){ space, size }, NULL),
                         AHOY_FRAME_MORE);
    assert_whole(bytes, bytes, &frame);
}

/* A message of exactly the limit is whole; a head of the limit without an end is broken then. */
static void the_largest_message(void **state)
{
    (void)state;
    char *space = calloc(1, AHOY_MESSAGE_LIMIT);
    assert_non_null(space);
    struct ahoy_buf buf = ahoy_buf_over(space, AHOY_MESSAGE_LIMIT);
    const size_t head = sizeof HEAD - 1 + strlen("l: 65000\r\n\r\n");
    ahoy_buf_put(&buf, SPAN(HEAD "l: "));
    ahoy_buf_put_number(&buf, AHOY_MESSAGE_LIMIT - head);
    ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
    struct ahoy_frame frame = { 0 };
    struct span bytes = { space, AHOY_MESSAGE_LIMIT - 1 };
    assert_int_equal(ahoy_frame_cut(&frame, bytes, NULL), AHOY_FRAME_MORE);
    bytes.size++;
    assert_whole(bytes, bytes, &frame);

    memset(space, 'a', AHOY_MESSAGE_LIMIT);
    for (size_t i = 1000; i < AHOY_MESSAGE_LIMIT; i += 1000)
        memcpy(space + i, "\r\nb", 3);
    bytes.size = AHOY_MESSAGE_LIMIT - 1;
    assert_int_equal(status_of(bytes, &frame), 0);
    bytes.size++;
    assert_int_equal(status_of(bytes, &frame), 413);
    free(space);
}

/* R3261-7.5-1 and R5626-5.4-2, at every split. */
static void blanks_between_messages(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t doubles;
    } cases[] = {
        { "", 0 },
        { "\r\n", 0 },
        { "\r\n\r\n", 1 },
        { "\r\n\r\n\r\n", 1 },
        { "\r\n\r\n\r\n\r\n", 2 },
        { "\n\r\n\r\n", 1 },
        { "\r\n\r\r\n\r\n", 1 },
        { "\r\n\n\r\n", 0 },
        { "\n\n\n\n", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].bytes);
        for (size_t split = 0; split <= size; split++) {
            struct ahoy_frame frame = { 0 };
            char text[32];
            struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
            ahoy_buf_put(&buf, ahoy_span(cases[i].bytes));
            ahoy_buf_put(&buf, SPAN("ACK"));
            struct span first = { text, split };
            struct span rest = ahoy_span_after(ahoy_buf_text(&buf), split);
            size_t doubles = ahoy_frame_skip(&frame, &first);
            assert_int_equal(first.size, 0);
            doubles += ahoy_frame_skip(&frame, &rest);
            assert_int_equal(doubles, cases[i].doubles);
            assert_true(ahoy_span_equal(rest, SPAN("ACK")));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_counts),         cmocka_unit_test(any_split_and_what_follows),
        cmocka_unit_test(attacks_break_the_stream), cmocka_unit_test(limits_of_the_head),
        cmocka_unit_test(long_rows_in_pieces),      cmocka_unit_test(the_largest_message),
        cmocka_unit_test(blanks_between_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
