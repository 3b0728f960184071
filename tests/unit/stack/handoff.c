/* One call, one worker: messages go to the worker that their Call-ID hashes to, answers back to the
 * worker that owns the connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoyd/directory.h"
#include "libahoy/stack/parts.h"
#include "tests/support/stack_rig.h"

enum { WORKERS = 4, CALLS = 64 };

static int set_up(void **state)
{
    struct rig *rigs = calloc(WORKERS, sizeof *rigs);
    assert_non_null(rigs);
    for (uint16_t i = 0; i < WORKERS; i++)
        rig_init(&rigs[i], i, WORKERS);
    *state = rigs;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rigs = *state;
    for (uint16_t i = 0; i < WORKERS; i++)
        rig_fini(&rigs[i]);
    free(rigs);
    return 0;
}

static struct span print_request(char *space, size_t capacity, const char *method,
                                 const char *call_id_name, unsigned call)
{
    struct ahoy_buf buf = ahoy_buf_over(space, capacity);
    ahoy_buf_put(&buf, ahoy_span(method));
    ahoy_buf_put(&buf, SPAN(" sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/TCP pc.example:5070;"
                            "branch=z9hG4bK1\r\nFrom: <sip:a@a.example>;tag=1\r\n"
                            "To: <sip:b@b.example>\r\n"));
    ahoy_buf_put(&buf, ahoy_span(call_id_name));
    ahoy_buf_put_number(&buf, call);
    ahoy_buf_put(&buf, SPAN("@a.example\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

/* The worker that the message ends at, from what worker |from| did with it: its own number where it
 * answered. */
static uint16_t worker_of(struct rig *rig, uint16_t from, struct span bytes)
{
    rig_forget(rig);
    rig_datagram(rig, RIG_UDP4, rig_ip("198.51.100.7", 1024), bytes);
    assert_int_equal(rig->effect_count, 1);
    const struct ahoy_wire_effect *effect = &rig->effects[0];
    if (effect->kind == AHOY_WIRE_SEND)
        return from;
    assert_int_equal(effect->kind, AHOY_WIRE_HANDOFF);
    assert_int_equal(rig->seen_count, 0);
    assert_true(ahoy_span_equal(effect->bytes, bytes));
    assert_int_equal(effect->hop.worker, from);
    assert_int_equal(effect->hop.listener, RIG_UDP4);
    assert_int_equal(effect->hop.remote.port, 1024);
    return effect->worker;
}

/* Whoever receives it, whatever its method and its header's spelling, a call has one worker; and
 * every worker has calls. */
static void all_workers_agree(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned calls[WORKERS] = { 0 };
    for (unsigned call = 0; call < CALLS; call++) {
        struct span bytes = print_request(space, sizeof space, "OPTIONS", "Call-ID: ", call);
        uint16_t owner = worker_of(&rigs[0], 0, bytes);
        assert_true(owner < WORKERS);
        calls[owner]++;
        for (uint16_t i = 1; i < WORKERS; i++)
            assert_int_equal(worker_of(&rigs[i], i, bytes), owner);
        bytes = print_request(space, sizeof space, "OPTIONS", "i:\t", call);
        assert_int_equal(worker_of(&rigs[1], 1, bytes), owner);
        bytes = print_request(space, sizeof space, "OPTIONS", "CALL-id :\r\n ", call);
        assert_int_equal(worker_of(&rigs[2], 2, bytes), owner);
    }
    for (uint16_t i = 0; i < WORKERS; i++)
        assert_true(calls[i] > 0);
}

/* A message for worker 1, of a call whose number is in |call|. */
static struct span for_worker_one(struct rig *rig, char *space, size_t capacity, const char *method,
                                  unsigned *call)
{
    for (*call = 0;; ++*call) {
        struct span bytes = print_request(space, capacity, method, "i: ", *call);
        struct span call_id = ahoy_message_scan_call_id(bytes);
        if (ahoy_siphash(&rig->stack->call_key, call_id) % WORKERS == 1)
            return bytes;
    }
}

