/* The proxy's limits, what it holds, and memory that runs out (security rule R4, law 27). */
#include "libahoy/tu/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "libahoy/tu/proxy_context.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/stage.h"

enum { SIZE_OF_A_CALL = 672 };

static struct stage the_stage;

/* Alice's request number |number|, with |filler| bytes in a row that is echoed. */
static struct span request(const char *method, unsigned number, size_t filler)
{
    static char text[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_buf_put(&buf, ahoy_span(method));
    ahoy_buf_put(&buf, SPAN(" sip:bob@example.com SIP/2.0\r\n"
                            "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKa"));
    ahoy_buf_put_number(&buf, number);
    ahoy_buf_put(&buf, SPAN("\r\nMax-Forwards: 70\r\nFrom: <sip:alice@example.com>;tag=a\r\nTo: "
                            "\""));
    for (size_t i = 0; i < filler; i++)
        ahoy_buf_put_byte(&buf, 'x');
    ahoy_buf_put(&buf, SPAN("\" <sip:bob@example.com>\r\nCall-ID: 1@192.0.2.10\r\nCSeq: 1 "));
    ahoy_buf_put(&buf, ahoy_span(method));
    ahoy_buf_put(&buf, SPAN("\r\nContent-Length: 0\r\n\r\n"));
    assert_false(buf.overflow);
    return ahoy_buf_text(&buf);
}

static void alice_says(struct stage *stage, struct span text)
{
    stage_hear(stage, &stage->peers[ALICE], text);
}

/* Bytes that the engine holds, but for the slots' own blocks. */
static size_t held(const struct stage *stage)
{
    return stage->proxy->chunks.taken;
}

/* As small as it should be: a call of one branch, from ringing to its end, which is that of its
 * last transaction (R3261-16.7-32). */
static void test_size_of_a_call(void **state)
{
    struct stage *stage = *state;
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    stage_expect(stage, BOB, "INVITE");
    size_t slot = stage->proxy->contexts.slot_size;
    print_message("a ringing call holds %zu bytes of the proxy's\n", held(stage) + slot);
    assert_true(held(stage) + slot <= SIZE_OF_A_CALL);
    stage_answer(stage, BOB, 180, "");
    stage_expect(stage, ALICE, "180");
    assert_true(held(stage) + slot <= SIZE_OF_A_CALL);
    assert_int_equal(ahoy_proxy_open(stage->proxy), 1);
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    assert_int_equal(ahoy_proxy_open(stage->proxy), 0);
    assert_int_equal(held(stage), 0); /* For the half minute that both transactions live on. */
    assert_true(ahoy_proxy_deadline(stage->proxy) == UINT64_MAX);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 1);
}

/* A failure that is the last to come is not copied; the best of several is, and only it. */
static void test_size_of_failures(void **state)
{
    static char row[4096];
    struct stage *stage = *state;
    memset(row, 'x', sizeof row - 3);
    memcpy(row, "X-Any: ", 7);
    memcpy(row + sizeof row - 3, "\r\n", 3);
    stage_fork(stage, 4);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    for (unsigned i = 0; i < 4; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "INVITE");
    size_t before = held(stage);
    static const unsigned statuses[] = { 500, 486, 302, 404 };
    for (unsigned i = 0; i < 3; i++) {
        stage_answer(stage, (enum stage_peer)(BOB + i), statuses[i], row);
        stage_expect(stage, (enum stage_peer)(BOB + i), "ACK");
        assert_true(held(stage) > before + sizeof row);
        assert_true(held(stage) < before + sizeof row + 1024);
    }
    stage_answer(stage, (enum stage_peer)(BOB + 3), 404, row);
    stage_expect(stage, (enum stage_peer)(BOB + 3), "ACK");
    stage_expect(stage, ALICE, "302");
    assert_true(held(stage) < before + 1024);
    stage_say(stage, ALICE, STAGE_ACK);
}

