/* Messages out of streams (RFC 3261 18.3, 7.5): every split, the attacks on framing, and how long
 * the stack waits for the rest (security rows 1 to 3, 7, 45). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

#define HEAD                                                                                       \
    "OPTIONS sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TCP pc.example:5070;branch=z9hG4bK1\r\n"      \
    "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\nCall-ID: c1@a.example\r\n"          \
    "Max-Forwards: 70\r\n"
#define FIRST  HEAD "CSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
#define SECOND HEAD "CSeq: 2 OPTIONS\r\nl:\r\n 0\r\n\r\n"
#define THIRD  HEAD "CONTENT-LENGTH : 10\r\nCSeq: 3 OPTIONS\r\n\r\n\r\n\r\nl: 3\r\n"

static struct ahoy_handle stranger(struct rig *rig)
{
    struct ahoy_handle connection = rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", 40000));
    assert_true(connection.generation != 0);
    return connection;
}

static bool holds(const struct ahoy_wire_effect *effect, const char *text)
{
    return strstr(effect->bytes.at, text) != NULL;
}

/* Gives each piece in bytes of its own, so that the sanitizer sees who keeps or passes them. */
static void give(struct rig *rig, struct ahoy_handle connection, const char *at, size_t size)
{
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, at, size);
    rig_bytes(rig, connection, (struct span){ copy, size });
    free(copy);
}

static void assert_three_answers(struct rig *rig, struct ahoy_handle connection)
{
    assert_int_equal(rig->effect_count, 3);
    static const char *const cseqs[] = { "CSeq: 1 ", "CSeq: 2 ", "CSeq: 3 " };
    for (size_t i = 0; i < 3; i++) {
        const struct ahoy_wire_effect *sent = rig_sent(rig, i);
        assert_int_equal(rig_status(sent), 200);
        assert_true(holds(sent, cseqs[i]));
        assert_true(ahoy_handle_equal(sent->hop.connection, connection));
    }
    rig_forget(rig);
}

/* R3261-18.2.2-2: the answers leave on the connection, in order, wherever the stream is split. */
static void three_in_two_pieces(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const struct span stream = SPAN(FIRST SECOND THIRD);
    give(rig, connection, stream.at, stream.size);
    assert_three_answers(rig, connection);
    for (size_t split = 1; split < stream.size; split++) {
        give(rig, connection, stream.at, split);
        give(rig, connection, stream.at + split, stream.size - split);
        assert_three_answers(rig, connection);
    }
    assert_int_equal(rig->stack->flows.held, 0);
    assert_int_equal(rig->counters->messages_in, 3 * stream.size);
}

static void three_byte_by_byte(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const struct span stream = SPAN("\r\n" FIRST "\r\n" SECOND THIRD);
    for (size_t i = 0; i < stream.size; i++)
        give(rig, connection, stream.at + i, 1);
    assert_three_answers(rig, connection);
}

/* Two streams do not mix, and neither does what one kept of a message. */
static void two_connections_in_turns(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle a = stranger(rig);
    struct ahoy_handle b = rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.8", 40000));
    const struct span stream = SPAN(FIRST);
    for (size_t i = 0; i + 1 < stream.size; i++) {
        give(rig, a, stream.at + i, 1);
        give(rig, b, stream.at + i, 1);
    }
    assert_int_equal(rig->effect_count, 0);
    give(rig, b, stream.at + stream.size - 1, 1);
    assert_true(ahoy_handle_equal(rig_sent(rig, 0)->hop.connection, b));
    rig_tell(rig, AHOY_WIRE_CLOSED, a);
    assert_int_equal(rig->stack->flows.held, 0);
    assert_int_equal(rig->stack->flows.pool.used, 1);
}

