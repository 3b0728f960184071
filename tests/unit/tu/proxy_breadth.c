/* What bounds forking (RFC 5393): loops, and Max-Breadth. */
#include "libahoy/tu/proxy.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

enum { VIA_LIMIT = 256 };

/* Alice's request, with further Vias and |rows|. */
static const char *request(const char *method, const char *uri, const char *vias, const char *rows)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "%s %s SIP/2.0\r\n"
             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKl1\r\n"
             "%s"
             "%s"
             "From: <sip:alice@example.com>;tag=a\r\n"
             "To: <sip:bob@example.com>\r\n"
             "Call-ID: 1@192.0.2.10\r\n"
             "CSeq: 1 %s\r\n"
             "Content-Length: 0\r\n"
             "\r\n",
             method, uri, vias, rows, method);
    return text;
}

/* The first row of the message that was expected last, CRLF included. */
static void copy_our_via(const struct stage *stage, char row[VIA_LIMIT])
{
    struct span rest = ahoy_span_after(stage->last, ahoy_span_find(stage->last, '\n') + 1);
    size_t size = ahoy_span_find(rest, '\n') + 1;
    assert_true(size < VIA_LIMIT);
    memcpy(row, rest.at, size);
    row[size] = '\0';
}

/* Sends a request that is forked to two, and notes the Via that it leaves with. */
static void send_out(struct stage *stage, const char *uri, const char *rows, char row[VIA_LIMIT])
{
    stage_fork(stage, 2);
    stage_say(stage, ALICE, request("MESSAGE", uri, "", rows));
    stage_expect(stage, BOB, "MESSAGE");
    copy_our_via(stage, row);
    stage_expect(stage, CAROL, "MESSAGE");
    stage_answer(stage, BOB, 404, "");
    stage_answer(stage, CAROL, 404, "");
    stage_expect(stage, ALICE, "404");
    stage_wait(stage, 40000);
}

/* R5393-4.1-1, R5393-4.2.2-1, -2, -3, -4: it comes round with what decided its way unchanged. */
static void a_request_that_comes_round_is_refused(void **state)
{
    struct stage *stage = *state;
    char row[VIA_LIMIT];
    send_out(stage, "sip:bob@example.com", "", row);
    stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", row, ""));
    stage_expect(stage, ALICE, "482");
    stage_wait(stage, 40000);
    /* Behind others, on a path of several hops. */
    char vias[2 * VIA_LIMIT];
    snprintf(vias, sizeof vias, "Via: SIP/2.0/UDP far.example;branch=z9hG4bKx, SIP/2.0/UDP y\r\n%s",
             row);
    stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", vias, ""));
    stage_expect(stage, ALICE, "482");
    stage_wait(stage, 40000);
    /* Whatever became of the case of its letters (7.3.1). */
    for (char *at = strstr(row, AHOY_BRANCH_COOKIE); *at != ';' && *at != '\r'; at++)
        *at = (char)toupper(*at);
    stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", row, ""));
    stage_expect(stage, ALICE, "482");
}

