/* Neighbours that ask for less, or say nothing at all (RFC 7339 5.5, 5.9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/tu/proxy.h"
#include "tests/support/stage.h"

/* Alice's call number |number|: |text| with another branch. */
static void say(struct stage *stage, const char *text, unsigned number)
{
    char space[2048];
    static const char cookie[] = "z9hG4bK";
    const char *at = strstr(text, cookie);
    assert_non_null(at);
    snprintf(space, sizeof space, "%.*s%s%u%s", (int)(at - text), text, cookie, number,
             at + strlen(cookie));
    stage_say(stage, ALICE, space);
}

static void begin(struct stage *stage, unsigned number)
{
    stage->targets[0].is_neighbour = true;
    say(stage, STAGE_INVITE, number);
    stage_expect(stage, ALICE, "100");
}

static void end(struct stage *stage, unsigned number, const char *what)
{
    stage_expect(stage, ALICE, what);
    say(stage, STAGE_ACK, number);
}

/* R7339-5.9-2, R7339-5.9-3: three that did not leave are enough; the caller is told at once, and
 * one request is tried a second later. */
static void who_is_not_reached_is_left_alone(void **state)
{
    struct stage *stage = *state;
    unsigned number = 0;
    for (; number < 3; number++) {
        begin(stage, number);
        stage_expect(stage, BOB, "INVITE");
        stage_lose(stage, BOB);
        end(stage, number, "500");
    }
    begin(stage, number);
    end(stage, number++, "503");
    stage_expect_silence(stage);
    stage_wait(stage, 1000);
    begin(stage, number);
    stage_expect(stage, BOB, "INVITE");
    stage_fail(stage, BOB, 486, "");
    end(stage, number++, "486");
    begin(stage, number);
    stage_expect(stage, BOB, "INVITE");
    stage_fail(stage, BOB, 486, "");
    end(stage, number, "486");
}

/* R7339-5.9-1: silence is a 408, and counts as well. */
static void who_is_silent_is_left_alone(void **state)
{
    struct stage *stage = *state;
    for (unsigned number = 0; number < 3; number++) {
        begin(stage, number);
        for (unsigned i = 0; i < 7; i++) {
            stage_wait(stage, i == 0 ? 0 : 500u << (i - 1));
            stage_expect(stage, BOB, "INVITE");
        }
        stage_wait(stage, 500);
        end(stage, number, "408");
    }
    begin(stage, 3);
    end(stage, 3, "503");
    stage_expect_silence(stage);
}

/* Bob answers the last INVITE that he got, busy, and asks for nothing more for a second. */
static void answer_with_load(struct stage *stage)
{
    char text[2048];
    static const char offer[] = ";oc;";
    const char *invite = stage->last.at;
    const char *rest = strstr(invite, offer);
    const char *vias = strstr(invite, "Via: ");
    const char *max_forwards = strstr(invite, "Max-Forwards");
    assert_true(rest != NULL && vias < rest && rest < max_forwards);
    snprintf(text, sizeof text,
             "SIP/2.0 486 Busy Here\r\n%.*s;oc=100;oc-validity=1000;oc-seq=1.0;%.*s"
             "From: <sip:alice@example.com>;tag=a\r\nTo: <sip:bob@example.com>;tag=b\r\n"
             "Call-ID: 1@192.0.2.10\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
             (int)(rest - vias), vias, (int)(max_forwards - rest - 4), rest + 4);
    stage_say(stage, BOB, text);
    stage_expect(stage, BOB, "ACK");
}

/* R7339-5.5-2: where there is another server, it gets what the first does not want. */
static void the_next_server_gets_it(void **state)
{
    struct stage *stage = *state;
    const struct span ways[] = { SPAN("sip:one.example") };
    stage->plan.count = 0;
    stage_add_ways(stage, ways, 1);
    for (unsigned number = 0; number < 2; number++) {
        begin(stage, number);
        stage_locate(stage, "sip:one.example", STAGE_AT(BOB, CAROL), 2);
        if (number == 0) {
            stage_expect(stage, BOB, "INVITE");
            answer_with_load(stage);
        } else {
            stage_expect(stage, CAROL, "INVITE");
            stage_fail(stage, CAROL, 486, "");
        }
        end(stage, number, "486");
        stage_expect_silence(stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(who_is_not_reached_is_left_alone),
        stage_test(who_is_silent_is_left_alone),
        stage_test(the_next_server_gets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
