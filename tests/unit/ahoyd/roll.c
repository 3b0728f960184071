/* The roll of calls: it reads on from where it stopped, holds so many calls and no more, and its
 * pages are those that were asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ahoyd/command_why.h"
#include "ahoyd/roll.h"
#include "libahoy/base/ring.h"

enum { RING_SIZE = 1 << 20 };

/* A worker whose calls are all alike. */
struct world {
    struct ahoy_ring ring;
    unsigned called;
    size_t copied; /* Bytes of its ring that were asked for. */
    struct ahoyd_command_means means;
};

static size_t copy(void *context, unsigned worker, uint64_t *from, char *to, size_t room)
{
    struct world *world = context;
    (void)worker; /* There is one. */
    size_t size = ahoy_ring_copy(&world->ring, from, to, room);
    world->copied += size;
    return size;
}

static void open_world(struct world *world)
{
    *world = (struct world){ .called = 0 };
    assert_true(ahoy_ring_init(&world->ring, RING_SIZE));
    world->means = (struct ahoyd_command_means){ .notes = copy, .workers = 1, .context = world };
    world->means.roll = ahoyd_roll_new((struct ahoy_hash_key){ { 1, 2 } }, 1);
    assert_non_null(world->means.roll);
}

static void close_world(struct world *world)
{
    ahoyd_roll_free(world->means.roll);
    ahoy_ring_fini(&world->ring);
}

static void note(struct world *world, unsigned number, const char *start, enum ahoy_note_kind kind)
{
    char text[400];
    int size = snprintf(text, sizeof text,
                        "%s\r\nFrom: <sip:a%u@a.example>;tag=1\r\nTo: <sip:b@a.example>\r\n"
                        "Call-ID: %u\r\nCSeq: 1 INVITE\r\n\r\n",
                        start, number, number);
    const struct span piece = { text, (size_t)size };
    struct ahoy_note row = { .now_ms = 1000 + number, .kind = (uint16_t)kind };
    ahoy_ring_put(&world->ring, &row, &piece, 1);
}

static void call(struct world *world)
{
    note(world, world->called++, "INVITE sip:b@a.example SIP/2.0", AHOY_NOTE_IN);
}

static json_t *ask(const struct world *world, json_t *request)
{
    json_t *answer = ahoyd_command_calls(&world->means, request);
    json_decref(request);
    assert_non_null(answer);
    return answer;
}

/* The Call-IDs of an answer, "3 4 ", and how many there are of all. */
static void assert_page(json_t *answer, const char *call_ids, json_int_t total)
{
    char text[200] = "";
    size_t index, size = 0;
    json_t *row;
    json_array_foreach(json_object_get(answer, "calls"), index, row)
    {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s ",
                                 json_string_value(json_object_get(row, "call_id")));
    }
    assert_string_equal(text, call_ids);
    assert_int_equal(json_integer_value(json_object_get(answer, "total")), total);
    json_decref(answer);
}

static void a_page_is_what_was_asked_for(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    for (int i = 0; i < 12; i++)
        call(&world);
    note(&world, 3, "SIP/2.0 200 OK", AHOY_NOTE_OUT);
    note(&world, 5, "SIP/2.0 486 Busy Here", AHOY_NOTE_OUT);
    assert_page(ask(&world, json_pack("{s:i}", "limit", 2)), "10 11 ", 12);
    assert_page(ask(&world, json_pack("{s:i, s:i}", "limit", 2, "skip", 3)), "7 8 ", 12);
    assert_page(ask(&world, json_pack("{s:i}", "skip", 11)), "0 ", 12);
    assert_page(ask(&world, json_pack("{s:i}", "skip", 12)), "", 12);
    assert_page(ask(&world, json_pack("{s:i}", "limit", 0)), "", 12);
    assert_page(ask(&world, json_pack("{s:s}", "search", "A1")), "1 10 11 ", 3);
    assert_page(ask(&world, json_pack("{s:s}", "state", "failed")), "5 ", 1);
    assert_page(ask(&world, json_pack("{s:s, s:i}", "state", "living", "limit", 1)), "11 ", 11);
    assert_page(ask(&world, json_pack("{s:s}", "state", "lost")), "", 0);
    static const char *const wrong[] = { "search", "state", "skip", "limit" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *answer = ask(&world, json_pack("{s:[]}", wrong[i]));
        assert_int_equal(json_integer_value(json_object_get(answer, "status")), 400);
        json_decref(answer);
    }
    assert_page(ask(&world, json_pack("{s:i}", "skip", 12)), "", 12);
    close_world(&world);
}

static void what_was_read_is_not_read_again(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    for (int i = 0; i < 1000; i++)
        call(&world);
    assert_page(ask(&world, json_pack("{s:i}", "limit", 0)), "", 1000);
    size_t all = world.copied;
    assert_page(ask(&world, json_pack("{s:i}", "limit", 0)), "", 1000);
    assert_int_equal(world.copied, all);
    call(&world);
    assert_page(ask(&world, json_pack("{s:i}", "limit", 1)), "1000 ", 1001);
    assert_true(world.copied - all < 1000);
    close_world(&world);
}

/* The ring is far too small for all of them, so the roll remembers what it has forgotten. */
static void the_oldest_are_forgotten(void **state)
{
    (void)state;
    struct world world;
    open_world(&world);
    while (world.called < AHOYD_ROLL_LIMIT) {
        call(&world);
        if (world.called % 1000 == 0)
            json_decref(ask(&world, NULL));
    }
    json_t *answer =
        ask(&world, json_pack("{s:s, s:i}", "search", "a0@", "limit", AHOYD_CALLS_LIMIT));
    assert_false(json_is_true(json_object_get(answer, "more")));
    assert_page(answer, "0 ", 1);
    call(&world);
    assert_page(ask(&world, json_pack("{s:s}", "search", "a0@")), "", 0);
    answer = ask(&world, json_pack("{s:s}", "search", "a1@"));
    assert_true(json_is_true(json_object_get(answer, "more")));
    assert_page(answer, "1 ", 1);
    assert_page(ask(&world, json_pack("{s:i}", "limit", 1)), "16384 ", AHOYD_ROLL_LIMIT);
    note(&world, 16384, "SIP/2.0 200 OK", AHOY_NOTE_OUT);
    note(&world, 0, "SIP/2.0 200 OK", AHOY_NOTE_OUT);
    assert_page(ask(&world, json_pack("{s:s}", "state", "answered")), "16384 ", 1);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_is_what_was_asked_for),
        cmocka_unit_test(what_was_read_is_not_read_again),
        cmocka_unit_test(the_oldest_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
