/* Memory that lies idle goes back, and nothing that was named before is mistaken for what comes
 * after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libahoy/base/arena.h"
#include "libahoy/base/pool.h"
#include "tests/support/failing_alloc.h"

static void test_pool_gives_back_only_when_idle(void **state)
{
    (void)state;
    struct ahoy_pool pool;
    struct ahoy_handle first, second;
    ahoy_pool_init(&pool, 40, 1000);
    ahoy_pool_trim(&pool); /* Nothing was ever taken. */
    char *slot = ahoy_pool_add(&pool, &first);
    memset(slot, 'x', 40);
    ahoy_pool_trim(&pool); /* One is in use: it stays where it is. */
    assert_ptr_equal(ahoy_pool_get(&pool, first), slot);
    assert_int_equal(slot[39], 'x');
    ahoy_pool_remove(&pool, first);
    ahoy_pool_trim(&pool);
    assert_int_equal(pool.capacity, 0);
    assert_null(pool.blocks);
    assert_null(ahoy_pool_get(&pool, first));
    slot = ahoy_pool_add(&pool, &second);
    assert_non_null(slot);
    assert_int_equal(slot[39], 0);
    ahoy_pool_fini(&pool);
}

/* However often the slots before were used: no handle from before a trim fits after it. */
static void test_pool_generations_never_repeat(void **state)
{
    (void)state;
    enum { SLOTS = 300, ROUNDS = 5 };
    static struct ahoy_handle old[ROUNDS * (SLOTS + 50)];
    size_t count = 0;
    struct ahoy_pool pool;
    struct ahoy_handle handle;
    ahoy_pool_init(&pool, 8, SLOTS);
    for (int round = 0; round < ROUNDS; round++) {
        /* One slot is used far more often than the others, and not the first one. */
        for (int i = 0; i < SLOTS; i++)
            assert_non_null(ahoy_pool_add(&pool, &old[count++]));
        for (int i = 0; i < 50; i++) {
            ahoy_pool_remove(&pool, old[count - 1]);
            assert_non_null(ahoy_pool_add(&pool, &old[count++]));
        }
        uint32_t from = 0;
        while (ahoy_pool_next(&pool, from, &handle) != NULL) {
            ahoy_pool_remove(&pool, handle);
            from = handle.slot + 1;
        }
        ahoy_pool_trim(&pool);
        for (int i = 0; i < SLOTS; i++)
            assert_non_null(ahoy_pool_add(&pool, &handle));
        for (size_t i = 0; i < count; i++)
            assert_null(ahoy_pool_get(&pool, old[i]));
        from = 0;
        while (ahoy_pool_next(&pool, from, &handle) != NULL) {
            ahoy_pool_remove(&pool, handle);
            from = handle.slot + 1;
        }
    }
    ahoy_pool_fini(&pool);
}

static void test_chunks_give_back_what_lies_free(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena one, two;
    ahoy_chunks_init(&chunks, 256, 4096);
    ahoy_arena_init(&one, &chunks);
    ahoy_arena_init(&two, &chunks);
    assert_non_null(ahoy_arena_take(&one, 200));
    char *kept = ahoy_arena_take(&two, 200);
    memset(kept, 'k', 200);
    ahoy_arena_release(&one);
    assert_int_equal(chunks.kept, 256);
    ahoy_chunks_trim(&chunks);
    assert_int_equal(chunks.kept, 0);
    assert_null(chunks.free);
    assert_int_equal(chunks.taken, 256); /* What is out stays out. */
    assert_int_equal(kept[199], 'k');
    assert_non_null(ahoy_arena_take(&one, 200)); /* And more can be had. */
    ahoy_arena_release(&one);
    ahoy_arena_release(&two);
    ahoy_chunks_fini(&chunks);
}

/* What one arena took lives on in another, and goes with that. */
static void test_adopting(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena heir, from;
    ahoy_chunks_init(&chunks, 256, 1 << 20);
    ahoy_arena_init(&heir, &chunks);
    ahoy_arena_init(&from, &chunks);
    ahoy_arena_adopt(&heir, &from); /* Nothing, by nothing. */
    char *pieces[40];
    for (int i = 0; i < 40; i++) {
        /* Small ones, and some that need a chunk of their own. */
        size_t size = i % 7 == 3 ? 1000 : 100;
        pieces[i] = ahoy_arena_take(&from, size);
        memset(pieces[i], 'a' + i % 26, size);
        if (i % 3 == 0)
            ahoy_arena_adopt(&heir, &from);
        if (i % 5 == 0)
            assert_non_null(ahoy_arena_take(&heir, 60));
    }
    ahoy_arena_adopt(&heir, &from);
    assert_null(from.first);
    size_t taken = chunks.taken;
    ahoy_arena_release(&from); /* Has nothing left to release. */
    assert_int_equal(chunks.taken, taken);
    for (int i = 0; i < 40; i++) {
        size_t size = i % 7 == 3 ? 1000 : 100;
        for (size_t j = 0; j < size; j++)
            assert_int_equal(pieces[i][j], 'a' + i % 26);
    }
    ahoy_arena_release(&heir);
    assert_int_equal(chunks.taken, 0);
    ahoy_chunks_fini(&chunks);
}

/* It must not fail, so it must not allocate; what is left of the heir's newest chunk is used. */
static void test_adopting_takes_no_memory(void **state)
{
    (void)state;
    struct ahoy_chunks chunks;
    struct ahoy_arena heir, from;
    ahoy_chunks_init(&chunks, 256, 4096);
    ahoy_arena_init(&heir, &chunks);
    ahoy_arena_init(&from, &chunks);
    assert_non_null(ahoy_arena_take(&heir, 16));
    assert_non_null(ahoy_arena_take(&from, 16));
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    ahoy_arena_adopt(&heir, &from);
    const char *more = ahoy_arena_take(&heir, 200);
    assert_int_equal(failing_alloc_end(), 0);
    assert_non_null(more);
    assert_int_equal(chunks.taken, 512);
    ahoy_arena_release(&heir);
    ahoy_chunks_fini(&chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool_gives_back_only_when_idle),
        cmocka_unit_test(test_pool_generations_never_repeat),
        cmocka_unit_test(test_chunks_give_back_what_lies_free),
        cmocka_unit_test(test_adopting),
        cmocka_unit_test(test_adopting_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