/* Over TCP: worker 0 has the connection, worker 1 the call. */
static void answers_go_back_by_the_connection(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    struct span bytes = for_worker_one(&rigs[0], space, sizeof space, "OPTIONS", &call);
    struct ahoy_handle connection = rig_accept(&rigs[0], RIG_TCP4, rig_ip("198.51.100.7", 40000));
    rig_bytes(&rigs[0], connection, bytes);
    assert_int_equal(rigs[0].effect_count, 1);
    const struct ahoy_wire_effect *handoff = &rigs[0].effects[0];
    assert_int_equal(handoff->kind, AHOY_WIRE_HANDOFF);
    assert_int_equal(handoff->worker, 1);
    assert_true(ahoy_handle_equal(handoff->hop.connection, connection));
    assert_ptr_equal(rigs[0].at[0], bytes.at); /* In place, not a copy. */

    struct ahoy_wire_event event = { .kind = AHOY_WIRE_MESSAGE,
                                     .hop = handoff->hop,
                                     .bytes = handoff->bytes };
    rig_step(&rigs[1], &event);
    assert_int_equal(rigs[1].effect_count, 1);
    const struct ahoy_wire_effect *sent = rig_sent(&rigs[1], 0);
    assert_int_equal(rig_status(sent), 200);
    assert_int_equal(sent->hop.worker, 0);
    assert_true(ahoy_handle_equal(sent->hop.connection, connection));
    assert_int_equal(rigs[0].counters->messages_in + rigs[1].counters->messages_in, 1);
    assert_int_equal(rigs[0].counters->handed_off, 1);

    /* It was sound as far as worker 0 can tell: the connection may be idle now. */
    rig_wait(&rigs[0], rigs[0].now_ms + 2 * AHOY_PATIENCE_MS);
    assert_int_equal(rig_count(&rigs[0], AHOY_WIRE_CLOSE), 0);
}

/* One that came in pieces is handed off whole, and those around it are not disturbed. */
static void handed_off_in_pieces(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    struct span bytes = for_worker_one(&rigs[0], space, sizeof space, "OPTIONS", &call);
    char stream[1024];
    struct ahoy_buf buf = ahoy_buf_over(stream, sizeof stream);
    for (int i = 0; i < 3; i++)
        ahoy_buf_put(&buf, bytes);
    struct ahoy_handle connection = rig_accept(&rigs[0], RIG_TCP4, rig_ip("198.51.100.7", 40000));
    for (size_t split = 1; split < buf.size; split++) {
        rig_bytes(&rigs[0], connection, (struct span){ stream, split });
        rig_bytes(&rigs[0], connection, (struct span){ stream + split, buf.size - split });
        assert_int_equal(rigs[0].effect_count, 3);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(rigs[0].effects[i].kind, AHOY_WIRE_HANDOFF);
            assert_true(ahoy_span_equal(rigs[0].effects[i].bytes, bytes));
        }
        rig_forget(&rigs[0]);
    }
}

/* What is more than one step may hand off is dropped and counted. */
static void too_many_in_one_step(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    (void)for_worker_one(&rigs[0], space, sizeof space, "OPTIONS", &call);
    enum { COUNT = AHOY_OUTBOX_LIMIT + 10, SIZE = 64 };
    char *chunk = calloc(COUNT, SIZE);
    assert_non_null(chunk);
    struct ahoy_buf buf = ahoy_buf_over(chunk, (size_t)COUNT * SIZE);
    for (unsigned i = 0; i < COUNT; i++) {
        ahoy_buf_put(&buf, SPAN("A\r\nl:0\r\ni:"));
        ahoy_buf_put_number(&buf, call);
        ahoy_buf_put(&buf, SPAN("@a.example\r\n\r\n"));
    }
    struct ahoy_handle connection = rig_accept(&rigs[0], RIG_TCP4, rig_ip("198.51.100.7", 40000));
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = { .transport = AHOY_TCP, .connection = connection },
                                     .bytes = ahoy_buf_text(&buf) };
    ahoy_stack_step(rigs[0].stack, &event, rigs[0].now_ms);
    struct ahoy_event none;
    assert_false(ahoy_stack_event(rigs[0].stack, &none));
    struct ahoy_wire_effect effect;
    size_t count = 0;
    while (ahoy_stack_poll(rigs[0].stack, &effect))
        count += effect.kind == AHOY_WIRE_HANDOFF;
    assert_int_equal(count, AHOY_OUTBOX_LIMIT);
    assert_int_equal(rigs[0].counters->handed_off, AHOY_OUTBOX_LIMIT);
    assert_int_equal(rigs[0].counters->overflows, 10);
    free(chunk);
}

