/* What the witness of the simulator takes a message for, where callees or broken connections make
 * that doubtful: what is owed nobody is not demanded, and the fault beside it is still found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/court.h"

/* R3261-18.1.2-1 with 20.42: a sent-by without a port means 5060, so that the response is ours and
 * its ACK has a reason. */
static void test_port_is_left_out(void **state)
{
    (void)state;
    court_forward(1, 0, 1);
    court_comes(0, &court_callee,
                court_message("SIP/2.0 486 Busy Here",
                              "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKour11;rport\r\n" THEIRS
                              "1" MARKED,
                              1));
    court_acknowledge(1, 0, 1);
    court_pass_on(1, 1, "SIP/2.0 486 Busy Here");
    court_turn(100);
    court_expect(0);
}

/* Another port is somebody else's. */
static void test_port_is_another(void **state)
{
    (void)state;
    court_forward(1, 0, 1);
    court_comes(0, &court_callee,
                court_message("SIP/2.0 486 Busy Here",
                              "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKour11;rport\r\n" THEIRS
                              "1" MARKED,
                              1));
    court_acknowledge(1, 0, 1);
    court_expect(7);
}

/* A callee answers the first call with the Via of the second, and that is passed on (16.7 step 3):
 * it is not the answer to the second. */
static void test_answer_to_another(void **state)
{
    (void)state;
    court_forward(1, 0, 1);
    court_forward(2, 0, 1);
    court_answer(1, 0, 1, 2, "SIP/2.0 486 Busy Here");
    court_acknowledge(1, 0, 1);
    court_pass_on(1, 2, "SIP/2.0 486 Busy Here");
    court_turn(100);
    court_answer(2, 0, 1, 2, "SIP/2.0 180 Ringing");
    court_pass_on(2, 2, "SIP/2.0 180 Ringing");
    court_turn(100);
    court_expect(0);
    /* What is its own counts as ever. */
    court_answer(2, 0, 1, 2, "SIP/2.0 486 Busy Here");
    court_acknowledge(2, 0, 1);
    court_pass_on(2, 2, "SIP/2.0 486 Busy Here");
    court_turn(100);
    court_pass_on(2, 2, "SIP/2.0 180 Ringing");
    court_expect(4);
}

/* The same where the second comes only then, and the first goes again by timer G. */
static void test_answer_to_one_to_come(void **state)
{
    (void)state;
    court_forward(1, 0, 1);
    court_answer(1, 0, 1, 2, "SIP/2.0 404 Not Found");
    court_acknowledge(1, 0, 1);
    court_pass_on(1, 2, "SIP/2.0 404 Not Found");
    court_turn(100);
    court_forward(2, 0, 1);
    court_pass_on(1, 2, "SIP/2.0 404 Not Found");
    court_turn(100);
    court_answer(2, 0, 1, 2, "SIP/2.0 180 Ringing");
    court_pass_on(2, 2, "SIP/2.0 180 Ringing");
    court_turn(100);
    court_expect(0);
}

/* Nobody has changed a Via: then a response of another call is the server's own fault. */
static void test_answer_is_mixed_up(void **state)
{
    (void)state;
    court_forward(1, 0, 1);
    court_forward(2, 0, 1);
    court_answer(1, 0, 1, 1, "SIP/2.0 486 Busy Here");
    court_acknowledge(1, 0, 1);
    court_pass_on(1, 2, "SIP/2.0 486 Busy Here");
    court_expect(12);
}

/* One branch goes by a connection, is |rung| by it or not, and is answered 302 by another one once
 * that is lost; the other branch is answered 404, which goes back. */
static void play_loss(bool is_rung, bool is_lost)
{
    court_forward(1, FIRST_STREAM, 2);
    if (is_rung)
        court_answer(1, FIRST_STREAM, 1, 1, "SIP/2.0 180 Ringing");
    if (is_rung)
        court_pass_on(1, 1, "SIP/2.0 180 Ringing");
    court_turn(100);
    if (is_lost)
        court_loses(FIRST_STREAM);
    court_turn(100);
    court_answer(1, SECOND_STREAM, 1, 1, "SIP/2.0 302 Moved Temporarily");
    court_acknowledge(1, SECOND_STREAM, 1);
    court_turn(100);
    court_answer(1, 0, 2, 1, "SIP/2.0 404 Not Found");
    court_acknowledge(1, 0, 2);
    court_pass_on(1, 1, "SIP/2.0 404 Not Found");
}

