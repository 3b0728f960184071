/* What the witness of the simulator takes a message for, where callees or broken connections make
 * that doubtful: what is owed nobody is not demanded, and the fault beside it is still found.  It
 * is told what came and what went; the server that it asks for its clock does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim/witness.h"

#define OURS   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKour"
#define THEIRS "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKher"
/* With what the server adds to it. */
#define MARKED ";received=192.0.2.7;rport=5060\r\n"

enum { FIRST_STREAM = 7, SECOND_STREAM };

static const struct ahoy_ip caller = { AHOY_IPV4, 5060, 0, { 192, 0, 2, 7 } };
static const struct ahoy_ip callee = { AHOY_IPV4, 5060, 0, { 192, 0, 2, 8 } };

static struct court {
    struct sim_world *world;
    struct sim_host *host;
    struct sim_witness *witness;
    char text[4096];
} court;

static bool lose_nothing(void *context, const struct ahoy_ip *to, struct span bytes)
{
    (void)context;
    (void)to;
    (void)bytes;
    return false;
}

static int begin(void **state)
{
    static const char config[] = "listen 'udp:192.0.2.1' listen 'tcp:192.0.2.1' store 'memory:'\n"
                                 "domain('atlanta.example', { auth = 'none', insecure = true })";
    static const char *const nobody[] = { NULL };
    (void)state;
    court.world = sim_world_new(1, &(struct sim_link){ .delay_ms = 10 });
    court.host = sim_host_new(court.world, "proxy", config, lose_nothing, NULL);
    court.witness = calloc(1, sizeof *court.witness);
    if (court.host == NULL || court.witness == NULL)
        return 1;
    sim_witness_init(court.witness, court.world, court.host, nobody);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sim_witness_fini(court.witness);
    free(court.witness);
    sim_host_free(court.host);
    sim_world_free(court.world);
    return 0;
}

/* A message with the rows |vias|, of the call and the number that |call| is. */
static struct span message(const char *line, const char *vias, unsigned call)
{
    bool is_response = strncmp(line, "SIP/2.0 ", 8) == 0;
    const char *method = strncmp(line, "ACK", 3) == 0      ? "ACK"
                         : strncmp(line, "CANCEL", 6) == 0 ? "CANCEL"
                                                           : "INVITE";
    int size = snprintf(court.text, sizeof court.text,
                        "%s\r\n%sFrom: <sip:frank@atlanta.example>;tag=f\r\n"
                        "To: <sip:grace@atlanta.example>%s\r\nCall-ID: call-%u\r\nCSeq: %u %s\r\n"
                        "Record-Route: <sip:192.0.2.1:5060;lr>\r\n"
                        "Contact: <sip:grace@192.0.2.8>\r\nMax-Forwards: %d\r\n"
                        "Content-Length: 0\r\n\r\n",
                        line, vias, is_response ? ";tag=g" : "", call, call, method,
                        strstr(vias, "our") != NULL ? 69 : 70);
    assert_true(size > 0 && (size_t)size < sizeof court.text);
    return (struct span){ court.text, (size_t)size };
}

static void comes(uint64_t stream, const struct ahoy_ip *from, struct span bytes)
{
    court.witness->eyes.receives(court.witness, stream, from, bytes);
}

static void goes(uint64_t stream, const struct ahoy_ip *to, struct span bytes)
{
    court.witness->eyes.sends(court.witness, stream, to, bytes);
}

static void turn(uint64_t ms)
{
    court.witness->eyes.rests(court.witness);
    sim_world_run(court.world, sim_world_now(court.world) + ms);
}

static void expect(unsigned law)
{
    if (court.witness->law != law)
        print_error("law %u: %s\n", court.witness->law, court.witness->what);
    assert_int_equal(court.witness->law, law);
}

/* An INVITE comes, and goes on by the branches "our1", and "our2" where there are two. */
static void forward(unsigned call, uint64_t stream, unsigned branches)
{
    char vias[256];
    snprintf(vias, sizeof vias, THEIRS "%u;rport\r\n", call);
    comes(0, &caller, message("INVITE sip:grace@atlanta.example SIP/2.0", vias, call));
    for (unsigned i = 1; i <= branches; i++) {
        snprintf(vias, sizeof vias, OURS "%u%u;rport\r\n" THEIRS "%u" MARKED, call, i, call);
        goes(i == 1 ? stream : 0, &callee,
             message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, call));
    }
    turn(100);
}