/* Whether it is sound is for its own worker to say; what has no Call-ID stays where it is. */
static void malformed_messages_too(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    struct span bytes = for_worker_one(&rigs[0], space, sizeof space, "INFO", &call);
    const struct ahoy_ip remote = rig_ip("198.51.100.7", 1024);
    rig_datagram(&rigs[0], RIG_UDP4, remote, bytes);
    assert_int_equal(rigs[0].effects[0].kind, AHOY_WIRE_HANDOFF);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_MESSAGE,
                                     .hop = rigs[0].effects[0].hop,
                                     .bytes = bytes };
    rig_step(&rigs[1], &event);
    assert_int_equal(rig_status(rig_sent(&rigs[1], 0)), 400);
    assert_int_equal(rigs[1].counters->malformed_answered, 1);

    rig_forget(&rigs[0]);
    rig_datagram(&rigs[0], RIG_UDP4, remote,
                 SPAN("OPTIONS sip:b@b.example SIP/2.0\r\nVia: SIP/2.0/UDP pc.example\r\n\r\n"));
    assert_int_equal(rig_status(rig_sent(&rigs[0], 0)), 400);
}

/* A MESSAGE is not handed on, even if its Call-ID hashes elsewhere. */
static void a_message_stays(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    struct span bytes = for_worker_one(&rigs[0], space, sizeof space, "OPTIONS", &call);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_MESSAGE,
                                     .hop = { .transport = AHOY_UDP,
                                              .remote = rig_ip("198.51.100.7", 1024) },
                                     .bytes = bytes };
    rig_step(&rigs[2], &event);
    assert_int_equal(rig_status(rig_sent(&rigs[2], 0)), 200);
}

/* Every worker has a socket for datagrams: what is answered to them leaves from the call's. */
static void datagrams_are_answered_directly(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    static const char *const methods[] = { "OPTIONS", "INFO" };
    for (int i = 0; i < 2; i++) {
        struct span bytes = for_worker_one(&rigs[0], space, sizeof space, methods[i], &call);
        struct ahoy_wire_event event = {
            .kind = AHOY_WIRE_MESSAGE,
            .hop = { .transport = AHOY_UDP, .remote = rig_ip("198.51.100.7", 1024), .worker = 0 },
            .bytes = bytes
        };
        rig_step(&rigs[1], &event);
        assert_int_equal(rig_sent(&rigs[1], (size_t)i)->hop.worker, 1);
    }
}

/* Connections of two workers may have the same name. */
static void names_of_another_worker(void **state)
{
    struct rig *rigs = *state;
    char space[512];
    unsigned call;
    struct span bytes = for_worker_one(&rigs[0], space, sizeof space, "OPTIONS", &call);
    const struct ahoy_ip remote = rig_ip("198.51.100.7", 40000);
    struct ahoy_handle theirs = rig_accept(&rigs[0], RIG_TCP4, remote);
    struct ahoy_handle ours = rig_accept(&rigs[1], RIG_TCP4, remote);
    assert_true(ahoy_handle_equal(theirs, ours));
    struct ahoy_wire_event event = {
        .kind = AHOY_WIRE_MESSAGE,
        .hop = { .transport = AHOY_TCP, .remote = remote, .worker = 0, .connection = theirs },
        .bytes = bytes
    };
    rig_step(&rigs[1], &event);
    assert_int_equal(rig_sent(&rigs[1], 0)->hop.worker, 0);
    rig_bytes(&rigs[1], ours, SPAN("\r\n"));
    rig_wait(&rigs[1], rigs[1].now_ms + AHOY_PATIENCE_MS);
    assert_int_equal(rig_count(&rigs[1], AHOY_WIRE_CLOSE), 1); /* Nothing sound came on ours. */
}

