/* Session descriptions as peers send them, sound and not (RFC 8866 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "libahoy/sdp/sdp.h"
#include "tests/support/bytes.h"

#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"

static struct ahoy_sdp sdp;

static void expect_fault(const char *text, unsigned status)
{
    struct ahoy_err err = { .status = 0 };
    assert_false(ahoy_sdp_parse(test_text(text), &sdp, &err));
    assert_int_equal(err.status, status);
    test_free_all(NULL);
}

static void test_full(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(
        test_text(HEAD "i=info\r\nc=IN IP4 192.0.2.7\r\nb=AS:64\r\nt=0 0\r\nt=1 2\r\nx=what\r\n"
                       "a=sendonly\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\n"
                       "m=video 0/2 RTP/SAVP 96\r\nc=IN IP6 ::1\r\na=inactive\r\n"),
        &sdp, NULL));
    assert_span(sdp.origin, "- 1 2 IN IP4 192.0.2.1");
    assert_span(sdp.timing, "0 0");
    assert_int_equal(sdp.media_count, 2);
    assert_span(sdp.media[0].type, "audio");
    assert_int_equal(sdp.media[0].port, 4000);
    assert_span(sdp.media[0].protocol, "RTP/AVP");
    assert_span(sdp.media[0].formats, "0 8");
    assert_span(sdp.media[0].lines, "a=rtpmap:0 PCMU/8000\r\n");
    assert_span(sdp.media[0].connection.address, "192.0.2.7");
    assert_int_equal(sdp.media[0].direction, AHOY_SENDONLY);
    assert_int_equal(sdp.media[1].port, 0);
    assert_span(sdp.media[1].connection.address, "::1");
    assert_int_equal(sdp.media[1].direction, AHOY_INACTIVE);
    test_free_all(NULL);
}

/* 5: line ends of LF alone are borne. */
static void test_bare_lf(void **state)
{
    (void)state;
    assert_true(ahoy_sdp_parse(test_text("v=0\no=- 1 2 IN IP4 h\ns=\nm=audio 1 RTP/AVP 0\n"), &sdp,
                               NULL));
    assert_int_equal(sdp.media_count, 1);
    assert_span(sdp.timing, "");
    assert_int_equal(sdp.media[0].direction, AHOY_SENDRECV);
    test_free_all(NULL);
}

static void test_faults(void **state)
{
    static const char *const bad[] = {
        "",
        "v=0",
        "v=1\r\no=- 1 2 IN IP4 h\r\ns=-\r\n",
        "o=- 1 2 IN IP4 h\r\nv=0\r\ns=-\r\n",
        "v=0\r\ns=-\r\n",
        "v=0\r\no=- 1 2 IN IP4 h\r\n",
        "v=0\r\no=- 1 2 IN IP4\r\ns=-\r\n",
        HEAD "v=0\r\n",
        HEAD "t=0 0",          /* Attack 31: no end of the line. */
        HEAD "b=AS\r\n",       /* Attack 31: no colon. */
        HEAD "b=AS:\r\n",
        HEAD "b=\r\n",
        HEAD "b=:1\r\n",
        HEAD "\r\n",
        HEAD "c\r\n",
        HEAD "c=IN IP4\r\n",
        HEAD "t=0\r\n",
        HEAD "t=a b\r\n",
        HEAD "M=audio 1 RTP/AVP 0\r\n",
        HEAD "m=audio 70000 RTP/AVP 0\r\n",
        HEAD "m=audio 1 RTP/AVP\r\n",
        HEAD "m=audio -1 RTP/AVP 0\r\n",
        HEAD "m=audio 1/x RTP/AVP 0\r\n",
        HEAD "a=x\ry\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_fault(bad[i], 400);
}

/* Attack 32, and its like with other lines; the limit itself is allowed. */
static void test_limits(void **state)
{
    (void)state;
    size_t capacity = 200000;
    char *text = malloc(capacity);
    assert_non_null(text);
    size_t size = (size_t)snprintf(text, capacity, HEAD);
    for (int i = 0; i < AHOY_SDP_MEDIA_LIMIT; i++)
        size += (size_t)snprintf(text + size, capacity - size, "m=audio 1 RTP/AVP 0\r\n");
    assert_true(ahoy_sdp_parse((struct span){ text, size }, &sdp, NULL));
    assert_int_equal(sdp.media_count, AHOY_SDP_MEDIA_LIMIT);
    snprintf(text + size, capacity - size, "m=audio 1 RTP/AVP 0\r\n");
    expect_fault(text, 488);
    size = (size_t)snprintf(text, capacity, HEAD);
    for (int i = 0; i < AHOY_SDP_LINES_LIMIT; i++)
        size += (size_t)snprintf(text + size, capacity - size, "a=crypto:1 x\r\n");
    expect_fault(text, 488);
    snprintf(text, capacity, HEAD "a=%09000d\r\n", 0); /* Attack 33. */
    expect_fault(text, 488);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_bare_lf),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
