/* Which transport a request leaves by, for its size, and how it comes back from TCP (RFC 3261
 * 18.1.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libahoy/transaction/departure.h"
#include "tests/support/layer.h"

static struct layer layer;

static int set_up(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    layer_run(&layer, layer.now_ms + 100000); /* All ends. */
    layer_forget_trace(&layer);
    layer_fini(&layer);
    return 0;
}

/* A request of |size| bytes in all, as it leaves; drained only where it could. */
static struct ahoy_handle send_sized(enum ahoy_method method, size_t size, bool is_flow)
{
    /* All but the body: what is written below, and the Via of "192.0.2.1:5060". */
    static const char head[] = "From: <sip:a@a.example>;tag=1\r\nTo: <sip:b@b.example>\r\n"
                               "Call-ID: large\r\nMax-Forwards: 70\r\n";
    static char body[8192];
    char line[64];
    char rows[64];
    struct span name = ahoy_method_name(method);
    snprintf(line, sizeof line, "%.*s sip:b@b.example SIP/2.0\r\n", (int)name.size, name.at);
    size_t via = strlen("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=" AHOY_BRANCH_COOKIE ";rport\r\n") +
                 AHOY_TOKEN_SIZE;
    size_t fixed = strlen(line) + via + strlen(head) + strlen("CSeq: 1 \r\n") + name.size +
                   strlen("Content-Length: 0000\r\n\r\n");
    assert_in_range(size, fixed, fixed + sizeof body);
    snprintf(rows, sizeof rows, "CSeq: 1 %.*s\r\nContent-Length: %04zu\r\n\r\n", (int)name.size,
             name.at, size - fixed);
    const struct span pieces[] = { ahoy_span(head), ahoy_span(rows), { body, size - fixed } };
    const struct ahoy_outgoing request = { .method = method,
                                           .request_line = ahoy_span(line),
                                           .pieces = pieces,
                                           .count = 3,
                                           .hop = layer.source,
                                           .is_flow = is_flow,
                                           .user = 7 };
    struct ahoy_handle handle =
        ahoy_transaction_request(layer.transactions, &request, layer.now_ms);
    layer_drain(&layer);
    return handle;
}

/* Whether what was sent last says |name| in its Via and went by it. */
static void expect_by(enum ahoy_transport transport, size_t size)
{
    char start[64];
    struct span name = ahoy_transport_name(transport);
    snprintf(start, sizeof start, "\r\nVia: SIP/2.0/%.*s 192.0.2.1:5060;branch=z9hG4bK",
             (int)name.size, name.at);
    layer.sent[layer.sent_size] = '\0';
    assert_non_null(strstr(layer.sent, start));
    assert_non_null(strstr(layer.sent, ";rport\r\n"));
    assert_int_equal(layer.sending.hop.transport, transport);
    assert_int_equal(layer.sending.hop.listener, transport == AHOY_UDP ? LAYER_UDP : LAYER_TCP);
    assert_int_equal(layer.sent_size, size);
}

/* R3261-18.1.1-1, -2 and -5, R3261-18-2, R3581-3-1: 1300 bytes may be a datagram, and no more. */
static void test_border(void **state)
{
    (void)state;
    (void)send_sized(AHOY_METHOD_OPTIONS, AHOY_LARGE_REQUEST_LIMIT, false);
    expect_by(AHOY_UDP, 1300);
    (void)send_sized(AHOY_METHOD_OPTIONS, AHOY_LARGE_REQUEST_LIMIT + 1, false);
    expect_by(AHOY_TCP, 1301);
}