/* R5626-5.4-2, and keep-alives are no messages. */
static void pings_get_pongs(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    rig_bytes(rig, connection, SPAN("\r\n"));
    assert_int_equal(rig->effect_count, 0);
    rig_bytes(rig, connection, SPAN("\r\n"));
    assert_int_equal(rig_sent(rig, 0)->bytes.size, 2);
    assert_memory_equal(rig_sent(rig, 0)->bytes.at, "\r\n", 2);
    rig_forget(rig);
    rig_bytes(rig, connection, SPAN("\r\n\r\n" FIRST "\r\n\r\n\r\n\r\n"));
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 3);
    assert_int_equal(rig_sent(rig, 0)->bytes.size, 2);
    assert_int_equal(rig_sent(rig, 1)->bytes.size, 4);
    assert_int_equal(rig_status(rig_sent(rig, 2)), 200);
    assert_int_equal(rig->counters->keepalives, 4);
    assert_int_equal(rig->counters->messages_in, 1);
    assert_int_equal(rig->counters->messages_out, 1);
}

struct attack {
    const char *what;
    const char *bytes;
    unsigned status; /* 0: closed in silence. */
};

static const struct attack attacks[] = {
    { "row 1: Content-Length wraps", HEAD "CSeq: 1 OPTIONS\r\nl: 4294967328\r\n\r\n" SECOND, 413 },
    { "row 2: 2^31", HEAD "CSeq: 1 OPTIONS\r\nl: 2147483648\r\n\r\n" SECOND, 413 },
    { "row 3: two lengths", HEAD "CSeq: 1 OPTIONS\r\nl: 0\r\nl: 9\r\n\r\n" SECOND, 400 },
    { "row 3: negative", HEAD "CSeq: 1 OPTIONS\r\nl: -1\r\n\r\n" SECOND, 400 },
    { "R3261-18.3-3: none", HEAD "CSeq: 1 OPTIONS\r\n\r\n" SECOND, 400 },
    { "LF alone, Via before it", HEAD "CSeq: 1 OPTIONS\nl: 0\r\n\r\n" SECOND, 400 },
    { "LF alone, Via behind it",
      "OPTIONS sip:b@b.example SIP/2.0\r\nA: b\nVia: SIP/2.0/TCP pc.example\r\n\r\n" SECOND, 0 },
    { "no length and no Via", "OPTIONS sip:b@b.example SIP/2.0\r\n\r\n" SECOND, 0 },
    { "an ACK", "ACK sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TCP pc.example\r\n\r\n" SECOND, 0 },
    { "a response", "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 192.0.2.1:5060\r\n\r\n" SECOND, 0 },
    { "another protocol", "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n" SECOND, 0 },
};

/* R2: what can be answered is, the connection ends, and nothing behind the fault is read. */
static void framing_attacks(void **state)
{
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        size_t size = strlen(attacks[i].bytes);
        for (size_t split = 1; split <= size; split++) {
            rig_forget(rig);
            struct ahoy_handle connection = stranger(rig);
            give(rig, connection, attacks[i].bytes, split);
            if (split < size) /* Some of it may come late, to a connection that is closed. */
                give(rig, connection, attacks[i].bytes + split, size - split);
            size_t answers = attacks[i].status != 0;
            const struct ahoy_wire_effect *last = &rig->effects[rig->effect_count - 1];
            if (rig->effect_count != answers + 1 || rig->seen_count != 0 ||
                last->kind != AHOY_WIRE_CLOSE ||
                (answers == 1 && rig_status(rig_sent(rig, 0)) != attacks[i].status))
                fail_msg("%s, split at %zu: %zu effects, %zu events", attacks[i].what, split,
                         rig->effect_count, rig->seen_count);
            assert_true(ahoy_handle_equal(last->hop.connection, connection));
            assert_int_equal(rig->stack->flows.pool.used, 0);
        }
    }
}

/* What was sound before the fault is answered, and that leaves before the connection closes. */
static void sound_before_broken(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const struct span stream = SPAN(FIRST HEAD "CSeq: 2 OPTIONS\r\nl: x\r\n\r\n" THIRD);
    give(rig, connection, stream.at, stream.size);
    assert_int_equal(rig->effect_count, 3);
    assert_int_equal(rig_count(rig, AHOY_WIRE_SEND), 2);
    assert_int_equal(rig->effects[2].kind, AHOY_WIRE_CLOSE);
    assert_int_equal(rig_status(rig_sent(rig, 0)) + rig_status(rig_sent(rig, 1)), 200 + 400);
    assert_int_equal(rig->seen_count, 1);
}

