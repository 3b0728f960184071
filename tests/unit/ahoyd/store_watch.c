/* Who is told by the store that bindings have changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ahoyd/store/watch.h"
#include "tests/support/changes.h"

static struct ahoyd_store *store;
static struct changes changes;
static struct ahoyd_change_owner owners[2];
static struct ahoyd_watcher watchers[2];
static unsigned woken[2];

static void wake(struct ahoyd_change_owner *owner)
{
    woken[owner - owners]++;
}

static int setup(void **state)
{
    char fault[256];
    (void)state;
    store = ahoyd_store_open(&(struct ahoyd_store_options){ .kind = AHOYD_STORE_MEMORY }, fault,
                             sizeof fault);
    assert_non_null(store);
    changes_init(&changes);
    for (size_t i = 0; i < 2; i++) {
        owners[i].wake = wake;
        watchers[i] = (struct ahoyd_watcher){ .owner = &owners[i] };
        woken[i] = 0;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ahoyd_store_close(store);
    changes_fini(&changes);
    return 0;
}

static struct ahoyd_watch watch_by(size_t watcher, uint64_t what)
{
    return (struct ahoyd_watch){ .watcher = &watchers[watcher], .what = what };
}

static void change(struct span aor)
{
    static uint32_t cseq;
    const struct ahoy_registration registration = { .count = 1,
                                                    .asked = { { .contact = SPAN_INIT("sip:x"),
                                                                 .expires_s = 9 } },
                                                    .call_id = SPAN_INIT("c"),
                                                    .cseq = ++cseq };
    changes_submit(&changes, store, ahoyd_change_bindings(aor, &registration, 1000));
    assert_int_equal(changes_end(&changes), 200);
}

static void expect(size_t watcher, uint64_t what)
{
    uint64_t found;
    assert_true(ahoyd_watch_next(store, &watchers[watcher], &found));
    assert_int_equal(found, what);
}

static void expect_none(size_t watcher)
{
    uint64_t found;
    assert_false(ahoyd_watch_next(store, &watchers[watcher], &found));
}

/* Each of those who watch, once until he has looked, and nobody else. */
static void those_who_watch_are_told(void **state)
{
    (void)state;
    struct ahoyd_watch watches[] = { watch_by(0, 10), watch_by(1, 11), watch_by(1, 12) };
    change(SPAN("a@x"));
    assert_int_equal(ahoyd_watch_add(store, &watches[0], SPAN("a@x"), NULL), 0);
    assert_int_equal(ahoyd_watch_add(store, &watches[1], SPAN("a@x"), NULL), 0);
    assert_int_equal(ahoyd_watch_add(store, &watches[2], SPAN("b@x"), NULL), 0);
    expect_none(0);
    change(SPAN("a@x"));
    change(SPAN("a@x"));
    change(SPAN("c@x"));
    expect(0, 10);
    expect_none(0);
    expect(1, 11);
    expect_none(1);
    assert_int_equal(woken[0] + woken[1], 2);
    change(SPAN("a@x"));
    change(SPAN("b@x"));
    ahoyd_watch_remove(store, &watches[1]); /* Before he has looked. */
    ahoyd_watch_remove(store, &watches[1]); /* It is none any more. */
    expect(1, 12);
    expect_none(1);
    assert_int_equal(woken[1], 2);
    ahoyd_watch_remove(store, &watches[0]);
    ahoyd_watch_remove(store, &watches[2]);
    expect_none(0);
}

static void limits_hold(void **state)
{
    static struct ahoyd_watch watches[AHOYD_WATCHES_ADDRESS_LIMIT + 1];
    const struct ahoy_ip ip = { .family = AHOY_IPV4, .bytes = { 192, 0, 2, 1 } };
    (void)state;
    for (size_t i = 0; i <= AHOYD_WATCHES_ADDRESS_LIMIT; i++) {
        char aor[2] = { (char)('A' + i / AHOYD_WATCHES_AOR_LIMIT), '@' };
        watches[i] = watch_by(0, i);
        assert_int_equal(ahoyd_watch_add(store, &watches[i], (struct span){ aor, 2 }, &ip),
                         i < AHOYD_WATCHES_ADDRESS_LIMIT ? 0 : 403);
    }
    struct ahoyd_watch more = watch_by(0, 1);
    assert_int_equal(ahoyd_watch_add(store, &more, SPAN("A@"), NULL), 403);
    assert_int_equal(ahoyd_watch_add(store, &more, SPAN("z@"), NULL), 0);
    ahoyd_watch_remove(store, &more);
    for (size_t i = 0; i < AHOYD_WATCHES_ADDRESS_LIMIT; i++)
        ahoyd_watch_remove(store, &watches[i]);
    assert_int_equal(ahoyd_watch_add(store, &more, SPAN("A@"), &ip), 0);
    ahoyd_watch_remove(store, &more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_who_watch_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_hold, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
