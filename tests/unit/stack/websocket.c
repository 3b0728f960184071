/* SIP over WebSocket in the stack (RFC 7118): the upgrade, messages in frames, and their answers;
 * attack 46 and slow peers (row 45). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "libahoy/transport/upgrade.h"
#include "tests/support/frames.h"
#include "tests/support/stack_rig.h"

#define ROWS                                                                                       \
    "Via: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK1\r\n"                                     \
    "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1@a.example\r\n"          \
    "Max-Forwards: 70\r\nCSeq: 1 OPTIONS\r\n"
#define OPTIONS "OPTIONS sip:b@b.example SIP/2.0\r\n" ROWS

enum { TEXT = SIM_FRAME_FIN | AHOY_TEXT_FRAME, BINARY = SIM_FRAME_FIN | AHOY_BINARY_FRAME };

static char space[2 * AHOY_MESSAGE_LIMIT];

static struct ahoy_handle connect_to(struct rig *rig)
{
    struct ahoy_handle connection = rig_accept(rig, RIG_WS4, rig_ip("198.51.100.7", 40000));
    assert_true(connection.generation != 0);
    return connection;
}

/* Gives |bytes| in pieces of |step|, each in memory of its own. */
static void give(struct rig *rig, struct ahoy_handle connection, struct span bytes, size_t step)
{
    for (size_t i = 0; i < bytes.size; i += step) {
        size_t size = bytes.size - i < step ? bytes.size - i : step;
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, bytes.at + i, size);
        rig_bytes(rig, connection, (struct span){ copy, size });
        free(copy);
    }
}

static struct ahoy_handle upgraded(struct rig *rig)
{
    struct ahoy_handle connection = connect_to(rig);
    give(rig, connection, sim_frames_request(), 1000);
    assert_memory_equal(rig_sent(rig, 0)->bytes.at, "HTTP/1.1 101 ", 13);
    assert_int_equal(rig->effect_count, 1);
    rig_forget(rig);
    return connection;
}

static struct ahoy_buf begin(void)
{
    return ahoy_buf_over(space, sizeof space);
}

/* The payload of the SEND that is number |index|, a frame that begins with |first|. */
static struct span payload_of(const struct rig *rig, size_t index, unsigned first)
{
    struct span bytes = rig_sent(rig, index)->bytes;
    struct span payload = frames_take(&bytes, first);
    assert_int_equal(bytes.size, 0);
    return payload;
}

static void assert_answers(const struct rig *rig, size_t index, const char *start)
{
    assert_true(ahoy_span_starts_nocase(payload_of(rig, index, TEXT), ahoy_span(start)));
}

static void assert_closes(const struct rig *rig, unsigned code)
{
    size_t count = rig->effect_count;
    assert_true(count >= 2);
    assert_int_equal(rig->effects[count - 1].kind, AHOY_WIRE_CLOSE);
    struct span payload =
        payload_of(rig, rig_count(rig, AHOY_WIRE_SEND) - 1, SIM_FRAME_FIN | AHOY_CLOSE_FRAME);
    assert_int_equal(payload.size, code == 0 ? 0 : 2);
    if (code != 0)
        assert_int_equal((unsigned char)payload.at[0] << 8 | (unsigned char)payload.at[1], code);
}

/* R7118-4.1-2, -3, R7118-5-2, R7118-5.3-3: requests without Content-Length, in text or binary
 * frames, whole or in fragments, several in one chunk or byte by byte, from the first byte behind
 * the upgrade on. */
static void each_message_is_answered_in_a_frame(void **state)
{
    struct rig *rig = *state;
    static const size_t steps[] = { 1, 3, 100, sizeof space };
    struct ahoy_buf input = begin();
    ahoy_buf_put(&input, sim_frames_request());
    sim_frames_put(&input, TEXT, SPAN(OPTIONS "\r\n"));
    sim_frames_put(&input, AHOY_TEXT_FRAME, SPAN("OPTIONS sip:b@b.ex"));
    sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PING_FRAME, SPAN("?"));
    sim_frames_put(&input, SIM_FRAME_FIN, SPAN("ample SIP/2.0\r\n" ROWS "\r\n"));
    sim_frames_put(&input, BINARY, SPAN(OPTIONS "Content-Length: 4\r\n\r\n\xff\xfe\x00\x80"));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        rig_forget(rig);
        struct ahoy_handle connection = connect_to(rig);
        give(rig, connection, ahoy_buf_text(&input), steps[i]);
        assert_int_equal(rig->seen_count, 3);
        assert_int_equal(rig->effect_count, 5);
        assert_memory_equal(rig_sent(rig, 0)->bytes.at, "HTTP/1.1 101 ", 13);
        /* Within one chunk the pong overtakes answers. */
        size_t pong = steps[i] < 100 ? 2 : 1;
        assert_true(
            ahoy_span_equal(payload_of(rig, pong, SIM_FRAME_FIN | AHOY_PONG_FRAME), SPAN("?")));
        for (size_t j = 1; j < 5; j++) {
            if (j != pong)
                assert_answers(rig, j, "SIP/2.0 200 ");
        }
        struct span last = payload_of(rig, 4, TEXT);
        assert_non_null(memmem(last.at, last.size, ";received=198.51.100.7", 22));
        assert_int_equal(rig->last_hop.transport, AHOY_WS);
        rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    }
}

