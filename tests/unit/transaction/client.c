/* The client side with real messages and virtual time: every timer to the millisecond, what is
 * sent and what comes up (RFC 3261 17.1, RFC 6026 7.2, 8.4). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/layer.h"

static struct layer layer;

/* A message that went down, kept while others follow. */
struct kept {
    char bytes[4096];
    size_t size;
};

static struct span text_of(const struct kept *kept)
{
    return (struct span){ kept->bytes, kept->size };
}

static struct kept keep_sent(void)
{
    struct kept kept = { .size = layer.sent_size };
    assert_in_range(kept.size, 1, sizeof kept.bytes);
    memcpy(kept.bytes, layer.sent, layer.sent_size);
    return kept;
}

/* Starts a request of ours and forgets that it was sent. */
static struct kept begin(enum ahoy_transport transport, enum ahoy_method method)
{
    layer_init(&layer, transport);
    assert_int_not_equal(layer_send(&layer, method, 7).generation, 0);
    layer_forget_trace(&layer);
    return keep_sent();
}

/* R3261-17.1.1.2-1 to -8; S3261-17.1.1.2-5. */
static void test_invite_unanswered(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    assert_int_not_equal(layer_send(&layer, AHOY_METHOD_INVITE, 7).generation, 0);
    struct kept first = keep_sent();
    layer_run(&layer, 31999);
    layer_expect(&layer, "0 > INVITE\n"
                         "500 > INVITE\n"
                         "1500 > INVITE\n"
                         "3500 > INVITE\n"
                         "7500 > INVITE\n"
                         "15500 > INVITE\n"
                         "31500 > INVITE\n");
    /* "To take the message previously sent and pass it once more." */
    assert_memory_equal(layer.sent, first.bytes, first.size);
    assert_int_equal(layer.sent_size, first.size);
    layer_run(&layer, 100000);
    layer_expect(&layer, "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* S3261-17.1.1.2-1: no clock A where nothing is lost on the way. */
static void test_invite_unanswered_reliable(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_TCP);
    layer_send(&layer, AHOY_METHOD_INVITE, 7);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > INVITE\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* S3261-17.1.1.2-6, R3261-17.1.1.2-10, -11: nothing is sent again while it rings, however long. */
static void test_invite_rings(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    layer_run(&layer, 499);
    layer_answer_to(&layer, text_of(&invite), 100);
    layer_run(&layer, 3000);
    layer_answer_to(&layer, text_of(&invite), 180);
    layer_answer_to(&layer, text_of(&invite), 180);
    layer_run(&layer, 600000);
    layer_answer_to(&layer, text_of(&invite), 200);
    layer_run(&layer, 700000);
    layer_expect(&layer, "499 ^ 100 user 7\n"
                         "3000 ^ 180 user 7\n"
                         "3000 ^ 180 user 7\n"
                         "600000 ^ 200 user 7\n"
                         "632000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R6026-7.2-1 to -5, R6026-8.4-7 to -13: each 2xx goes up while clock M runs, none is acknowledged
 * here, and what comes later belongs to nobody. */
static void test_two_forks_answer(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    layer_run(&layer, 100);
    layer_answer_to(&layer, text_of(&invite), 200);
    assert_int_equal(ahoy_transactions_memory(layer.transactions), 0);
    layer_run(&layer, 600);
    layer_answer_to(&layer, text_of(&invite), 200);
    layer_run(&layer, 30000);
    layer_answer_to(&layer, text_of(&invite), 202);
    layer_answer_to(&layer, text_of(&invite), 183);
    layer_answer_to(&layer, text_of(&invite), 486);
    layer_run(&layer, 32099);
    layer_answer_to(&layer, text_of(&invite), 200);
    layer_run(&layer, 32100);
    layer_answer_to(&layer, text_of(&invite), 200);
    layer_expect(&layer, "100 ^ 200 user 7\n"
                         "600 ^ 200 user 7\n"
                         "30000 ^ 202 user 7\n"
                         "32099 ^ 200 user 7\n"
                         "32100 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R6026-8.4-1 to -6: one way up, an ACK each time, until clock D. */
static void test_invite_fails(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    layer_run(&layer, 100);
    layer_answer_to(&layer, text_of(&invite), 180);
    layer_answer_to(&layer, text_of(&invite), 486);
    struct kept ack = keep_sent();
    layer_run(&layer, 600);
    layer.peers_tag = "forks";
    layer_answer_to(&layer, text_of(&invite), 486);
    assert_int_equal(layer.sent_size, ack.size);
    assert_memory_equal(layer.sent, ack.bytes, ack.size);
    layer_answer_to(&layer, text_of(&invite), 180);
    layer_answer_to(&layer, text_of(&invite), 200);
    layer_run(&layer, 32099);
    layer_answer_to(&layer, text_of(&invite), 486);
    layer_run(&layer, 32100);
    layer_answer_to(&layer, text_of(&invite), 486);
    layer_expect(&layer, "100 ^ 180 user 7\n"
                         "100 ^ 486 user 7\n"
                         "100 > ACK\n"
                         "600 > ACK\n"
                         "32099 > ACK\n"
                         "32100 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R3261-17.1.1.2-13: "even if the transport is reliable"; clock D is then 0. */
static void test_invite_fails_reliable(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_TCP, AHOY_METHOD_INVITE);
    layer_run(&layer, 100);
    layer_answer_to(&layer, text_of(&invite), 302);
    layer_run(&layer, 100);
    layer_expect(&layer, "100 ^ 302 user 7\n"
                         "100 > ACK\n"
                         "100 ^ ended user 7\n");
    layer_fini(&layer);
}

static void expect_row(const struct ahoy_message *message, enum ahoy_header header,
                       const char *value)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    assert_non_null(field);
    assert_int_equal(field->value.size, strlen(value));
    assert_memory_equal(field->value.at, value, strlen(value));
    assert_null(ahoy_message_next(message, field));
}

/* 17.1.1.3, rule by rule. */
static void test_ack(void **state)
{
    (void)state;
    static struct ahoy_message sent, ack;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    struct ahoy_hop hop = layer.sending.hop;
    layer_answer_to(&layer, text_of(&invite), 603);
    assert_true(ahoy_message_parse(text_of(&invite), &sent, NULL));
    assert_true(ahoy_message_parse(layer_sent(&layer), &ack, NULL));
    assert_int_equal(ack.method, AHOY_METHOD_ACK);
    assert_true(ahoy_span_equal(ack.request_uri, sent.request_uri)); /* R3261-17.1.1.3-2 */
    expect_row(&ack, AHOY_HEADER_FROM, "<sip:alice@192.0.2.1>;tag=ours");
    expect_row(&ack, AHOY_HEADER_CALL_ID, "our-call");
    expect_row(&ack, AHOY_HEADER_TO, "<sip:bob@192.0.2.2>;tag=peers"); /* R3261-17.1.1.3-3 */
    struct span via = ahoy_message_value(&sent, AHOY_HEADER_VIA);      /* R3261-17.1.1.3-4 */
    assert_true(ahoy_span_equal(ahoy_message_value(&ack, AHOY_HEADER_VIA), via));
    expect_row(&ack, AHOY_HEADER_CSEQ, "7 ACK");               /* R3261-17.1.1.3-5 */
    expect_row(&ack, AHOY_HEADER_ROUTE, "<sip:192.0.2.2;lr>"); /* R3261-17.1.1.3-6 */
    assert_int_equal(ack.body.size, 0);
    assert_true(layer_same_hop(&layer.sending.hop, &hop)); /* R3261-17.1.1.2-14, R3263-4-2 */
    layer_abort(&layer);
}

/* S3261-17.1.2.2-1, -2, R3261-17.1.2.2-1, -2: doubled up to T2. */
static void test_noninvite_unanswered(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer_send(&layer, AHOY_METHOD_OPTIONS, 7);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > OPTIONS\n"
                         "500 > OPTIONS\n"
                         "1500 > OPTIONS\n"
                         "3500 > OPTIONS\n"
                         "7500 > OPTIONS\n"
                         "11500 > OPTIONS\n"
                         "15500 > OPTIONS\n"
                         "19500 > OPTIONS\n"
                         "23500 > OPTIONS\n"
                         "27500 > OPTIONS\n"
                         "31500 > OPTIONS\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

static void test_noninvite_unanswered_reliable(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_TCP);
    layer_send(&layer, AHOY_METHOD_REGISTER, 7);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > REGISTER\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R3261-17.1.2.2-3, -5, -6: after a provisional response clock E goes on as it was set, then with
 * intervals of T2. */
static void test_noninvite_proceeds(void **state)
{
    (void)state;
    struct kept options = begin(AHOY_UDP, AHOY_METHOD_OPTIONS);
    layer_run(&layer, 600);
    layer_answer_to(&layer, text_of(&options), 100);
    layer_run(&layer, 20000);
    layer_answer_to(&layer, text_of(&options), 100);
    layer_run(&layer, 100000);
    layer_expect(&layer, "500 > OPTIONS\n"
                         "600 ^ 100 user 7\n"
                         "1500 > OPTIONS\n"
                         "5500 > OPTIONS\n"
                         "9500 > OPTIONS\n"
                         "13500 > OPTIONS\n"
                         "17500 > OPTIONS\n"
                         "20000 ^ 100 user 7\n"
                         "21500 > OPTIONS\n"
                         "25500 > OPTIONS\n"
                         "29500 > OPTIONS\n"
                         "32000 ^ timeout user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* R3261-17.1.2.2-4, -7, -8, -9: one final response goes up, its retransmissions and all else are
 * swallowed while clock K runs. */
static void test_noninvite_answered(void **state)
{
    (void)state;
    static const unsigned finals[] = { 200, 302, 401, 500, 699 };
    for (size_t i = 0; i < sizeof finals / sizeof finals[0]; i++) {
        struct kept options = begin(AHOY_UDP, AHOY_METHOD_OPTIONS);
        char lines[128];
        if (i % 2 == 1)
            layer_answer_to(&layer, text_of(&options), 100);
        layer_run(&layer, 100);
        layer_forget_trace(&layer);
        layer_answer_to(&layer, text_of(&options), finals[i]);
        assert_int_equal(ahoy_transactions_memory(layer.transactions), 0);
        layer_answer_to(&layer, text_of(&options), finals[i]);
        layer_answer_to(&layer, text_of(&options), 200);
        layer_answer_to(&layer, text_of(&options), 100);
        layer_run(&layer, 5099);
        layer_answer_to(&layer, text_of(&options), finals[i]);
        layer_run(&layer, 6000);
        layer_answer_to(&layer, text_of(&options), finals[i]);
        snprintf(lines, sizeof lines, "100 ^ %u user 7\n5100 ^ ended user 7\n", finals[i]);
        layer_expect(&layer, lines);
        layer_fini(&layer);
    }
}

static void test_noninvite_answered_reliable(void **state)
{
    (void)state;
    struct kept options = begin(AHOY_TCP, AHOY_METHOD_OPTIONS);
    layer_run(&layer, 100);
    layer_answer_to(&layer, text_of(&options), 200);
    layer_run(&layer, 100);
    layer_expect(&layer, "100 ^ 200 user 7\n"
                         "100 ^ ended user 7\n");
    layer_fini(&layer);
}

/* 17.1.3: a response with another branch or another method in CSeq is a stray, R6026-8.9-1, and
 * R6026-8.9-2 says what becomes of it. */
static void test_strays(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    struct kept other = invite;
    char *branch = strstr(other.bytes, "z9hG4bK") + strlen("z9hG4bK");
    branch[0] = branch[0] == 'a' ? 'b' : 'a';
    layer_answer_to(&layer, text_of(&other), 200);
    branch[0] = '!';
    layer_answer_to(&layer, text_of(&other), 200);
    other = invite;
    memcpy(strstr(other.bytes, "7 INVITE"), "7 CANCEL", 8);
    memcpy(other.bytes, "CANCEL", 6);
    layer_answer_to(&layer, text_of(&other), 200);
    layer_expect(&layer, "");
    /* It may be a CSeq of any number: the branch says whose it is. */
    other = invite;
    memcpy(strstr(other.bytes, "7 INVITE"), "8 INVITE", 8);
    layer_answer_to(&layer, text_of(&other), 180);
    layer_expect(&layer, "0 ^ 180 user 7\n");
    layer_abort(&layer);
}

/* A tail is part of the branch. */
static void test_branch_tail(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    const struct span pieces[] = { SPAN("From: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\n"
                                        "CSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\r\n") };
    struct ahoy_outgoing request = { .method = AHOY_METHOD_INVITE,
                                     .request_line = SPAN("INVITE sip:b@b SIP/2.0\r\n"),
                                     .pieces = pieces,
                                     .count = 1,
                                     .hop = layer.source,
                                     .branch_tail = SPAN("-0123456789abcdef0123456789abcde"),
                                     .user = 7 };
    assert_int_equal(request.branch_tail.size, AHOY_BRANCH_TAIL_LIMIT);
    assert_int_not_equal(ahoy_transaction_request(layer.transactions, &request, 0).generation, 0);
    layer_drain(&layer);
    layer_forget_trace(&layer);
    struct kept invite = keep_sent(), other = invite;
    char *tail = strstr(invite.bytes, "-0123456789abcdef0123456789abcde;rport\r\n");
    assert_non_null(tail);
    other.bytes[tail - invite.bytes + 5] = 'x';
    layer_answer_to(&layer, text_of(&other), 180);
    memmove(strstr(other.bytes, ";rport") - 1, strstr(invite.bytes, ";rport"),
            (size_t)(invite.bytes + invite.size - strstr(invite.bytes, ";rport")));
    other.size--;
    other.bytes[tail - invite.bytes + 5] = '4';
    layer_answer_to(&layer, text_of(&other), 180);
    layer_expect(&layer, "");
    layer_answer_to(&layer, text_of(&invite), 180);
    layer_expect(&layer, "0 ^ 180 user 7\n");
    layer_abort(&layer);
}

/* A method that has no number here is a method all the same, known by its name. */
static void test_unknown_method(void **state)
{
    (void)state;
    struct kept frob = begin(AHOY_UDP, AHOY_METHOD_OTHER);
    struct kept other = frob;
    memcpy(other.bytes, "FROG", 4);
    memcpy(strstr(other.bytes, "7 FROB"), "7 FROG", 6);
    layer_answer_to(&layer, text_of(&other), 404);
    layer_answer_to(&layer, text_of(&frob), 200);
    layer_answer_to(&layer, text_of(&frob), 200);
    layer_run(&layer, 5000);
    layer_expect(&layer, "0 ^ 200 user 7\n"
                         "5000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* S3261-17.1.4-1: told, and over; what fails later is nobody's. */
static void test_unreachable(void **state)
{
    (void)state;
    static const enum ahoy_method methods[] = { AHOY_METHOD_INVITE, AHOY_METHOD_OPTIONS };
    for (size_t i = 0; i < 2; i++) {
        begin(AHOY_UDP, methods[i]);
        struct ahoy_handle handle = layer.sending.transaction;
        layer_run(&layer, 10);
        layer_fail(&layer, handle);
        layer_fail(&layer, handle);
        layer_run(&layer, 100000);
        layer_expect(&layer, "10 ^ unreachable user 7\n"
                             "10 ^ ended user 7\n");
        layer_fini(&layer);
    }
}

/* A failure is reported late: the response shows that it was only a retransmission's. */
static void test_late_failures(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    struct ahoy_handle handle = layer.sending.transaction;
    layer_answer_to(&layer, text_of(&invite), 180);
    layer_fail(&layer, handle);
    layer_answer_to(&layer, text_of(&invite), 200);
    layer_fail(&layer, handle);
    layer_run(&layer, 32000);
    layer_expect(&layer, "0 ^ 180 user 7\n"
                         "0 ^ 200 user 7\n"
                         "32000 ^ ended user 7\n");
    layer_fini(&layer);
    struct kept options = begin(AHOY_UDP, AHOY_METHOD_OPTIONS);
    handle = layer.sending.transaction;
    layer_answer_to(&layer, text_of(&options), 200);
    layer_fail(&layer, handle);
    layer_run(&layer, 5000);
    layer_expect(&layer, "0 ^ 200 user 7\n"
                         "5000 ^ ended user 7\n");
    layer_fini(&layer);
}

/* Figure 5: where the ACK cannot be sent the user hears of that, and it is over. */
static void test_ack_fails(void **state)
{
    (void)state;
    struct kept invite = begin(AHOY_UDP, AHOY_METHOD_INVITE);
    layer_answer_to(&layer, text_of(&invite), 486);
    layer_fail(&layer, layer.sending.transaction);
    layer_expect(&layer, "0 ^ 486 user 7\n"
                         "0 > ACK\n"
                         "0 ^ unreachable user 7\n"
                         "0 ^ ended user 7\n");
    layer_fini(&layer);
}

/* What goes down is the request line, our Via, and the rest; where to, and for whom. */
static void test_what_is_sent(void **state)
{
    (void)state;
    static const struct {
        enum ahoy_transport transport;
        uint8_t listener;
        const char *via;
    } cases[] = { { AHOY_UDP, LAYER_UDP, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK" },
                  { AHOY_TCP, LAYER_TCP, "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK" } };
    for (size_t i = 0; i < 2; i++) {
        layer_init(&layer, cases[i].transport);
        struct ahoy_handle handle = layer_send(&layer, AHOY_METHOD_MESSAGE, 7);
        assert_true(ahoy_handle_equal(layer.sending.transaction, handle));
        assert_int_equal(layer.sending.hop.listener, cases[i].listener);
        assert_true(ahoy_ip_equal(&layer.sending.hop.remote, &layer.source.remote));
        const char *line = "MESSAGE sip:bob@192.0.2.2 SIP/2.0\r\nVia: ";
        assert_memory_equal(layer.sent, line, strlen(line));
        const char *via = layer.sent + strlen(line);
        assert_memory_equal(via, cases[i].via, strlen(cases[i].via));
        struct span token = { via + strlen(cases[i].via), AHOY_TOKEN_SIZE };
        uint64_t bits;
        assert_true(ahoy_token_parse(token, &bits));
        const char *rest = ";rport\r\nMax-Forwards: 70\r\n";
        assert_memory_equal(ahoy_span_end(token), rest, strlen(rest));
        assert_memory_equal(layer.sent + layer.sent_size - 8, "\r\n\r\nbody", 8);
        layer_abort(&layer);
    }
}

/* Each branch is new (8.1.1.7), and nobody who has not the seed knows the next. */
static void test_branches_are_unique(void **state)
{
    (void)state;
    enum { COUNT = 50 };
    char branches[COUNT][AHOY_TOKEN_SIZE];
    layer_init(&layer, AHOY_UDP);
    for (size_t i = 0; i < COUNT; i++) {
        layer_send(&layer, AHOY_METHOD_OPTIONS, 1);
        struct kept sent = keep_sent();
        memcpy(branches[i], strstr(sent.bytes, "z9hG4bK") + 7, AHOY_TOKEN_SIZE);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(branches[i], branches[j], AHOY_TOKEN_SIZE);
    }
    layer_abort(&layer);
}

static struct kept send_once(struct span seed, struct span tail)
{
    const struct span pieces[] = { SPAN("CSeq: 1 ACK\r\n\r\n") };
    const struct ahoy_outgoing ack = { .method = AHOY_METHOD_ACK,
                                       .request_line = SPAN("ACK sip:b@b SIP/2.0\r\n"),
                                       .pieces = pieces,
                                       .count = 1,
                                       .hop = layer.source,
                                       .branch_tail = tail };
    assert_true(ahoy_transaction_send(layer.transactions, &ack, seed));
    layer_drain(&layer);
    assert_int_equal(layer.sending.transaction.generation, 0);
    return keep_sent();
}

/* 16.11: the same branch each time, so that downstream it is the same transaction. */
static void test_sent_once(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    struct kept first = send_once(SPAN("z9hG4bKfrom-upstream"), SPAN(""));
    struct kept again = send_once(SPAN("z9hG4bKfrom-upstream"), SPAN(""));
    struct kept other = send_once(SPAN("z9hG4bKfrom-upstreaM"), SPAN(""));
    struct kept tailed = send_once(SPAN("z9hG4bKfrom-upstream"), SPAN(".x"));
    assert_true(ahoy_span_equal(text_of(&first), text_of(&again)));
    assert_false(ahoy_span_equal(text_of(&first), text_of(&other)));
    assert_int_equal(tailed.size, first.size + 2);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 > ACK\n0 > ACK\n0 > ACK\n0 > ACK\n");
    layer_fini(&layer);
}

static void test_no_listener(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer.source.remote.family = AHOY_IPV6;
    assert_null(ahoy_transaction_listener(layer.transactions, &layer.source));
    assert_int_equal(layer_send(&layer, AHOY_METHOD_INVITE, 7).generation, 0);
    const struct ahoy_outgoing ack = { .method = AHOY_METHOD_ACK, .hop = layer.source };
    assert_false(ahoy_transaction_send(layer.transactions, &ack, SPAN("seed")));
    layer.source.remote.family = AHOY_IPV4;
    const struct ahoy_listener *listener =
        ahoy_transaction_listener(layer.transactions, &layer.source);
    assert_ptr_equal(listener, &layer.listeners[LAYER_UDP]);
    layer_expect(&layer, "");
    layer_fini(&layer);
}

/* What is no longer of this world harms nobody. */
static void test_stale_handles(void **state)
{
    (void)state;
    struct kept options = begin(AHOY_UDP, AHOY_METHOD_OPTIONS);
    struct ahoy_handle handle = layer.sending.transaction;
    assert_false(layer_respond(&layer, handle, 200)); /* No server transaction. */
    layer_answer_to(&layer, text_of(&options), 200);
    layer_run(&layer, 5000);
    layer_forget_trace(&layer);
    struct ahoy_timer late = { .what = ahoy_handle_pack(handle), .which = AHOY_CLOCK_K };
    ahoy_transactions_timer(layer.transactions, &late, layer.now_ms);
    ahoy_transactions_send_failed(layer.transactions, handle, layer.now_ms);
    ahoy_transaction_cancel(layer.transactions, handle, SPAN(""), layer.now_ms);
    assert_false(layer_respond(&layer, handle, 200));
    assert_false(layer_respond(&layer, (struct ahoy_handle){ 0, 0 }, 200));
    layer_expect(&layer, "");
    layer_fini(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invite_unanswered),
        cmocka_unit_test(test_invite_unanswered_reliable),
        cmocka_unit_test(test_invite_rings),
        cmocka_unit_test(test_two_forks_answer),
        cmocka_unit_test(test_invite_fails),
        cmocka_unit_test(test_invite_fails_reliable),
        cmocka_unit_test(test_ack),
        cmocka_unit_test(test_noninvite_unanswered),
        cmocka_unit_test(test_noninvite_unanswered_reliable),
        cmocka_unit_test(test_noninvite_proceeds),
        cmocka_unit_test(test_noninvite_answered),
        cmocka_unit_test(test_noninvite_answered_reliable),
        cmocka_unit_test(test_strays),
        cmocka_unit_test(test_branch_tail),
        cmocka_unit_test(test_unknown_method),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_late_failures),
        cmocka_unit_test(test_ack_fails),
        cmocka_unit_test(test_what_is_sent),
        cmocka_unit_test(test_branches_are_unique),
        cmocka_unit_test(test_sent_once),
        cmocka_unit_test(test_no_listener),
        cmocka_unit_test(test_stale_handles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
