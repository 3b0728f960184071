/* Slabs: items lie apart, keep what is in them, and what was given back is used again, also for
 * items of another size. */
#include "ahoyd/store/slabs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "libahoy/base/poison.h"
#include "libahoy/base/rng.h"

enum { ITEMS = 3000, STEPS = 60000, SIZE = 240 };

struct item {
    unsigned char *at;
    size_t size;
    unsigned char mark;
};

static struct slabs slabs;

static int set_up(void **state)
{
    (void)state;
    return slabs_init(&slabs) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    slabs_fini(&slabs);
    return 0;
}

static void check(const struct item *item)
{
    for (size_t i = 0; i < item->size; i++)
        assert_int_equal(item->at[i], item->mark);
}

static void items_keep_what_is_in_them(void **state)
{
    (void)state;
    static struct item items[ITEMS];
    static const uint64_t key[2] = { 1, 2 };
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, key);
    for (unsigned i = 0; i < STEPS; i++) {
        struct item *item = &items[ahoy_rng_below(&rng, ITEMS)];
        if (item->at != NULL) {
            check(item);
            slabs_give(&slabs, item->at);
            item->at = NULL;
            continue;
        }
        /* Most are small, and some as large as may be. */
        size_t most = i % 100 == 0 ? SLABS_ITEM_LIMIT : i % 10 == 0 ? 3000 : 400;
        item->size = 24 + ahoy_rng_below(&rng, most - 23);
        item->mark = (unsigned char)i;
        item->at = slabs_take(&slabs, item->size);
        assert_non_null(item->at);
        assert_int_equal((uintptr_t)item->at % SLABS_GRANULE, 0);
        assert_ptr_equal(slabs_at(&slabs, slabs_number(&slabs, item->at)), item->at);
        memset(item->at, item->mark, item->size);
    }
    for (size_t i = 0; i < ITEMS; i++) {
        if (items[i].at != NULL)
            check(&items[i]);
        slabs_give(&slabs, items[i].at);
    }
}

static void fill(void *items[ITEMS], size_t size)
{
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = slabs_take(&slabs, size);
        assert_non_null(items[i]);
    }
}

static void empty_slabs_become_of_any_size(void **state)
{
    (void)state;
    static void *items[ITEMS];
    fill(items, SIZE);
    uint32_t count = slabs.count;
    for (size_t i = 0; i < ITEMS; i++)
        slabs_give(&slabs, items[i]);
    for (size_t size = SIZE; size > 0; size -= SIZE / 8) {
        fill(items, size);
        assert_int_equal(slabs.count, count);
        for (size_t i = ITEMS; i > 0; i--)
            slabs_give(&slabs, items[i - 1]);
    }
}

/* So a crowd whose items shrink a little needs no more memory. */
static void a_slot_that_is_a_little_larger_does(void **state)
{
    (void)state;
    static void *items[ITEMS];
    fill(items, SIZE);
    uint32_t count = slabs.count;
    for (size_t i = 0; i < ITEMS; i++) {
        slabs_give(&slabs, items[i]);
        items[i] = slabs_take(&slabs, SIZE - SLABS_GRANULE);
    }
    assert_int_equal(slabs.count, count);
}

static void what_is_beyond_a_limit_is_refused(void **state)
{
    (void)state;
    assert_null(slabs_take(&slabs, SLABS_ITEM_LIMIT + 1));
    void *last = slabs_take(&slabs, SLABS_ITEM_LIMIT);
    assert_non_null(last);
    slabs.items.limit = slabs.items.size;
    for (void *item = last; item != NULL; item = slabs_take(&slabs, SLABS_ITEM_LIMIT))
        last = item;
    slabs_give(&slabs, last);
    assert_non_null(slabs_take(&slabs, SLABS_ITEM_LIMIT)); /* There is room for it again. */
}

/* Nobody reads an item that was given back, nor behind its end, without being found out. */
static void what_nobody_may_touch_is_known(void **state)
{
    (void)state;
#ifdef AHOY_POISONS
    char *item = slabs_take(&slabs, 200);
    assert_false(__asan_address_is_poisoned(item + 199));
    assert_true(__asan_address_is_poisoned(item + 200));
    slabs_give(&slabs, item);
    assert_true(__asan_address_is_poisoned(item + 199));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(items_keep_what_is_in_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_slabs_become_of_any_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slot_that_is_a_little_larger_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_beyond_a_limit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_nobody_may_touch_is_known, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
