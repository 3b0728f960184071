/* Large memory: what it holds is the caller's to the last byte, whatever pages it stands on. */
#include "libahoy/base/huge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/support/failing_alloc.h"

enum { MIB = 1 << 20 };

static void all_of_it_can_be_used(void **state)
{
    const size_t sizes[] = { 1,           MIB - 1,     MIB,         MIB + 1,     2 * MIB,
                             2 * MIB + 1, 3 * MIB - 1, 3 * MIB + 1, 17 * MIB / 4 };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *memory = ahoy_huge_take(sizes[i]);
        assert_non_null(memory);
        memset(memory, 0xa5, sizes[i]);
        assert_int_equal(memory[0] ^ memory[sizes[i] - 1], 0);
        free(memory);
    }
}

/* A page of 2 MiB begins where one may. */
static void what_is_large_begins_a_huge_page(void **state)
{
    void *memory = ahoy_huge_take(MIB);
    (void)state;
    assert_non_null(memory);
    assert_int_equal((uintptr_t)memory % (2 * MIB), 0);
    free(memory);
}

static void what_is_refused_is_told(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        return;
    failing_alloc_begin(0, FAILING_ALLOC_ONE);
    void *memory = ahoy_huge_take(1000);
    assert_int_equal(failing_alloc_end(), 1);
    assert_null(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_can_be_used),
        cmocka_unit_test(what_is_large_begins_a_huge_page),
        cmocka_unit_test(what_is_refused_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
