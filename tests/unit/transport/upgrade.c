/* The handshake of a WebSocket (RFC 6455 4.2, RFC 7118 4.1). */
#include "libahoy/transport/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/frames.h"

static char space[2048];

static unsigned answer_to(struct span request, const char *origins, struct span *text)
{
    struct ahoy_buf answer = ahoy_buf_over(space, sizeof space);
    unsigned status = ahoy_upgrade_answer(request, ahoy_span(origins), &answer);
    assert_false(answer.overflow);
    *text = ahoy_buf_text(&answer);
    char start[16] = "HTTP/1.1 ";
    struct ahoy_buf expected = ahoy_buf_over(start + 9, 3);
    ahoy_buf_put_number(&expected, status);
    assert_true(ahoy_span_starts_nocase(*text, (struct span){ start, 12 }));
    return status;
}

static unsigned status_of(const char *request)
{
    struct span text;
    return answer_to(ahoy_span(request), "", &text);
}

/* RFC 6455 1.3, and R7118-4.1-2. */
static void the_example_of_the_rfc(void **state)
{
    (void)state;
    struct span text;
    assert_int_equal(answer_to(sim_frames_request(), "", &text), 101);
    assert_true(ahoy_span_equal(
        text, SPAN("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                   "Sec-WebSocket-Protocol: sip\r\n\r\n")));
}

static void its_end_is_found_in_any_pieces(void **state)
{
    (void)state;
    struct span request = sim_frames_request();
    for (size_t seen = 0; seen < request.size; seen++) {
        assert_int_equal(ahoy_upgrade_size((struct span){ request.at, seen }, 0), 0);
        assert_int_equal(ahoy_upgrade_size(request, seen), request.size);
    }
}

#define GET  "GET / HTTP/1.1\r\n"
#define HOST "Host: a.example\r\n"
#define UP   "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define SIP  "Sec-WebSocket-Protocol: sip\r\n"
#define V13  "Sec-WebSocket-Version: 13\r\n"
#define END  "\r\n"

static const struct {
    const char *request;
    unsigned status;
} requests[] = {
    { GET HOST UP KEY SIP V13 END, 101 },
    { "GET /a/b?c=%20 HTTP/1.1\r\n" HOST UP KEY SIP V13 END, 101 },
    /* Names and tokens have no case; lists have other items. */
    { GET "hOST: x\r\nUPGRADE: h2c, WebSocket\r\nconnection: keep-alive, upgrade\r\n" KEY
          "sec-websocket-protocol: xmpp,sip\r\n" V13 END,
      101 },
    { GET HOST UP KEY "Sec-WebSocket-Protocol: xmpp\r\n" SIP V13 END, 101 },
    { GET HOST UP KEY SIP V13 "Cookie: a=b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n" END,
      101 },
    /* R7118-4.1-2: nothing but SIP is spoken here. */
    { GET HOST UP KEY V13 END, 400 },
    { GET HOST UP KEY "Sec-WebSocket-Protocol: SIP\r\n" V13 END, 400 },
    { GET HOST UP KEY "Sec-WebSocket-Protocol: sips, xsip\r\n" V13 END, 400 },
    /* RFC 6455 4.2.1: what must be there. */
    { "POST / HTTP/1.1\r\n" HOST UP KEY SIP V13 END, 405 },
    { "GET / HTTP/1.0\r\n" HOST UP KEY SIP V13 END, 400 },
    { "GET  HTTP/1.1\r\n" HOST UP KEY SIP V13 END, 400 },
    { "GET /\r\n" HOST UP KEY SIP V13 END, 400 },
    { "REGISTER sip:a.example SIP/2.0\r\n" HOST UP KEY SIP V13 END, 400 },
    { GET UP KEY SIP V13 END, 400 },
    { GET HOST KEY SIP V13 END, 426 },
    { GET HOST "Upgrade: websocket\r\n" KEY SIP V13 END, 426 },
    { GET HOST "Connection: Upgrade\r\n" KEY SIP V13 END, 426 },
    { GET HOST UP KEY SIP END, 426 },
    { GET HOST UP KEY SIP "Sec-WebSocket-Version: 8\r\n" END, 426 },
    { GET HOST UP SIP V13 END, 400 },
    { GET HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n" SIP V13 END, 400 },
    { GET HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZXh4\r\n" SIP V13 END, 400 },
    { GET HOST UP "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!==\r\n" SIP V13 END, 400 },
    /* Two readers might each take another one. */
    { GET HOST UP KEY KEY SIP V13 END, 400 },
    { GET HOST HOST UP KEY SIP V13 END, 400 },
    { GET HOST UP KEY SIP V13 V13 END, 400 },
    { GET HOST UP KEY SIP V13 "Origin: a\r\nOrigin: b\r\n" END, 400 },
    { GET HOST UP KEY SIP V13 "No colon\r\n" END, 400 },
    { GET HOST UP KEY SIP V13 "Space : x\r\n" END, 400 },
    { GET HOST UP KEY SIP V13 " folded: x\r\n" END, 400 },
    { GET HOST UP KEY SIP V13 ": x\r\n" END, 400 },
    { GET HOST UP KEY SIP V13 "Bare: x\ny: z\r\n" END, 400 },
    { "\r\n\r\n", 400 },
};

static void requests_and_what_they_get(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (status_of(requests[i].request) != requests[i].status)
            fail_msg("%u, not %u, for:\n%s", status_of(requests[i].request), requests[i].status,
                     requests[i].request);
    }
}

static void refusals_say_what_would_do(void **state)
{
    (void)state;
    struct span text;
    answer_to(SPAN(GET HOST UP KEY SIP "Sec-WebSocket-Version: 8\r\n" END), "", &text);
    assert_non_null(memmem(text.at, text.size, "Sec-WebSocket-Version: 13\r\n", 27));
    answer_to(SPAN("PUT / HTTP/1.1\r\n\r\n"), "", &text);
    assert_non_null(memmem(text.at, text.size, "Allow: GET\r\n", 12));
    assert_non_null(memmem(text.at, text.size, "Connection: close\r\n", 19));
}

/* RFC 6455 10.2: scripts of others are kept out, where that is asked for. */
static void origins(void **state)
{
    (void)state;
    static const struct {
        const char *origins, *row;
        unsigned status;
    } cases[] = {
        { "", "Origin: https://evil.example\r\n", 101 },
        { "https://a.example", "Origin: https://a.example\r\n", 101 },
        { "https://a.example https://b.example:8443", "Origin: HTTPS://B.example:8443\r\n", 101 },
        { "https://a.example", "", 101 }, /* No browser. */
        { "https://a.example", "Origin: https://evil.example\r\n", 403 },
        { "https://a.example", "Origin: https://a.example.evil.example\r\n", 403 },
        { "https://a.example", "Origin: http://a.example\r\n", 403 },
        { "https://a.example https://b.example", "Origin: https://a.example https://b.example\r\n",
          403 },
        { "https://a.example", "Origin: null\r\n", 403 },
        { "https://a.example", "Origin:\r\n", 403 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char request[1024];
        struct span text;
        struct ahoy_buf buf = ahoy_buf_over(request, sizeof request);
        ahoy_buf_put(&buf, SPAN(GET HOST UP KEY SIP V13));
        ahoy_buf_put(&buf, ahoy_span(cases[i].row));
        ahoy_buf_put(&buf, SPAN(END));
        assert_int_equal(answer_to(ahoy_buf_text(&buf), cases[i].origins, &text), cases[i].status);
    }
}

/* RFC 6455 1.3 and 4.1, R7118-4.1-1: what we ask is what a server grants, and its answer to another
 * nonce is none to us. */
static void the_clients_side(void **state)
{
    (void)state;
    static const uint64_t key[2] = { 1, 2 }, other[2] = { 1, 3 };
    char request_space[512];
    struct span text;
    struct ahoy_buf request = ahoy_buf_over(request_space, sizeof request_space);
    ahoy_upgrade_ask(SPAN("a.example:80"), key, &request);
    assert_false(request.overflow);
    assert_int_equal(answer_to(ahoy_buf_text(&request), "", &text), 101);
    assert_true(ahoy_upgrade_is_granted(text, key));
    assert_false(ahoy_upgrade_is_granted(text, other));
    for (size_t size = 0; size < text.size; size++)
        assert_false(ahoy_upgrade_is_granted((struct span){ text.at, size }, key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_rfc),
        cmocka_unit_test(its_end_is_found_in_any_pieces),
        cmocka_unit_test(requests_and_what_they_get),
        cmocka_unit_test(refusals_say_what_would_do),
        cmocka_unit_test(origins),
        cmocka_unit_test(the_clients_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