/* A message that is whole but malformed costs its sender an answer, not the connection (R1). */
static void malformed_within_its_frame(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const struct span stream = SPAN(HEAD "CSeq: 1 INFO\r\nl: 0\r\n\r\n" SECOND);
    give(rig, connection, stream.at, stream.size);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 0);
    assert_int_equal(rig_status(rig_sent(rig, 0)), 400);
    assert_int_equal(rig_status(rig_sent(rig, 1)), 200);
}

/* Row 2, R4: an announced body takes no memory before it comes. */
static void memory_follows_the_bytes(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const struct span head = SPAN(HEAD "CSeq: 1 OPTIONS\r\nContent-Length: 60000\r\n\r\n");
    give(rig, connection, head.at, head.size);
    assert_in_range(rig->stack->flows.held, head.size, 2048);
    static char body[60000];
    memset(body, 'x', sizeof body);
    give(rig, connection, body, 20000);
    assert_in_range(rig->stack->flows.held, 20000, 2 * 20000 + 2048);
    give(rig, connection, body, 40000);
    assert_int_equal(rig_status(rig_sent(rig, 0)), 200);
    assert_int_equal(rig->stack->flows.held, 0);
}

/* A head without an end is refused within the limit of a message. */
static void endless_head(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    give(rig, connection, HEAD, sizeof HEAD - 1);
    static char row[4096];
    memset(row, 'x', sizeof row);
    memcpy(row, "A: ", 3);
    memcpy(row + sizeof row - 2, "\r\n", 2);
    for (int i = 0; i < 15; i++)
        give(rig, connection, row, sizeof row);
    assert_int_equal(rig->effect_count, 0);
    assert_in_range(rig->stack->flows.held, 1, AHOY_MESSAGE_LIMIT);
    give(rig, connection, row, sizeof row);
    assert_int_equal(rig_status(rig_sent(rig, 0)), 413);
    assert_int_equal(rig->effects[1].kind, AHOY_WIRE_CLOSE);
    assert_int_equal(rig->stack->flows.held, 0);
}

/* Where the memory for partial messages is used up, the connection that wants more is closed. */
static void no_more_memory_for_parts(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    rig->stack->flows.held = AHOY_FLOWS_HELD_LIMIT;
    give(rig, connection, FIRST, 20);
    rig->stack->flows.held = 0;
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), 1);
    assert_int_equal(rig->counters->overflows, 1);
}

/* Row 45: a byte a second. */
static void slowloris(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const uint64_t start_ms = rig->now_ms;
    size_t given = 0;
    while (rig_count(rig, AHOY_WIRE_CLOSE) == 0) {
        give(rig, connection, &FIRST[given++], 1);
        rig_wait(rig, rig->now_ms + 1000);
    }
    assert_int_equal(rig->now_ms - start_ms, AHOY_PATIENCE_MS);
    assert_int_equal(rig->counters->connections_timed_out, 1);
    assert_int_equal(rig->stack->flows.pool.used, 0);
    assert_int_equal(rig->stack->flows.held, 0);
}

/* Nor do blank lines, or messages that are whole but malformed, buy a stranger time. */
static void busy_with_nothing(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    const uint64_t start_ms = rig->now_ms;
    while (rig_count(rig, AHOY_WIRE_CLOSE) == 0) {
        rig_bytes(rig, connection, SPAN("\r\n\r\n" HEAD "CSeq: 1 INFO\r\nl: 0\r\n\r\n"));
        rig_wait(rig, rig->now_ms + 1000);
    }
    assert_int_equal(rig->now_ms - start_ms, AHOY_PATIENCE_MS);
}

static uint64_t closed_after(struct rig *rig, uint64_t limit_ms)
{
    const uint64_t start_ms = rig->now_ms;
    while (rig_count(rig, AHOY_WIRE_CLOSE) == 0 && rig->now_ms - start_ms < limit_ms)
        rig_wait(rig, rig->now_ms + 500);
    return rig->now_ms - start_ms;
}

