/* Pools: a stale handle finds nothing, a slot never moves, and a walk sees each slot once. */
#include "libahoy/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libahoy/base/poison.h"
#include "libahoy/base/rng.h"
#include "tests/support/failing_alloc.h"

struct thing {
    uint64_t number;
    char rest[33];
};

static void test_slots_come_zeroed(void **state)
{
    (void)state;
    static const struct thing zero;
    struct ahoy_pool pool;
    struct ahoy_handle handle;
    ahoy_pool_init(&pool, sizeof(struct thing), 1);
    for (int i = 0; i < 3; i++) {
        struct thing *thing = ahoy_pool_add(&pool, &handle);
        assert_non_null(thing);
        assert_memory_equal(thing, &zero, sizeof zero);
        assert_int_equal((uintptr_t)thing % _Alignof(max_align_t), 0);
        memset(thing, 0xff, sizeof *thing);
        ahoy_pool_remove(&pool, handle);
    }
    ahoy_pool_fini(&pool);
}

/* Blocks come several at once, and the more the more there are: no slot reaches into another. */
static void test_many_large_slots(void **state)
{
    (void)state;
    enum { COUNT = 6057, SIZE = 1000 };
    static struct ahoy_handle handles[COUNT];
    static char *slots[COUNT];
    struct ahoy_pool pool;
    struct ahoy_handle handle;
    ahoy_pool_init(&pool, SIZE, COUNT);
    for (int i = 0; i < COUNT; i++) {
        slots[i] = ahoy_pool_add(&pool, &handles[i]);
        assert_non_null(slots[i]);
        memset(slots[i], i % 128, SIZE);
    }
    assert_null(ahoy_pool_add(&pool, &handle));
    for (int i = 0; i < COUNT; i++) {
        assert_ptr_equal(ahoy_pool_get(&pool, handles[i]), slots[i]);
        assert_int_equal(slots[i][0], i % 128);
        assert_int_equal(slots[i][SIZE - 1], i % 128);
        ahoy_pool_remove(&pool, handles[i]);
    }
    ahoy_pool_trim(&pool);
    assert_int_equal(pool.capacity, 0);
    ahoy_pool_fini(&pool);
}

static void test_null_and_forged_handles(void **state)
{
    (void)state;
    struct ahoy_pool pool;
    struct ahoy_handle handle;
    struct ahoy_handle null = { 0, 0 };
    ahoy_pool_init(&pool, sizeof(struct thing), 1000);
    assert_null(ahoy_pool_get(&pool, null));
    void *slot = ahoy_pool_add(&pool, &handle);
    assert_int_not_equal(handle.generation, 0);
    assert_ptr_equal(ahoy_pool_get(&pool, handle), slot);
    assert_null(ahoy_pool_get(&pool, null));
    /* Slots that were never given out, by any generation that they might have. */
    for (uint32_t generation = 0; generation < 4; generation++) {
        assert_null(ahoy_pool_get(&pool, (struct ahoy_handle){ 1, generation }));
        assert_null(ahoy_pool_get(&pool, (struct ahoy_handle){ 999, generation }));
        assert_null(ahoy_pool_get(&pool, (struct ahoy_handle){ UINT32_MAX, generation }));
    }
    /* Generations that the slot has passed, or will come to. */
    ahoy_pool_remove(&pool, handle);
    for (uint32_t generation = 0; generation < 10; generation++)
        assert_null(ahoy_pool_get(&pool, (struct ahoy_handle){ handle.slot, generation }));
    ahoy_pool_fini(&pool);
}

static void test_handles_travel_as_numbers(void **state)
{
    (void)state;
    struct ahoy_handle handle = { 0x89abcdef, 0x01234567 };
    assert_true(ahoy_handle_pack(handle) == UINT64_C(0x0123456789abcdef));
    assert_true(ahoy_handle_equal(ahoy_handle_unpack(ahoy_handle_pack(handle)), handle));
    assert_false(ahoy_handle_equal(handle, (struct ahoy_handle){ 0x89abcdef, 1 }));
    assert_false(ahoy_handle_equal(handle, (struct ahoy_handle){ 1, 0x01234567 }));
}

