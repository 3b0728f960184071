/* How long the temporary GRUUs of an instance are good (RFC 5627 5.1, 5.3): as long as its era. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "libahoy/tu/registrar_gruu.h"

static const uint64_t now_ms = 1000000;

struct world {
    struct ahoy_bindings bindings, next;
    struct ahoy_registration registration;
};

static int setup(void **state)
{
    static struct world world;
    ahoy_bindings_init(&world.bindings);
    *state = &world;
    return 0;
}

/* Registers |contact| of |instance| for |seconds|. */
static void take(struct world *world, uint64_t at_ms, const char *call_id, const char *contact,
                 const char *instance, uint32_t reg_id, uint32_t seconds)
{
    static uint32_t cseq;
    struct ahoy_err err;
    world->registration = (struct ahoy_registration){ .count = 1,
                                                      .call_id = ahoy_span(call_id),
                                                      .cseq = ++cseq,
                                                      .asked[0] = { .contact = ahoy_span(contact),
                                                                    .instance = ahoy_span(instance),
                                                                    .reg_id = reg_id,
                                                                    .expires_s = seconds } };
    assert_true(
        ahoy_registrar_apply(&world->bindings, &world->registration, at_ms, &world->next, &err));
    ahoy_bindings_copy(&world->bindings, &world->next, at_ms);
}

static uint64_t era(const struct world *world, size_t index)
{
    assert_true(index < world->bindings.count);
    return world->bindings.list[index].era_ms;
}

/* R5627-5.4-4: refreshes of one Call-ID leave it. */
static void a_refresh_keeps_the_era(void **state)
{
    struct world *world = *state;
    take(world, now_ms, "one", "sip:a", "<x>", 0, 100);
    assert_int_equal(era(world, 0), now_ms);
    take(world, now_ms + 50000, "one", "sip:a", "<x>", 0, 100);
    take(world, now_ms + 60000, "two", "sip:b", "<y>", 0, 100); /* Another instance. */
    take(world, now_ms + 70000, "three", "sip:c", "", 0, 100);  /* None at all. */
    assert_int_equal(era(world, 0), now_ms);
    assert_int_equal(era(world, 1), now_ms + 60000);
    assert_int_equal(era(world, 2), 0);
}

/* R5627-5.1-6: for all bindings of the instance, those too that are not named. */
static void another_call_id_begins_a_new_one(void **state)
{
    struct world *world = *state;
    take(world, now_ms, "one", "sip:a", "<x>", 1, 100);
    take(world, now_ms + 1, "two", "sip:b", "<x>", 2, 100); /* Another flow is no refresh. */
    assert_int_equal(era(world, 0), now_ms);
    assert_int_equal(era(world, 1), now_ms);
    take(world, now_ms + 2, "three", "sip:b", "<x>", 2, 100);
    assert_int_equal(era(world, 0), now_ms + 2);
    assert_int_equal(era(world, 1), now_ms + 2);
    take(world, now_ms + 2, "four", "sip:b", "<x>", 2, 100); /* In the same moment, too. */
    assert_int_equal(era(world, 0), now_ms + 3);
    assert_int_equal(era(world, 1), now_ms + 3);
    /* Without reg-id it is what was registered last that counts. */
    take(world, now_ms + 9, "four", "sip:c", "<x>", 0, 100);
    assert_int_equal(era(world, 2), now_ms + 3);
    take(world, now_ms + 10, "one", "sip:d", "<x>", 0, 100);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(era(world, i), now_ms + 10);
}

/* What is removed does not count as a refresh. */
static void a_removal_begins_none(void **state)
{
    struct world *world = *state;
    take(world, now_ms, "one", "sip:a", "<x>", 1, 100);
    take(world, now_ms + 1, "one", "sip:b", "<x>", 2, 100);
    take(world, now_ms + 2, "two", "sip:b", "<x>", 2, 0);
    assert_int_equal(world->bindings.count, 1);
    assert_int_equal(era(world, 0), now_ms);
}

/* R5627-5.3-1: when the last one is gone, by its time or otherwise. */
static void the_end_of_the_last_ends_it(void **state)
{
    struct world *world = *state;
    take(world, now_ms, "one", "sip:a", "<x>", 0, 100);
    take(world, now_ms + 100000, "one", "sip:a", "<x>", 0, 100);
    assert_int_equal(era(world, 0), now_ms + 100000);
    take(world, now_ms + 100001, "one", "sip:a", "<x>", 0, 0);
    take(world, now_ms + 100002, "one", "sip:a", "<x>", 0, 100);
    assert_int_equal(era(world, 0), now_ms + 100002);
}

#define RULE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE(a_refresh_keeps_the_era),
        RULE(another_call_id_begins_a_new_one),
        RULE(a_removal_begins_none),
        RULE(the_end_of_the_last_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
