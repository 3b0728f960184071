/* Frames of a WebSocket (RFC 6455 5), byte by byte; attack 46. */
#include "libahoy/transport/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/frames.h"

enum { LIMIT = 65536, SPACE = 3 * LIMIT, CONTINUATION = 0, TEXT = AHOY_TEXT_FRAME };

/* What came of some input: messages with a bar behind each, pongs that are owed in brackets. */
struct outcome {
    struct ahoy_buf text;
    bool closed;
    unsigned code;
};

static char input_space[SPACE], outcome_space[SPACE];

static void take(struct ahoy_websocket *websocket, struct span input, struct outcome *outcome)
{
    struct ahoy_websocket_part part;
    while (!outcome->closed) {
        switch (ahoy_websocket_next(websocket, LIMIT, &input, &part)) {
        case AHOY_WEBSOCKET_MORE:
            assert_int_equal(input.size, 0);
            return;
        case AHOY_WEBSOCKET_PIECE:
            ahoy_buf_put(&outcome->text, part.bytes);
            break;
        case AHOY_WEBSOCKET_LAST:
            ahoy_buf_put(&outcome->text, part.bytes);
            ahoy_buf_put_byte(&outcome->text, part.is_text ? '|' : '!');
            break;
        case AHOY_WEBSOCKET_PING:
            ahoy_buf_put_byte(&outcome->text, '[');
            ahoy_buf_put(&outcome->text, part.bytes);
            ahoy_buf_put_byte(&outcome->text, ']');
            break;
        case AHOY_WEBSOCKET_CLOSE:
            outcome->closed = true;
            outcome->code = part.code;
        }
    }
}

/* Gives |input| in pieces of |step| bytes. */
static struct outcome play(struct span input, size_t step)
{
    struct outcome outcome = { .text = ahoy_buf_over(outcome_space, sizeof outcome_space) };
    struct ahoy_websocket *websocket = ahoy_websocket_new(false);
    assert_non_null(websocket);
    assert_false(ahoy_websocket_is_open(websocket));
    ahoy_websocket_open(websocket);
    for (size_t i = 0; i < input.size && !outcome.closed; i += step) {
        size_t size = input.size - i < step ? input.size - i : step;
        take(websocket, (struct span){ input.at + i, size }, &outcome);
    }
    assert_true(outcome.closed || !ahoy_websocket_is_amid(websocket));
    ahoy_websocket_free(websocket);
    return outcome;
}

static struct ahoy_buf begin(void)
{
    return ahoy_buf_over(input_space, sizeof input_space);
}

static void assert_comes(const struct ahoy_buf *input, const char *text, bool closed, unsigned code)
{
    const size_t steps[] = { 1, 2, 3, 7, SPACE };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct outcome outcome = play(ahoy_buf_text(input), steps[i]);
        assert_int_equal(outcome.text.size, strlen(text));
        assert_memory_equal(outcome.text.at, text, strlen(text));
        assert_int_equal(outcome.closed, closed);
        assert_int_equal(outcome.code, code);
    }
}

/* R7118-4.2-1, and 5.4 with control frames between fragments. */
static void messages_in_frames_and_fragments(void **state)
{
    (void)state;
    struct ahoy_buf input = begin();
    sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN("one"));
    sim_frames_put(&input, SIM_FRAME_FIN | AHOY_BINARY_FRAME, SPAN("two"));
    sim_frames_put(&input, TEXT, SPAN("th"));
    sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PING_FRAME, SPAN("mid"));
    sim_frames_put(&input, CONTINUATION, SPAN(""));
    sim_frames_put(&input, CONTINUATION, SPAN("re"));
    sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PONG_FRAME, SPAN("nobody asked"));
    sim_frames_put(&input, SIM_FRAME_FIN | CONTINUATION, SPAN("e"));
    sim_frames_put(&input, TEXT, SPAN("fo"));
    sim_frames_put(&input, SIM_FRAME_FIN | CONTINUATION, SPAN(""));
    sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN(""));
    sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PING_FRAME, SPAN(""));
    assert_comes(&input, "one|two!th[mid]ree|fo||[]", false, 0);
}

