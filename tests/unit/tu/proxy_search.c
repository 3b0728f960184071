/* Targets one after the other (RFC 3261 16.6): tiers of one q, and what ends the search. */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

enum { TIER_MS = 20000 };

/* The next request is for as many targets as there are |qs| before a 0. */
static void rank(struct stage *stage, const uint16_t *qs)
{
    size_t count = 0;
    while (qs[count] != 0)
        count++;
    stage_fork(stage, count);
    for (size_t i = 0; i < count; i++)
        stage->targets[i].q = qs[i];
    stage->plan.tier_ms = TIER_MS;
}
#define RANK(stage, ...) rank(stage, (const uint16_t[]){ __VA_ARGS__, 0 })

static void call(struct stage *stage)
{
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
}

static void cancelled(struct stage *stage, enum stage_peer peer)
{
    stage_expect(stage, peer, "CANCEL");
    stage_answer_to(stage, peer, "CANCEL", 200, "");
    stage_fail(stage, peer, 487, "");
}

static void the_next_has_its_turn_when_one_fails(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 700, 300);
    call(stage);
    stage_expect_silence(stage);
    stage_fail(stage, BOB, 486, "");
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_fail(stage, CAROL, 480, "");
    stage_expect(stage, DAVE, "INVITE");
    stage_fail(stage, DAVE, 404, "");
    stage_end_with(stage, "486");
}

static void those_of_one_q_ring_together(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 1000, 300);
    call(stage);
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, CAROL, 486, "");
    stage_expect_silence(stage);
    stage_fail(stage, BOB, 404, "");
    stage_expect(stage, DAVE, "INVITE");
    stage_answer(stage, DAVE, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Its time is over: what still rings is cancelled, and the next rings beside it. */
static void a_tier_has_its_time(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 700);
    call(stage);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_wait(stage, TIER_MS - 1);
    stage_expect_silence(stage);
    stage_wait(stage, 1);
    stage_expect(stage, BOB, "CANCEL");
    stage_expect(stage, CAROL, "INVITE");
    stage_answer_to(stage, BOB, "CANCEL", 200, "");
    stage_fail(stage, BOB, 487, "");
    stage_answer(stage, CAROL, 100, "");
    stage_wait(stage, 2 * TIER_MS); /* There is no further one. */
    stage_expect_silence(stage);
    stage_fail(stage, CAROL, 486, "");
    stage_end_with(stage, "486");
}

/* Nobody is there: it is cancelled once it says something, and does not hold up the next. */
static void a_silent_tier_has_its_time(void **state)
{
    struct stage *stage = *state;
    stage_transport(stage, BOB, AHOY_TCP);
    RANK(stage, 1000, 700);
    call(stage);
    stage_wait(stage, TIER_MS);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, BOB, "CANCEL");
    stage_answer_to(stage, BOB, "CANCEL", 200, "");
    stage_expect(stage, ALICE, "180");
    stage_fail(stage, BOB, 487, "");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* A 2xx that crosses our CANCEL ends the search all the same. */
static void an_answer_ends_the_search(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 700, 300);
    call(stage);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_wait(stage, TIER_MS);
    stage_expect(stage, BOB, "CANCEL");
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 100, "");
    stage_answer_to(stage, BOB, "CANCEL", 481, "");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, CAROL, "CANCEL");
    assert_true(stage_has(stage, "Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\""));
    stage_answer_to(stage, CAROL, "CANCEL", 200, "");
    stage_fail(stage, CAROL, 487, "");
    stage_wait(stage, 3 * TIER_MS);
    stage_expect_silence(stage);
}

/* R3261-16.7-9 */
static void a_6xx_ends_the_search(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 1000, 300);
    call(stage);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 100, "");
    stage_fail(stage, BOB, 603, "");
    cancelled(stage, CAROL);
    stage_end_with(stage, "603");
    stage_wait(stage, 3 * TIER_MS);
    stage_expect_silence(stage);
}

static void give_up(struct stage *stage)
{
    stage_say(stage, ALICE,
              "CANCEL sip:bob@example.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
              "From: <sip:alice@example.com>;tag=a\r\n"
              "To: <sip:bob@example.com>\r\n"
              "Call-ID: 1@192.0.2.10\r\n"
              "CSeq: 1 CANCEL\r\n\r\n");
    stage_expect(stage, ALICE, "200");
}

/* Who gives up is told so, whatever the one before said. */
static void the_caller_gives_up_behind_a_failure(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 300);
    call(stage);
    stage_fail(stage, BOB, 486, "");
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 180, "");
    stage_expect(stage, ALICE, "180");
    give_up(stage);
    cancelled(stage, CAROL);
    stage_end_with(stage, "487");
}

