/* The trace: each message is one line of JSON that says what docs/trace.md promises, whatever
 * strangers put into it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "ahoyd/trace.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/frames.h"

#define REST                                                                                       \
    "Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1\r\n"                                          \
    "From: \"A\" <sip:alice:secret@atlanta.example;x=y>;tag=1\r\n"                                 \
    "To: <sip:bob@atlanta.example>\r\n"                                                            \
    "Call-ID: 38@192.0.2.7\r\nCSeq: 2 INVITE\r\nMax-Forwards: 70\r\n"
#define INVITE "INVITE sip:bob@atlanta.example SIP/2.0\r\n" REST "Content-Length: 4\r\n\r\nbody"
#define OK_200 "SIP/2.0 200 OK\r\n" REST "Content-Length: 0\r\n\r\n"

struct desk {
    FILE *file;
    struct ahoyd_trace *trace;
    struct ahoy_listener listeners[2];
    struct ahoy_hop hop;
    json_t *lines;
};

static void open_desk(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    desk->file = tmpfile();
    assert_non_null(desk->file);
    bool parsed = ahoy_ip_parse(SPAN("192.0.2.1"), &desk->listeners[0].local) &&
                  ahoy_ip_parse(SPAN("2001:db8::1"), &desk->listeners[1].local) &&
                  ahoy_ip_parse(SPAN("192.0.2.7"), &desk->hop.remote);
    assert_true(parsed);
    desk->listeners[0].local.port = desk->listeners[1].local.port = 5060;
    desk->hop.remote.port = 5062;
    desk->hop.transport = AHOY_UDP;
    struct ahoyd_trace_options options = { .fd = fileno(desk->file),
                                           .listeners = desk->listeners,
                                           .listener_count = 2,
                                           .worker = 3,
                                           .start_us = 1000000 };
    desk->trace = ahoyd_trace_new(&options);
    assert_non_null(desk->trace);
}

static void close_desk(struct desk *desk)
{
    ahoyd_trace_free(desk->trace);
    fclose(desk->file);
    if (desk->lines != NULL)
        json_decref(desk->lines);
}

/* All lines of the file, each of which must be an object; fails where they are not |count|. */
static void read_lines(struct desk *desk, size_t count)
{
    char *line = NULL;
    size_t capacity = 0;
    ahoyd_trace_flush(desk->trace);
    rewind(desk->file);
    if (desk->lines != NULL)
        json_decref(desk->lines);
    desk->lines = json_array();
    ssize_t size;
    while ((size = getline(&line, &capacity, desk->file)) > 0) {
        json_error_t error;
        json_t *value = json_loadb(line, (size_t)size, 0, &error);
        if (!json_is_object(value))
            fail_msg("%s: %s", error.text, line);
        assert_int_equal(line[size - 1], '\n');
        json_array_append_new(desk->lines, value);
    }
    free(line);
    assert_int_equal(json_array_size(desk->lines), count);
}

static const char *text(const struct desk *desk, size_t line, const char *member)
{
    const char *value =
        json_string_value(json_object_get(json_array_get(desk->lines, line), member));
    assert_non_null(value);
    return value;
}

static json_int_t number(const struct desk *desk, size_t line, const char *member)
{
    json_t *value = json_object_get(json_array_get(desk->lines, line), member);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void datagram(struct desk *desk, struct span bytes)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_DATAGRAM, .hop = desk->hop, .bytes = bytes };
    ahoyd_trace_in(desk->trace, &event, 1000250);
}