static void every_size_of_head(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536 };
    static char payload[LIMIT];
    memset(payload, 'x', sizeof payload);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ahoy_buf input = begin();
        sim_frames_put(&input, SIM_FRAME_FIN | TEXT, (struct span){ payload, sizes[i] });
        sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN("next"));
        for (size_t step = 1; step < SPACE; step *= 7) {
            struct outcome outcome = play(ahoy_buf_text(&input), step);
            assert_false(outcome.closed);
            assert_int_equal(outcome.text.size, sizes[i] + 1 + 5);
            assert_memory_equal(outcome.text.at, payload, sizes[i]);
        }
    }
}

/* One row a rule; whatever follows the fault is not read. */
static void what_is_no_sound_frame(void **state)
{
    (void)state;
    static const struct {
        unsigned first, mask;
        uint64_t length;
        unsigned length_size, code;
    } heads[] = {
        { SIM_FRAME_FIN | TEXT, 0, 1, 1, 1002 },                       /* 5.1: not masked. */
        { SIM_FRAME_FIN | TEXT, SIM_FRAME_MASK, 1ull << 63, 8, 1002 }, /* 5.2 */
        { SIM_FRAME_FIN | TEXT, SIM_FRAME_MASK, ~0ull, 8, 1002 },
        { SIM_FRAME_FIN | TEXT, SIM_FRAME_MASK, 5, 2, 1002 }, /* 5.2: not the shortest. */
        { SIM_FRAME_FIN | TEXT, SIM_FRAME_MASK, 65535, 8, 1002 },
        { SIM_FRAME_FIN | TEXT, SIM_FRAME_MASK, LIMIT + 1, 8, 1009 },
        { TEXT, SIM_FRAME_MASK, (1ull << 63) - 1, 8, 1009 },
        { SIM_FRAME_FIN | SIM_FRAME_RSV1 | TEXT, SIM_FRAME_MASK, 1, 1,
          1002 }, /* 5.2: no extension. */
        { SIM_FRAME_FIN | 0x20 | TEXT, SIM_FRAME_MASK, 1, 1, 1002 },
        { SIM_FRAME_FIN | 0x10 | TEXT, SIM_FRAME_MASK, 1, 1, 1002 },
        { SIM_FRAME_FIN | 3, SIM_FRAME_MASK, 1, 1, 1002 }, /* 5.2: unknown ones. */
        { SIM_FRAME_FIN | 7, SIM_FRAME_MASK, 1, 1, 1002 },
        { SIM_FRAME_FIN | 11, SIM_FRAME_MASK, 1, 1, 1002 },
        { SIM_FRAME_FIN | 15, SIM_FRAME_MASK, 1, 1, 1002 },
        { SIM_FRAME_FIN | CONTINUATION, SIM_FRAME_MASK, 1, 1, 1002 }, /* 5.4: of nothing. */
        { AHOY_PING_FRAME, SIM_FRAME_MASK, 1, 1, 1002 },              /* 5.5: in fragments. */
        { AHOY_CLOSE_FRAME, SIM_FRAME_MASK, 0, 1, 1002 },
        { SIM_FRAME_FIN | AHOY_PING_FRAME, SIM_FRAME_MASK, 126, 2, 1002 }, /* 5.5: too long. */
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct ahoy_buf input = begin();
        sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN("sound"));
        sim_frames_put_head(&input, heads[i].first, heads[i].mask, heads[i].length,
                            heads[i].length_size);
        ahoy_buf_put(&input, SPAN("xxxxxxxx"));
        assert_comes(&input, "sound|", true, heads[i].code);
    }
}

static void a_message_in_a_message(void **state)
{
    (void)state;
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, SPAN("a"));
    sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN("b"));
    assert_comes(&input, "a", true, 1002);
}

