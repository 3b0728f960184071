/* The client side with real messages and virtual time: every timer to the millisecond, what is
 * sent and what comes up (RFC 3261 17.1, RFC 6026 7.2, 8.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/layer.h"

static struct layer layer;

static void test_invite_unanswered(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    struct ahoy_handle handle = layer_send(&layer, AHOY_METHOD_INVITE, 7);
    assert_int_not_equal(handle.generation, 0);
    layer_run(&layer, 40000);
    layer_expect(&layer, "0 > INVITE\n"
                         "500 > INVITE\n"
                         "1500 > INVITE\n"
                         "3500 > INVITE\n"
                         "7500 > INVITE\n"
                         "15500 > INVITE\n"
                         "31500 > INVITE\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invite_unanswered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
