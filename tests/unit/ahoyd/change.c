/* A change on its way through a store, and what it brings back: what comes of the bindings stands
 * beside what was asked, and hurts none of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "ahoyd/store/record.h"
#include "tests/support/changes.h"

static const uint64_t now_ms = 1700000000000;

static char contacts[AHOY_BINDINGS_LIMIT][AHOY_CONTACT_LIMIT];

/* |count| contacts of |size| bytes each. */
static struct ahoy_registration registration_of(size_t count, size_t size, uint32_t cseq)
{
    struct ahoy_registration registration = { .count = count,
                                              .call_id = SPAN("call-1"),
                                              .path = SPAN("<sip:edge.example;lr>"),
                                              .cseq = cseq };
    for (size_t i = 0; i < count; i++) {
        memset(contacts[i], 'x', size);
        char head[32];
        int head_size = snprintf(head, sizeof head, "sip:%zu@192.0.2.1;", i);
        memcpy(contacts[i], head, (size_t)head_size);
        registration.asked[i] = (struct ahoy_asked_contact){ .contact = { contacts[i], size },
                                                             .params = SPAN(";x=y"),
                                                             .expires_s = 60,
                                                             .q = 1000 };
    }
    return registration;
}

static void assert_asked(const struct ahoyd_change *change, const struct ahoy_registration *asked)
{
    assert_true(ahoy_span_equal(change->aor, SPAN("bob@b.example")));
    assert_int_equal(change->registration.count, asked->count);
    assert_true(ahoy_span_equal(change->registration.call_id, asked->call_id));
    assert_true(ahoy_span_equal(change->registration.path, asked->path));
    for (size_t i = 0; i < asked->count; i++) {
        const struct ahoy_asked_contact *kept = &change->registration.asked[i];
        assert_true(ahoy_span_equal(kept->contact, asked->asked[i].contact));
        assert_true(ahoy_span_equal(kept->params, asked->asked[i].params));
        assert_int_equal(kept->expires_s, 60);
    }
}

/* What has any size, with and without room beside what is asked, and in place of another. */
static void what_is_told_hurts_nothing(void **state)
{
    (void)state;
    enum { ROOM = AHOY_BINDINGS_LIMIT * sizeof(struct ahoy_asked_contact) };
    static char bytes[2 * ROOM];
    for (size_t count = 1; count <= AHOY_BINDINGS_LIMIT; count++) {
        const struct ahoy_registration asked = registration_of(count, 40, 1);
        struct ahoyd_change *change = ahoyd_change_bindings(SPAN("bob@b.example"), &asked, now_ms);
        assert_non_null(change);
        for (size_t size = 1; size <= sizeof bytes; size += size % 7 + 1) {
            memset(bytes, (int)size, size);
            assert_true(ahoyd_change_tell(change, (struct span){ bytes, size }));
            assert_int_equal(change->outcome_size, size);
            assert_memory_equal(change->outcome, bytes, size);
            assert_asked(change, &asked);
        }
        assert_true(ahoyd_change_tell(change, (struct span){ bytes, 1 }));
        ahoyd_change_free(change);
    }
}

static struct ahoyd_store *open_store(enum ahoyd_store_kind kind, const char *path)
{
    char fault[256] = "";
    const struct ahoyd_store_options options = { .kind = kind, .path = path, .now_ms = now_ms };
    struct ahoyd_store *store = ahoyd_store_open(&options, fault, sizeof fault);
    if (store == NULL)
        fail_msg("%s", fault);
    return store;
}

/* Each change of one user brings back what it made itself, small or large, though the next has
 * taken its place by then; and all that is asked for its answer. */
static void each_has_its_own(enum ahoyd_store_kind kind, const char *path)
{
    static const size_t sizes[] = { 40, AHOY_CONTACT_LIMIT, 41, 400 };
    static struct ahoy_bindings bindings;
    struct changes changes;
    struct ahoyd_store *store = open_store(kind, path);
    changes_init(&changes);
    for (uint32_t i = 0; i < 40; i++) {
        const struct ahoy_registration asked =
            registration_of(i % AHOY_BINDINGS_LIMIT + 1, sizes[i / 10], i + 1);
        struct ahoy_registration all = asked;
        all.remove_all = true; /* What was there goes. */
        all.cseq = i + 1;
        changes_submit(&changes, store,
                       ahoyd_change_bindings(SPAN("bob@b.example"), &all, now_ms));
    }
    struct ahoyd_change *change = changes_await(&changes);
    for (uint32_t i = 0; i < 40; i++) {
        const struct ahoy_registration asked =
            registration_of(i % AHOY_BINDINGS_LIMIT + 1, sizes[i / 10], i + 1);
        assert_non_null(change);
        assert_int_equal(change->status, 200);
        assert_asked(change, &asked);
        ahoyd_change_outcome(change, &bindings);
        assert_int_equal(bindings.count, asked.count);
        for (size_t j = 0; j < asked.count; j++) {
            assert_true(ahoy_span_equal(bindings.list[j].contact, asked.asked[j].contact));
            assert_int_equal(bindings.list[j].cseq, i + 1);
        }
        struct ahoyd_change *next = change->next;
        ahoyd_change_free(change);
        change = next;
    }
    assert_null(change);
    ahoyd_store_close(store);
    changes_fini(&changes);
}

static void in_memory(void **state)
{
    (void)state;
    each_has_its_own(AHOYD_STORE_MEMORY, NULL);
}

static void on_a_disk(void **state)
{
    (void)state;
    char folder[] = "/tmp/ahoy-change-XXXXXX";
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/ahoy.db", folder);
    each_has_its_own(AHOYD_STORE_SQLITE, path);
    for (size_t i = 0; i < 3; i++) {
        char file[80];
        snprintf(file, sizeof file, "%s%s", path, ends[i]);
        unlink(file);
    }
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_hurts_nothing),
        cmocka_unit_test(in_memory),
        cmocka_unit_test(on_a_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