/* Fragments count together (attack 46). */
static void fragments_above_the_limit(void **state)
{
    (void)state;
    static char half[LIMIT / 2];
    memset(half, 'x', sizeof half);
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, (struct span){ half, sizeof half });
    sim_frames_put(&input, CONTINUATION, (struct span){ half, sizeof half });
    sim_frames_put(&input, SIM_FRAME_FIN | CONTINUATION, SPAN("x"));
    struct outcome outcome = play(ahoy_buf_text(&input), 1000);
    assert_int_equal(outcome.text.size, LIMIT);
    assert_int_equal(outcome.code, 1009);
    /* The limit is each message's own. */
    input = begin();
    sim_frames_put(&input, SIM_FRAME_FIN | TEXT, (struct span){ half, sizeof half });
    sim_frames_put(&input, SIM_FRAME_FIN | TEXT, (struct span){ half, sizeof half });
    sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN("x"));
    assert_false(play(ahoy_buf_text(&input), 1000).closed);
}

/* 5.5.1, 7.4: what a peer may say at the end, and what it gets back. */
static void closes(void **state)
{
    (void)state;
    static const struct {
        struct span payload;
        unsigned code;
    } cases[] = {
        { SPAN_INIT(""), 0 },
        { SPAN_INIT("\x03\xe8"), 1000 },
        { SPAN_INIT("\x03\xe9going"), 1001 },
        { SPAN_INIT("\x0f\xa0"), 4000 },
        { SPAN_INIT("\x03"), 1002 },
        { SPAN_INIT("\x03\xe7"), 1002 }, /* 999 */
        { SPAN_INIT("\x03\xed"), 1002 }, /* 1005 is not to be sent. */
        { SPAN_INIT("\x03\xee"), 1002 },
        { SPAN_INIT("\x03\xf7"), 1002 }, /* 1015 */
        { SPAN_INIT("\x13\x88"), 1002 }, /* 5000 */
        { SPAN_INIT("\x03\xe8\xff"), 1007 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ahoy_buf input = begin();
        sim_frames_put(&input, SIM_FRAME_FIN | AHOY_CLOSE_FRAME, cases[i].payload);
        sim_frames_put(&input, SIM_FRAME_FIN | TEXT, SPAN("late"));
        assert_comes(&input, "", true, cases[i].code);
    }
}

/* While nothing has begun, nothing is amid: the flow's patience hangs on it. */
static void amid(void **state)
{
    (void)state;
    struct ahoy_buf input = begin();
    struct ahoy_websocket_part part;
    sim_frames_put(&input, TEXT, SPAN("ab"));
    sim_frames_put(&input, SIM_FRAME_FIN | CONTINUATION, SPAN("cd"));
    struct ahoy_websocket *websocket = ahoy_websocket_new(false);
    ahoy_websocket_open(websocket);
    assert_false(ahoy_websocket_is_amid(websocket));
    for (size_t i = 0; i < input.size; i++) {
        struct span byte = { input.at + i, 1 };
        while (ahoy_websocket_next(websocket, LIMIT, &byte, &part) != AHOY_WEBSOCKET_MORE)
            continue;
        assert_int_equal(ahoy_websocket_is_amid(websocket), i + 1 < input.size);
    }
    ahoy_websocket_free(websocket);
}

static void frames_of_ours(void **state)
{
    (void)state;
    static const size_t sizes[] = { 1, 125, 126, 65535, 65536 };
    static char text[AHOY_FRAME_HEAD_LIMIT + LIMIT];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *payload = text + AHOY_FRAME_HEAD_LIMIT;
        memset(payload, 'x', sizes[i]);
        struct span frame = ahoy_websocket_frame_message(payload, sizes[i]);
        assert_ptr_equal(ahoy_websocket_payload(frame).at, payload);
        assert_int_equal(ahoy_websocket_payload(frame).size, sizes[i]);
        struct span got = frames_take(&frame, SIM_FRAME_FIN | TEXT);
        assert_int_equal(frame.size, 0);
        assert_ptr_equal(got.at, payload);
        assert_int_equal(got.size, sizes[i]);
        payload[sizes[i] - 1] = (char)0xff; /* R7118-4.2-2: it is no UTF-8. */
        frame = ahoy_websocket_frame_message(payload, sizes[i]);
        assert_int_equal(frames_take(&frame, SIM_FRAME_FIN | AHOY_BINARY_FRAME).size, sizes[i]);
    }
}

