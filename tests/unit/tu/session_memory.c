/* A user agent that memory is refused to: what it has accepted ends all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/failing_alloc.h"
#include "tests/support/pair.h"

static struct pair pair;

/* Lets bob have |text|, with no memory from the allocation |count| on.  Returns whether one was
 * refused. */
static bool receive(struct span text, size_t count, enum failing_alloc_mode mode)
{
    struct pair_end *bob = &pair.ends[BOB];
    struct ahoy_event event;
    struct ahoy_wire_event arrival = {
        .kind = AHOY_WIRE_DATAGRAM,
        .hop = { .transport = AHOY_UDP, .remote = pair.ends[ALICE].listener.local },
        .bytes = text,
    };
    failing_alloc_begin(count, mode);
    ahoy_stack_step(bob->stack, &arrival, pair.now_ms);
    while (ahoy_stack_event(bob->stack, &event))
        ahoy_ua_step(bob->ua, &event, pair.now_ms);
    size_t refused = failing_alloc_end();
    pair_settle(&pair);
    return refused > 0;
}

static struct span invite(char space[1024], const char *to_tag)
{
    int size = snprintf(space, 1024,
                        "INVITE sip:bob@192.0.2.2 SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
                        "From: <sip:alice@192.0.2.1>;tag=x\r\nTo: <sip:bob@192.0.2.2>%s\r\n"
                        "Call-ID: by-hand\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@192.0.2.1>\r\n"
                        "Content-Length: 0\r\n\r\n",
                        to_tag);
    return (struct span){ space, (size_t)size };
}

/* An INVITE of a dialog that is not known is answered 481; pair_fini looks whether anything is left
 * of it. */
static void test_unknown_dialog(void **state)
{
    char space[1024];
    struct span text = invite(space, ";tag=gone");
    (void)state;
    if (!failing_alloc_works())
        skip();
    for (int mode = FAILING_ALLOC_ONE; mode <= FAILING_ALLOC_FROM_THERE; mode++) {
        bool was_refused = true;
        for (size_t count = 0; was_refused; count++) {
            pair_init(&pair);
            was_refused = receive(text, count, (enum failing_alloc_mode)mode);
            pair_fini(&pair);
        }
    }
}

/* A final response that finds no memory is sent when there is some. */
static void test_rejected_later(void **state)
{
    char space[1024];
    (void)state;
    if (!failing_alloc_works())
        skip();
    pair_init(&pair);
    assert_false(receive(invite(space, ""), SIZE_MAX, FAILING_ALLOC_ONE));
    pair_run(&pair, 100);
    pair_forget(&pair);
    failing_alloc_begin(0, FAILING_ALLOC_FROM_THERE);
    ahoy_ua_reject(pair.ends[BOB].ua, pair.ends[BOB].session, 486, pair.now_ms);
    assert_true(failing_alloc_end() > 0);
    pair_run(&pair, 600);
    pair_expect(&pair, "100 bob: refused 486\n"
                       "600 bob > alice 486 INVITE\n");
    pair_fini(&pair);
}

static struct ahoy_handle calls[2]; /* The first, as each knows it. */

/* Alice sends bob to herself; nothing is sure to succeed. */
static void hand_on(void)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 9 } };
    (void)ahoy_ua_transfer(pair.ends[ALICE].ua, calls[ALICE], SPAN("sip:alice@192.0.2.1"),
                           pair.now_ms);
    pair_run(&pair, 11000);
    (void)ahoy_ua_accept_transfer(pair.ends[BOB].ua, calls[BOB], &media, pair.now_ms);
    pair_run(&pair, 13000);
    pair_answer(&pair, ALICE);
    pair_run(&pair, 15000);
}

/* A call with early media and changes by UPDATE and re-INVITE; nothing is sure to succeed. */
static void live(void)
{
    const struct ahoy_ip media = { .family = AHOY_IPV4, .port = 4000, .bytes = { 192, 0, 2, 9 } };
    struct pair_end *alice = &pair.ends[ALICE];
    struct pair_end *bob = &pair.ends[BOB];
    alice->session = ahoy_ua_call(alice->ua, SPAN("sip:bob@192.0.2.2"), &media, pair.now_ms);
    pair_run(&pair, 100);
    pair_ring(&pair, BOB);
    ahoy_ua_progress(bob->ua, bob->session, &media, pair.now_ms);
    pair_run(&pair, 2000);
    ahoy_ua_hold(bob->ua, bob->session, pair.now_ms);
    pair_run(&pair, 4000);
    pair_answer(&pair, BOB);
    pair_run(&pair, 6000);
    ahoy_ua_hold(alice->ua, alice->session, pair.now_ms);
    ahoy_ua_resume(bob->ua, bob->session, pair.now_ms);
    pair_run(&pair, 9000);
    calls[ALICE] = alice->session;
    calls[BOB] = bob->session;
    hand_on();
}

/* Whatever is refused, both sides come to an end, and pair_fini finds nothing left. */
static void test_any_allocation(void **state)
{
    (void)state;
    if (!failing_alloc_works())
        skip();
    bool was_refused = true;
    for (size_t count = 0; was_refused; count++) {
        pair_init(&pair);
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        live();
        was_refused = failing_alloc_end() > 0;
        for (unsigned end = ALICE; end <= BOB; end++) {
            pair_hangup(&pair, end);
            ahoy_ua_hangup(pair.ends[end].ua, calls[end], pair.now_ms);
            pair_settle(&pair);
        }
        pair_run(&pair, pair.now_ms + 40000); /* Who waits for a NOTIFY waits no more. */
        ahoy_ua_hangup(pair.ends[ALICE].ua, calls[ALICE], pair.now_ms);
        pair_fini(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_dialog),
        cmocka_unit_test(test_rejected_later),
        cmocka_unit_test(test_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
