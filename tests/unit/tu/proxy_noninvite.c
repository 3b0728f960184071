/* What is different where it is no INVITE (RFC 3261 16.7, RFC 4320 4). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

/* R4320-4.1-1, R4320-4.1-3: no provisional response but a 100, and that when Timer E has reached
 * T2. */
static void test_trying(void **state)
{
    struct stage *stage = *state;
    stage_transport(stage, BOB, AHOY_TCP);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_answer(stage, BOB, 183, "");
    stage_wait(stage, 3499);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, ALICE, "100");
    stage_answer(stage, BOB, 404, "");
    stage_expect(stage, ALICE, "404");
    stage_wait(stage, 40000);
    /* And none behind the final one. */
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_true(ahoy_proxy_deadline(stage->proxy) == UINT64_MAX);
    stage_expect_silence(stage);
}

/* RFC 4320 4.2: no 408, neither ours nor another's. */
static void test_timeout(void **state)
{
    struct stage *stage = *state;
    stage_transport(stage, BOB, AHOY_TCP);
    stage_transport(stage, CAROL, AHOY_TCP);
    stage_fork(stage, 2);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect(stage, CAROL, "OPTIONS");
    stage_answer(stage, BOB, 408, "");
    stage_wait(stage, 3500);
    stage_expect(stage, ALICE, "100");
    stage_wait(stage, 60000);
    stage_expect_silence(stage);
}

static void test_408_of_one(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 2);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect(stage, CAROL, "OPTIONS");
    stage_answer(stage, BOB, 408, "");
    stage_answer(stage, CAROL, 500, "");
    stage_expect(stage, ALICE, "500");
}

/* The first 2xx is the answer, and the others are nobody's. */
static void test_success(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 3);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    for (unsigned i = 0; i < 3; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "OPTIONS");
    stage_answer(stage, BOB, 404, "");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_answer(stage, DAVE, 200, "");
    stage_expect_silence(stage);
}

/* 6xx to what is no INVITE: nothing can be cancelled, so it waits for the others. */
static void test_global_failure(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 2);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect(stage, CAROL, "OPTIONS");
    stage_answer(stage, BOB, 606, "");
    stage_expect_silence(stage);
    stage_answer(stage, CAROL, 404, "");
    stage_expect(stage, ALICE, "606");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_trying),  stage_test(test_timeout),        stage_test(test_408_of_one),
        stage_test(test_success), stage_test(test_global_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