/* R3261-16.10-1: what has not begun is pending too, and never begins. */
static void the_caller_ends_the_search(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 300);
    call(stage);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    give_up(stage);
    cancelled(stage, BOB);
    stage_end_with(stage, "487");
    stage_wait(stage, 3 * TIER_MS);
    stage_expect_silence(stage);
}

/* What cannot be sent is passed over at once, a whole tier of it too. */
static void what_cannot_be_sent_is_passed_over(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 700, 300);
    const struct ahoy_hop nowhere = { .transport = AHOY_SCTP, .listener = AHOY_ANY_LISTENER };
    stage->targets[0].hop = stage->targets[1].hop = nowhere;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, DAVE, "INVITE");
    stage_fail(stage, DAVE, 486, "");
    stage_end_with(stage, "486");
    for (size_t i = 0; i < 3; i++)
        stage->targets[i].hop = nowhere;
    stage_wait(stage, 40000);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_end_with(stage, "500");
}

/* Where no time is said, the next one rings when those before it have failed. */
static void without_a_time_only_failures_count(void **state)
{
    struct stage *stage = *state;
    RANK(stage, 1000, 700);
    stage->plan.tier_ms = 0;
    call(stage);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_wait(stage, 100000);
    stage_expect_silence(stage);
    stage_fail(stage, BOB, 480, "");
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, CAROL, 486, "");
    stage_end_with(stage, "480");
}

/* Names and flows wait like others, and are found when it is their turn. */
static void names_and_flows_have_their_turn(void **state)
{
    struct stage *stage = *state;
    const struct span way = SPAN("sip:biloxi.example");
    RANK(stage, 1000, 700);
    stage->targets[1].next = &stage->targets[5];
    stage->targets[5] =
        (struct ahoy_proxy_target){ .uri = SPAN("sip:carol@second"), .hop = stage->peers[DAVE] };
    stage_add_ways(stage, &way, 1);
    stage->targets[2].q = 300;
    call(stage);
    stage_fail(stage, BOB, 486, "");
    stage_expect(stage, CAROL, "INVITE");
    stage_fail(stage, CAROL, 430, "");
    stage_expect(stage, DAVE, "INVITE");
    stage_fail(stage, DAVE, 480, "");
    stage_locate(stage, "sip:biloxi.example", STAGE_AT(BOB), 1);
    stage_expect(stage, BOB, "INVITE");
    stage_fail(stage, BOB, 404, "");
    stage_end_with(stage, "486");
}

/* What is no INVITE is not cancelled, waits four seconds at most, and begins nothing late: its
 * client gives up after half a minute (RFC 4321). */
static void what_is_no_invite_goes_on_soon(void **state)
{
    struct stage *stage = *state;
    for (unsigned i = BOB; i <= DAVE; i++)
        stage_transport(stage, (enum stage_peer)i, AHOY_TCP);
    RANK(stage, 1000, 700, 300);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_answer(stage, BOB, 404, "");
    stage_expect(stage, CAROL, "OPTIONS");
    stage_wait(stage, 3500);
    stage_expect(stage, ALICE, "100");
    stage_wait(stage, AHOY_PROXY_BRIEF_MS - 3500);
    stage_expect(stage, DAVE, "OPTIONS");
    stage_answer(stage, DAVE, 480, "");
    stage_expect_silence(stage);
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* And what is best when the client has given up is told to nobody: R4320-4.2-2. */
static void what_is_no_invite_begins_nothing_late(void **state)
{
    struct stage *stage = *state;
    for (unsigned i = BOB; i < BOB + 6; i++)
        stage_transport(stage, (enum stage_peer)i, AHOY_TCP);
    RANK(stage, 1000, 900, 800, 700, 600, 500);
    stage_say(stage, ALICE, STAGE_OPTIONS);
    stage_expect(stage, BOB, "OPTIONS");
    stage_wait(stage, 3500);
    stage_expect(stage, ALICE, "100");
    stage_wait(stage, 20000);
    for (unsigned i = 1; i < 4; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "OPTIONS");
    stage_expect_silence(stage); /* At 4, 8 and 12 s, and none at 16. */
    stage_wait(stage, 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(the_next_has_its_turn_when_one_fails),
        stage_test(those_of_one_q_ring_together),
        stage_test(a_tier_has_its_time),
        stage_test(a_silent_tier_has_its_time),
        stage_test(an_answer_ends_the_search),
        stage_test(a_6xx_ends_the_search),
        stage_test(the_caller_gives_up_behind_a_failure),
        stage_test(the_caller_ends_the_search),
        stage_test(what_cannot_be_sent_is_passed_over),
        stage_test(without_a_time_only_failures_count),
        stage_test(names_and_flows_have_their_turn),
        stage_test(what_is_no_invite_goes_on_soon),
        stage_test(what_is_no_invite_begins_nothing_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