/* R5393-4.2.1-3, R5393-4.2.1-4: a spiral has another Request-URI or other Routes. */
static void a_spiral_goes_on(void **state)
{
    struct stage *stage = *state;
    char row[VIA_LIMIT];
    send_out(stage, "sip:bob@example.com", "", row);
    stage_say(stage, ALICE, request("MESSAGE", "sip:robert@example.com", row, ""));
    stage_expect(stage, BOB, "MESSAGE");
    stage_expect(stage, CAROL, "MESSAGE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_answer(stage, CAROL, 200, "");
    stage_wait(stage, 40000);
    stage_say(stage, ALICE,
              request("MESSAGE", "sip:bob@example.com", row, "Route: <sip:far.example;lr>\r\n"));
    stage_expect(stage, BOB, "MESSAGE");
    stage_expect(stage, CAROL, "MESSAGE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_answer(stage, CAROL, 200, "");
}

/* R3261-16.6-36, R3261-16.6-37, R5393-4.2.1-5: the part that tells loops does not know the method.
 * R3261-16.6-35, R5393-4.2.1-1, R5393-4.2.1-2: before it stands what is unique. */
static void the_method_does_not_matter(void **state)
{
    struct stage *stage = *state;
    char row[VIA_LIMIT], other[VIA_LIMIT];
    send_out(stage, "sip:bob@example.com", "", row);
    stage_say(stage, ALICE, request("BREW", "sip:bob@example.com", row, ""));
    stage_expect(stage, ALICE, "482");
    stage_wait(stage, 40000);
    send_out(stage, "sip:bob@example.com", "", other);
    assert_string_not_equal(row, other);
    assert_non_null(strstr(row, ";branch=z9hG4bK"));
}

/* Only what we wrote counts. */
static void the_vias_of_others_are_no_loop(void **state)
{
    struct stage *stage = *state;
    char row[VIA_LIMIT];
    send_out(stage, "sip:bob@example.com", "", row);
    char *host = strstr(row, "192.0.2.1:");
    assert_non_null(host);
    host[8] = '9';
    stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", row, ""));
    stage_expect(stage, BOB, "MESSAGE");
    stage_expect(stage, CAROL, "MESSAGE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_answer(stage, CAROL, 200, "");
}

/* A CANCEL, and the ACK to a failure, have the branch of their INVITE: R3261-16.6-38,
 * R5393-4.2.1-6. */
static void cancel_and_ack_share_the_branch(void **state)
{
    struct stage *stage = *state;
    char invite[VIA_LIMIT], cancel[VIA_LIMIT], ack[VIA_LIMIT];
    stage_fork(stage, 2);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    copy_our_via(stage, invite);
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, BOB, 100, "");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_expect(stage, BOB, "CANCEL");
    copy_our_via(stage, cancel);
    stage_answer_to(stage, BOB, "CANCEL", 200, "");
    stage_answer(stage, BOB, 487, "");
    stage_expect(stage, BOB, "ACK");
    copy_our_via(stage, ack);
    assert_string_equal(invite, cancel);
    assert_string_equal(invite, ack);
}

static void answer_all(struct stage *stage, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        stage_answer(stage, (enum stage_peer)(BOB + i), 404, "");
    stage_expect(stage, ALICE, "404");
    stage_wait(stage, 40000);
}

static void expect_breadth(struct stage *stage, enum stage_peer peer, unsigned breadth)
{
    char row[32];
    snprintf(row, sizeof row, "Max-Breadth: %u", breadth);
    stage_expect(stage, peer, "MESSAGE");
    assert_true(stage_has(stage, row));
}

/* R5393-5.3.3-1, -2, -3, -4 and -7: added, cut to what we allow, and else as it came. */
static void one_target_gets_all_of_it(void **state)
{
    static const struct {
        const char *rows;
        unsigned breadth;
    } rows[] = {
        { "", 60 },
        { "Max-Breadth: 60\r\n", 60 },
        { "Max-Breadth: 61\r\n", 60 },
        { "Max-Breadth: 99999999999999999999999999\r\n", 60 },
        { "Max-Breadth: 7\r\n", 7 },
        { "Max-Breadth: 1\r\n", 1 },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", "", rows[i].rows));
        expect_breadth(stage, BOB, rows[i].breadth);
        answer_all(stage, 1);
    }
}

/* R5393-5.3.3-5: a fork divides it, without a rest. */
static void a_fork_divides_it(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 3);
    stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", "", ""));
    for (unsigned i = 0; i < 3; i++)
        expect_breadth(stage, (enum stage_peer)(BOB + i), 20);
    answer_all(stage, 3);
    stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", "", "Max-Breadth: 5\r\n"));
    expect_breadth(stage, BOB, 2);
    expect_breadth(stage, CAROL, 2);
    expect_breadth(stage, DAVE, 1);
    answer_all(stage, 3);
}

/* R5393-5.3.3-6: what is no INVITE cannot go to one after the other. */
static void too_narrow_for_a_fork(void **state)
{
    static const char *const rows[] = { "Max-Breadth: 2\r\n", "Max-Breadth: 1\r\n",
                                        "Max-Breadth: 0\r\n" };
    struct stage *stage = *state;
    stage_fork(stage, 3);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage_say(stage, ALICE, request("MESSAGE", "sip:bob@example.com", "", rows[i]));
        stage_expect(stage, ALICE, "440");
    }
    stage_fork(stage, 1);
    stage_say(stage, ALICE, request("INVITE", "sip:bob@example.com", "", "Max-Breadth: 0\r\n"));
    stage_expect(stage, ALICE, "440");
    stage_say(stage, ALICE, request("INVITE", "sip:bob@example.com", "", "Max-Breadth: x\r\n"));
    stage_expect(stage, ALICE, "400");
    stage_say(stage, ALICE, request("INVITE", "sip:bob@example.com", "", "Max-Breadth:\r\n"));
    stage_expect(stage, ALICE, "400");
}

/* An INVITE rings those that there is room for; the share of one that failed is the next one's
 * (5.3.3.1). */
static void an_invite_rings_one_after_the_other(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 3);
    stage->plan.tier_ms = 20000;
    stage_say(stage, ALICE, request("INVITE", "sip:bob@example.com", "", "Max-Breadth: 2\r\n"));
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    assert_true(stage_has(stage, "Max-Breadth: 1"));
    stage_expect(stage, CAROL, "INVITE");
    assert_true(stage_has(stage, "Max-Breadth: 1"));
    stage_expect_silence(stage);
    stage_answer(stage, BOB, 486, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, DAVE, "INVITE");
    assert_true(stage_has(stage, "Max-Breadth: 1"));
    stage_answer(stage, DAVE, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_answer(stage, CAROL, 486, "");
    stage_expect(stage, CAROL, "ACK");
    /* One alone: the next waits until the first has given its share back, CANCEL or not. */
    stage_wait(stage, 70000);
    stage_fork(stage, 2);
    stage_say(stage, ALICE, request("INVITE", "sip:bob@example.com", "", "Max-Breadth: 1\r\n"));
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    stage_wait(stage, 20000);
    stage_expect(stage, BOB, "CANCEL");
    stage_answer_to(stage, BOB, "CANCEL", 200, "");
    stage_expect_silence(stage);
    stage_answer(stage, BOB, 487, "");
    stage_expect(stage, BOB, "ACK");
    stage_expect(stage, CAROL, "INVITE");
    stage_answer(stage, CAROL, 200, "");
    stage_expect(stage, ALICE, "200");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(a_request_that_comes_round_is_refused),
        stage_test(a_spiral_goes_on),
        stage_test(the_method_does_not_matter),
        stage_test(the_vias_of_others_are_no_loop),
        stage_test(cancel_and_ack_share_the_branch),
        stage_test(one_target_gets_all_of_it),
        stage_test(a_fork_divides_it),
        stage_test(too_narrow_for_a_fork),
        stage_test(an_invite_rings_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