/* By TCP nothing is sent again (17.1.2.2); the transaction has the same time as any. */
static void test_clocks_of_tcp(void **state)
{
    (void)state;
    (void)send_sized(AHOY_METHOD_INVITE, 2000, false);
    layer_run(&layer, 40000);
    layer_expect(&layer, "0 > INVITE\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
}

/* R7118-5-1: nothing is sent again, and nothing lingers, on any transport but UDP. */
static void test_reliable_transports(void **state)
{
    (void)state;
    static const enum ahoy_transport reliable[] = { AHOY_TCP, AHOY_TLS, AHOY_WS, AHOY_WSS };
    for (size_t i = 0; i < sizeof reliable / sizeof reliable[0]; i++) {
        layer_init(&layer, AHOY_TCP);
        layer.listeners[LAYER_TCP].transport = reliable[i];
        layer.source.transport = (uint8_t)reliable[i];
        layer_send(&layer, AHOY_METHOD_OPTIONS, 7);
        layer_run(&layer, 5000);
        layer_answer(&layer, 200);
        layer_run(&layer, 5001);
        layer_expect(&layer, "0 > OPTIONS\n"
                             "5000 ^ 200 user 7\n"
                             "5000 ^ ended user 7\n");
        layer_fini(&layer);
    }
}

/* S3261-18.1.1-1: TCP is refused, so UDP has it, with the same branch and the clocks of UDP. */
static void test_refused(void **state)
{
    (void)state;
    char branch[32];
    struct ahoy_handle handle = send_sized(AHOY_METHOD_INVITE, 2000, false);
    memcpy(branch, strstr(layer.sent, "z9hG4bK"), 20);
    layer_run(&layer, 40);
    layer_fail(&layer, handle);
    expect_by(AHOY_UDP, 2000);
    assert_memory_equal(strstr(layer.sent, "z9hG4bK"), branch, 20);
    layer_run(&layer, 1700);
    expect_by(AHOY_UDP, 2000);
    layer_answer(&layer, 486);
    layer_expect(&layer, "0 > INVITE\n"
                         "40 > INVITE\n"
                         "540 > INVITE\n"
                         "1540 > INVITE\n"
                         "1700 ^ 486 user 7\n"
                         "1700 > ACK\n");
    expect_by(AHOY_UDP, layer.sent_size); /* 17.1.1.3: the Via of the request. */
    /* Where UDP fails too, nothing is left. */
    handle = send_sized(AHOY_METHOD_OPTIONS, 2000, false);
    layer_fail(&layer, handle);
    layer_fail(&layer, handle);
    layer_expect(&layer, "1700 > OPTIONS\n"
                         "1700 > OPTIONS\n"
                         "1700 ^ unreachable user 7\n"
                         "1700 ^ ended user 7\n");
}

/* Clock B runs from the beginning, and what is to be said in a CANCEL is not forgotten. */
static void test_cancelled_on_the_way(void **state)
{
    (void)state;
    struct ahoy_handle handle = send_sized(AHOY_METHOD_INVITE, 2000, false);
    ahoy_transaction_cancel(layer.transactions, handle, SPAN("Reason: SIP;cause=200\r\n"), 0);
    layer_run(&layer, 1000);
    layer_fail(&layer, handle);
    layer_answer(&layer, 180);
    layer.sent[layer.sent_size] = '\0';
    assert_non_null(strstr(layer.sent, "CANCEL "));
    assert_non_null(strstr(layer.sent, "Reason: SIP;cause=200\r\n"));
    expect_by(AHOY_UDP, layer.sent_size);
}

/* Somebody has answered by TCP: then the failure is what it is. */
static void test_heard_by_tcp(void **state)
{
    (void)state;
    struct ahoy_handle handle = send_sized(AHOY_METHOD_OPTIONS, 2000, false);
    layer_answer(&layer, 100);
    layer_fail(&layer, handle);
    layer_expect(&layer, "0 > OPTIONS\n"
                         "0 ^ 100 user 7\n"
                         "0 ^ unreachable user 7\n"
                         "0 ^ ended user 7\n");
}

/* A small request by TCP, or one for which TCP was chosen, has nowhere to go back to. */
static void test_chosen_tcp(void **state)
{
    (void)state;
    layer.source.transport = AHOY_TCP;
    struct ahoy_handle handle = send_sized(AHOY_METHOD_OPTIONS, 2000, false);
    layer_fail(&layer, handle);
    layer_expect(&layer, "0 > OPTIONS\n"
                         "0 ^ unreachable user 7\n"
                         "0 ^ ended user 7\n");
}

/* What stays with UDP: a flow of RFC 5626, a peer that refused TCP within five minutes, and all
 * where we have no TCP. */
static void test_stays(void **state)
{
    (void)state;
    (void)send_sized(AHOY_METHOD_OPTIONS, 2000, true);
    expect_by(AHOY_UDP, 2000);
    ahoy_refusals_add(&layer.flows.refusals, &layer.source.remote, layer.now_ms);
    layer_run(&layer, AHOY_REFUSAL_MS - 1);
    (void)send_sized(AHOY_METHOD_OPTIONS, 2000, false);
    expect_by(AHOY_UDP, 2000);
    layer_run(&layer, AHOY_REFUSAL_MS);
    (void)send_sized(AHOY_METHOD_OPTIONS, 2000, false);
    expect_by(AHOY_TCP, 2000);
    layer.flows.listener_count = 1;
    (void)send_sized(AHOY_METHOD_OPTIONS, 2000, false);
    expect_by(AHOY_UDP, 2000);
    layer.flows.listener_count = LAYER_LISTENERS;
}

/* The oldest refusal gives way; one that is known takes no second place. */
static void test_many_refusals(void **state)
{
    (void)state;
    static struct ahoy_refusals refusals;
    struct ahoy_ip ip = layer.source.remote;
    for (uint16_t i = 0; i < AHOY_REFUSALS_LIMIT + 1; i++) {
        ip.port = (uint16_t)(1000 + i);
        ahoy_refusals_add(&refusals, &ip, 0);
        ahoy_refusals_add(&refusals, &ip, 0);
        assert_true(ahoy_refusals_has(&refusals, &ip, 0));
    }
    ip.port = 1000;
    assert_false(ahoy_refusals_has(&refusals, &ip, 0));
    ip.port = 1001;
    assert_true(ahoy_refusals_has(&refusals, &ip, 0));
}

/* What was sent last is |before|, the token of a branch, and |behind|. */
static void expect_text(const char *before, const char *behind)
{
    size_t token = strlen(before);
    layer.sent[layer.sent_size] = '\0';
    assert_memory_equal(layer.sent, before, token);
    assert_string_equal(layer.sent + token + AHOY_TOKEN_SIZE, behind);
}

/* Every part of our Via, where the listener for TCP has another name than that for UDP: what moves
 * there has another size, and so has what comes back (18.1.1). */
static void test_via(void **state)
{
    (void)state;
    static char body[2000];
    layer.listeners[LAYER_TCP].sent_by = SPAN("proxy.a.example");
    memset(body, 'b', sizeof body - 1);
    struct span pieces[] = { SPAN("Content-Length: 0\r\n\r\n"), SPAN(""), { body, 0 } };
    struct ahoy_outgoing request = { .method = AHOY_METHOD_OPTIONS,
                                     .request_line = SPAN("OPTIONS sip:b SIP/2.0\r\n"),
                                     .pieces = pieces,
                                     .count = 3,
                                     .hop = layer.source,
                                     .branch_tail = SPAN(".tail"),
                                     .via_params = SPAN(";keep"),
                                     .user = 7 };
    (void)ahoy_transaction_request(layer.transactions, &request, layer.now_ms);
    layer_drain(&layer);
    expect_text("OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK",
                ".tail;rport;keep\r\nContent-Length: 0\r\n\r\n");
    char behind[sizeof body + 64];
    pieces[2].size = sizeof body - 1;
    snprintf(behind, sizeof behind, ".tail;rport;keep\r\nContent-Length: 0\r\n\r\n%s", body);
    struct ahoy_handle handle =
        ahoy_transaction_request(layer.transactions, &request, layer.now_ms);
    layer_drain(&layer);
    expect_text("OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP proxy.a.example;branch=z9hG4bK",
                behind);
    layer_fail(&layer, handle);
    expect_text("OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK",
                behind);
}

/* An ACK to a 2xx is a request too. */
static void test_without_transaction(void **state)
{
    (void)state;
    static char body[2000];
    const struct span pieces[] = { SPAN("Content-Length: 2000\r\n\r\n"), { body, sizeof body } };
    const struct ahoy_outgoing request = { .method = AHOY_METHOD_ACK,
                                           .request_line = SPAN("ACK sip:b@b.example SIP/2.0\r\n"),
                                           .pieces = pieces,
                                           .count = 2,
                                           .hop = layer.source };
    assert_true(ahoy_transaction_send(layer.transactions, &request, SPAN("seed")));
    layer_drain(&layer);
    expect_by(AHOY_TCP, layer.sent_size);
}

/* Nothing leaves for a group, so that no response can come to one either. */
static void test_groups(void **state)
{
    (void)state;
    layer.source.remote.bytes[0] = 224;
    assert_int_equal(send_sized(AHOY_METHOD_OPTIONS, 1000, false).generation, 0);
    layer_expect(&layer, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_border, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clocks_of_tcp, set_up, tear_down),
        cmocka_unit_test(test_reliable_transports),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancelled_on_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heard_by_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_chosen_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_via, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
