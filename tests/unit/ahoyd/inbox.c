/* The inbox of a worker: what is put comes out once, in order, up to its limit, whoever puts. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ahoyd/inbox.h"
#include "tests/support/failing_alloc.h"

static struct ahoyd_letter letter_of(enum ahoyd_letter_kind kind, struct span bytes)
{
    struct ahoyd_letter letter = { .kind = kind, .bytes = bytes, .came_us = 4711 };
    letter.hop = (struct ahoy_hop){ .transport = AHOY_TCP, .listener = 3, .worker = 2 };
    letter.hop.connection = (struct ahoy_handle){ 17, 4 };
    letter.hop.remote = (struct ahoy_ip){ .family = AHOY_IPV4, .port = 5070, .bytes = { 127 } };
    return letter;
}

static void letters_come_whole_and_in_order(void **state)
{
    (void)state;
    struct ahoyd_inbox *inbox = ahoyd_inbox_new();
    struct ahoyd_letter in = letter_of(AHOYD_LETTER_MESSAGE, SPAN("INVITE"));
    struct ahoyd_letter out;
    assert_false(ahoyd_inbox_take(inbox));
    assert_true(ahoyd_inbox_put(inbox, &in));
    in = letter_of(AHOYD_LETTER_SEND, SPAN("200"));
    assert_true(ahoyd_inbox_put(inbox, &in));
    in = letter_of(AHOYD_LETTER_MESSAGE, SPAN("")); /* That a peer is trusted. */
    assert_true(ahoyd_inbox_put(inbox, &in));
    assert_false(ahoyd_inbox_next(inbox, &out)); /* Not before it is taken. */
    assert_true(ahoyd_inbox_take(inbox));
    assert_true(ahoyd_inbox_next(inbox, &out));
    assert_int_equal(out.kind, AHOYD_LETTER_MESSAGE);
    assert_true(ahoy_span_equal(out.bytes, SPAN("INVITE")));
    assert_int_equal(out.came_us, 4711);
    assert_int_equal(out.hop.listener, 3);
    assert_int_equal(out.hop.worker, 2);
    assert_true(ahoy_handle_equal(out.hop.connection, in.hop.connection));
    assert_true(ahoy_ip_equal(&out.hop.remote, &in.hop.remote));
    /* What comes meanwhile waits for the next take. */
    assert_true(ahoyd_inbox_put(inbox, &in));
    assert_true(ahoyd_inbox_next(inbox, &out));
    assert_int_equal(out.kind, AHOYD_LETTER_SEND);
    assert_true(ahoy_span_equal(out.bytes, SPAN("200")));
    assert_true(ahoyd_inbox_next(inbox, &out));
    assert_int_equal(out.bytes.size, 0);
    assert_false(ahoyd_inbox_next(inbox, &out));
    assert_true(ahoyd_inbox_take(inbox));
    assert_true(ahoyd_inbox_next(inbox, &out));
    assert_false(ahoyd_inbox_next(inbox, &out));
    assert_false(ahoyd_inbox_take(inbox));
    ahoyd_inbox_trim(inbox);
    assert_true(ahoyd_inbox_put(inbox, &in));
    ahoyd_inbox_free(inbox);
}

static void a_full_inbox_drops_and_counts(void **state)
{
    (void)state;
    static char bytes[60000];
    struct ahoyd_inbox *inbox = ahoyd_inbox_new();
    struct ahoyd_letter in = letter_of(AHOYD_LETTER_MESSAGE, (struct span){ bytes, sizeof bytes });
    size_t count = 0;
    while (ahoyd_inbox_put(inbox, &in))
        count++;
    assert_true(count * sizeof bytes <= AHOYD_INBOX_LIMIT);
    assert_true((count + 2) * sizeof bytes > AHOYD_INBOX_LIMIT);
    assert_false(ahoyd_inbox_put(inbox, &in));
    assert_int_equal(ahoyd_inbox_dropped(inbox), 2);
    struct ahoyd_letter large = letter_of(AHOYD_LETTER_SEND, (struct span){ bytes, SIZE_MAX / 2 });
    assert_false(ahoyd_inbox_put(inbox, &large));
    /* Once it is taken there is room again, and nothing of what fitted is lost. */
    assert_true(ahoyd_inbox_take(inbox));
    assert_true(ahoyd_inbox_put(inbox, &in));
    struct ahoyd_letter out;
    while (ahoyd_inbox_next(inbox, &out))
        count--;
    assert_int_equal(count, 0);
    ahoyd_inbox_free(inbox);
}

