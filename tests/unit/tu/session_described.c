/* What a callee's messages say of a session, at its beginning and later (RFC 3261 13.2.1, 13.3.1,
 * 14.2; RFC 3264 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/pair.h"

static struct pair pair;

static const char *answer(void)
{
    return pair.ends[ALICE].received;
}

static void expect_answer(const char *text)
{
    assert_int_equal(pair_received(&pair, ALICE)->status, 200);
    assert_non_null(strstr(answer(), text));
}

/* Alice's INVITE by hand, with |body| or none, which bob answers. */
static void invite(const char *body)
{
    pair_init(&pair);
    pair_outside(&pair, "INVITE", "bob", "i", body[0] != '\0' ? PAIR_SDP_TYPE : "", body);
    pair_answer(&pair, BOB);
    pair_run(&pair, pair.now_ms + PAIR_DELAY_MS);
}

static void end(void)
{
    pair_hangup(&pair, BOB);
    pair_fini(&pair);
}

/* R3261-13.2.1-2, -7, R3261-13.3.1.4-1: an offer is answered by the 2xx, stream by stream, with
 * what both know (RFC 3264 6). */
static void test_offer_in_invite(void **state)
{
    (void)state;
    invite(PAIR_SDP("sendonly") "m=video 4002 RTP/AVP 96\r\n");
    expect_answer("m=audio 4000 RTP/AVP 8 0\r\n");
    expect_answer("a=recvonly\r\nm=video 0 RTP/AVP 96\r\n");
    pair_within(&pair, "ACK", 1, "a", "", "");
    end();
}

/* R3261-13.3.1-1, R3261-13.3.1.4-2: without one the 2xx offers, and the ACK answers.  So, with the
 * test before, R3261-13.2.1-6. */
static void test_offer_in_answer(void **state)
{
    (void)state;
    invite("");
    expect_answer("m=audio 4000 RTP/AVP 0 8 101\r\n");
    pair_within(&pair, "ACK", 1, "a", PAIR_SDP_TYPE, PAIR_SDP("sendonly"));
    assert_int_equal(pair.ends[BOB].news.kind, AHOY_NEWS_CHANGED);
    assert_int_equal(pair.ends[BOB].news.agreed.codec, AHOY_PCMA);
    assert_int_equal(pair.ends[BOB].news.agreed.direction, AHOY_RECVONLY);
    end();
}

/* An offer of alice's in a re-INVITE, and her ACK. */
static void change(unsigned cseq, const char *body)
{
    char branch[16];
    snprintf(branch, sizeof branch, "i%u", cseq);
    pair_within(&pair, "INVITE", cseq, branch, PAIR_SDP_TYPE, body);
    assert_int_equal(pair_received(&pair, ALICE)->status, 200);
    pair_within(&pair, "ACK", cseq, branch, "", "");
}

#define DESCRIBED(version, address, formats)                                                       \
    "v=0\r\no=- 1 " version " IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n"        \
    "m=audio 4000 RTP/AVP " formats "\r\n"

/* R3261-14.2-3: a description that is the one before changes nothing, neither what was agreed on
 * nor a byte of the answer; R3261-14.2-4: another one does. */
static void test_the_same_again(void **state)
{
    char first[1024];
    (void)state;
    invite(DESCRIBED("1", "192.0.2.9", "0"));
    snprintf(first, sizeof first, "%s", strstr(answer(), "v=0"));
    pair_within(&pair, "ACK", 1, "a", "", "");
    const struct ahoy_sdp_agreed before = pair.ends[BOB].news.agreed;
    change(2, DESCRIBED("1", "192.0.2.9", "0"));
    assert_string_equal(strstr(answer(), "v=0"), first);
    assert_true(ahoy_ip_equal(&pair.ends[BOB].news.agreed.rtp, &before.rtp));
    change(3, DESCRIBED("2", "192.0.2.9", "0") "a=sendonly\r\n");
    assert_string_not_equal(strstr(answer(), "v=0"), first);
    assert_int_equal(pair.ends[BOB].news.kind, AHOY_NEWS_CHANGED);
    assert_int_equal(pair.ends[BOB].news.agreed.direction, AHOY_RECVONLY);
    end();
}

