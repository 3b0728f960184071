/* The map against a plain list, with hashes that collide wholly, nearly and not at all. */
#include "libahoy/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/base/rng.h"
#include "tests/support/failing_alloc.h"

struct pair {
    uint64_t hash;
    uint64_t value;
};

enum { MOST = 3000 };

struct list {
    struct pair pairs[MOST];
    size_t count;
};

/* How often |value| is found under |hash|. */
static size_t times(const struct ahoy_map *map, uint64_t hash, uint64_t value)
{
    size_t found = 0;
    size_t cursor = 0;
    uint64_t each = 0;
    while (ahoy_map_find(map, hash, &cursor, &each))
        found += each == value;
    return found;
}

static size_t values_of(const struct ahoy_map *map, uint64_t hash)
{
    size_t count = 0;
    size_t cursor = 0;
    uint64_t value = 0;
    while (ahoy_map_find(map, hash, &cursor, &value))
        count++;
    return count;
}

static void check(const struct ahoy_map *map, const struct list *list)
{
    assert_int_equal(map->used, list->count);
    assert_true(map->used <= map->capacity / 4 * 3);
    for (size_t i = 0; i < list->count; i++) {
        struct pair pair = list->pairs[i];
        size_t same_pair = 0;
        size_t same_hash = 0;
        for (size_t k = 0; k < list->count; k++) {
            same_hash += list->pairs[k].hash == pair.hash;
            same_pair += list->pairs[k].hash == pair.hash && list->pairs[k].value == pair.value;
        }
        assert_int_equal(times(map, pair.hash, pair.value), same_pair);
        assert_int_equal(values_of(map, pair.hash), same_hash);
    }
}

/* Every so often a hash that others have, small ones in a row, the ends of the range, or any. */
static uint64_t some_hash(struct ahoy_rng *rng)
{
    static const uint64_t shifts[] = { 0, 16, 32, 56 };
    uint64_t kind = ahoy_rng_below(rng, 6);
    if (kind < 4)
        return ahoy_rng_below(rng, 24) << shifts[kind];
    if (kind == 4)
        return UINT64_MAX - ahoy_rng_below(rng, 3);
    return ahoy_rng_next(rng);
}

static void remove_some(struct ahoy_map *map, struct list *list, struct ahoy_rng *rng)
{
    size_t at = (size_t)ahoy_rng_below(rng, list->count);
    struct pair pair = list->pairs[at];
    assert_true(ahoy_map_remove(map, pair.hash, pair.value));
    list->pairs[at] = list->pairs[--list->count];
    /* A hash and a value that are in the map, though not together. */
    uint64_t absent = pair.value + (UINT64_C(1) << 40);
    assert_false(ahoy_map_remove(map, pair.hash, absent));
}

static void test_against_a_list(void **state)
{
    (void)state;
    static struct list list;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct ahoy_map map;
        struct ahoy_rng rng;
        size_t most = seed % 4 == 0 ? 600 : 11;
        list.count = 0;
        ahoy_rng_init(&rng, (const uint64_t[2]){ seed, 3 });
        ahoy_map_init(&map, most);
        for (int i = 0; i < 4000; i++) {
            if (list.count == 0 || ahoy_rng_below(&rng, 100) < 52) {
                struct pair pair = { some_hash(&rng), ahoy_rng_below(&rng, 50) };
                assert_int_equal(ahoy_map_add(&map, pair.hash, pair.value), list.count < most);
                if (list.count < most)
                    list.pairs[list.count++] = pair;
            } else {
                remove_some(&map, &list, &rng);
            }
            if (most < 20 ? i % 8 == 0 : i % 1000 == 0)
                check(&map, &list);
        }
        check(&map, &list);
        while (list.count > 0)
            remove_some(&map, &list, &rng);
        assert_int_equal(map.used, 0);
        ahoy_map_fini(&map);
    }
}

static void test_nothing_in_an_empty_map(void **state)
{
    (void)state;
    struct ahoy_map map;
    uint64_t value = 4711;
    size_t cursor = 0;
    ahoy_map_init(&map, 10);
    assert_false(ahoy_map_find(&map, 0, &cursor, &value));
    assert_false(ahoy_map_find(&map, 1, &cursor, &value));
    assert_false(ahoy_map_remove(&map, 0, 0));
    assert_true(ahoy_map_add(&map, 5, 6));
    assert_true(ahoy_map_remove(&map, 5, 6));
    cursor = 0;
    assert_false(ahoy_map_find(&map, 0, &cursor, &value));
    assert_false(ahoy_map_find(&map, 5, &cursor, &value));
    assert_int_equal(value, 4711);
    ahoy_map_fini(&map);
}

/* Hash 0 and value 0 are as good as any other. */
static void test_zero_is_a_hash_and_a_value(void **state)
{
    (void)state;
    struct ahoy_map map;
    ahoy_map_init(&map, 10);
    assert_true(ahoy_map_add(&map, 0, 0));
    assert_true(ahoy_map_add(&map, 0, 1));
    assert_true(ahoy_map_add(&map, 1, 0));
    assert_int_equal(times(&map, 0, 0), 1);
    assert_int_equal(values_of(&map, 0), 2);
    assert_int_equal(values_of(&map, 1), 1);
    assert_true(ahoy_map_remove(&map, 0, 0));
    assert_false(ahoy_map_remove(&map, 0, 0));
    assert_int_equal(values_of(&map, 0), 1);
    ahoy_map_fini(&map);
}