static struct ahoyd_change *change_of(uint64_t ticket)
{
    struct ahoyd_change *change =
        ahoyd_change_user(AHOYD_CHANGE_USER_REMOVE, SPAN("alice"), SPAN("atlanta.example"), NULL);
    assert_non_null(change);
    change->ticket = ticket;
    return change;
}

static void changes_come_in_order_and_are_never_lost(void **state)
{
    (void)state;
    struct ahoyd_inbox *inbox = ahoyd_inbox_new();
    for (uint64_t i = 1; i <= 3; i++)
        ahoyd_inbox_put_change(inbox, change_of(i));
    assert_true(ahoyd_inbox_take(inbox));
    for (uint64_t i = 1; i <= 3; i++) {
        struct ahoyd_change *change = ahoyd_inbox_change(inbox);
        assert_non_null(change);
        assert_int_equal(change->ticket, i);
        ahoyd_change_free(change);
    }
    assert_null(ahoyd_inbox_change(inbox));
    assert_false(ahoyd_inbox_take(inbox));
    ahoyd_inbox_put_change(inbox, change_of(4)); /* Nobody takes it: freed with the inbox. */
    ahoyd_inbox_free(inbox);
}

static void running_out_of_memory_drops_the_letter_only(void **state)
{
    (void)state;
    static char bytes[40000];
    for (size_t count = 0;; count++) {
        failing_alloc_begin(count, FAILING_ALLOC_FROM_THERE);
        struct ahoyd_inbox *inbox = ahoyd_inbox_new();
        bool put[2] = { false, false };
        struct ahoyd_letter small = letter_of(AHOYD_LETTER_MESSAGE, SPAN("INVITE"));
        struct ahoyd_letter large = small;
        large.bytes = (struct span){ bytes, sizeof bytes };
        if (inbox != NULL) {
            put[0] = ahoyd_inbox_put(inbox, &small);
            put[1] = ahoyd_inbox_put(inbox, &large);
        }
        size_t refused = failing_alloc_end();
        unsigned came = 0;
        struct ahoyd_letter out;
        if (inbox != NULL && ahoyd_inbox_take(inbox)) {
            while (ahoyd_inbox_next(inbox, &out))
                came++;
        }
        assert_int_equal(came, put[0] + put[1]);
        if (inbox != NULL)
            assert_int_equal(ahoyd_inbox_dropped(inbox), 2 - came);
        ahoyd_inbox_free(inbox);
        if (refused == 0) {
            assert_int_equal(came, 2);
            break;
        }
        assert_true(came < 2);
    }
}

enum { THREADS = 4, LETTERS = 5000 };

struct sender {
    struct ahoyd_inbox *inbox;
    unsigned number;
};

static void *send_all(void *context)
{
    const struct sender *sender = context;
    for (unsigned i = 0; i < LETTERS; i++) {
        unsigned words[2] = { sender->number, i };
        struct ahoyd_letter letter =
            letter_of(AHOYD_LETTER_MESSAGE, (struct span){ (char *)words, sizeof words });
        while (!ahoyd_inbox_put(sender->inbox, &letter))
            ;
        if (i % 100 == 0)
            ahoyd_inbox_put_change(sender->inbox, change_of(i));
    }
    return NULL;
}

/* Several threads put while one takes: each one's letters arrive once, in its order. */
static void many_may_put_while_one_takes(void **state)
{
    (void)state;
    struct ahoyd_inbox *inbox = ahoyd_inbox_new();
    struct sender senders[THREADS];
    pthread_t threads[THREADS];
    unsigned next[THREADS] = { 0 };
    unsigned letters = 0;
    unsigned changes = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){ inbox, i };
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    while (letters < THREADS * LETTERS || changes < THREADS * LETTERS / 100) {
        struct ahoyd_letter out;
        struct ahoyd_change *change;
        ahoyd_inbox_take(inbox);
        while (ahoyd_inbox_next(inbox, &out)) {
            unsigned words[2];
            assert_int_equal(out.bytes.size, sizeof words);
            memcpy(words, out.bytes.at, sizeof words);
            assert_true(words[0] < THREADS);
            assert_int_equal(words[1], next[words[0]]++);
            letters++;
        }
        while ((change = ahoyd_inbox_change(inbox)) != NULL) {
            changes++;
            ahoyd_change_free(change);
        }
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(ahoyd_inbox_take(inbox));
    ahoyd_inbox_free(inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_come_whole_and_in_order),
        cmocka_unit_test(a_full_inbox_drops_and_counts),
        cmocka_unit_test(changes_come_in_order_and_are_never_lost),
        cmocka_unit_test(running_out_of_memory_drops_the_letter_only),
        cmocka_unit_test(many_may_put_while_one_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