/* 17.1.4, 8.1.3.1: an INVITE that nobody has answered ends with its connection, so that what comes
 * by another one belongs to nothing. */
static void test_unheard_after_loss(void **state)
{
    (void)state;
    play_loss(false, true);
    court_turn(100);
    court_expect(0);
}

/* One that rings waits on: 17.1.1.2. */
static void test_heard_after_ringing(void **state)
{
    (void)state;
    play_loss(true, true);
    court_expect(12);
}

static void test_heard_without_loss(void **state)
{
    (void)state;
    play_loss(false, false);
    court_expect(12);
}

/* The caller cancels, and the server what it made of that by the first branch. */
static void cancel(unsigned call, uint64_t stream)
{
    char vias[256];
    snprintf(vias, sizeof vias, THEIRS "%u;rport\r\n", call);
    court_comes(0, &court_caller,
                court_message("CANCEL sip:grace@atlanta.example SIP/2.0", vias, call));
    snprintf(vias, sizeof vias, OURS "%u1;rport\r\n", call);
    court_goes(stream, &court_callee,
               court_message("CANCEL sip:grace@192.0.2.8 SIP/2.0", vias, call));
}

/* A ringing branch is answered where there may be no memory for it: then it may ring on. */
static void play_answer(bool is_short)
{
    court_forward(1, 0, 1);
    court_answer(1, 0, 1, 1, "SIP/2.0 180 Ringing");
    court_pass_on(1, 1, "SIP/2.0 180 Ringing");
    court_turn(100);
    court_answer(1, 0, 1, 1, "SIP/2.0 480 Temporarily Unavailable");
    if (is_short)
        sim_witness_excuse(court_witness());
    else
        court_acknowledge(1, 0, 1);
    court_turn(100);
    cancel(1, 0);
}

static void test_cancel_of_one_unheard(void **state)
{
    (void)state;
    play_answer(true);
    court_turn(100);
    court_expect(0);
}

static void test_cancel_of_one_heard(void **state)
{
    (void)state;
    play_answer(false);
    court_expect(10);
}

/* Where memory is short before the answer and behind it, that was heard all the same. */
static void test_cancel_of_one_heard_between(void **state)
{
    (void)state;
    court_forward(1, 0, 1);
    court_answer(1, 0, 1, 1, "SIP/2.0 180 Ringing");
    court_pass_on(1, 1, "SIP/2.0 180 Ringing");
    sim_witness_excuse(court_witness());
    court_turn(100);
    court_answer(1, 0, 1, 1, "SIP/2.0 480 Temporarily Unavailable");
    court_acknowledge(1, 0, 1);
    court_turn(100);
    sim_witness_excuse(court_witness());
    court_turn(100);
    cancel(1, 0);
    court_expect(10);
}

/* An INVITE comes, for which there may be no memory; it comes again, and is refused at once; and
 * again, and goes on. */
