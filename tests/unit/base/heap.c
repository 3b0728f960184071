/* The heap of deadlines, beside a plain list that is searched. */
#include "libahoy/base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/base/rng.h"

enum { COUNT = 100, ROUNDS = 20000 };

static uint64_t earliest(const struct ahoy_due *dues)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < COUNT; i++) {
        if (dues[i].place != 0 && dues[i].deadline_ms < first)
            first = dues[i].deadline_ms;
    }
    return first;
}

/* Whatever is set, set anew and taken out, the first is the earliest. */
static void test_first(void **state)
{
    static struct ahoy_due dues[COUNT];
    struct ahoy_heap heap;
    struct ahoy_rng rng;
    (void)state;
    ahoy_rng_init(&rng, (uint64_t[]){ 1, 2 });
    assert_true(ahoy_heap_init(&heap, COUNT));
    assert_null(ahoy_heap_first(&heap));
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct ahoy_due *due = &dues[ahoy_rng_below(&rng, COUNT)];
        bool leaves = ahoy_rng_below(&rng, 3) == 0;
        ahoy_heap_set(&heap, due, leaves ? UINT64_MAX : ahoy_rng_below(&rng, 50));
        assert_int_equal(due->place != 0, !leaves);
        const struct ahoy_due *first = ahoy_heap_first(&heap);
        assert_true((first != NULL ? first->deadline_ms : UINT64_MAX) == earliest(dues));
    }
    for (size_t i = 0; i < COUNT; i++)
        ahoy_heap_set(&heap, &dues[i], UINT64_MAX);
    assert_int_equal(heap.count, 0);
    ahoy_heap_fini(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_first) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