/* An ended walk stays ended. */
static void test_walk_ends_for_good(void **state)
{
    (void)state;
    struct ahoy_map map;
    ahoy_map_init(&map, 10);
    for (uint64_t i = 0; i < 10; i++)
        assert_true(ahoy_map_add(&map, 77, i));
    size_t cursor = 0;
    uint64_t value = 0;
    for (int i = 0; i < 10; i++)
        assert_true(ahoy_map_find(&map, 77, &cursor, &value));
    for (int i = 0; i < 10; i++)
        assert_false(ahoy_map_find(&map, 77, &cursor, &value));
    ahoy_map_fini(&map);
}

static void test_limit(void **state)
{
    (void)state;
    struct ahoy_map map;
    ahoy_map_init(&map, 0);
    assert_false(ahoy_map_add(&map, 1, 1));
    assert_int_equal(map.capacity, 0);
    ahoy_map_fini(&map);

    ahoy_map_init(&map, 100);
    for (uint64_t i = 0; i < 100; i++)
        assert_true(ahoy_map_add(&map, i, i));
    assert_false(ahoy_map_add(&map, 100, 100));
    assert_int_equal(values_of(&map, 100), 0);
    assert_true(ahoy_map_remove(&map, 50, 50));
    assert_true(ahoy_map_add(&map, 100, 100));
    assert_false(ahoy_map_add(&map, 50, 50));
    ahoy_map_fini(&map);
}

/* A large map grows without anybody who waits for all of it, and all is found and can be removed
 * meanwhile, where it lies by now. */
static void test_grows_by_and_by(void **state)
{
    (void)state;
    enum { COUNT = 100000, KEPT = 3, RUN_MOST = 1000 };
    struct ahoy_map map;
    struct ahoy_rng rng;
    static uint64_t hashes[COUNT];
    unsigned growing = 0;
    ahoy_rng_init(&rng, (const uint64_t[2]){ 6, 7 });
    ahoy_map_init(&map, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        size_t capacity = map.capacity, moved = map.old_next;
        bool was_growing = map.old != NULL;
        hashes[i] = ahoy_rng_next(&rng);
        assert_true(ahoy_map_add(&map, hashes[i], i));
        if (map.capacity > capacity)
            assert_true(!was_growing && (capacity < 64 || map.old != NULL));
        else
            assert_true(!was_growing || map.old_next - moved <= RUN_MOST);
        growing += map.old != NULL;
        if (i > 0 && (i - 1) % KEPT != 0)
            assert_true(ahoy_map_remove(&map, hashes[i - 1], i - 1));
        size_t other = ahoy_rng_below(&rng, i + 1);
        assert_int_equal(times(&map, hashes[other], other), other % KEPT == 0 || other == i);
    }
    assert_true(growing > COUNT / 50);
    for (size_t i = 0; i < COUNT - 1; i++)
        assert_int_equal(times(&map, hashes[i], i), i % KEPT == 0);
    ahoy_map_fini(&map);
}

/* However many entries pass through, a map that holds few stays small. */
static void test_passing_through_does_not_grow(void **state)
{
    (void)state;
    struct ahoy_map map;
    struct ahoy_rng rng;
    uint64_t window[10] = { 0 };
    ahoy_rng_init(&rng, (const uint64_t[2]){ 4, 4 });
    ahoy_map_init(&map, 1000);
    for (size_t i = 0; i < 100000; i++) {
        uint64_t hash = ahoy_rng_next(&rng);
        if (i >= 10)
            assert_true(ahoy_map_remove(&map, window[i % 10], i - 10));
        window[i % 10] = hash;
        assert_true(ahoy_map_add(&map, hash, i));
    }
    assert_int_equal(map.used, 10);
    assert_int_equal(map.capacity, 16);
    ahoy_map_fini(&map);
}

/* Growth that fails leaves all that was there, and succeeds when there is memory again. */
static void test_refused_memory_changes_nothing(void **state)
{
    (void)state;
    for (size_t count = 0;; count++) {
        struct ahoy_map map;
        ahoy_map_init(&map, MOST);
        uint64_t added = 0;
        failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
        while (added < MOST && ahoy_map_add(&map, added * 7, added))
            added++;
        size_t refused = failing_alloc_end();
        assert_int_equal(refused == 0, added == MOST);
        assert_int_equal(map.used, added);
        for (uint64_t i = 0; i < added; i++)
            assert_int_equal(times(&map, i * 7, i), 1);
        while (added < MOST) {
            assert_true(ahoy_map_add(&map, added * 7, added));
            added++;
        }
        for (uint64_t i = 0; i < added; i++)
            assert_int_equal(times(&map, i * 7, i), 1);
        ahoy_map_fini(&map);
        if (refused == 0)
            break;
    }
}

/* What has a place reserved needs no memory any more, however full the table is. */
static void test_reserved_place_is_not_refused(void **state)
{
    (void)state;
    struct ahoy_map map;
    ahoy_map_init(&map, MOST);
    for (uint64_t added = 0; added < MOST; added++) {
        assert_true(ahoy_map_reserve(&map));
        failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
        bool done = ahoy_map_add(&map, added * 7, added);
        failing_alloc_end();
        assert_true(done);
    }
    assert_false(ahoy_map_reserve(&map)); /* The limit. */
    ahoy_map_fini(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_nothing_in_an_empty_map),
        cmocka_unit_test(test_zero_is_a_hash_and_a_value),
        cmocka_unit_test(test_walk_ends_for_good),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_grows_by_and_by),
        cmocka_unit_test(test_passing_through_does_not_grow),
        cmocka_unit_test(test_refused_memory_changes_nothing),
        cmocka_unit_test(test_reserved_place_is_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
