/* Answers without state (RFC 3261 8.2.7): sent once, forgotten, and their ACKs swallowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/layer.h"

static struct layer layer;

struct tag {
    char text[AHOY_TOKEN_SIZE + 1];
};

/* The tag for the last message that came in. */
static struct tag tag_now(void)
{
    struct tag tag = { "" };
    ahoy_transaction_stateless_tag(layer.transactions, &layer.routing, tag.text);
    return tag;
}

static struct tag answer(unsigned status)
{
    char text[2048];
    struct tag tag = tag_now();
    const struct ahoy_response response = { .status = status,
                                            .to_tag = { tag.text, AHOY_TOKEN_SIZE } };
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_compose_response(&buf, &layer.message, &response);
    const struct span pieces[] = { { text, 3 }, { text + 3, buf.size - 3 } };
    ahoy_transaction_answer(layer.transactions, &layer.event, pieces, 2);
    memset(text, 'x', sizeof text); /* It has been copied. */
    layer_drain(&layer);
    return tag;
}

/* Attack rule R3, R3261-8.2.7-2, -5: never sent again by itself, and again for the same request. */
static void test_answered_and_forgotten(void **state)
{
    (void)state;
    static const char *const branches[] = { "z9hG4bKa", "1" }; /* RFC 3261, RFC 2543 */
    for (size_t i = 0; i < 2; i++) {
        layer_init(&layer, AHOY_UDP);
        struct ahoy_hop hop = layer.source;
        layer_request(&layer, "INVITE", branches[i], "");
        struct tag first = answer(407);
        assert_true(layer_same_hop(&layer.sending.hop, &hop));
        assert_int_equal(layer.sending.transaction.generation, 0);
        assert_int_equal(ahoy_transactions_memory(layer.transactions), 0);
        layer_run(&layer, 500);
        layer_request(&layer, "INVITE", branches[i], "");
        struct tag again = answer(407);
        assert_string_equal(first.text, again.text);
        layer_request_to(&layer, "ACK", branches[i], first.text, "");
        layer_run(&layer, 100000);
        layer_expect(&layer, "0 ^ INVITE\n0 > 407\n500 ^ INVITE\n500 > 407\n");
        layer_fini(&layer);
    }
}

/* 8.2.7, "A UAS cannot be stateless unless the request processing for that method would always
 * result in the same response if the requests are identical": else the answer is kept. */
static void test_answered_and_kept(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    ahoy_transaction_keep_answer(layer.transactions, &layer.event);
    struct tag tag = answer(404);
    layer_run(&layer, 400);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    layer_run(&layer, 500);
    layer_request_to(&layer, "ACK", "z9hG4bKa", tag.text, "");
    layer_request(&layer, "MESSAGE", "z9hG4bKb", "");
    ahoy_transaction_keep_answer(layer.transactions, &layer.event);
    (void)answer(403);
    layer_run(&layer, 600);
    layer_request(&layer, "MESSAGE", "z9hG4bKb", "");
    /* It is of the request at hand only. */
    layer_request(&layer, "MESSAGE", "z9hG4bKc", "");
    (void)answer(403);
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 ^ INVITE\n0 > 404\n400 > 404\n500 > 404\n500 ^ MESSAGE\n500 > 403\n"
                         "600 > 403\n600 ^ MESSAGE\n600 > 403\n"
                         "5500 ^ ended user 0\n32500 ^ ended user 0\n");
    layer_fini(&layer);
}

/* Only the ACK to that very answer is swallowed. */
static void test_other_acks(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    struct tag tag = answer(401);
    layer_forget_trace(&layer);
    layer_request_to(&layer, "ACK", "z9hG4bKb", tag.text, ""); /* Another request's. */
    layer_request_to(&layer, "ACK", "1", tag.text, "");
    tag.text[0] = tag.text[0] == 'a' ? 'b' : 'a';
    layer_request_to(&layer, "ACK", "z9hG4bKa", tag.text, ""); /* Another response's. */
    layer_request_to(&layer, "ACK", "z9hG4bKa", NULL, "");
    layer_expect(&layer, "0 ^ ACK\n0 ^ ACK\n0 ^ ACK\n0 ^ ACK\n");
    layer_fini(&layer);
}

static struct tag tag_of(const char *via, const char *from_tag, const char *call_id, unsigned cseq)
{
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "INVITE sip:b@b SIP/2.0\r\nVia: SIP/2.0/UDP h;%s\r\n"
                        "From: <sip:a@a>;tag=%s\r\nTo: <sip:b@b>\r\nCall-ID: %s\r\n"
                        "CSeq: %u INVITE\r\nMax-Forwards: 70\r\n\r\n",
                        via, from_tag, call_id, cseq);
    assert_true(layer_receive(&layer, (struct span){ text, (size_t)size }));
    return tag_now();
}

/* A phone that has seen an INVITE fail sends that ACK again for whatever comes later (17.1.1.2), as
 * where the INVITE, sent again, was not answered without state: it is matched by its branch
 * (17.2.3), whatever its To tag. */
static void test_an_early_ack(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    struct tag forgotten = answer(503);
    layer_run(&layer, 400);
    layer_request(&layer, "INVITE", "z9hG4bKa", "");
    ahoy_transaction_keep_answer(layer.transactions, &layer.event);
    (void)answer(404);
    layer_request_to(&layer, "ACK", "z9hG4bKa", forgotten.text, "");
    layer_run(&layer, 100000);
    layer_expect(&layer, "0 ^ INVITE\n0 > 503\n400 ^ INVITE\n400 > 404\n"
                         "5400 ^ ended user 0\n");
    /* Nobody waits for it any more. */
    layer_request_to(&layer, "ACK", "z9hG4bKa", forgotten.text, "");
    layer_expect(&layer, "");
    layer_fini(&layer);
}

/* It depends on all that a request and its ACK have in common, and on nothing else. */
static void test_what_the_tag_is_of(void **state)
{
    (void)state;
    layer_init(&layer, AHOY_UDP);
    struct tag tag = tag_of("branch=z9hG4bKa", "f", "c", 1);
    assert_string_equal(tag_of("branch=z9hG4bKa;rport", "f", "c", 2).text, tag.text);
    assert_string_not_equal(tag_of("branch=z9hG4bKb", "f", "c", 1).text, tag.text);
    assert_string_not_equal(tag_of("branch=z9hG4bKa", "g", "c", 1).text, tag.text);
    assert_string_not_equal(tag_of("branch=z9hG4bKa", "f", "d", 1).text, tag.text);
    /* What one part ends with the next cannot begin with. */
    assert_string_not_equal(tag_of("branch=z9hG4bKa", "fc", "c", 1).text,
                            tag_of("branch=z9hG4bKa", "c", "cf", 1).text);
    tag = tag_of("branch=1", "f", "c", 1);
    assert_string_not_equal(tag_of("branch=2", "f", "c", 1).text, tag.text);
    assert_string_not_equal(tag_of("branch=1", "f", "c", 2).text, tag.text);
    layer_fini(&layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered_and_forgotten), cmocka_unit_test(test_answered_and_kept),
        cmocka_unit_test(test_an_early_ack),           cmocka_unit_test(test_other_acks),
        cmocka_unit_test(test_what_the_tag_is_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