/* The callee answers by |branch| with |status| and the Via |hers| of the caller. */
static void answer(unsigned call, uint64_t stream, unsigned branch, unsigned hers, const char *line)
{
    char vias[256];
    snprintf(vias, sizeof vias, OURS "%u%u;rport\r\n" THEIRS "%u" MARKED, call, branch, hers);
    comes(stream, &callee, message(line, vias, call));
}

static void pass_on(unsigned call, unsigned hers, const char *line)
{
    char vias[256];
    snprintf(vias, sizeof vias, THEIRS "%u" MARKED, hers);
    goes(0, &caller, message(line, vias, call));
}

static void acknowledge(unsigned call, uint64_t stream, unsigned branch)
{
    char vias[256];
    snprintf(vias, sizeof vias, OURS "%u%u;rport\r\n", call, branch);
    goes(stream, &callee, message("ACK sip:grace@192.0.2.8 SIP/2.0", vias, call));
}

/* R3261-18.1.2-1 with 20.42: a sent-by without a port means 5060, so that the response is ours and
 * its ACK has a reason. */
static void test_port_is_left_out(void **state)
{
    (void)state;
    forward(1, 0, 1);
    comes(0, &callee,
          message("SIP/2.0 486 Busy Here",
                  "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKour11;rport\r\n" THEIRS "1" MARKED, 1));
    acknowledge(1, 0, 1);
    pass_on(1, 1, "SIP/2.0 486 Busy Here");
    turn(100);
    expect(0);
}

/* Another port is somebody else's. */
static void test_port_is_another(void **state)
{
    (void)state;
    forward(1, 0, 1);
    comes(0, &callee,
          message("SIP/2.0 486 Busy Here",
                  "Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKour11;rport\r\n" THEIRS "1" MARKED,
                  1));
    acknowledge(1, 0, 1);
    expect(7);
}

/* A callee answers the first call with the Via of the second, and that is passed on (16.7 step 3):
 * it is not the answer to the second. */
static void test_answer_to_another(void **state)
{
    (void)state;
    forward(1, 0, 1);
    forward(2, 0, 1);
    answer(1, 0, 1, 2, "SIP/2.0 486 Busy Here");
    acknowledge(1, 0, 1);
    pass_on(1, 2, "SIP/2.0 486 Busy Here");
    turn(100);
    answer(2, 0, 1, 2, "SIP/2.0 180 Ringing");
    pass_on(2, 2, "SIP/2.0 180 Ringing");
    turn(100);
    expect(0);
    /* What is its own counts as ever. */
    answer(2, 0, 1, 2, "SIP/2.0 486 Busy Here");
    acknowledge(2, 0, 1);
    pass_on(2, 2, "SIP/2.0 486 Busy Here");
    turn(100);
    pass_on(2, 2, "SIP/2.0 180 Ringing");
    expect(4);
}

/* The same where the second comes only then, and the first goes again by timer G. */
static void test_answer_to_one_to_come(void **state)
{
    (void)state;
    forward(1, 0, 1);
    answer(1, 0, 1, 2, "SIP/2.0 404 Not Found");
    acknowledge(1, 0, 1);
    pass_on(1, 2, "SIP/2.0 404 Not Found");
    turn(100);
    forward(2, 0, 1);
    pass_on(1, 2, "SIP/2.0 404 Not Found");
    turn(100);
    answer(2, 0, 1, 2, "SIP/2.0 180 Ringing");
    pass_on(2, 2, "SIP/2.0 180 Ringing");
    turn(100);
    expect(0);
}

/* Nobody has changed a Via: then a response of another call is the server's own fault. */
static void test_answer_is_mixed_up(void **state)
{
    (void)state;
    forward(1, 0, 1);
    forward(2, 0, 1);
    answer(1, 0, 1, 1, "SIP/2.0 486 Busy Here");
    acknowledge(1, 0, 1);
    pass_on(1, 2, "SIP/2.0 486 Busy Here");
    expect(12);
}

/* One branch goes by a connection, is |rung| by it or not, and is answered 302 by another one once
 * that is lost; the other branch is answered 404, which goes back. */