/* The limit holds whether or not it fills its last block. */
static void test_limits(void **state)
{
    (void)state;
    static const uint32_t limits[] = { 1, 2, 127, 128, 129, 255, 256, 300, 1000 };
    for (size_t k = 0; k < sizeof limits / sizeof limits[0]; k++) {
        struct ahoy_pool pool;
        struct ahoy_handle handle;
        ahoy_pool_init(&pool, sizeof(struct thing), limits[k]);
        for (uint32_t i = 0; i < limits[k]; i++) {
            struct thing *thing = ahoy_pool_add(&pool, &handle);
            assert_non_null(thing);
            memset(thing, 0xff, sizeof *thing);
            assert_in_range(handle.slot, 0, limits[k] - 1);
        }
        struct ahoy_handle none = { 7, 7 };
        assert_null(ahoy_pool_add(&pool, &none));
        assert_int_equal(pool.used, limits[k]);
        ahoy_pool_remove(&pool, handle);
        assert_non_null(ahoy_pool_add(&pool, &none));
        assert_null(ahoy_pool_add(&pool, &none));
        ahoy_pool_fini(&pool);
    }
}

enum { LIMIT = 700, PAST = 5000 };

struct model {
    struct ahoy_handle live[LIMIT];
    struct thing *slots[LIMIT];
    uint64_t numbers[LIMIT];
    uint32_t count;
    struct ahoy_handle stale[PAST];
    uint32_t stale_count;
};

static void add_one(struct ahoy_pool *pool, struct model *model, uint64_t number)
{
    struct ahoy_handle handle;
    struct thing *thing = ahoy_pool_add(pool, &handle);
    if (model->count == LIMIT) {
        assert_null(thing);
        return;
    }
    assert_non_null(thing);
    thing->number = number;
    model->live[model->count] = handle;
    model->slots[model->count] = thing;
    model->numbers[model->count++] = number;
}

static void remove_one(struct ahoy_pool *pool, struct model *model, uint32_t at)
{
    ahoy_pool_remove(pool, model->live[at]);
    if (model->stale_count < PAST)
        model->stale[model->stale_count++] = model->live[at];
    model->count--;
    model->live[at] = model->live[model->count];
    model->slots[at] = model->slots[model->count];
    model->numbers[at] = model->numbers[model->count];
}

static void check_walk(const struct ahoy_pool *pool, const struct model *model)
{
    struct ahoy_handle handle;
    uint32_t seen = 0;
    uint32_t from = 0;
    const struct thing *thing = NULL;
    while ((thing = ahoy_pool_next(pool, from, &handle)) != NULL) {
        assert_true(handle.slot >= from);
        assert_ptr_equal(ahoy_pool_get(pool, handle), thing);
        from = handle.slot + 1;
        seen++;
    }
    assert_int_equal(seen, model->count);
}

static void check(const struct ahoy_pool *pool, const struct model *model)
{
    assert_int_equal(pool->used, model->count);
    for (uint32_t i = 0; i < model->count; i++) {
        assert_ptr_equal(ahoy_pool_get(pool, model->live[i]), model->slots[i]);
        assert_true(model->slots[i]->number == model->numbers[i]);
    }
    for (uint32_t i = 0; i < model->stale_count; i++)
        assert_null(ahoy_pool_get(pool, model->stale[i]));
    check_walk(pool, model);
}

/* Random adding and removing: live handles find their own slot where it always was, and no handle
 * that was ever given back finds anything again. */
static void test_against_a_list(void **state)
{
    (void)state;
    static struct model model;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct ahoy_pool pool;
        struct ahoy_rng rng;
        model = (struct model){ .count = 0 };
        ahoy_rng_init(&rng, (const uint64_t[2]){ seed, 2 });
        ahoy_pool_init(&pool, sizeof(struct thing), LIMIT);
        for (int i = 0; i < 10000; i++) {
            bool grows = ahoy_rng_below(&rng, 1000) < (i / 2500 % 2 == 0 ? 600 : 400);
            if (grows || model.count == 0)
                add_one(&pool, &model, ahoy_rng_next(&rng));
            else
                remove_one(&pool, &model, (uint32_t)ahoy_rng_below(&rng, model.count));
            if (i % 500 == 0)
                check(&pool, &model);
        }
        check(&pool, &model);
        ahoy_pool_fini(&pool);
    }
}