static void a_line_says_what_is_promised(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    datagram(&desk, SPAN(INVITE));
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND, .hop = desk.hop };
    effect.hop.transport = AHOY_TCP;
    effect.hop.listener = AHOY_ANY_LISTENER;
    effect.bytes = SPAN(OK_200);
    ahoyd_trace_out(desk.trace, &effect, 1002000);
    effect.kind = AHOY_WIRE_CLOSE; /* No message. */
    ahoyd_trace_out(desk.trace, &effect, 1002000);
    effect.kind = AHOY_WIRE_HANDOFF; /* Noted when it came. */
    ahoyd_trace_out(desk.trace, &effect, 1002000);
    read_lines(&desk, 2);
    assert_int_equal(number(&desk, 0, "us"), 250);
    assert_int_equal(number(&desk, 0, "worker"), 3);
    assert_string_equal(text(&desk, 0, "dir"), "in");
    assert_string_equal(text(&desk, 0, "transport"), "udp");
    assert_string_equal(text(&desk, 0, "local"), "192.0.2.1:5060");
    assert_string_equal(text(&desk, 0, "remote"), "192.0.2.7:5062");
    assert_string_equal(text(&desk, 0, "start"), "INVITE sip:bob@atlanta.example SIP/2.0");
    assert_string_equal(text(&desk, 0, "call_id"), "38@192.0.2.7");
    assert_string_equal(text(&desk, 0, "cseq"), "2 INVITE");
    assert_string_equal(text(&desk, 0, "from"), "alice@atlanta.example");
    assert_int_equal(number(&desk, 0, "size"), sizeof INVITE - 1);
    assert_null(json_object_get(json_array_get(desk.lines, 0), "malformed"));
    assert_int_equal(number(&desk, 1, "us"), 2000);
    assert_string_equal(text(&desk, 1, "dir"), "out");
    assert_string_equal(text(&desk, 1, "transport"), "tcp");
    assert_string_equal(text(&desk, 1, "local"), "");
    assert_string_equal(text(&desk, 1, "start"), "SIP/2.0 200 OK");
    close_desk(&desk);
}

/* So that a proxy is not taken for the caller whose request it brings. */
static void a_line_says_what_a_proxy_has_forwarded(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    const struct span other = SPAN("Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2\r\n");
    char bytes[1024];
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
    const size_t line = sizeof "INVITE sip:bob@atlanta.example SIP/2.0\r\n" - 1;
    ahoy_buf_put(&buf, (struct span){ INVITE, line });
    ahoy_buf_put(&buf, other);
    ahoy_buf_put(&buf, ahoy_span_after(SPAN(INVITE), line));
    datagram(&desk, SPAN(INVITE));
    datagram(&desk, ahoy_buf_text(&buf));
    datagram(&desk, SPAN("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a, SIP/2.0/UDP b\r\n\r\n"));
    struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND, .hop = desk.hop };
    effect.bytes = ahoy_buf_text(&buf);
    ahoyd_trace_out(desk.trace, &effect, 1002000);
    read_lines(&desk, 4);
    assert_null(json_object_get(json_array_get(desk.lines, 0), "forwarded"));
    assert_true(json_is_true(json_object_get(json_array_get(desk.lines, 1), "forwarded")));
    assert_null(json_object_get(json_array_get(desk.lines, 2), "forwarded"));
    assert_null(json_object_get(json_array_get(desk.lines, 3), "forwarded"));
    close_desk(&desk);
}