static void a_malformed_message_ends_nothing(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = upgraded(rig);
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, SPAN(OPTIONS "Content-Length: 99\r\n\r\nshort"));
    sim_frames_put(&input, TEXT, SPAN("what?"));
    sim_frames_put(&input, TEXT, SPAN(OPTIONS "\r\n"));
    give(rig, connection, ahoy_buf_text(&input), sizeof space);
    assert_int_equal(rig->effect_count, 2);
    assert_answers(rig, 0, "SIP/2.0 400 ");
    assert_answers(rig, 1, "SIP/2.0 200 ");
}

/* R5626-5.4-2 by RFC 7118 6. */
static void keep_alives(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = upgraded(rig);
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, SPAN("\r\n\r\n"));
    sim_frames_put(&input, TEXT, SPAN("\r\n"));
    sim_frames_put(&input, TEXT, SPAN(""));
    sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PING_FRAME, SPAN("ping"));
    give(rig, connection, ahoy_buf_text(&input), sizeof space);
    assert_int_equal(rig->effect_count, 2);
    assert_true(ahoy_span_equal(payload_of(rig, 0, TEXT), SPAN("\r\n")));
    assert_true(ahoy_span_equal(payload_of(rig, 1, SIM_FRAME_FIN | AHOY_PONG_FRAME), SPAN("ping")));
    assert_int_equal(rig->counters->keepalives, 4);
}

