/* The client's side of SIP over WebSocket (RFC 7118, RFC 6455 4.1, 5.1 and 5.3): a phone asks for
 * one when it has something to send, and sends nothing before it is granted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "libahoy/transport/upgrade.h"
#include "tests/support/frames.h"
#include "tests/support/stack_rig.h"

enum { USER = 5 };

static struct ahoy_ip server(void)
{
    return rig_ip("198.51.100.9", 8080);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    rig_init_phone(rig);
    *state = rig;
    return 0;
}

#define phone_test(test) cmocka_unit_test_setup_teardown(test, set_up, rig_tear_down)

/* The connection that a request has opened; what was sent on it is the request for a WebSocket. */
static struct ahoy_handle open_one(struct rig *rig, size_t body_size)
{
    rig_request(rig, AHOY_WS, server(), USER, body_size);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_wire_effect *effect = &rig->effects[0];
    assert_int_equal(effect->kind, AHOY_WIRE_CONNECT);
    assert_int_equal(effect->hop.transport, AHOY_WS);
    assert_int_equal(effect->hop.listener, RIG_WS4);
    struct ahoy_handle connection = effect->hop.connection;
    rig_forget(rig);
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    assert_int_equal(rig->effect_count, 1);
    return connection;
}

/* What a server answers to it. */
static struct span grant(const struct rig *rig, char space[512])
{
    struct ahoy_buf answer = ahoy_buf_over(space, 512);
    assert_int_equal(ahoy_upgrade_answer(rig_sent(rig, 0)->bytes, SPAN(""), &answer), 101);
    return ahoy_buf_text(&answer);
}

static struct ahoy_handle opened(struct rig *rig)
{
    char space[512];
    struct ahoy_handle connection = open_one(rig, 0);
    struct span answer = grant(rig, space);
    rig_forget(rig);
    rig_bytes(rig, connection, answer);
    return connection;
}

/* What a server reads in |bytes|, frames of ours, and what becomes of its WebSocket. */
static enum ahoy_websocket_verdict read_as_server(struct span bytes, struct ahoy_buf *message)
{
    struct ahoy_websocket *websocket = ahoy_websocket_new(false);
    struct ahoy_websocket_part part;
    assert_non_null(websocket);
    ahoy_websocket_open(websocket);
    enum ahoy_websocket_verdict verdict;
    do {
        verdict = ahoy_websocket_next(websocket, AHOY_MESSAGE_LIMIT, &bytes, &part);
        ahoy_buf_put(message, part.bytes);
    } while (verdict == AHOY_WEBSOCKET_PIECE);
    ahoy_websocket_free(websocket);
    return verdict;
}

static struct span sent_message(const struct rig *rig, size_t index)
{
    static char space[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf message = ahoy_buf_over(space, sizeof space);
    struct span frame = rig_sent(rig, index)->bytes;
    assert_int_equal((unsigned char)frame.at[1] & SIM_FRAME_MASK, SIM_FRAME_MASK);
    assert_int_equal(read_as_server(frame, &message), AHOY_WEBSOCKET_LAST);
    return ahoy_buf_text(&message);
}

/* A server's frame, which is not masked. */
static struct span frame_of(struct span payload, unsigned opcode, char space[1024])
{
    memcpy(space + AHOY_FRAME_HEAD_LIMIT, payload.at, payload.size);
    return ahoy_websocket_frame(opcode, space + AHOY_FRAME_HEAD_LIMIT, payload.size);
}

/* The answer to a request of the rig's, in a frame. */
static struct span answer_to(struct span request, char space[1024])
{
    char text[800];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    size_t rows = ahoy_span_find(request, '\n') + 1;
    ahoy_buf_put(&buf, SPAN("SIP/2.0 200 OK"));
    ahoy_buf_put(&buf, SPAN("\r\n"));
    ahoy_buf_put(&buf, ahoy_span_after(request, rows));
    assert_false(buf.overflow);
    return frame_of(ahoy_buf_text(&buf), AHOY_TEXT_FRAME, space);
}

static void assert_failed(const struct rig *rig)
{
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, USER), 1);
    assert_int_equal(rig->counters->messages_out, 0);
}

/* R7118-4.1-1, R7118-5.3-4: what waits leaves, masked, once 101 has come; its answer has no
 * received. */