static void play_loss(bool is_rung, bool is_lost)
{
    forward(1, FIRST_STREAM, 2);
    if (is_rung)
        answer(1, FIRST_STREAM, 1, 1, "SIP/2.0 180 Ringing");
    if (is_rung)
        pass_on(1, 1, "SIP/2.0 180 Ringing");
    turn(100);
    if (is_lost)
        court.witness->eyes.loses(court.witness, FIRST_STREAM);
    turn(100);
    answer(1, SECOND_STREAM, 1, 1, "SIP/2.0 302 Moved Temporarily");
    acknowledge(1, SECOND_STREAM, 1);
    turn(100);
    answer(1, 0, 2, 1, "SIP/2.0 404 Not Found");
    acknowledge(1, 0, 2);
    pass_on(1, 1, "SIP/2.0 404 Not Found");
}

/* 17.1.4, 8.1.3.1: an INVITE that nobody has answered ends with its connection, so that what comes
 * by another one belongs to nothing. */
static void test_unheard_after_loss(void **state)
{
    (void)state;
    play_loss(false, true);
    turn(100);
    expect(0);
}

/* One that rings waits on: 17.1.1.2. */
static void test_heard_after_ringing(void **state)
{
    (void)state;
    play_loss(true, true);
    expect(12);
}

static void test_heard_without_loss(void **state)
{
    (void)state;
    play_loss(false, false);
    expect(12);
}

/* The caller cancels, and the server what it made of that by the first branch. */
static void cancel(unsigned call, uint64_t stream)
{
    char vias[256];
    snprintf(vias, sizeof vias, THEIRS "%u;rport\r\n", call);
    comes(0, &caller, message("CANCEL sip:grace@atlanta.example SIP/2.0", vias, call));
    snprintf(vias, sizeof vias, OURS "%u1;rport\r\n", call);
    goes(stream, &callee, message("CANCEL sip:grace@192.0.2.8 SIP/2.0", vias, call));
}

/* A ringing branch is answered where there may be no memory for it: then it may ring on. */
static void play_answer(bool is_short)
{
    forward(1, 0, 1);
    answer(1, 0, 1, 1, "SIP/2.0 180 Ringing");
    pass_on(1, 1, "SIP/2.0 180 Ringing");
    turn(100);
    answer(1, 0, 1, 1, "SIP/2.0 480 Temporarily Unavailable");
    if (is_short)
        sim_witness_excuse(court.witness);
    else
        acknowledge(1, 0, 1);
    turn(100);
    cancel(1, 0);
}

static void test_cancel_of_one_unheard(void **state)
{
    (void)state;
    play_answer(true);
    turn(100);
    expect(0);
}

static void test_cancel_of_one_heard(void **state)
{
    (void)state;
    play_answer(false);
    expect(10);
}

/* An INVITE comes, for which there may be no memory; it comes again, and is refused at once; and
 * again, and goes on. */
