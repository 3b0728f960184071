/* The flows of an instance, one after the other (RFC 5626 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/tu/proxy.h"
#include "tests/support/stage.h"

/* Alice calls an instance that has flows to Bob, Carol and Dave, in this order. */
static void call(struct stage *stage)
{
    stage_fork(stage, 3);
    stage->targets[0].next = &stage->targets[1];
    stage->targets[1].next = &stage->targets[2];
    stage->plan.count = 1;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_expect_silence(stage); /* R5626-7-1 */
}

/* R5626-7-2 */
static void a_flow_that_failed_is_followed_by_the_next(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_answer(stage, BOB, 430, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, CAROL, "INVITE");
    stage_lose(stage, CAROL);
    stage_expect(stage, DAVE, "INVITE");
    stage_answer(stage, DAVE, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_answer(stage, DAVE, 486, "");
    stage_expect(stage, DAVE, "ACK");
    stage_end_with(stage, "486");
}

static void the_last_flow_has_the_last_word(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_lose(stage, BOB);
    stage_expect(stage, CAROL, "INVITE");
    stage_lose(stage, CAROL);
    stage_expect(stage, DAVE, "INVITE");
    stage_answer(stage, DAVE, 430, "");
    stage_expect(stage, DAVE, "ACK");
    stage_end_with(stage, "430");
}

/* RFC 5626 11.5: who called the user learns nothing of his flows. */
static void a_failed_flow_is_no_answer_at_home(void **state)
{
    struct stage *stage = *state;
    stage->plan.is_home = true;
    call(stage);
    stage_lose(stage, BOB);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 430, "");
    stage_expect(stage, CAROL, "ACK");
    stage_expect(stage, DAVE, "INVITE");
    stage_answer(stage, DAVE, 430, "");
    stage_expect(stage, DAVE, "ACK");
    stage_end_with(stage, "480");
}

/* R5626-7-2: the instance has answered. */
static void any_other_response_is_the_instances(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_answer(stage, BOB, 480, "");
    stage_expect(stage, BOB, "ACK");
    stage_end_with(stage, "480");
}

/* A flow that rang is not left because it breaks. */
static void a_flow_that_rang(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_answer(stage, BOB, 486, "");
    stage_expect(stage, BOB, "ACK");
    stage_end_with(stage, "486");
}

/* The Record-Route of a flow names it, and its own alone.  A Path is a Route where there was none:
 * R3261-16.6-20. */
static void tokens_stand_in_record_route(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 2);
    stage->targets[0].next = &stage->targets[1];
    stage->targets[0].flow = SPAN("bobs");
    stage->targets[1].flow = SPAN("carols");
    stage->targets[1].routes = SPAN("<sip:edge.example;lr;ob>");
    stage->plan.count = 1;
    stage->plan.record_route = true;
    stage->plan.record_route_params = SPAN(";dialog=1");
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    assert_true(stage_has(stage, "Record-Route: <sip:bobs@192.0.2.1:5060;transport=udp;lr>"));
    assert_true(stage_has(stage, "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr;dialog=1>"));
    stage_answer(stage, BOB, 430, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, CAROL, "INVITE");
    assert_true(stage_has(stage, "Record-Route: <sip:carols@192.0.2.1:5060;transport=udp;lr>"));
    assert_true(stage_has(stage, "Route: <sip:edge.example;lr;ob>"));
    stage_answer(stage, CAROL, 486, "");
    stage_expect(stage, CAROL, "ACK");
    stage_end_with(stage, "486");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(a_flow_that_failed_is_followed_by_the_next),
        stage_test(the_last_flow_has_the_last_word),
        stage_test(a_failed_flow_is_no_answer_at_home),
        stage_test(any_other_response_is_the_instances),
        stage_test(a_flow_that_rang),
        stage_test(tokens_stand_in_record_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