/* A walk that removes the slot at hand sees all others; so does one that removes everything. */
static void test_walk_while_removing(void **state)
{
    (void)state;
    for (uint64_t every = 1; every < 4; every++) {
        struct ahoy_pool pool;
        struct ahoy_handle handle;
        ahoy_pool_init(&pool, sizeof(struct thing), 500);
        for (uint64_t i = 0; i < 400; i++)
            ((struct thing *)ahoy_pool_add(&pool, &handle))->number = i;
        uint32_t from = 0;
        uint32_t seen = 0;
        const struct thing *thing = NULL;
        while ((thing = ahoy_pool_next(&pool, from, &handle)) != NULL) {
            from = handle.slot + 1;
            seen++;
            if (thing->number % every == 0)
                ahoy_pool_remove(&pool, handle);
        }
        assert_int_equal(seen, 400);
        assert_int_equal(pool.used, 400 - (400 + every - 1) / every);
        ahoy_pool_fini(&pool);
    }
}

static void test_empty_walks(void **state)
{
    (void)state;
    struct ahoy_pool pool;
    struct ahoy_handle handle;
    ahoy_pool_init(&pool, sizeof(struct thing), 500);
    assert_null(ahoy_pool_next(&pool, 0, &handle));
    assert_non_null(ahoy_pool_add(&pool, &handle));
    assert_null(ahoy_pool_next(&pool, handle.slot + 1, &handle));
    assert_null(ahoy_pool_next(&pool, UINT32_MAX, &handle));
    ahoy_pool_remove(&pool, handle);
    assert_null(ahoy_pool_next(&pool, 0, &handle));
    ahoy_pool_fini(&pool);
}

/* A slot that was used 2^31 times has come round, and its generation is still never 0. */
static void test_generations_come_round(void **state)
{
    (void)state;
    struct ahoy_pool pool;
    struct ahoy_handle first;
    struct ahoy_handle handle;
    ahoy_pool_init(&pool, sizeof(struct thing), 1);
    assert_non_null(ahoy_pool_add(&pool, &first));
    ahoy_pool_remove(&pool, first);
    /* The generations stand at the head of the block; three more uses lead over the edge. */
    uint32_t *generation = pool.blocks[0];
    *generation = UINT32_MAX - 3;
    for (int i = 0; i < 4; i++) {
        assert_non_null(ahoy_pool_add(&pool, &handle));
        assert_int_not_equal(handle.generation, 0);
        assert_non_null(ahoy_pool_get(&pool, handle));
        ahoy_pool_remove(&pool, handle);
        assert_null(ahoy_pool_get(&pool, handle));
        assert_null(ahoy_pool_get(&pool, (struct ahoy_handle){ 0, 0 }));
    }
    ahoy_pool_fini(&pool);
}

/* Whichever allocation fails, what is in the pool stays, and it grows again later. */
static void test_refused_memory_changes_nothing(void **state)
{
    (void)state;
    static struct ahoy_handle handles[600];
    for (size_t count = 0;; count++) {
        struct ahoy_pool pool;
        ahoy_pool_init(&pool, sizeof(struct thing), 600);
        uint32_t added = 0;
        failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
        while (added < 600 && ahoy_pool_add(&pool, &handles[added]) != NULL)
            added++;
        bool again = added < 600 && ahoy_pool_add(&pool, &handles[added]) != NULL;
        size_t refused = failing_alloc_end();
        assert_false(again);
        assert_int_equal(refused == 0, added == 600);
        assert_int_equal(pool.used, added);
        while (added < 600)
            assert_non_null(ahoy_pool_add(&pool, &handles[added++]));
        for (uint32_t i = 0; i < 600; i++)
            assert_non_null(ahoy_pool_get(&pool, handles[i]));
        ahoy_pool_fini(&pool);
        if (refused == 0)
            break;
    }
}

/* AddressSanitizer finds whoever keeps a pointer to a slot that was given back. */
static void test_free_slots_are_poisoned(void **state)
{
    (void)state;
#ifdef AHOY_POISONS
    struct ahoy_pool pool;
    struct ahoy_handle handle;
    ahoy_pool_init(&pool, sizeof(struct thing), 2);
    struct thing *thing = ahoy_pool_add(&pool, &handle);
    assert_false(__asan_address_is_poisoned(&thing->number));
    ahoy_pool_remove(&pool, handle);
    assert_true(__asan_address_is_poisoned(&thing->number));
    ahoy_pool_fini(&pool);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots_come_zeroed),
        cmocka_unit_test(test_many_large_slots),
        cmocka_unit_test(test_null_and_forged_handles),
        cmocka_unit_test(test_handles_travel_as_numbers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_walk_while_removing),
        cmocka_unit_test(test_empty_walks),
        cmocka_unit_test(test_generations_come_round),
        cmocka_unit_test(test_refused_memory_changes_nothing),
        cmocka_unit_test(test_free_slots_are_poisoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