static void play_refusal(bool is_short)
{
    comes(0, &caller,
          message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;rport\r\n", 1));
    if (is_short)
        sim_witness_excuse(court.witness);
    turn(100);
    comes(0, &caller,
          message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;rport\r\n", 1));
    pass_on(1, 1, "SIP/2.0 404 Not Found");
    turn(100);
    forward(1, 0, 1);
    answer(1, 0, 1, 1, "SIP/2.0 180 Ringing");
    pass_on(1, 1, "SIP/2.0 180 Ringing");
    turn(100);
    cancel(1, 0);
    turn(100);
}

/* 8.2.7: what came first left nothing, so it was refused without a transaction. */
static void test_refusal_of_one_unheard(void **state)
{
    (void)state;
    play_refusal(true);
    expect(0);
}

static void test_refusal_of_one_that_waits(void **state)
{
    (void)state;
    play_refusal(false);
    expect(3);
}

/* A request of some more than |size| bytes goes by a connection and is answered 180 or not; that is
 * lost or not; and it goes again, by UDP. */
static void play_move(size_t size, bool is_rung, bool is_lost)
{
    char vias[2048];
    int end = snprintf(vias, sizeof vias, OURS "11;rport\r\n" THEIRS "1;x=");
    memset(vias + end, 'x', size);
    snprintf(vias + end + size, sizeof vias - (size_t)end - size, MARKED);
    comes(0, &caller,
          message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;x=x;rport\r\n", 1));
    goes(FIRST_STREAM, &callee, message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    turn(100);
    if (is_rung)
        answer(1, FIRST_STREAM, 1, 1, "SIP/2.0 180 Ringing");
    if (is_rung)
        pass_on(1, 1, "SIP/2.0 180 Ringing");
    turn(100);
    if (is_lost)
        court.witness->eyes.loses(court.witness, FIRST_STREAM);
    goes(0, &callee, message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
}

/* 18.1.1: what moved for its size goes back to UDP, and is sent again there as ever. */
static void test_moves_back(void **state)
{
    char vias[64];
    (void)state;
    play_move(1300, false, true);
    turn(500);
    snprintf(vias, sizeof vias, OURS "11;rport\r\n");
    goes(0, &callee, message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    expect(0);
    turn(999);
    goes(0, &callee, message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    expect(6);
}

static void test_moves_back_without_need(void **state)
{
    (void)state;
    play_move(10, false, true);
    expect(6);
}

static void test_moves_back_while_it_stands(void **state)
{
    (void)state;
    play_move(1300, false, false);
    expect(6);
}

static void test_moves_back_after_ringing(void **state)
{
    (void)state;
    play_move(1300, true, true);
    expect(6);
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
    comes(0, &caller, (struct span){ text, (size_t)size });
    size = snprintf(text, sizeof text,
                    "SIP/2.0 483 Too Many Hops\r\n" THEIRS "1" MARKED
                    "From: <sip:frank@atlanta.example>;tag=f\r\n"
                    "To: <sip:grace@atlanta.example>;tag=p\r\nCall-ID: call-1\r\n"
                    "CSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n");
    goes(0, &caller, (struct span){ text, (size_t)size });
}

static void test_cancel_hops_no_more(void **state)
{
    (void)state;
    play_cancel(0);
    expect(0);
}

static void test_cancel_may_hop(void **state)
{
    (void)state;
    play_cancel(1);
    expect(11);
}

static void ask(uint64_t stream, const char *method)
{
    char text[512];
    int size = snprintf(text, sizeof text,
                        "%s sip:grace@atlanta.example SIP/2.0\r\n" THEIRS "1;rport\r\n"
                        "From: <sip:frank@atlanta.example>;tag=f\r\n"
                        "To: <sip:grace@atlanta.example>\r\nCall-ID: call-1\r\nCSeq: 1 %s\r\n"
                        "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                        method, method);
    comes(stream, &caller, (struct span){ text, (size_t)size });
}

/* It comes twice in the bytes of one turn, or a turn |apart|. */
static void ask_twice(uint64_t stream, const char *method, bool apart)
{
    ask(stream, method);
    if (apart)
        turn(100);
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
    goes(stream, &caller, (struct span){ text, (size_t)size });
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
    expect(0);
    refuse(FIRST_STREAM, "SIP/2.0 500 Oh", "INFO");
    expect(1);
}

static void test_copies_by_datagrams(void **state)
{
    (void)state;
    play_copies(0, "INFO", false);
    expect(1);
}

/* An INVITE waits for its ACK, whatever brought it: 17.2.1. */
static void test_copies_of_an_invite(void **state)
{
    (void)state;
    play_copies(FIRST_STREAM, "INVITE", false);
    expect(1);
}

/* The first was not answered at once, so the other is a retransmission. */
static void test_a_copy_while_it_waits(void **state)
{
    (void)state;
    play_copies(FIRST_STREAM, "INFO", true);
    expect(1);
}

/* An INVITE is answered 486, by timer G again and again; its ACK comes |acked_ms| after the first
 * of these, and the INVITE once more after |again_ms|. */
static void play_late_ack(uint64_t acked_ms, uint64_t again_ms)
{
    uint64_t passed_ms = 0, interval_ms = SIM_T1_MS;
    forward(1, 0, 1);
    answer(1, 0, 1, 1, "SIP/2.0 486 Busy Here");
    acknowledge(1, 0, 1);
    pass_on(1, 1, "SIP/2.0 486 Busy Here");
    while (passed_ms + interval_ms < acked_ms && passed_ms + interval_ms < SIM_64T1_MS) {
        turn(interval_ms);
        pass_on(1, 1, "SIP/2.0 486 Busy Here");
        passed_ms += interval_ms;
        interval_ms = 2 * interval_ms < SIM_T2_MS ? 2 * interval_ms : SIM_T2_MS;
    }
    turn(acked_ms - passed_ms);
    comes(0, &caller, message("ACK sip:grace@atlanta.example SIP/2.0", THEIRS "1;rport\r\n", 1));
    turn(again_ms - acked_ms);
    comes(0, &caller, message("INVITE sip:grace@atlanta.example SIP/2.0", THEIRS "1;rport\r\n", 1));
}

static void wait_for_an_answer(void)
{
    turn(SIM_TIMER_C_MS + 2 * SIM_64T1_MS);
    turn(1);
}

/* 17.2.1: the ACK ends timer H, and for timer I what comes is absorbed, though 64*T1 are over. */
static void test_confirmed_absorbs(void **state)
{
    (void)state;
    play_late_ack(31000, 33000);
    wait_for_an_answer();
    expect(0);
}

/* What is absorbed does not go on. */
static void test_confirmed_goes_on(void **state)
{
    char vias[256];
    (void)state;
    play_late_ack(31000, 33000);
    snprintf(vias, sizeof vias, OURS "12;rport\r\n" THEIRS "1" MARKED);
    goes(0, &callee, message("INVITE sip:grace@192.0.2.8 SIP/2.0", vias, 1));
    expect(3);
}

/* Behind timer I it is a request of its own, ... */
static void test_confirmed_is_over(void **state)
{
    (void)state;
    play_late_ack(31000, 36001);
    wait_for_an_answer();
    expect(2);
}

/* ... and an ACK behind timer H confirms nothing. */
static void test_ack_behind_timer_h(void **state)
{
    (void)state;
    play_late_ack(32001, 33000);
    wait_for_an_answer();
    expect(2);
}

/* In the instant of timer H nobody sees which of the two came first. */
static void test_ack_with_timer_h(void **state)
{
    (void)state;
    play_late_ack(32000, 33000);
    wait_for_an_answer();
    expect(0);
}

/* An INFO is answered, and comes once more |again_ms| after that. */
static void play_late_copy(uint64_t again_ms)
{
    ask(0, "INFO");
    turn(100);
    refuse(0, "SIP/2.0 404 Not Found", "INFO");
    turn(again_ms);
    ask(0, "INFO");
    turn(2 * SIM_64T1_MS);
    turn(1);
}

/* 17.2.2: the same of timer J. */
static void test_copy_with_timer_j(void **state)
{
    (void)state;
    play_late_copy(32000);
    expect(0);
}

static void test_copy_behind_timer_j(void **state)
{
    (void)state;
    play_late_copy(32001);
    expect(2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_port_is_left_out, begin, end),
        cmocka_unit_test_setup_teardown(test_port_is_another, begin, end),
        cmocka_unit_test_setup_teardown(test_answer_to_another, begin, end),
        cmocka_unit_test_setup_teardown(test_answer_to_one_to_come, begin, end),
        cmocka_unit_test_setup_teardown(test_answer_is_mixed_up, begin, end),
        cmocka_unit_test_setup_teardown(test_unheard_after_loss, begin, end),
        cmocka_unit_test_setup_teardown(test_heard_after_ringing, begin, end),
        cmocka_unit_test_setup_teardown(test_heard_without_loss, begin, end),
        cmocka_unit_test_setup_teardown(test_cancel_of_one_unheard, begin, end),
        cmocka_unit_test_setup_teardown(test_cancel_of_one_heard, begin, end),
        cmocka_unit_test_setup_teardown(test_refusal_of_one_unheard, begin, end),
        cmocka_unit_test_setup_teardown(test_refusal_of_one_that_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_cancel_hops_no_more, begin, end),
        cmocka_unit_test_setup_teardown(test_cancel_may_hop, begin, end),
        cmocka_unit_test_setup_teardown(test_moves_back, begin, end),
        cmocka_unit_test_setup_teardown(test_moves_back_without_need, begin, end),
        cmocka_unit_test_setup_teardown(test_moves_back_while_it_stands, begin, end),
        cmocka_unit_test_setup_teardown(test_moves_back_after_ringing, begin, end),
        cmocka_unit_test_setup_teardown(test_copies_by_a_connection, begin, end),
        cmocka_unit_test_setup_teardown(test_copies_by_datagrams, begin, end),
        cmocka_unit_test_setup_teardown(test_copies_of_an_invite, begin, end),
        cmocka_unit_test_setup_teardown(test_a_copy_while_it_waits, begin, end),
        cmocka_unit_test_setup_teardown(test_confirmed_absorbs, begin, end),
        cmocka_unit_test_setup_teardown(test_confirmed_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(test_confirmed_is_over, begin, end),
        cmocka_unit_test_setup_teardown(test_ack_behind_timer_h, begin, end),
        cmocka_unit_test_setup_teardown(test_ack_with_timer_h, begin, end),
        cmocka_unit_test_setup_teardown(test_copy_with_timer_j, begin, end),
        cmocka_unit_test_setup_teardown(test_copy_behind_timer_j, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
