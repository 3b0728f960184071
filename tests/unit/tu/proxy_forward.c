/* The forwarded request, byte for byte (RFC 3261 16.4, 16.6). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/stage.h"

/* An OPTIONS with |uri| as its Request-URI and |rows| behind its Max-Forwards. */
static const char *options_with(const char *uri, const char *rows)
{
    static char text[65536];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    ahoy_buf_put(&buf, SPAN("OPTIONS "));
    ahoy_buf_put(&buf, ahoy_span(uri));
    ahoy_buf_put(&buf, SPAN(" SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n"
                            "Max-Forwards: 70\r\n"));
    ahoy_buf_put(&buf, ahoy_span(rows));
    ahoy_buf_put(&buf, SPAN("From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 OPTIONS\r\n"
                            "Content-Length: 0\r\n"
                            "\r\n"));
    assert_false(buf.overflow);
    text[buf.size] = '\0';
    return text;
}

/* What Bob gets of it: the request line, our Via, and |rows| behind its Max-Forwards. */
static const char *options_got(const char *uri, const char *rows)
{
    static char text[65536];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    ahoy_buf_put(&buf, SPAN("OPTIONS "));
    ahoy_buf_put(&buf, ahoy_span(uri));
    ahoy_buf_put(&buf, SPAN(" SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n"
                            "Max-Forwards: 69\r\n"
                            "Max-Breadth: 60\r\n"));
    ahoy_buf_put(&buf, ahoy_span(rows));
    ahoy_buf_put(&buf, SPAN("From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 OPTIONS\r\n"
                            "Content-Length: 0\r\n"
                            "\r\n"));
    assert_false(buf.overflow);
    text[buf.size] = '\0';
    return text;
}