/* What stands in frames is noted, in whatever pieces they come, and nothing else of a WebSocket. */
static void websockets(void **state)
{
    (void)state;
    static char space[4096];
    static const size_t steps[] = { 1, 7, sizeof space };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct desk desk;
        open_desk(&desk);
        desk.hop.transport = AHOY_WS;
        desk.hop.connection = (struct ahoy_handle){ 1, 1 };
        struct ahoy_buf input = ahoy_buf_over(space, sizeof space);
        ahoy_buf_put(&input, sim_frames_request());
        sim_frames_put(&input, SIM_FRAME_FIN | AHOY_TEXT_FRAME, SPAN(INVITE));
        sim_frames_put(&input, AHOY_TEXT_FRAME, SPAN("SIP/2.0 200"));
        sim_frames_put(&input, SIM_FRAME_FIN | AHOY_PING_FRAME, SPAN("ping"));
        sim_frames_put(&input, SIM_FRAME_FIN, SPAN(" OK\r\n" REST "\r\n"));
        sim_frames_put(&input, SIM_FRAME_FIN | AHOY_CLOSE_FRAME, SPAN(""));
        for (size_t at = 0; at < input.size; at += steps[i]) {
            size_t size = input.size - at < steps[i] ? input.size - at : steps[i];
            struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                             .hop = desk.hop,
                                             .bytes = { input.at + at, size } };
            ahoyd_trace_in(desk.trace, &event, 1000250);
        }
        struct ahoy_buf output = ahoy_buf_over(space, sizeof space);
        ahoy_websocket_put(AHOY_PONG_FRAME, SPAN("ping"), &output);
        struct ahoy_wire_effect effect = { .kind = AHOY_WIRE_SEND,
                                           .hop = desk.hop,
                                           .bytes = ahoy_buf_text(&output) };
        ahoyd_trace_out(desk.trace, &effect, 1000250);
        struct span answer = SPAN(OK_200);
        memcpy(space + AHOY_FRAME_HEAD_LIMIT, answer.at, answer.size);
        effect.bytes = ahoy_websocket_frame_message(space + AHOY_FRAME_HEAD_LIMIT, answer.size);
        ahoyd_trace_out(desk.trace, &effect, 1000250);
        read_lines(&desk, 3);
        assert_string_equal(text(&desk, 0, "start"), "INVITE sip:bob@atlanta.example SIP/2.0");
        assert_string_equal(text(&desk, 0, "transport"), "ws");
        assert_string_equal(text(&desk, 1, "start"), "SIP/2.0 200 OK");
        assert_string_equal(text(&desk, 2, "dir"), "out");
        assert_int_equal(number(&desk, 2, "size"), sizeof OK_200 - 1);
        close_desk(&desk);
    }
}

/* Attack 29: nothing that a stranger writes breaks a line, and no password is shown (law 26). */
static void what_strangers_write_is_escaped(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    datagram(&desk, SPAN("INVITE sip:bob:hunter2@atlanta.example SIP/2.0\r\n"
                         "Call-ID: \"\\\r\nCSeq: 1 INVITE\r\n\r\n"));
    datagram(&desk, SPAN("\x00\x01\x1b[2J\x7f\x80\xff\"}\n{\"us\":1}\r\n\r\n"));
    datagram(&desk, SPAN("\r\n\r\n")); /* A keep-alive is no message. */
    read_lines(&desk, 2);
    assert_string_equal(text(&desk, 0, "start"), "INVITE sip:bob:***@atlanta.example SIP/2.0");
    assert_string_equal(text(&desk, 0, "call_id"), "\"\\");
    assert_string_equal(text(&desk, 1, "start"),
                        "\xef\xbf\xbd\x01\x1b[2J\x7f\xc2\x80\xc3\xbf\"}\n{\"us\":1}");
    assert_true(json_is_true(json_object_get(json_array_get(desk.lines, 1), "malformed")));
    char raw[2048];
    rewind(desk.file);
    size_t size = fread(raw, 1, sizeof raw, desk.file);
    for (size_t i = 0; i < size; i++)
        assert_true(raw[i] == '\n' || (raw[i] >= 0x20 && raw[i] < 0x7f));
    close_desk(&desk);
}

/* Values end after 1,024 bytes, and the line is still whole; many lines in a turn are too. */
static void long_values_are_cut(void **state)
{
    (void)state;
    enum { LINES = 300 };
    struct desk desk;
    open_desk(&desk);
    static char message[9000];
    int size = snprintf(message, sizeof message, "OPTIONS sip:%04000d@b SIP/2.0\r\nCall-ID: ", 7);
    memset(message + size, '"', 3000);
    size += 3000;
    size += snprintf(message + size, sizeof message - (size_t)size, "\r\n\r\n");
    for (int i = 0; i < LINES; i++)
        datagram(&desk, (struct span){ message, (size_t)size });
    read_lines(&desk, LINES);
    for (size_t i = 0; i < LINES; i++) {
        assert_int_equal(strlen(text(&desk, i, "start")), 1024);
        assert_int_equal(strlen(text(&desk, i, "call_id")), 1024);
    }
    close_desk(&desk);
}