static void a_request_opens_one(void **state)
{
    struct rig *rig = *state;
    char space[512], frame[1024];
    struct ahoy_handle connection = open_one(rig, 0);
    struct span asked = rig_sent(rig, 0)->bytes;
    assert_non_null(memmem(asked.at, asked.size, "\r\nHost: 198.51.100.9:8080\r\n", 27));
    struct span answer = grant(rig, space);
    rig_forget(rig);
    for (size_t i = 0; i < answer.size; i++) {
        assert_int_equal(rig->effect_count, 0);
        rig_bytes(rig, connection, (struct span){ answer.at + i, 1 });
    }
    assert_int_equal(rig->effect_count, 1);
    struct span request = sent_message(rig, 0);
    assert_true(ahoy_span_starts_nocase(request, SPAN("OPTIONS sip:b@b.example SIP/2.0\r\n")));
    assert_non_null(memmem(request.at, request.size, "Via: SIP/2.0/WS 192.0.2.1:8080;", 31));
    rig_bytes(rig, connection, answer_to(request, frame));
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_RESPONSE, USER), 1);
    /* The next one goes by it, under another mask. */
    struct span first = rig_sent(rig, 0)->bytes;
    char before[8];
    memcpy(before, first.at, sizeof before);
    rig_forget(rig);
    rig_request(rig, AHOY_WS, server(), USER + 1, 0);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    assert_true(ahoy_handle_equal(rig_sent(rig, 0)->hop.connection, connection));
    assert_memory_not_equal(rig_sent(rig, 0)->bytes.at + 4, before + 4, 4);
}

/* As many as wait, in their order. */
static void several_requests_wait(void **state)
{
    struct rig *rig = *state;
    char space[512];
    struct ahoy_handle connection = open_one(rig, 0);
    struct span answer = grant(rig, space);
    rig_request(rig, AHOY_WS, server(), USER + 1, 100);
    rig_request(rig, AHOY_WS, server(), USER + 2, 0);
    rig_poll(rig);
    rig_forget(rig);
    rig_bytes(rig, connection, answer);
    assert_int_equal(rig->effect_count, 3);
    for (size_t i = 0; i < 3; i++) {
        char call_id[] = "\r\nCall-ID: rig-?\r\n";
        call_id[sizeof call_id - 4] = (char)('0' + USER + i);
        struct span message = sent_message(rig, i);
        assert_non_null(memmem(message.at, message.size, call_id, sizeof call_id - 1));
    }
}

/* What the server sends right behind its 101 is not lost. */
static void frames_behind_the_grant(void **state)
{
    struct rig *rig = *state;
    char space[512], frame[1024], all[1024];
    struct ahoy_handle connection = open_one(rig, 0);
    struct span answer = grant(rig, space);
    struct ahoy_buf both = ahoy_buf_over(all, sizeof all);
    ahoy_buf_put(&both, answer);
    ahoy_buf_put(&both, frame_of(SPAN("hello"), AHOY_PING_FRAME, frame));
    rig_forget(rig);
    rig_bytes(rig, connection, ahoy_buf_text(&both));
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 2);
    char text[64];
    struct ahoy_buf pong = ahoy_buf_over(text, sizeof text);
    size_t at = (unsigned char)rig_sent(rig, 0)->bytes.at[0] == 0x8a ? 0 : 1;
    struct span bytes = rig_sent(rig, at)->bytes;
    assert_int_equal((unsigned char)bytes.at[0], SIM_FRAME_FIN | AHOY_PONG_FRAME);
    assert_int_equal((unsigned char)bytes.at[1], SIM_FRAME_MASK | 5);
    for (size_t i = 0; i < 5; i++)
        ahoy_buf_put_byte(&pong, (char)(bytes.at[6 + i] ^ bytes.at[2 + i % 4]));
    assert_true(ahoy_span_equal(ahoy_buf_text(&pong), SPAN("hello")));
}

/* R7118-4.1-2, and RFC 6455 4.1: whatever does not grant what was asked is a transaction that
 * failed. */