static void refused_upgrades_close(void **state)
{
    struct rig *rig = *state;
    static const struct {
        struct span request;
        const char *start;
    } cases[] = {
        { SPAN_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 426 " },
        { SPAN_INIT("PUT / HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 405 " },
        { SPAN_INIT(OPTIONS "\r\n"), "HTTP/1.1 400 " },
        { SPAN_INIT("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Protocol: sip\r\nOrigin: http://evil.example\r\n\r\n"),
          "HTTP/1.1 403 " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig_forget(rig);
        struct ahoy_handle connection = connect_to(rig);
        struct ahoy_buf input = begin();
        ahoy_buf_put(&input, cases[i].request);
        ahoy_buf_put(&input, SPAN("what follows"));
        give(rig, connection, ahoy_buf_text(&input), sizeof space);
        assert_int_equal(rig->effect_count, 2);
        assert_memory_equal(rig_sent(rig, 0)->bytes.at, cases[i].start, strlen(cases[i].start));
        assert_int_equal(rig->effects[1].kind, AHOY_WIRE_CLOSE);
    }
    assert_int_equal(rig->counters->upgrades_refused, 4);
}

static void an_endless_upgrade(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = connect_to(rig);
    memset(space, 'x', AHOY_UPGRADE_LIMIT);
    give(rig, connection, (struct span){ space, AHOY_UPGRADE_LIMIT - 1 }, 1000);
    assert_int_equal(rig->effect_count, 0);
    give(rig, connection, SPAN("xx"), 2);
    assert_int_equal(rig->effect_count, 2);
    assert_memory_equal(rig_sent(rig, 0)->bytes.at, "HTTP/1.1 431 ", 13);
    assert_int_equal(rig->effects[1].kind, AHOY_WIRE_CLOSE);
}

static void ends(void **state)
{
    struct rig *rig = *state;
    static const struct {
        unsigned first;
        struct span payload;
        unsigned code;
    } cases[] = {
        { SIM_FRAME_FIN | AHOY_CLOSE_FRAME,
          SPAN_INIT("\x03\xe8"
                    "bye"),
          1000 },
        { SIM_FRAME_FIN | AHOY_CLOSE_FRAME, SPAN_INIT(""), 0 },
        { SIM_FRAME_FIN | 3, SPAN_INIT("what?"), 1002 },
        { TEXT, SPAN_INIT("OPTIONS \xff\xfe SIP/2.0\r\n\r\n"), 1007 }, /* RFC 6455 8.1 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ahoy_handle connection = upgraded(rig);
        struct ahoy_buf input = begin();
        sim_frames_put(&input, cases[i].first, cases[i].payload);
        sim_frames_put(&input, TEXT, SPAN(OPTIONS "\r\n"));
        give(rig, connection, ahoy_buf_text(&input), sizeof space);
        assert_int_equal(rig->effect_count, 2);
        assert_closes(rig, cases[i].code);
        rig_forget(rig);
    }
}

/* Attack 46: what is announced takes no memory, and above the limit nothing is read. */
static void huge_frames(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = upgraded(rig);
    struct ahoy_buf input = begin();
    sim_frames_put_head(&input, TEXT, SIM_FRAME_MASK, AHOY_MESSAGE_LIMIT + 1, 8);
    ahoy_buf_put(&input, SPAN("x"));
    give(rig, connection, ahoy_buf_text(&input), sizeof space);
    assert_closes(rig, 1009);
    assert_int_equal(rig->stack->flows.held, 0);
}

/* The largest goes in, and out. */
static void the_largest_message(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = upgraded(rig);
    static char message[AHOY_MESSAGE_LIMIT];
    struct span head = SPAN(OPTIONS "\r\n");
    memset(message, 'x', sizeof message);
    memcpy(message, head.at, head.size);
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, (struct span){ message, sizeof message });
    give(rig, connection, ahoy_buf_text(&input), 5000);
    assert_answers(rig, 0, "SIP/2.0 200 ");
    assert_int_equal(rig->stack->flows.held, 0);
}

static void wait_for_close(struct rig *rig, uint64_t after_ms)
{
    uint64_t start_ms = rig->now_ms;
    rig_wait(rig, start_ms + after_ms - 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 0);
    rig_wait(rig, start_ms + after_ms + 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
}

/* Row 45: a stranger has ten seconds for the upgrade and its first sound message together; who has
 * sent one has ten for the rest of another, a frame's head included. */
static void patience(void **state)
{
    struct rig *rig = *state;
    upgraded(rig);
    wait_for_close(rig, AHOY_PATIENCE_MS);
    rig_forget(rig);
    struct ahoy_handle connection = upgraded(rig);
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, SPAN(OPTIONS "\r\n"));
    give(rig, connection, ahoy_buf_text(&input), sizeof space);
    rig_wait(rig, rig->now_ms + AHOY_SILENCE_MS - 1);
    give(rig, connection, (struct span){ space, 1 }, 1);
    wait_for_close(rig, AHOY_PATIENCE_MS);
}

/* RFC 6455 5.5.2: who is silent is asked; who answers stays, who does not is gone. */
static void silence(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = upgraded(rig);
    struct ahoy_buf input = begin();
    sim_frames_put(&input, TEXT, SPAN(OPTIONS "\r\n"));
    give(rig, connection, ahoy_buf_text(&input), sizeof space);
    for (int i = 0; i < 3; i++) {
        rig_forget(rig);
        rig_wait(rig, rig->now_ms + AHOY_SILENCE_MS - 1);
        assert_int_equal(rig->effect_count, 0);
        rig_wait(rig, rig->now_ms + 1);
        assert_int_equal(rig->effect_count, 1);
        assert_int_equal(payload_of(rig, 0, SIM_FRAME_FIN | AHOY_PING_FRAME).size, 0);
        if (i == 2)
            break;
        rig_wait(rig, rig->now_ms + AHOY_PATIENCE_MS - 1);
        input = begin();
        sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PONG_FRAME, SPAN(""));
        give(rig, connection, ahoy_buf_text(&input), sizeof space);
        assert_int_equal(rig->effect_count, 1);
    }
    wait_for_close(rig, AHOY_PATIENCE_MS);
    assert_closes(rig, AHOY_CLOSE_AWAY);
    assert_int_equal(rig->counters->pings, 3);
}

/* RFC 6455 7.4.1: a server that ends says so to all, but to those who have not upgraded yet. */
static void a_farewell(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle first = upgraded(rig);
    struct ahoy_handle second = upgraded(rig);
    connect_to(rig);
    ahoy_stack_leave(rig->stack);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 2);
    for (size_t i = 0; i < 2; i++) {
        struct span code = payload_of(rig, i, SIM_FRAME_FIN | AHOY_CLOSE_FRAME);
        assert_true(ahoy_span_equal(code, SPAN("\x03\xe9")));
        assert_true(ahoy_handle_equal(rig_sent(rig, i)->hop.connection, i == 0 ? first : second));
    }
}

/* Nobody can connect to a browser. */
static void no_connection_is_opened(void **state)
{
    struct rig *rig = *state;
    rig_request(rig, AHOY_WS, rig_ip("198.51.100.9", 80), 5, 0);
    rig_poll(rig);
    struct ahoy_wire_event time = { .kind = AHOY_WIRE_TIME };
    rig_step(rig, &time);
    assert_int_equal(rig->effect_count, 0);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, 5), 1);
}

/* But one that stands carries requests of ours. */
static void requests_go_back(void **state)
{
    struct rig *rig = *state;
    upgraded(rig);
    rig_request(rig, AHOY_WS, rig_ip("198.51.100.7", 40000), 5, 20000);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    struct span request = payload_of(rig, 0, TEXT);
    assert_true(ahoy_span_starts_nocase(request, SPAN("OPTIONS sip:b@b.example SIP/2.0\r\n")));
    assert_non_null(memmem(request.at, request.size, "Via: SIP/2.0/WS 192.0.2.1:8080;", 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(each_message_is_answered_in_a_frame),
        rig_test(a_malformed_message_ends_nothing),
        rig_test(keep_alives),
        rig_test(refused_upgrades_close),
        rig_test(an_endless_upgrade),
        rig_test(ends),
        rig_test(huge_frames),
        rig_test(the_largest_message),
        rig_test(patience),
        rig_test(silence),
        rig_test(a_farewell),
        rig_test(no_connection_is_opened),
        rig_test(requests_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
