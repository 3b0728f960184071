/* Redirections that are followed (RFC 3261 16.7 step 4). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/failing_alloc.h"
#include "tests/support/stage.h"

/* Alice calls Bob; what redirects him may be followed. */
static void call(struct stage *stage)
{
    stage->plan.follows = true;
    stage->plan.sender = 7;
    stage->plan.tier_ms = 20000;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
}

/* The new branch is the request as it came, for the new target. */
static void a_contact_becomes_a_target(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_fail(stage, BOB, 302, "Contact: <sip:carol@192.0.2.12>\r\n");
    assert_int_equal(stage->sender, 7);
    stage_expect(stage, CAROL, "INVITE");
    stage_expect_invite(stage, "sip:carol@192.0.2.12", "");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_int_equal(stage->redirected, 1);
}

/* Record-Route, Path and the flow are those of the new target alone. */
static void what_was_for_the_first_target_goes(void **state)
{
    struct stage *stage = *state;
    stage->plan.record_route = true;
    stage->plan.record_route_params = SPAN(";dialog=1");
    stage->targets[0].flow = SPAN("bobs");
    stage->targets[0].routes = SPAN("<sip:edge.example;lr>");
    call(stage);
    assert_true(stage_has(stage, "Record-Route: <sip:bobs@192.0.2.1:5060;transport=udp;lr>"));
    assert_true(stage_has(stage, "Route: <sip:edge.example;lr>"));
    stage_fail(stage, BOB, 302, "Contact: <sip:carol@192.0.2.12>\r\n");
    stage_expect(stage, CAROL, "INVITE");
    stage_expect_invite(stage, "sip:carol@192.0.2.12",
                        "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr;dialog=1>\r\n");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Of several the best begins, and the next one when it has failed. */
static void they_are_tried_in_the_order_of_q(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_fail(stage, BOB, 300,
               "Contact: <sip:carol@192.0.2.12>;q=0.3, <sip:dave@192.0.2.13>;q=0.8\r\n");
    stage_expect(stage, DAVE, "INVITE");
    stage_expect_silence(stage);
    stage_fail(stage, DAVE, 486, "");
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, CAROL, 404, "");
    stage_end_with(stage, "486"); /* Not the 300, of which nothing is left. */
}

/* R3261-16.7-7: a contact that was tried is not in what goes up. */
static void what_was_not_followed_goes_up(void **state)
{
    static const char *const rows[][2] = {
        { "Contact: <sip:x@far.example>, <sip:carol@192.0.2.12>, <tel:+1>\r\n",
          "Contact: <sip:x@far.example>, <tel:+1>" },
        { "Contact: <sip:carol@192.0.2.12>, <tel:+1>\r\n", "Contact: <tel:+1>" },
        { "Contact: <tel:+1> , <sip:carol@192.0.2.12>\r\n", "Contact: <tel:+1>" },
        { "Contact: <sip:carol@192.0.2.12>\r\nContact: <tel:+1>\r\n", "Contact: <tel:+1>" },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        call(stage);
        stage_fail(stage, BOB, 302, rows[i][0]);
        stage_expect(stage, CAROL, "INVITE");
        stage_fail(stage, CAROL, 404, "");
        stage_expect(stage, ALICE, "302");
        assert_true(stage_has(stage, rows[i][1]));
        assert_null(memmem(stage->last.at, stage->last.size, "carol", 5));
        stage_say(stage, ALICE, STAGE_ACK);
        stage_wait(stage, 70000);
    }
}

/* What the policy allows nothing of, and what is no redirection to contacts, goes up as it is. */
static void others_go_up_as_they_are(void **state)
{
    static const struct {
        unsigned status;
        const char *rows;
    } rows[] = {
        { 302, "" },
        { 302, "Contact: <sip:x@far.example>\r\n" },
        { 302, "Contact: <>\r\n" },
        { 302, "Contact: *\r\n" },
        { 302, "Contact: ,,,\r\n" },
        { 305, "Contact: <sip:carol@192.0.2.12>\r\n" },
        { 380, "Contact: <sip:carol@192.0.2.12>\r\n" },
        { 399, "Contact: <sip:carol@192.0.2.12>\r\n" },
        { 302, "Contact: <sip:bob@192.0.2.11>\r\n" }, /* R3261-16.5-4: it was tried. */
        { 302, "Contact: <sip:bob@192.0.2.11;x=y>\r\n" },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        call(stage);
        stage_fail(stage, BOB, rows[i].status, rows[i].rows);
        stage_expect(stage, ALICE,
                     rows[i].status == 302   ? "302"
                     : rows[i].status == 305 ? "305"
                     : rows[i].status == 380 ? "380"
                                             : "399");
        stage_say(stage, ALICE, STAGE_ACK);
        stage_wait(stage, 70000);
    }
    stage_fork(stage, 1);
    stage->plan.follows = false;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    unsigned before = stage->redirected;
    stage_fail(stage, BOB, 302, "Contact: <sip:carol@192.0.2.12>\r\n");
    stage_end_with(stage, "302");
    assert_int_equal(stage->redirected, before);
}

/* R3261-16.5-4, R3261-16.5-6: two that send the call to each other get it once each. */
static void nobody_is_asked_twice(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 2);
    call(stage);
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, BOB, 302, "Contact: <sip:carol@192.0.2.12>, <sip:dave@192.0.2.13>\r\n");
    stage_expect(stage, DAVE, "INVITE");
    stage_fail(stage, CAROL, 302, "Contact: <sip:dave@192.0.2.13>, <sip:bob@192.0.2.11>\r\n");
    stage_expect_silence(stage);
    stage_fail(stage, DAVE, 301, "Contact: <sip:bob@192.0.2.11>\r\n");
    stage_end_with(stage, "302");
}