static void what_is_no_grant(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        { "101", "200" },
        { "101", "403" },
        { "HTTP/1.1", "HTTP/1.0" },
        { "Upgrade: websocket", "Upgrade: websockets" },
        { "Upgrade: websocket\r\n", "" },
        { "Connection: Upgrade", "Connection: close" },
        { "Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x" },
        { "Sec-WebSocket-Accept: ", "Sec-WebSocket-Reject: " },
        { "Sec-WebSocket-Protocol: sip", "Sec-WebSocket-Protocol: chat" },
        { "Sec-WebSocket-Protocol: sip\r\n", "" },
        { "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                    "Sec-WebSocket-Protocol" },
        { "Connection", "No colon\r\nConnection" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig *rig = calloc(1, sizeof *rig);
        char space[512], text[1024];
        assert_non_null(rig);
        rig_init_phone(rig);
        struct ahoy_handle connection = open_one(rig, 0);
        struct span answer = grant(rig, space);
        const char *at = memmem(answer.at, answer.size, cases[i].from, strlen(cases[i].from));
        assert_non_null(at);
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        ahoy_buf_put(&buf, ahoy_span_between(answer.at, at));
        ahoy_buf_put(&buf, ahoy_span(cases[i].to));
        ahoy_buf_put(&buf, ahoy_span_between(at + strlen(cases[i].from), ahoy_span_end(answer)));
        rig_forget(rig);
        rig_bytes(rig, connection, ahoy_buf_text(&buf));
        assert_failed(rig);
        rig_fini(rig);
        free(rig);
    }
}

static void an_endless_answer(void **state)
{
    struct rig *rig = *state;
    static char much[AHOY_UPGRADE_LIMIT + 1];
    memset(much, 'x', sizeof much);
    struct ahoy_handle connection = open_one(rig, 0);
    rig_bytes(rig, connection, (struct span){ much, sizeof much });
    assert_failed(rig);
    assert_int_equal(rig->counters->upgrades_refused, 1);
}

/* What comes bit by bit does not make us wait for longer. */
static void patience(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = open_one(rig, 0);
    uint64_t begun_ms = rig->now_ms;
    for (unsigned i = 1; i < 10; i++) {
        rig_wait(rig, begun_ms + i * AHOY_PATIENCE_MS / 10);
        rig_bytes(rig, connection, SPAN("H"));
    }
    rig_wait(rig, begun_ms + AHOY_PATIENCE_MS - 1);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 0);
    rig_wait(rig, begun_ms + AHOY_PATIENCE_MS);
    assert_failed(rig);
}

/* The server goes away while it is asked. */
static void an_end_instead(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = open_one(rig, 0);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    assert_int_equal(rig_seen_count(rig, AHOY_EVENT_UNREACHABLE, USER), 1);
}

/* RFC 6455 5.1: it is closed. */
static void a_server_that_masks(void **state)
{
    struct rig *rig = *state;
    char space[64], text[64];
    struct ahoy_handle connection = opened(rig);
    struct ahoy_buf masked = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf code = ahoy_buf_over(text, sizeof text);
    sim_frames_put(&masked, SIM_FRAME_FIN | AHOY_PING_FRAME, SPAN("?"));
    rig_forget(rig);
    rig_bytes(rig, connection, ahoy_buf_text(&masked));
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    struct span bytes = rig_sent(rig, 0)->bytes;
    assert_int_equal(read_as_server(bytes, &code), AHOY_WEBSOCKET_CLOSE);
    assert_true(ahoy_span_equal(ahoy_buf_text(&code), SPAN("\x03\xea")));
}

static void a_farewell(void **state)
{
    struct rig *rig = *state;
    char text[64];
    struct ahoy_buf code = ahoy_buf_over(text, sizeof text);
    opened(rig);
    rig_forget(rig);
    ahoy_stack_leave(rig->stack);
    rig_poll(rig);
    assert_int_equal(rig->effect_count, 1);
    assert_int_equal(read_as_server(rig_sent(rig, 0)->bytes, &code), AHOY_WEBSOCKET_CLOSE);
    assert_true(ahoy_span_equal(ahoy_buf_text(&code), SPAN("\x03\xe9")));
}

static void the_largest_message(void **state)
{
    struct rig *rig = *state;
    char space[512];
    struct ahoy_handle connection = open_one(rig, 60000);
    struct span answer = grant(rig, space);
    rig_forget(rig);
    rig_bytes(rig, connection, answer);
    assert_true(sent_message(rig, 0).size > 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        phone_test(a_request_opens_one), phone_test(frames_behind_the_grant),
        phone_test(what_is_no_grant),    phone_test(an_endless_answer),
        phone_test(patience),            phone_test(an_end_instead),
        phone_test(a_server_that_masks), phone_test(a_farewell),
        phone_test(the_largest_message), phone_test(several_requests_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