static void stream(struct desk *desk, uint32_t slot, enum ahoy_wire_event_kind kind,
                   struct span bytes)
{
    struct ahoy_wire_event event = { .kind = kind, .hop = desk->hop, .bytes = bytes };
    event.hop.transport = AHOY_TCP;
    event.hop.listener = 1;
    event.hop.connection = (struct ahoy_handle){ slot, 1 };
    ahoyd_trace_in(desk->trace, &event, 1000000);
}

/* Streams are cut into messages, wherever they are split and however many are joined. */
static void streams_are_cut_into_messages(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct span three = SPAN(INVITE "\r\n\r\n" OK_200 INVITE);
    for (size_t i = 0; i < three.size; i++) {
        stream(&desk, 1, AHOY_WIRE_BYTES, (struct span){ three.at + i, 1 });
        stream(&desk, 2, AHOY_WIRE_BYTES, (struct span){ three.at + i, 1 });
    }
    read_lines(&desk, 6);
    stream(&desk, 1, AHOY_WIRE_BYTES, three);
    read_lines(&desk, 9);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(text(&desk, 6 + i, "local"), "[2001:db8::1]:5060");
        assert_string_equal(text(&desk, 6 + i, "call_id"), "38@192.0.2.7");
        assert_int_equal(number(&desk, 6 + i, "size"),
                         i == 1 ? sizeof OK_200 - 1 : sizeof INVITE - 1);
    }
    close_desk(&desk);
}

/* One that cannot be told apart is noted up to there, and what closes is forgotten. */
static void a_broken_stream_is_noted_up_to_there(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk);
    struct span broken = SPAN(INVITE "INVITE sip:bob@b SIP/2.0\r\nCall-ID: x\r\n\r\n" INVITE);
    stream(&desk, 1, AHOY_WIRE_BYTES, broken);
    read_lines(&desk, 2);
    assert_string_equal(text(&desk, 1, "call_id"), "x");
    stream(&desk, 1, AHOY_WIRE_BYTES, SPAN(INVITE));
    read_lines(&desk, 2);
    stream(&desk, 1, AHOY_WIRE_CLOSED, SPAN(""));
    stream(&desk, 1, AHOY_WIRE_BYTES, SPAN(INVITE));
    read_lines(&desk, 3);
    /* More of them in the middle of a message than are kept: only the oldest are forgotten. */
    for (uint32_t slot = 10; slot < 10 + 65; slot++)
        stream(&desk, slot, AHOY_WIRE_BYTES, (struct span){ INVITE, 100 });
    for (uint32_t slot = 11; slot < 10 + 65; slot++)
        stream(&desk, slot, AHOY_WIRE_BYTES, (struct span){ &(INVITE)[100], sizeof INVITE - 101 });
    read_lines(&desk, 3 + 64);
    close_desk(&desk);
}

static void running_out_of_memory_costs_lines_only(void **state)
{
    (void)state;
    for (size_t count = 0;; count++) {
        struct desk desk;
        open_desk(&desk);
        failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
        datagram(&desk, SPAN(INVITE));
        stream(&desk, 1, AHOY_WIRE_BYTES, (struct span){ INVITE, 60 });
        stream(&desk, 1, AHOY_WIRE_BYTES, (struct span){ &(INVITE)[60], 40 });
        stream(&desk, 1, AHOY_WIRE_BYTES, (struct span){ &(INVITE)[100], sizeof INVITE - 101 });
        size_t refused = failing_alloc_end();
        ahoyd_trace_flush(desk.trace);
        if (refused == 0)
            read_lines(&desk, 2);
        close_desk(&desk);
        if (refused == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_what_is_promised),
        cmocka_unit_test(a_line_says_what_a_proxy_has_forwarded),
        cmocka_unit_test(websockets),
        cmocka_unit_test(what_strangers_write_is_escaped),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(streams_are_cut_into_messages),
        cmocka_unit_test(a_broken_stream_is_noted_up_to_there),
        cmocka_unit_test(running_out_of_memory_costs_lines_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