/* What comes behind the 200 is not kept. */
static void test_size_after_success(void **state)
{
    struct stage *stage = *state;
    stage_fork(stage, 3);
    stage_say(stage, ALICE, STAGE_INVITE);
    stage_expect(stage, ALICE, "100");
    for (unsigned i = 0; i < 3; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "INVITE");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    size_t before = held(stage);
    stage_answer(stage, CAROL, 486, "");
    stage_expect(stage, CAROL, "ACK");
    assert_int_equal(held(stage), before);
    stage_answer(stage, DAVE, 486, "");
    stage_expect(stage, DAVE, "ACK");
    stage_expect_silence(stage);
}

/* Three answer, and memory is refused while the second does; |best| is what Alice gets. */
static void check_refused(struct stage *stage, const unsigned answers[3], const char *best)
{
    for (unsigned i = 0; i < 3; i++)
        stage_transport(stage, (enum stage_peer)(BOB + i), AHOY_TCP);
    stage_fork(stage, 3);
    alice_says(stage, request("MESSAGE", 1, 0));
    for (unsigned i = 0; i < 3; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "MESSAGE");
    size_t limit = stage->proxy->chunks.limit;
    for (unsigned i = 0; i < 3; i++) {
        stage->proxy->chunks.limit = i == 1 ? held(stage) : limit;
        stage_answer(stage, (enum stage_peer)(BOB + i), answers[i], "X-Any: 1\r\n");
    }
    stage_expect(stage, ALICE, best);
    stage_wait(stage, 40000);
}

/* A response that cannot be kept counts as a 500, beside those that can. */
static void test_keeping_is_refused(void **state)
{
    struct stage *stage = *state;
    check_refused(stage, (unsigned[]){ 486, 302, 404 }, "486");
    check_refused(stage, (unsigned[]){ 503, 302, 503 }, "500");
    check_refused(stage, (unsigned[]){ 503, 404, 501 }, "500");
    check_refused(stage, (unsigned[]){ 503, 404, 480 }, "480");
}

/* More challenges than anybody can answer are not gathered. */
static void test_challenges_limit(void **state)
{
    static char row[3000];
    struct stage *stage = *state;
    memset(row, 'x', sizeof row - 3);
    memcpy(row, "WWW-Authenticate: Digest realm=\"", 32);
    memcpy(row + sizeof row - 4, "\"\r\n", 4);
    for (unsigned i = 0; i < 8; i++)
        stage_transport(stage, (enum stage_peer)(BOB + i), AHOY_TCP);
    stage_fork(stage, 8);
    alice_says(stage, request("MESSAGE", 1, 0));
    for (unsigned i = 0; i < 8; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "MESSAGE");
    for (unsigned i = 0; i < 8; i++)
        stage_answer(stage, (enum stage_peer)(BOB + i), 401, row);
    stage_expect(stage, ALICE, "401");
    size_t rows = 0;
    const char *at = stage->last.at;
    const char *end = ahoy_span_end(stage->last);
    while ((at = memmem(at, (size_t)(end - at), "WWW-Auth", 8)) != NULL) {
        rows++;
        at++;
    }
    assert_int_equal(rows, 1 + AHOY_CHALLENGES_LIMIT / (sizeof row - 1));
}

/* As many contexts as there may be; the next is refused without state. */
static void test_limit(void **state)
{
    (void)state;
    struct stage *stage = &the_stage;
    assert_true(stage_open(stage, 3));
    for (unsigned i = 0; i < 3; i++) {
        alice_says(stage, request("OPTIONS", i, 0));
        stage_expect(stage, BOB, "OPTIONS");
    }
    for (unsigned i = 3; i < 10; i++) {
        alice_says(stage, request(i % 2 == 0 ? "OPTIONS" : "INVITE", i, 0));
        stage_expect(stage, ALICE, "503");
        assert_null(memmem(stage->last.at, stage->last.size, ";tag=;", 6));
    }
    assert_int_equal(ahoy_proxy_count(stage->proxy), 3);
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage->count = stage->read = 0; /* Bob's retransmissions are the layer's business. */
    stage->watch = NULL;
    stage_close(stage);
}