static void silence_after_a_sound_message(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    rig_wait(rig, rig->now_ms + 9000);
    give(rig, connection, FIRST, sizeof FIRST - 1);
    assert_int_equal(closed_after(rig, UINT64_MAX), AHOY_IDLE_MS);
}

/* The ten seconds of a message begin with it, and are not the ten of the one before. */
static void half_a_message_after_a_sound_one(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    give(rig, connection, FIRST SECOND, sizeof FIRST + 9);
    rig_wait(rig, rig->now_ms + 9000);
    give(rig, connection, &(FIRST SECOND)[sizeof FIRST + 9], 10);
    assert_int_equal(closed_after(rig, UINT64_MAX), 1000);

    rig_forget(rig);
    connection = stranger(rig);
    give(rig, connection, FIRST SECOND, sizeof FIRST + 9);
    rig_wait(rig, rig->now_ms + 9000);
    const struct span rest = SPAN(FIRST SECOND THIRD);
    give(rig, connection, rest.at + sizeof FIRST + 9, rest.size - sizeof FIRST - 10);
    assert_int_equal(closed_after(rig, UINT64_MAX), AHOY_PATIENCE_MS);
}

static void trusted_connections(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    struct ahoy_hop hop = { .transport = AHOY_TCP, .connection = connection };
    ahoy_stack_trust(rig->stack, &hop);
    assert_int_equal(closed_after(rig, 60000), 60000);
    give(rig, connection, FIRST, 10);
    assert_int_equal(closed_after(rig, UINT64_MAX), AHOY_PATIENCE_MS);
    ahoy_stack_trust(rig->stack, &hop); /* It is gone: nothing happens. */
}

/* Row 45: the limit an address, which closing and trust give back. */
static void strangers_are_counted(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle last = { 0, 0 };
    for (uint16_t i = 0; i < AHOY_STRANGERS_LIMIT; i++) {
        last = rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.7", (uint16_t)(40000 + i)));
        assert_true(last.generation != 0);
    }
    const struct ahoy_ip next = rig_ip("198.51.100.7", 50000);
    assert_int_equal(rig_accept(rig, RIG_TCP4, next).generation, 0);
    assert_int_equal(rig->counters->connections_refused, 1);
    assert_true(rig_accept(rig, RIG_TCP4, rig_ip("198.51.100.8", 1)).generation != 0);
    rig_tell(rig, AHOY_WIRE_CLOSED, last);
    assert_true(rig_accept(rig, RIG_TCP4, next).generation != 0);
    rig_wait(rig, rig->now_ms + AHOY_PATIENCE_MS);
    assert_int_equal(rig_count(rig, AHOY_WIRE_CLOSE), AHOY_STRANGERS_LIMIT + 1);
    assert_int_equal(rig->stack->flows.pool.used, 0);
}

/* What comes for a connection that is gone, or never was, is nobody's. */
static void stale_connections(void **state)
{
    struct rig *rig = *state;
    struct ahoy_handle connection = stranger(rig);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    rig_bytes(rig, connection, SPAN(FIRST));
    rig_tell(rig, AHOY_WIRE_CONNECTED, connection);
    rig_tell(rig, AHOY_WIRE_CLOSED, connection);
    rig_bytes(rig, (struct ahoy_handle){ 4000, 1 }, SPAN(FIRST));
    assert_int_equal(rig->effect_count, 0);
    assert_int_equal(rig->seen_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        rig_test(three_in_two_pieces),
        rig_test(three_byte_by_byte),
        rig_test(two_connections_in_turns),
        rig_test(pings_get_pongs),
        rig_test(framing_attacks),
        rig_test(sound_before_broken),
        rig_test(malformed_within_its_frame),
        rig_test(memory_follows_the_bytes),
        rig_test(endless_head),
        rig_test(no_more_memory_for_parts),
        rig_test(slowloris),
        rig_test(busy_with_nothing),
        rig_test(silence_after_a_sound_message),
        rig_test(half_a_message_after_a_sound_one),
        rig_test(trusted_connections),
        rig_test(strangers_are_counted),
        rig_test(stale_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
