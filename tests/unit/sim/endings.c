/* What the witness of the simulator takes a request for that comes again: while its transaction
 * lives it is absorbed, behind that it is a request of its own (17.2.1, 17.2.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/court.h"

static void ask(uint64_t stream, const char *method)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "%s sip:grace@atlanta.example SIP/2.0\r\n" THEIRS "1;rport\r\n"
                        "From: <sip:frank@atlanta.example>;tag=f\r\n"
                        "To: <sip:grace@atlanta.example>\r\nCall-ID: call-1\r\nCSeq: 1 %s\r\n"
                        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                        method, method);
    court_comes(stream, &court_caller, (struct span){ text, (size_t)size });
}

/* It comes twice in the bytes of one turn, or a turn |apart|. */
static void ask_twice(uint64_t stream, const char *method, bool apart)
{
    ask(stream, method);
    if (apart)
        court_turn(100);
    ask(stream, method);
}

static void refuse(uint64_t stream, const char *line, const char *method)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "%s\r\n" THEIRS "1" MARKED "From: <sip:frank@atlanta.example>;tag=f\r\n"
                        "To: <sip:grace@atlanta.example>;tag=p\r\nCall-ID: call-1\r\n"
                        "CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
                        line, method);
    court_goes(stream, &court_caller, (struct span){ text, (size_t)size });
}

static void play_copies(uint64_t stream, const char *method, bool apart)
{
    ask_twice(stream, method, apart);
    refuse(stream, "SIP/2.0 404 Not Found", method);
    refuse(stream, "SIP/2.0 407 Prove It", method);
}

/* 17.2.2: timer J is 0 over a connection, so what comes behind an answer is a request of its own.
 * There are two of them, and as many answers. */
static void test_copies_by_a_connection(void **state)
{
    (void)state;
    play_copies(FIRST_STREAM, "INFO", false);
    court_expect(0);
    refuse(FIRST_STREAM, "SIP/2.0 500 Oh", "INFO");
    court_expect(1);
}

static void test_copies_by_datagrams(void **state)
{
    (void)state;
    play_copies(0, "INFO", false);
    court_expect(1);
}

/* An INVITE waits for its ACK, whatever brought it: 17.2.1. */
static void test_copies_of_an_invite(void **state)
{
    (void)state;
    play_copies(FIRST_STREAM, "INVITE", false);
    court_expect(1);
}

/* The first was not answered at once, so the other is a retransmission. */
static void test_a_copy_while_it_waits(void **state)
{
    (void)state;
    play_copies(FIRST_STREAM, "INFO", true);
    court_expect(1);
}

static void from_caller(const char *line)
{
    court_comes(0, &court_caller, court_message(line, THEIRS "1;rport\r\n", 1));
}

/* An INVITE is answered 486, by timer G again and again; its ACK comes |acked_ms| after the first
 * of these, and the INVITE once more after |again_ms|. */
static void play_late_ack(uint64_t acked_ms, uint64_t again_ms)
{
    uint64_t passed_ms = 0, interval_ms = SIM_T1_MS;
    court_forward(1, 0, 1);
    court_answer(1, 0, 1, 1, "SIP/2.0 486 Busy Here");
    court_acknowledge(1, 0, 1);
    court_pass_on(1, 1, "SIP/2.0 486 Busy Here");
    while (passed_ms + interval_ms < acked_ms && passed_ms + interval_ms < SIM_64T1_MS) {
        court_turn(interval_ms);
        court_pass_on(1, 1, "SIP/2.0 486 Busy Here");
        passed_ms += interval_ms;
        interval_ms = 2 * interval_ms < SIM_T2_MS ? 2 * interval_ms : SIM_T2_MS;
    }
    court_turn(acked_ms - passed_ms);
    from_caller("ACK sip:grace@atlanta.example SIP/2.0");
    court_turn(again_ms - acked_ms);
    from_caller("INVITE sip:grace@atlanta.example SIP/2.0");
}

static void wait_for_an_answer(void)
{
    court_turn(SIM_TIMER_C_MS + 2 * SIM_64T1_MS);
    court_turn(1);
}

/* 17.2.1: the ACK ends timer H, and for timer I what comes is absorbed, though 64*T1 are over. */
static void test_confirmed_absorbs(void **state)
{
    (void)state;
    play_late_ack(31000, 33000);
    wait_for_an_answer();
    court_expect(0);
}

/* What is absorbed does not go on. */
static void test_confirmed_goes_on(void **state)
{
    char vias[256];
    (void)state;
    play_late_ack(31000, 33000);
    snprintf(vias, sizeof vias, OURS "12;rport\r\n" THEIRS "1" MARKED);
    court_goes(0, &court_callee, court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    court_expect(3);
}

/* Behind timer I it is a request of its own, ... */
static void test_confirmed_is_over(void **state)
{
    (void)state;
    play_late_ack(31000, 36001);
    wait_for_an_answer();
    court_expect(2);
}

/* ... and an ACK behind timer H confirms nothing. */
static void test_ack_behind_timer_h(void **state)
{
    (void)state;
    play_late_ack(32001, 33000);
    wait_for_an_answer();
    court_expect(2);
}

/* In the instant of timer H nobody sees which of the two came first. */
static void test_ack_with_timer_h(void **state)
{
    (void)state;
    play_late_ack(32000, 33000);
    wait_for_an_answer();
    court_expect(0);
}

/* An ACK comes in the turn of the final response, or |apart|, before it. */
static void play_early_ack(bool apart)
{
    court_forward(1, 0, 1);
    from_caller("ACK sip:grace@atlanta.example SIP/2.0");
    if (apart)
        court_turn(100);
    court_answer(1, 0, 1, 1, "SIP/2.0 486 Busy Here");
    court_acknowledge(1, 0, 1);
    court_pass_on(1, 1, "SIP/2.0 486 Busy Here");
    court_turn(SIM_T1_MS + 1);
    court_turn(1);
}

/* What is due in the instant of a message goes off before it is read, so that the ACK to an answer
 * without state (8.2.7) may follow the 408 of timer B, which is then not sent again. */
static void test_ack_in_the_turn_of_the_answer(void **state)
{
    (void)state;
    play_early_ack(false);
    court_expect(0);
}

static void test_ack_before_the_answer(void **state)
{
    (void)state;
    play_early_ack(true);
    court_expect(6);
}

/* An INFO is answered, and comes once more |again_ms| after that. */
static void play_late_copy(uint64_t again_ms)
{
    ask(0, "INFO");
    court_turn(100);
    refuse(0, "SIP/2.0 404 Not Found", "INFO");
    court_turn(again_ms);
    ask(0, "INFO");
    court_turn(2 * SIM_64T1_MS);
    court_turn(1);
}

/* 17.2.2: the same of timer J. */
static void test_copy_with_timer_j(void **state)
{
    (void)state;
    play_late_copy(32000);
    court_expect(0);
}

static void test_copy_behind_timer_j(void **state)
{
    (void)state;
    play_late_copy(32001);
    court_expect(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_copies_by_a_connection, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_copies_by_datagrams, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_copies_of_an_invite, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_a_copy_while_it_waits, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_confirmed_absorbs, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_confirmed_goes_on, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_confirmed_is_over, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_ack_behind_timer_h, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_ack_with_timer_h, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_ack_in_the_turn_of_the_answer, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_ack_before_the_answer, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_copy_with_timer_j, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_copy_behind_timer_j, court_begin, court_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