static void test_targets_limit(void **state)
{
    struct stage *stage = *state;
    for (unsigned i = 0; i < STAGE_PEERS; i++)
        stage_transport(stage, (enum stage_peer)i, AHOY_TCP);
    stage_fork(stage, AHOY_TARGETS_LIMIT);
    alice_says(stage, request("MESSAGE", 1, 0));
    for (unsigned i = 0; i < AHOY_TARGETS_LIMIT; i++)
        stage_expect(stage, (enum stage_peer)(BOB + i), "MESSAGE");
    for (unsigned i = 0; i < AHOY_TARGETS_LIMIT; i++)
        stage_answer(stage, (enum stage_peer)(BOB + i), 404, "");
    stage_expect(stage, ALICE, "404");
    stage_fork(stage, AHOY_TARGETS_LIMIT + 1);
    alice_says(stage, request("MESSAGE", 2, 0));
    stage_expect(stage, ALICE, "503");
    stage_expect_silence(stage);
}

static void drop(void *watcher, const struct ahoy_sending *sending)
{
    (void)watcher;
    (void)sending;
}

/* However large they are, requests together hold no more than their limit says. */
static void test_memory_limit(void **state)
{
    (void)state;
    struct stage *stage = &the_stage;
    assert_true(stage_open(stage, 64));
    size_t limit = (size_t)64 * AHOY_PROXY_MEMORY + 4 * (size_t)AHOY_MESSAGE_LIMIT;
    stage->watch = drop;
    for (unsigned i = 0; i < 200; i++) {
        alice_says(stage, request("OPTIONS", i, 8000));
        assert_true(held(stage) <= limit);
    }
    assert_true(ahoy_proxy_count(stage->proxy) > 30);
    assert_true(ahoy_proxy_count(stage->proxy) < 64);
    stage_wait(stage, 100000);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    assert_int_equal(held(stage), 0);
    stage_close(stage);
}

static void test_trim(void **state)
{
    struct stage *stage = *state;
    alice_says(stage, request("OPTIONS", 1, 0));
    stage_expect(stage, BOB, "OPTIONS");
    ahoy_proxy_trim(stage->proxy); /* Something is under way. */
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
    stage_wait(stage, 40000);
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    assert_true(stage->proxy->contexts.capacity > 0);
    ahoy_proxy_trim(stage->proxy);
    assert_int_equal(stage->proxy->contexts.capacity, 0);
    assert_int_equal(stage->proxy->chunks.kept, 0);
    alice_says(stage, request("OPTIONS", 2, 0));
    stage_expect(stage, BOB, "OPTIONS");
    stage_answer(stage, BOB, 200, "");
    stage_expect(stage, ALICE, "200");
}

/* Freed with everything under way. */
static void test_free_under_way(void **state)
{
    (void)state;
    struct stage *stage = &the_stage;
    assert_true(stage_open(stage, 10));
    stage_fork(stage, 3);
    for (unsigned i = 0; i < 5; i++)
        alice_says(stage, request("INVITE", i, 1000));
    stage_answer(stage, BOB, 486, "");
    stage_close(stage);
    ahoy_proxy_free(NULL);
}

/* Nothing is allocated for a call that is like the one before. */
static void test_hot_path_allocates_nothing(void **state)
{
    struct stage *stage = *state;
    for (unsigned i = 0; i < 2; i++) {
        struct span text = request("INVITE", i, 0);
        failing_alloc_begin(i == 0 ? SIZE_MAX : 0, FAILING_ALLOC_FROM_THERE);
        alice_says(stage, text);
        if (stage_can_answer(stage, BOB)) {
            stage_answer(stage, BOB, 180, "");
            stage_answer(stage, BOB, 200, "");
        }
        size_t refused = failing_alloc_end();
        assert_int_equal(refused, 0);
        stage_expect(stage, ALICE, "100");
        stage_expect(stage, BOB, "INVITE");
        stage_expect(stage, ALICE, "180");
        stage_expect(stage, ALICE, "200");
        stage_wait(stage, 70000);
        assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    }
}