static void play_refusal(bool is_short)
{
    court_comes(0, &court_caller,
                court_message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;rport\r\n", 1));
    if (is_short)
        sim_witness_excuse(court_witness());
    court_turn(100);
    court_comes(0, &court_caller,
                court_message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;rport\r\n", 1));
    court_pass_on(1, 1, "SIP/2.0 404 Not Found");
    court_turn(100);
    court_forward(1, 0, 1);
    court_answer(1, 0, 1, 1, "SIP/2.0 180 Ringing");
    court_pass_on(1, 1, "SIP/2.0 180 Ringing");
    court_turn(100);
    cancel(1, 0);
    court_turn(100);
}

/* 8.2.7: what came first left nothing, so it was refused without a transaction. */
static void test_refusal_of_one_unheard(void **state)
{
    (void)state;
    play_refusal(true);
    court_expect(0);
}

static void test_refusal_of_one_that_waits(void **state)
{
    (void)state;
    play_refusal(false);
    court_expect(3);
}

/* A request of some more than |size| bytes goes by a connection and is answered 180 or not; that is
 * lost or not; and it goes again, by UDP. */
static void play_move(size_t size, bool is_rung, bool is_lost)
{
    char vias[2048];
    int end = snprintf(vias, sizeof vias, OURS "11;rport\r\n" THEIRS "1;x=");
    memset(vias + end, 'x', size);
    snprintf(vias + end + size, sizeof vias - (size_t)end - size, MARKED);
    court_comes(
        0, &court_caller,
        court_message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;x=x;rport\r\n", 1));
    court_goes(FIRST_STREAM, &court_callee,
               court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    court_turn(100);
    if (is_rung)
        court_answer(1, FIRST_STREAM, 1, 1, "SIP/2.0 180 Ringing");
    if (is_rung)
        court_pass_on(1, 1, "SIP/2.0 180 Ringing");
    court_turn(100);
    if (is_lost)
        court_loses(FIRST_STREAM);
    court_goes(0, &court_callee, court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
}

/* 18.1.1: what moved for its size goes back to UDP, and is sent again there as ever. */
static void test_moves_back(void **state)
{
    char vias[64];
    (void)state;
    play_move(1300, false, true);
    court_turn(500);
    snprintf(vias, sizeof vias, OURS "11;rport\r\n");
    court_goes(0, &court_callee, court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    court_expect(0);
    court_turn(999);
    court_goes(0, &court_callee, court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    court_expect(6);
}

static void test_moves_back_without_need(void **state)
{
    (void)state;
    play_move(10, false, true);
    court_expect(6);
}

static void test_moves_back_while_it_stands(void **state)
{
    (void)state;
    play_move(1300, false, false);
    court_expect(6);
}

static void test_moves_back_after_ringing(void **state)
{
    (void)state;
    play_move(1300, true, true);
    court_expect(6);
}

/* 16.10, 16.3 step 3: a CANCEL that matches nothing goes no further where it may not hop. */
static void play_cancel(unsigned hops)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "CANCEL sip:grace@atlanta.example SIP/2.0\r\n" THEIRS "1;rport\r\n"
                        "From: <sip:frank@atlanta.example>;tag=f\r\n"
                        "To: <sip:grace@atlanta.example>\r\nCall-ID: call-1\r\nCSeq: 1 CANCEL\r\n"
                        "Max-Forwards: %u\r\nContent-Length: 0\r\n\r\n",
                        hops);
    court_comes(0, &court_caller, (struct span){ text, (size_t)size });
    size = snprintf(text, sizeof text,
                    "SIP/2.0 483 Too Many Hops\r\n" THEIRS "1" MARKED
                    "From: <sip:frank@atlanta.example>;tag=f\r\n"
                    "To: <sip:grace@atlanta.example>;tag=p\r\nCall-ID: call-1\r\n"
                    "CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n");
    court_goes(0, &court_caller, (struct span){ text, (size_t)size });
}

static void test_cancel_hops_no_more(void **state)
{
    (void)state;
    play_cancel(0);
    court_expect(0);
}

static void test_cancel_may_hop(void **state)
{
    (void)state;
    play_cancel(1);
    court_expect(11);
}

/* A request comes by two routes, of which the first is ours, and goes on by the other, |left|. */
static void play_route(const char *left)
{
    char vias[512];
    snprintf(vias, sizeof vias,
             THEIRS "1;rport\r\nRoute: <sip:192.0.2.1:5060;lr>\r\nRoute: <%s>\r\n", left);
    court_comes(0, &court_caller, court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    snprintf(vias, sizeof vias, OURS "11;rport\r\n" THEIRS "1" MARKED "Route: <%s>\r\n", left);
    court_goes(0, &court_callee, court_message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
}

/* 16.4: one with a port that is none of ours, as a callee may make of a Record-Route, stays. */
static void test_route_of_another_port(void **state)
{
    (void)state;
    play_route("sip:192.0.2.1:50;lr");
    court_expect(0);
}

static void test_route_of_our_port(void **state)
{
    (void)state;
    play_route("sip:192.0.2.1:5060;lr");
    court_expect(15);
}

/* 19.1.2: without a port, that of its scheme is meant. */
static void test_route_without_a_port(void **state)
{
    (void)state;
    play_route("sip:192.0.2.1;lr");
    court_expect(15);
}

static void test_secure_route_without_a_port(void **state)
{
    (void)state;
    play_route("sips:192.0.2.1;lr");
    court_expect(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_port_is_left_out, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_port_is_another, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_answer_to_another, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_answer_to_one_to_come, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_answer_is_mixed_up, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_unheard_after_loss, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_heard_after_ringing, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_heard_without_loss, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_cancel_of_one_unheard, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_cancel_of_one_heard, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_cancel_of_one_heard_between, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_refusal_of_one_unheard, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_refusal_of_one_that_waits, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_cancel_hops_no_more, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_cancel_may_hop, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_moves_back, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_moves_back_without_need, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_moves_back_while_it_stands, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_moves_back_after_ringing, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_route_of_another_port, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_route_of_our_port, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_route_without_a_port, court_begin, court_end),
        cmocka_unit_test_setup_teardown(test_secure_route_without_a_port, court_begin, court_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