/* AHOY_REDIRECTIONS_LIMIT: a chain ends. */
static void a_chain_has_an_end(void **state)
{
    struct stage *stage = *state;
    call(stage);
    for (unsigned i = 0; i < AHOY_REDIRECTIONS_LIMIT; i++) {
        char rows[64];
        snprintf(rows, sizeof rows, "Contact: <sip:x@192.0.2.%u>\r\n", 12 + i);
        stage_fail(stage, (enum stage_peer)(BOB + i), 302, rows);
        stage_expect(stage, (enum stage_peer)(BOB + i + 1), "INVITE");
    }
    stage_fail(stage, (enum stage_peer)(BOB + AHOY_REDIRECTIONS_LIMIT), 302,
               "Contact: <sip:x@192.0.2.25>\r\n");
    stage_end_with(stage, "302");
}

/* AHOY_TARGETS_LIMIT: a flood of contacts does not become one of requests. */
static void a_flood_has_an_end(void **state)
{
    static char rows[4096] = "Contact: <tel:+1>";
    struct stage *stage = *state;
    size_t size = strlen(rows);
    for (unsigned i = 0; i < 60; i++)
        size += (size_t)snprintf(rows + size, sizeof rows - size, ", <sip:%u@192.0.2.12>", i);
    memcpy(rows + size, "\r\n", 3);
    stage_transport(stage, CAROL, AHOY_TCP);
    call(stage);
    stage_fail(stage, BOB, 302, rows);
    for (unsigned i = 0; i < AHOY_TARGETS_LIMIT - 1; i++)
        stage_expect(stage, CAROL, "INVITE");
    stage_expect_silence(stage);
    stage_answer(stage, CAROL, 603, "");
    stage_expect(stage, CAROL, "ACK");
    stage_wait(stage, 40000);
    while (stage->read < stage->count)
        stage->read++;
}

/* A caller who has given up is not sent on: the 487 is what he gets. */
static void after_a_cancel_nothing_is_followed(void **state)
{
    struct stage *stage = *state;
    call(stage);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_say(stage, ALICE,
              "CANCEL sip:bob@example.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
              "From: <sip:alice@example.com>;tag=a\r\n"
              "To: <sip:bob@example.com>\r\n"
              "Call-ID: 1@192.0.2.10\r\n"
              "CSeq: 1 CANCEL\r\n\r\n");
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    stage_answer_to(stage, BOB, "CANCEL", 200, "");
    stage_fail(stage, BOB, 302, "Contact: <sip:carol@192.0.2.12>\r\n");
    stage_end_with(stage, "302");
}

/* A request that is no INVITE is sent on too; its redirected branch keeps nothing. */
static void what_is_no_invite_is_sent_on(void **state)
{
    struct stage *stage = *state;
    stage->plan.follows = true;
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_answer(stage, BOB, 302, "Contact: <sip:carol@192.0.2.12>\r\n");
    stage_expect(stage, CAROL, "OPTIONS");
    assert_true(stage_has(stage, "Max-Forwards: 69"));
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Two tiers, of which the first redirects, with the allocation number |count| and perhaps all later
 * ones refused; false when none was. */
static bool fails_at(size_t count, enum failing_alloc_mode mode)
{
    static struct stage stage;
    failing_alloc_begin(count, mode);
    bool opened = stage_open(&stage, 10);
    if (opened) {
        for (unsigned i = 0; i < 5; i++)
            stage_transport(&stage, (enum stage_peer)i, AHOY_TCP);
        stage_fork(&stage, 2);
        stage.targets[0].q = 1000;
        stage.plan.follows = true;
        stage.plan.tier_ms = 20000;
        stage_say(&stage, ALICE, STAGE_INVITE);
        if (stage_can_answer(&stage, BOB))
            stage_answer(&stage, BOB, 302, "Contact: <sip:dave@192.0.2.13>, <tel:+1>\r\n");
        if (stage_can_answer(&stage, DAVE))
            stage_answer(&stage, DAVE, 486, "");
        if (stage_can_answer(&stage, CAROL))
            stage_answer(&stage, CAROL, 404, "");
    }
    size_t refused = failing_alloc_end();
    if (!opened)
        return true;
    stage_wait(&stage, 600000);
    assert_int_equal(ahoy_proxy_count(stage.proxy), 0);
    assert_int_equal(ahoy_proxy_open(stage.proxy), 0);
    assert_int_equal(ahoy_transactions_count(stage.transactions), 0);
    assert_true(ahoy_proxy_deadline(stage.proxy) == UINT64_MAX);
    stage_close(&stage);
    return refused > 0;
}

static void failing_allocations_are_survived(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    for (int mode = FAILING_ALLOC_ONE; mode <= FAILING_ALLOC_FROM_THERE; mode++) {
        size_t count = 0;
        while (fails_at(count, (enum failing_alloc_mode)mode))
            count++;
        assert_true(count > 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(a_contact_becomes_a_target),
        stage_test(what_was_for_the_first_target_goes),
        stage_test(they_are_tried_in_the_order_of_q),
        stage_test(what_was_not_followed_goes_up),
        stage_test(others_go_up_as_they_are),
        stage_test(nobody_is_asked_twice),
        stage_test(a_chain_has_an_end),
        stage_test(a_flood_has_an_end),
        stage_test(after_a_cancel_nothing_is_followed),
        stage_test(what_is_no_invite_is_sent_on),
        cmocka_unit_test(failing_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