static void bob_answers(struct stage *stage)
{
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* R3261-16.6-1, -2, -4, -5, -7, -34: all is copied but for the Request-URI, Max-Forwards and our
 * Via in front; the body stays. */
static void test_invite(void **state)
{
    struct stage *stage = *state;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_expect_invite(stage, "sip:bob@192.0.2.11", "");
    bob_answers(stage);
}

/* The 100 of 16.2, made by 8.2.6, R3261-16.2-1: no To tag, Timestamp echoed (R3261-8.2.6.1-1),
 * Via marked. */
static void test_trying(void **state)
{
    struct stage *stage = *state;
    stage_say(stage, ALICE,
              "INVITE sip:bob@example.com SIP/2.0\r\n"
              "v: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKa1\r\n"
              "f: <sip:alice@example.com>;tag=a\r\n"
              "t: <sip:bob@example.com>\r\n"
              "i: 1@192.0.2.10\r\n"
              "CSeq: 1 INVITE\r\n"
              "Timestamp: 54\r\n"
              "l: 0\r\n"
              "\r\n");
    stage_expect(stage, ALICE, "100");
    stage_expect_text(stage, "SIP/2.0 100 Trying\r\n"
                             "v: SIP/2.0/UDP 10.0.0.1;received=192.0.2.10;rport=5060;"
                             "branch=z9hG4bKa1\r\n"
                             "f: <sip:alice@example.com>;tag=a\r\n"
                             "t: <sip:bob@example.com>\r\n"
                             "i: 1@192.0.2.10\r\n"
                             "CSeq: 1 INVITE\r\n"
                             "Timestamp: 54\r\n"
                             "Content-Length: 0\r\n"
                             "\r\n");
    stage_expect(stage, BOB, "INVITE"); /* R3261-16.6-8 */
    stage_expect_text(stage, "INVITE sip:bob@192.0.2.11 SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH\r\n"
                             "v: SIP/2.0/UDP 10.0.0.1;received=192.0.2.10;rport=5060;"
                             "branch=z9hG4bKa1\r\n"
                             "Max-Forwards: 70\r\n"
                             "Max-Breadth: 60\r\n"
                             "f: <sip:alice@example.com>;tag=a\r\n"
                             "t: <sip:bob@example.com>\r\n"
                             "i: 1@192.0.2.10\r\n"
                             "CSeq: 1 INVITE\r\n"
                             "Timestamp: 54\r\n"
                             "l: 0\r\n"
                             "\r\n");
    bob_answers(stage);
}

/* R3261-16.6-6: what a Request-URI may not have. */
static void test_request_uri(void **state)
{
    static const struct {
        const char *target;
        const char *uri;
    } rows[] = {
        { "sip:bob@h;transport=tcp;lr", "sip:bob@h;transport=tcp;lr" },
        { "sip:bob@h;method=INVITE", "sip:bob@h" },
        { "sip:bob@h;a=1;Method=INVITE;b", "sip:bob@h;a=1;b" },
        { "sip:bob@h?Subject=x&Route=%3Csip:evil%3E", "sip:bob@h" },
        { "sips:bob@h:1;method=BYE;maddr=1.2.3.4?a=b", "sips:bob@h:1;maddr=1.2.3.4" },
        { "tel:+1234", "tel:+1234" },
        { "urn:service:sos?method=x", "urn:service:sos?method=x" },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage->targets[0].uri = ahoy_span(rows[i].target);
        stage_say(stage, ALICE, options_with("sip:example.com", ""));
        stage_expect(stage, BOB, "OPTIONS");
        stage_expect_text(stage, options_got(rows[i].uri, ""));
        bob_answers(stage);
        stage_wait(stage, 40000); /* The same branch serves again. */
    }
}

/* Route: |rows| come, |own| of their values name us, |got| is what Bob gets. */
static void check_routes(struct stage *stage, size_t own, bool restore, const char *rows,
                         const char *uri, const char *got)
{
    stage->plan.own_routes = own;
    stage->plan.restore_uri = restore;
    stage_say(stage, ALICE, options_with("sip:example.com", rows));
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect_text(stage, options_got(uri, got));
    bob_answers(stage);
    stage_wait(stage, 40000);
}

/* R3261-16.4-6. */
static void test_own_routes(void **state)
{
    static const struct {
        size_t own;
        const char *rows;
        const char *got;
    } rows[] = {
        { 0, "Route: <sip:a;lr>\r\n", "Route: <sip:a;lr>\r\n" },
        { 1, "Route: <sip:a;lr>\r\n", "" },
        { 1, "Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\n", "Route: <sip:b;lr>\r\n" },
        { 2, "Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\n", "" },
        { 1, "Route: <sip:a;lr>,<sip:b;lr>\r\n", "Route: <sip:b;lr>\r\n" },
        { 1, "Route: <sip:a;lr> , \"x, y\" <sip:b;lr>;p=\",\"\r\n",
          "Route: \"x, y\" <sip:b;lr>;p=\",\"\r\n" },
        { 1, "Route: <sip:a;lr>,\r\n <sip:b;lr>,\r\n\t<sip:c;lr>\r\n",
          "Route: <sip:b;lr>,\r\n\t<sip:c;lr>\r\n" },
        { 2, "Route: <sip:a;lr>,\r\n <sip:b;lr>\r\nRoute: <sip:c;lr>\r\n",
          "Route: <sip:c;lr>\r\n" },
        { 2, "Route: <sip:a;lr>\r\nroute:  <sip:b;lr>, <sip:c;lr>\r\n", "route:  <sip:c;lr>\r\n" },
        { 9, "Route: <sip:a;lr>\r\n", "" },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_routes(stage, rows[i].own, false, rows[i].rows, "sip:bob@192.0.2.11", rows[i].got);
}

/* R3261-16.4-1 to -3: what a strict router before us has pushed to the end is the target now. */
static void test_restored_uri(void **state)
{
    static const struct {
        size_t own;
        const char *rows;
        const char *got;
    } rows[] = {
        { 0, "Route: <sip:bob@192.0.2.11>\r\n", "" },
        { 1, "Route: <sip:bob@192.0.2.11>\r\n", "" },
        { 0, "Route: <sip:a;lr>, <sip:bob@192.0.2.11>\r\n", "Route: <sip:a;lr>\r\n" },
        { 1, "Route: <sip:us;lr>, <sip:a;lr> , <sip:bob@192.0.2.11>\r\n", "Route: <sip:a;lr>\r\n" },
        { 1, "Route: <sip:us;lr>\r\nRoute: <sip:a;lr>\r\nRoute: <sip:bob@192.0.2.11>\r\n",
          "Route: <sip:a;lr>\r\n" },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_routes(stage, rows[i].own, true, rows[i].rows, "sip:bob@192.0.2.11", rows[i].got);
    check_routes(stage, 0, true, "", "sip:bob@192.0.2.11", "");
}

/* R3261-16.6-19: the Path of a binding leads there first, and then what is left of the request's
 * own Routes. */
static void test_path_comes_first(void **state)
{
    struct stage *stage = *state;
    stage->targets[0].routes = SPAN("<sip:edge.example;lr>, <sip:core.example;lr>");
    stage->plan.own_routes = 1;
    stage_say(stage, ALICE,
              options_with("sip:bob@example.com", "Route: <sip:us;lr>\r\n"
                                                  "Route: <sip:a;lr>\r\n"));
    stage_expect(stage, BOB, "OPTIONS");
    struct ahoy_message message;
    assert_true(ahoy_message_parse(stage->last, &message, NULL));
    struct ahoy_values values = ahoy_message_values(&message, AHOY_HEADER_ROUTE);
    static const char *const got[] = { "<sip:edge.example;lr>", "<sip:core.example;lr>",
                                       "<sip:a;lr>" };
    struct span value;
    for (size_t i = 0; i < 3; i++) {
        assert_true(ahoy_values_next(&values, &value, NULL));
        assert_true(ahoy_span_equal(value, ahoy_span(got[i])));
    }
    assert_false(ahoy_values_next(&values, &value, NULL));
    bob_answers(stage);
}

/* R3261-16.6-23 to -26, and the example of 16.12.1.2. */
static void test_strict_router(void **state)
{
    static const struct {
        size_t own;
        bool restore;
        const char *rows;
        const char *uri;
        const char *got;
    } rows[] = {
        { 1, false,
          "Route: <sip:p4.domain.com;lr>\r\nRoute: <sip:p3.middle.com>\r\n"
          "Route: <sip:p2.example.com;lr>\r\nRoute: <sip:p1.example.com;lr>\r\n",
          "sip:p3.middle.com",
          "Route: <sip:p2.example.com;lr>\r\nRoute: <sip:p1.example.com;lr>\r\n"
          "Route: <sip:bob@192.0.2.11>\r\n" },
        { 0, false, "Route: <sip:p3.middle.com>\r\n", "sip:p3.middle.com",
          "Route: <sip:bob@192.0.2.11>\r\n" },
        { 0, false, "Route: <sip:p3>, <sip:p2;lr>\r\n", "sip:p3",
          "Route: <sip:p2;lr>\r\nRoute: <sip:bob@192.0.2.11>\r\n" },
        { 1, true, "Route: <sip:us;lr>, <sip:p3>, <sip:p2;lr>, <sip:bob@192.0.2.11>\r\n", "sip:p3",
          "Route: <sip:p2;lr>\r\nRoute: <sip:bob@192.0.2.11>\r\n" },
        { 0, false, "Route: <sip:p3;method=INVITE?a=b>\r\n", "sip:p3",
          "Route: <sip:bob@192.0.2.11>\r\n" },
    };
    struct stage *stage = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_routes(stage, rows[i].own, rows[i].restore, rows[i].rows, rows[i].uri, rows[i].got);
}

/* A Route that nobody can read is the peer's fault, and found before anything is made of it. */
static void test_bad_route(void **state)
{
    static const char *const rows[] = {
        "Route: <sip:a;lr>,,<sip:b;lr>\r\n", "Route: <sip:a;lr>, \r\n",
        "Route: <sip:a;lr>, <sip:b\r\n",     "Route: <sip:a;lr>, \"b <sip:b>\r\n",
        "Route: <sip:a;lr>, <:>\r\n",
    };
    struct stage *stage = *state;
    stage->plan.own_routes = 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage_say(stage, ALICE, options_with("sip:example.com", rows[i]));
        stage_expect(stage, ALICE, "400");
        stage_expect_silence(stage);
        assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    }
}

static void check_record_route(struct stage *stage, enum ahoy_transport bob, const char *rows,
                               const char *got)
{
    static char text[4096];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    ahoy_buf_put(&buf, SPAN("OPTIONS sip:bob@192.0.2.11 SIP/2.0\r\nVia: SIP/2.0/"));
    ahoy_buf_put(&buf, ahoy_transport_name(bob));
    ahoy_buf_put(&buf, SPAN(" 192.0.2.1:5060;branch=BRANCH\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKo1\r\n"));
    ahoy_buf_put(&buf, ahoy_span(got));
    ahoy_buf_put(&buf, SPAN("From: <sip:alice@example.com>;tag=a\r\n"
                            "To: <sip:bob@example.com>\r\n"
                            "Call-ID: 1@192.0.2.10\r\n"
                            "CSeq: 1 OPTIONS\r\n"
                            "Content-Length: 0\r\n"
                            "\r\n"));
    text[buf.size] = '\0';
    stage_transport(stage, BOB, bob);
    stage_say(stage, ALICE, options_with("sip:example.com", rows));
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect_text(stage, text);
    bob_answers(stage);
    stage_wait(stage, 40000);
}

/* R3261-16.6-9 to -12. */
static void test_record_route(void **state)
{
    struct stage *stage = *state;
    stage->plan.record_route = true;
    check_record_route(stage, AHOY_UDP, "",
                       "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr>\r\n"
                       "Max-Forwards: 69\r\n"
                       "Max-Breadth: 60\r\n");
    check_record_route(stage, AHOY_UDP, "Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>\r\n",
                       "Max-Forwards: 69\r\n"
                       "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr>\r\n"
                       "Max-Breadth: 60\r\n"
                       "Record-Route: <sip:a;lr>\r\nRecord-Route: <sip:b;lr>\r\n");
    stage->plan.record_route_params = SPAN(";x=1");
    check_record_route(stage, AHOY_TCP, "Record-Route: <sip:a;lr>\r\n",
                       "Max-Forwards: 69\r\n"
                       "Record-Route: <sip:192.0.2.1:5060;transport=tcp;lr;x=1>\r\n"
                       "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr;x=1>\r\n"
                       "Max-Breadth: 60\r\n"
                       "Record-Route: <sip:a;lr>\r\n");
}

/* Two values where the request leaves by another listener: the callee, who goes through them from
 * the top, meets its own side first. */
static void test_double_record_route(void **state)
{
    struct stage *stage = *state;
    stage->plan.record_route = true;
    stage->targets[0].hop =
        (struct ahoy_hop){ .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER };
    assert_true(ahoy_ip_parse(SPAN("2001:db8::2"), &stage->targets[0].hop.remote));
    stage->targets[0].hop.remote.port = 5060;
    stage->peers[BOB] = stage->targets[0].hop;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    stage_expect_text(stage, "INVITE sip:bob@192.0.2.11 SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP [2001:db8::1]:5060;branch=BRANCH\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa1\r\n"
                             "Record-Route: <sip:[2001:db8::1]:5060;transport=udp;lr>\r\n"
                             "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr>\r\n"
                             "Max-Forwards: 69\r\n"
                             "Max-Breadth: 60\r\n"
                             "From: <sip:alice@example.com>;tag=a\r\n"
                             "To: <sip:bob@example.com>\r\n"
                             "Call-ID: 1@192.0.2.10\r\n"
                             "CSeq: 1 INVITE\r\n"
                             "Contact: <sip:alice@192.0.2.10>\r\n"
                             "Content-Length: 5\r\n"
                             "\r\n"
                             "v=0\r\n");
    bob_answers(stage);
}

/* Another address of ours, by the same transport: a peer of the one may not reach the other. */
static void test_record_route_of_two_addresses(void **state)
{
    struct stage *stage = *state;
    stage->plan.record_route = true;
    stage->targets[0].hop.listener = STAGE_UDP_ALT;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    assert_true(stage_has(stage, "Record-Route: <sip:198.51.100.1:5060;transport=udp;lr>"));
    assert_true(stage_has(stage, "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr>"));
    bob_answers(stage);
}

/* R3261-16.6-13 to -15; a sips URI needs no transport=tls. */
static void test_record_route_and_sips(void **state)
{
    struct stage *stage = *state;
    stage->targets[0].uri = SPAN("sips:bob@192.0.2.11");
    stage_transport(stage, BOB, AHOY_TLS);
    stage->targets[0].uri = SPAN("sips:bob@192.0.2.11");
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    assert_true(stage_has(stage, "Record-Route: <sips:192.0.2.1:5061;lr>"));
    bob_answers(stage);
    stage_wait(stage, 70000);

    stage_transport(stage, ALICE, AHOY_TLS);
    stage_transport(stage, BOB, AHOY_UDP);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    assert_true(stage_has(stage, "Record-Route: <sip:192.0.2.1:5060;transport=udp;lr>"));
    assert_true(stage_has(stage, "Record-Route: <sip:192.0.2.1:5061;transport=tls;lr>"));
    bob_answers(stage);
    stage_wait(stage, 70000);

    /* A secure route to what is named by a SIP URI. */
    stage->plan.record_route = true;
    stage_transport(stage, ALICE, AHOY_UDP);
    stage_transport(stage, BOB, AHOY_TLS);
    stage_say(stage, ALICE, options_with("sip:example.com", "Route: <sips:proxy;lr>\r\n"));
    stage_expect(stage, BOB, "OPTIONS");
    assert_true(stage_has(stage, "Record-Route: <sips:192.0.2.1:5061;lr>"));
    bob_answers(stage);
    stage_wait(stage, 70000);

    /* No dialog comes of it, so there is no path to stay on. */
    stage->plan.record_route = false;
    stage_transport(stage, ALICE, AHOY_TLS);
    stage_transport(stage, BOB, AHOY_UDP);
    stage_say(stage, ALICE, options_with("sip:example.com", ""));
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect_text(stage, options_got("sip:bob@192.0.2.11", ""));
    bob_answers(stage);
}

/* 22.3: credentials that were meant for us go no further, and nothing else goes with them. */
static void test_removed_row(void **state)
{
    static const char text[] = "Proxy-Authorization: Digest realm=\"other\"\r\n"
                               "Proxy-Authorization: Digest realm=\"us\",\r\n nonce=\"1\"\r\n";
    struct stage *stage = *state;
    const char *request = options_with("sip:example.com", text);
    const char *second = strstr(request, "Proxy-Authorization: Digest realm=\"us\"");
    stage->plan.removed = ahoy_span_between(second, strstr(second, "From:"));
    stage_say(stage, ALICE, request);
    stage_expect(stage, BOB, "OPTIONS");
    stage_expect_text(stage, options_got("sip:bob@192.0.2.11",
                                         "Proxy-Authorization: Digest realm=\"other\"\r\n"));
    bob_answers(stage);
}

/* R3261-16.6-39, R3261-20-1, R3261-20.14-1: linphone sends none on UDP. */
static void test_content_length(void **state)
{
    static const char text[] = "MESSAGE sip:bob@example.com SIP/2.0\r\n"
                               "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKm1\r\n"
                               "Max-Forwards: 1\r\n"
                               "From: <sip:alice@example.com>;tag=a\r\n"
                               "To: <sip:bob@example.com>\r\n"
                               "Call-ID: 1@192.0.2.10\r\n"
                               "CSeq: 1 MESSAGE\r\n"
                               "\r\n"
                               "hello";
    struct stage *stage = *state;
    stage_transport(stage, BOB, AHOY_TCP);
    stage_say(stage, ALICE, text);
    stage_expect(stage, BOB, "MESSAGE");
    stage_expect_text(stage, "MESSAGE sip:bob@192.0.2.11 SIP/2.0\r\n"
                             "Via: SIP/2.0/TCP 192.0.2.1:5060;branch=BRANCH\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKm1\r\n"
                             "Max-Forwards: 0\r\n"
                             "Max-Breadth: 60\r\n"
                             "From: <sip:alice@example.com>;tag=a\r\n"
                             "To: <sip:bob@example.com>\r\n"
                             "Call-ID: 1@192.0.2.10\r\n"
                             "CSeq: 1 MESSAGE\r\n"
                             "Content-Length: 5\r\n"
                             "\r\n"
                             "hello");
    bob_answers(stage);
    stage_wait(stage, 40000);
    stage_transport(stage, BOB, AHOY_UDP);
    stage_say(stage, ALICE, text);
    stage_expect(stage, BOB, "MESSAGE");
    assert_true(stage_has(stage, "Content-Length: 5")); /* It might have been too large for UDP. */
    bob_answers(stage);
}

/* A method that nobody knows is forwarded as it is written (R3261-16.2-2). */
static void test_unknown_method(void **state)
{
    struct stage *stage = *state;
    stage_say(stage, ALICE,
              "dance! sip:bob@example.com SIP/2.0\r\n"
              "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKm1\r\n"
              "Max-Forwards: 3\r\n"
              "From: <sip:alice@example.com>;tag=a\r\n"
              "To: <sip:bob@example.com>\r\n"
              "Call-ID: 1@192.0.2.10\r\n"
              "CSeq: 1 dance!\r\n"
              "\r\n");
    stage_expect(stage, BOB, "dance!");
    assert_true(stage_has(stage, "dance! sip:bob@192.0.2.11 SIP/2.0"));
    assert_true(stage_has(stage, "CSeq: 1 dance!"));
    bob_answers(stage);
}

/* More to edit than anybody honest sends: refused, not cut short. */
static void test_too_much_to_edit(void **state)
{
    static char text[8192];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text - 1);
    for (int i = 0; i < 60; i++)
        ahoy_buf_put(&buf, SPAN("Route: <sip:us;lr>\r\n"));
    text[buf.size] = '\0';
    struct stage *stage = *state;
    stage->plan.own_routes = 60;
    stage_say(stage, ALICE, options_with("sip:example.com", text));
    stage_expect(stage, ALICE, "400");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_invite),
        stage_test(test_trying),
        stage_test(test_request_uri),
        stage_test(test_own_routes),
        stage_test(test_restored_uri),
        stage_test(test_path_comes_first),
        stage_test(test_strict_router),
        stage_test(test_bad_route),
        stage_test(test_record_route),
        stage_test(test_double_record_route),
        stage_test(test_record_route_of_two_addresses),
        stage_test(test_record_route_and_sips),
        stage_test(test_removed_row),
        stage_test(test_content_length),
        stage_test(test_unknown_method),
        stage_test(test_too_much_to_edit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