/* R3264-8.3.2-3, R3264-8.3.4-1: from the answer on bob speaks as the new description has it, and by
 * nothing that it has not. */
static void test_new_formats(void **state)
{
    (void)state;
    invite(DESCRIBED("1", "192.0.2.9", "0"));
    pair_within(&pair, "ACK", 1, "a", "", "");
    change(2, DESCRIBED("2", "192.0.2.8", "8"));
    const struct ahoy_sdp_agreed *agreed = &pair.ends[BOB].news.agreed;
    assert_int_equal(agreed->codec, AHOY_PCMA);
    assert_int_equal(agreed->payload_type, 8);
    assert_false(agreed->has_events);
    assert_int_equal(agreed->rtp.bytes[3], 8);
    expect_answer("m=audio 4000 RTP/AVP 8\r\n");
    end();
}

/* R3261-14.2-5, R6337-2.3-2: asked for an offer, bob offers what alice knows already among the
 * rest. */
static void test_asked_for_an_offer(void **state)
{
    (void)state;
    invite(DESCRIBED("1", "192.0.2.9", "8 97") "a=rtpmap:97 telephone-event/8000\r\n");
    pair_within(&pair, "ACK", 1, "a", "", "");
    pair_within(&pair, "INVITE", 2, "b", "", "");
    expect_answer("m=audio 4000 RTP/AVP 0 8 97\r\n");
    pair_within(&pair, "ACK", 2, "b", PAIR_SDP_TYPE, DESCRIBED("2", "192.0.2.9", "8"));
    end();
}

/* R3264-8.3.2-1, -2: a number keeps its format for the whole call, whoever has bound it, and also
 * where a description in between has not had it: an offer of ours gives none to what has none just
 * then. */
static void test_numbers_stay(void **state)
{
    static const char *const first[] = { "a=rtpmap:97 telephone-event/8000\r\n",
                                         "a=rtpmap:101 speex/8000\r\n" };
    char offer[512];
    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(offer, sizeof offer, DESCRIBED("1", "192.0.2.9", "0 97 101") "%s", first[i]);
        invite(offer);
        expect_answer(i == 0 ? "m=audio 4000 RTP/AVP 0 97\r\n" : "m=audio 4000 RTP/AVP 0\r\n");
        pair_within(&pair, "ACK", 1, "a", "", "");
        change(2, DESCRIBED("2", "192.0.2.9", "8"));
        expect_answer("m=audio 4000 RTP/AVP 8\r\n");
        pair_within(&pair, "INVITE", 3, "c", "", "");
        expect_answer("m=audio 4000 RTP/AVP 0 8\r\n");
        pair_within(&pair, "ACK", 3, "c", PAIR_SDP_TYPE, DESCRIBED("3", "192.0.2.9", "8"));
        change(4, DESCRIBED("4", "192.0.2.9", "8 97") "a=rtpmap:97 telephone-event/8000\r\n");
        expect_answer("m=audio 4000 RTP/AVP 8 97\r\n");
        pair_within(&pair, "INVITE", 5, "e", "", "");
        expect_answer("m=audio 4000 RTP/AVP 0 8 97\r\n");
        pair_within(&pair, "ACK", 5, "e", PAIR_SDP_TYPE, DESCRIBED("5", "192.0.2.9", "8"));
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offer_in_invite),    cmocka_unit_test(test_offer_in_answer),
        cmocka_unit_test(test_the_same_again),     cmocka_unit_test(test_new_formats),
        cmocka_unit_test(test_asked_for_an_offer), cmocka_unit_test(test_numbers_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