/* What Alice was told finally: the statuses of her INVITE, each once; returns how many. */
static size_t finals(const struct stage *stage, unsigned *status)
{
    size_t count = 0;
    static struct ahoy_message message;
    for (size_t i = 0; i < stage->count; i++) {
        if (stage->log[i].hop.remote.bytes[3] != 10)
            continue;
        assert_true(ahoy_message_parse(stage->log[i].bytes, &message, NULL));
        if (message.is_request || message.status < 200 || message.status == *status)
            continue;
        *status = message.status;
        count++;
    }
    return count;
}

/* A fork to as many targets as there are |answers| before a 0, which answer that. */
static void play(struct stage *stage, const char *method, const unsigned answers[4])
{
    alice_says(stage, request(method, 1, 300));
    for (unsigned i = 0; i < stage->plan.count; i++) {
        enum stage_peer peer = (enum stage_peer)(BOB + i);
        if (!stage_can_answer(stage, peer))
            continue;
        stage_answer(stage, peer, 180, "");
        stage_answer(stage, peer, answers[i],
                     "WWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n");
    }
}

/* Runs the play with the allocation number |count| and perhaps all later ones refused; false when
 * it was not refused any. */
static bool fails_at(const char *method, const unsigned answers[4], size_t count,
                     enum failing_alloc_mode mode)
{
    struct stage *stage = &the_stage;
    failing_alloc_begin(count, mode);
    bool opened = stage_open(stage, 10);
    if (opened) {
        for (unsigned i = 0; i < 5; i++)
            stage->peers[i] = (struct ahoy_hop){ .transport = AHOY_TCP,
                                                 .listener = STAGE_TCP,
                                                 .remote = stage->peers[i].remote };
        size_t targets = 0;
        while (targets < 4 && answers[targets] != 0)
            targets++;
        stage_fork(stage, targets);
        play(stage, method, answers);
    }
    size_t refused = failing_alloc_end();
    if (!opened)
        return true;
    stage_wait(stage, 600000);
    unsigned status = 0;
    size_t told = finals(stage, &status);
    bool is_success = answers[0] < 300;
    /* Laws 1 and 2.  Nothing at all where even saying 503 was refused. */
    if (refused == 0)
        assert_int_equal(told, 1);
    assert_true(told <= (is_success && mode == FAILING_ALLOC_FROM_THERE ? 2 : 1));
    if (told == 0)
        assert_false(stage_can_answer(stage, BOB));
    assert_int_equal(ahoy_proxy_count(stage->proxy), 0);
    assert_int_equal(ahoy_transactions_count(stage->transactions), 0);
    assert_int_equal(held(stage), 0);
    assert_int_equal(ahoy_proxy_open(stage->proxy), 0);
    assert_true(ahoy_proxy_deadline(stage->proxy) == UINT64_MAX);
    stage_close(stage);
    return refused > 0;
}

/* Every allocation fails once, and every one is the first of all that fail. */
static void test_failing_allocations(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    static const unsigned plays[][4] = { { 486, 401, 407, 500 }, { 401, 401, 302, 404 },
                                         { 500, 486, 302, 603 }, { 200, 486, 200, 500 },
                                         { 503, 503, 503, 503 }, { 200, 0, 0, 0 },
                                         { 404, 0, 0, 0 } };
    for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
        for (int mode = FAILING_ALLOC_ONE; mode <= FAILING_ALLOC_FROM_THERE; mode++) {
            size_t count = 0;
            while (fails_at("INVITE", plays[i], count, (enum failing_alloc_mode)mode))
                count++;
            assert_true(count > 8);
            for (count = 0; fails_at("OPTIONS", plays[i], count, (enum failing_alloc_mode)mode);)
                count++;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        stage_test(test_size_of_a_call),
        stage_test(test_size_of_failures),
        stage_test(test_size_after_success),
        stage_test(test_keeping_is_refused),
        stage_test(test_challenges_limit),
        cmocka_unit_test(test_limit),
        stage_test(test_targets_limit),
        cmocka_unit_test(test_memory_limit),
        stage_test(test_trim),
        cmocka_unit_test(test_free_under_way),
        stage_test(test_hot_path_allocates_nothing),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