/* Trust that worker 1 gives to a connection of worker 0. */
static void trust_travels(void **state)
{
    struct rig *rigs = *state;
    struct ahoy_handle connection = rig_accept(&rigs[0], RIG_TCP4, rig_ip("198.51.100.7", 40000));
    const struct ahoy_hop hop = { .transport = AHOY_TCP, .worker = 0, .connection = connection };
    ahoy_stack_trust(rigs[1].stack, &hop);
    rig_poll(&rigs[1]);
    assert_int_equal(rigs[1].effect_count, 1);
    assert_int_equal(rigs[1].effects[0].kind, AHOY_WIRE_HANDOFF);
    assert_int_equal(rigs[1].effects[0].worker, 0);
    assert_int_equal(rigs[1].effects[0].bytes.size, 0);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_MESSAGE, .hop = rigs[1].effects[0].hop };
    rig_step(&rigs[0], &event);
    assert_int_equal(rigs[0].stack->flows.strangers.used, 0);
    assert_int_equal(rigs[0].effect_count, 0);

    rig_step(&rigs[2], &event); /* It is for worker 0, and stays here. */
    assert_int_equal(rigs[2].effect_count, 0);
    const struct ahoy_hop datagram = { .transport = AHOY_UDP };
    ahoy_stack_trust(rigs[1].stack, &datagram);
    rig_poll(&rigs[1]);
    assert_int_equal(rigs[1].effect_count, 1);
}

/* A connection of worker 0 ends: the others hear of it, and whoever of theirs waits on it fails at
 * once.  Of a stranger's connection nobody hears. */
static void ends_travel(void **state)
{
    (void)state;
    struct rig *rigs = calloc(2, sizeof *rigs);
    assert_non_null(rigs);
    struct ahoy_directory *directory = ahoyd_directory_new((struct ahoy_hash_key){ { 1, 2 } });
    rig_init_shared(&rigs[0], 0, 2, directory);
    rig_init_shared(&rigs[1], 1, 2, directory);
    struct ahoy_ip remote = rig_ip("198.51.100.7", 40000);
    struct ahoy_handle connection = rig_accept(&rigs[0], RIG_TCP4, remote);
    const struct ahoy_hop hop = {
        .transport = AHOY_TCP, .worker = 0, .connection = connection, .remote = remote
    };
    assert_true(ahoy_stack_is_open(rigs[0].stack, &hop));
    assert_true(ahoy_stack_is_open(rigs[1].stack, &hop));
    ahoy_stack_trust(rigs[0].stack, &hop);
    for (uint64_t user = 1; user <= 40; user++)
        rig_request(&rigs[1], AHOY_TCP, remote, user, 0);
    rig_poll(&rigs[1]);
    rig_forget(&rigs[0]);
    rig_tell(&rigs[0], AHOY_WIRE_CLOSED, connection);
    assert_int_equal(rig_count(&rigs[0], AHOY_WIRE_HANDOFF), 1);
    assert_int_equal(rigs[0].effects[0].worker, 1);
    assert_int_equal(rigs[0].effects[0].bytes.size, 0);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_MESSAGE, .hop = rigs[0].effects[0].hop };
    rig_step(&rigs[1], &event);
    for (uint64_t user = 1; user <= 40; user++)
        assert_int_equal(rig_seen_count(&rigs[1], AHOY_EVENT_UNREACHABLE, user), 1);
    assert_false(ahoy_stack_is_open(rigs[0].stack, &hop));
    assert_false(ahoy_stack_is_open(rigs[1].stack, &hop));
    assert_int_equal(rigs[1].stack->riders.rides.used, 0);
    rig_forget(&rigs[0]);
    rig_tell(&rigs[0], AHOY_WIRE_CLOSED, rig_accept(&rigs[0], RIG_TCP4, remote));
    assert_int_equal(rig_count(&rigs[0], AHOY_WIRE_HANDOFF), 0);
    rig_fini(&rigs[0]);
    rig_fini(&rigs[1]);
    ahoyd_directory_free(directory);
    free(rigs);
}