/* RFC 6455 5.7: "Hello", as a client says it; and each size of head, read by a server. */
static void masked_frames_of_ours(void **state)
{
    (void)state;
    static const char key[] = { 0x37, (char)0xfa, 0x21, 0x3d };
    static const size_t sizes[] = { 1, 125, 126, 65535 };
    static char text[AHOY_FRAME_HEAD_LIMIT + LIMIT];
    char *payload = text + AHOY_FRAME_HEAD_LIMIT;
    uint32_t number;
    memcpy(&number, key, sizeof number);
    memcpy(payload, "Hello", 5);
    struct span frame = ahoy_websocket_mask(ahoy_websocket_frame(TEXT, payload, 5), number);
    assert_true(ahoy_span_equal(frame, SPAN("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")));
    assert_int_equal(ahoy_websocket_payload(frame).size, 0); /* It cannot be shown as it is. */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(payload, 'x', sizes[i]);
        frame = ahoy_websocket_mask(ahoy_websocket_frame(TEXT, payload, sizes[i]), number);
        struct outcome outcome = play(frame, frame.size);
        assert_false(outcome.closed);
        assert_int_equal(outcome.text.size, sizes[i] + 1);
    }
}

/* RFC 6455 5.1: a client closes where a server masks, and reads what it does not mask. */
static void the_frames_of_a_server(void **state)
{
    (void)state;
    static char text[AHOY_FRAME_HEAD_LIMIT + LIMIT];
    static const size_t sizes[] = { 5, 200, 65535 };
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        bool is_masked = i % 2 != 0;
        struct ahoy_websocket *websocket = ahoy_websocket_new(true);
        struct outcome outcome = { .text = ahoy_buf_over(outcome_space, sizeof outcome_space) };
        memset(text, 'x', sizeof text);
        struct span frame =
            ahoy_websocket_frame(TEXT, text + AHOY_FRAME_HEAD_LIMIT, sizes[i / 2]);
        if (is_masked)
            frame = ahoy_websocket_mask(frame, 7);
        ahoy_websocket_open(websocket);
        for (size_t at = 0; at < frame.size && !outcome.closed; at++)
            take(websocket, (struct span){ frame.at + at, 1 }, &outcome);
        assert_int_equal(outcome.closed, is_masked);
        assert_int_equal(outcome.code, is_masked ? AHOY_CLOSE_PROTOCOL : 0);
        assert_int_equal(outcome.text.size, is_masked ? 0 : sizes[i / 2] + 1);
        assert_false(!is_masked && ahoy_websocket_is_amid(websocket));
        ahoy_websocket_free(websocket);
    }
}

static void short_frames_of_ours(void **state)
{
    (void)state;
    char space[32];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_websocket_put(AHOY_PONG_FRAME, SPAN("back"), &buf);
    ahoy_websocket_put_close(AHOY_CLOSE_TOO_BIG, &buf);
    ahoy_websocket_put_close(AHOY_CLOSE_NONE, &buf);
    struct span bytes = ahoy_buf_text(&buf);
    assert_int_equal(ahoy_websocket_payload(bytes).size, 0);
    assert_true(
        ahoy_span_equal(frames_take(&bytes, SIM_FRAME_FIN | AHOY_PONG_FRAME), SPAN("back")));
    assert_true(
        ahoy_span_equal(frames_take(&bytes, SIM_FRAME_FIN | AHOY_CLOSE_FRAME), SPAN("\x03\xf1")));
    assert_int_equal(frames_take(&bytes, SIM_FRAME_FIN | AHOY_CLOSE_FRAME).size, 0);
    assert_int_equal(bytes.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_in_frames_and_fragments),
        cmocka_unit_test(every_size_of_head),
        cmocka_unit_test(what_is_no_sound_frame),
        cmocka_unit_test(a_message_in_a_message),
        cmocka_unit_test(fragments_above_the_limit),
        cmocka_unit_test(closes),
        cmocka_unit_test(amid),
        cmocka_unit_test(frames_of_ours),
        cmocka_unit_test(masked_frames_of_ours),
        cmocka_unit_test(the_frames_of_a_server),
        cmocka_unit_test(short_frames_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