/* A call's owner reaches a peer by the connection that another worker accepted (18.2.1), or opened,
 * as long as that is there; after that it opens its own. */
static void connections_of_others_are_found(void **state)
{
    (void)state;
    struct rig *rigs = calloc(2, sizeof *rigs);
    assert_non_null(rigs);
    struct ahoy_directory *directory = ahoyd_directory_new((struct ahoy_hash_key){ { 1, 2 } });
    rig_init_shared(&rigs[0], 0, 2, directory);
    rig_init_shared(&rigs[1], 1, 2, directory);
    struct ahoy_ip accepted = rig_ip("198.51.100.7", 40000);
    struct ahoy_handle connection = rig_accept(&rigs[0], RIG_TCP4, accepted);
    rig_request(&rigs[1], AHOY_TCP, accepted, 1, 0);
    rig_poll(&rigs[1]);
    assert_int_equal(rigs[1].effect_count, 1);
    assert_int_equal(rig_sent(&rigs[1], 0)->hop.worker, 0);
    assert_true(ahoy_handle_equal(rig_sent(&rigs[1], 0)->hop.connection, connection));

    struct ahoy_ip opened = rig_ip("198.51.100.8", 5060);
    rig_request(&rigs[0], AHOY_TCP, opened, 2, 0);
    rig_poll(&rigs[0]);
    assert_int_equal(rig_count(&rigs[0], AHOY_WIRE_CONNECT), 1);
    struct ahoy_handle outgoing = rigs[0].effects[0].hop.connection;
    rig_forget(&rigs[1]);
    rig_request(&rigs[1], AHOY_TCP, opened, 3, 0);
    rig_poll(&rigs[1]); /* Not open yet: nobody knows of it. */
    assert_int_equal(rig_count(&rigs[1], AHOY_WIRE_CONNECT), 1);
    struct ahoy_handle second = rigs[1].effects[0].hop.connection;
    rig_tell(&rigs[1], AHOY_WIRE_CLOSED, second);
    rig_tell(&rigs[0], AHOY_WIRE_CONNECTED, outgoing);
    rig_forget(&rigs[1]);
    rig_request(&rigs[1], AHOY_TCP, opened, 4, 0);
    rig_poll(&rigs[1]);
    assert_int_equal(rig_sent(&rigs[1], 0)->hop.worker, 0);
    assert_true(ahoy_handle_equal(rig_sent(&rigs[1], 0)->hop.connection, outgoing));

    rig_tell(&rigs[0], AHOY_WIRE_CLOSED, outgoing);
    rig_forget(&rigs[1]);
    rig_request(&rigs[1], AHOY_TCP, opened, 5, 0);
    rig_poll(&rigs[1]);
    assert_int_equal(rig_count(&rigs[1], AHOY_WIRE_CONNECT), 1);
    rig_fini(&rigs[0]);
    rig_fini(&rigs[1]);
    ahoyd_directory_free(directory);
    free(rigs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_workers_agree),
        TEST(answers_go_back_by_the_connection),
        TEST(handed_off_in_pieces),
        TEST(too_many_in_one_step),
        TEST(malformed_messages_too),
        TEST(a_message_stays),
        TEST(datagrams_are_answered_directly),
        TEST(names_of_another_worker),
        TEST(trust_travels),
        TEST(ends_travel),
        cmocka_unit_test(connections_of_others_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
