/* The location index: what was put is found, whatever else came and went, also where buckets are
 * full and no more can be had. */
#include "ahoyd/store/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "libahoy/base/rng.h"

enum { USERS = 5000, STEPS = 60000, NAME_SIZE = 40, SPAN_MS = 1000000 };

static const struct ahoy_hash_key key = { { 3, 4 } };

static struct {
    struct index index;
    struct ahoy_rng rng;
    uint32_t known[USERS]; /* The CSeq of each one's binding; 0 for none. */
    uint64_t until_ms[USERS];
    bool seen[USERS];
} world;

static int set_up(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    ahoy_rng_init(&world.rng, key.half);
    return index_init(&world.index, key) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    index_fini(&world.index);
    return 0;
}

static struct span name_of(size_t user, char name[NAME_SIZE])
{
    int size = snprintf(name, NAME_SIZE, "user%zu@atlanta.example", user);
    return (struct span){ name, (size_t)size };
}

/* One binding, or none where |cseq| is 0. */
static struct record *make(size_t user, uint32_t cseq, uint64_t until_ms)
{
    static char filler[500];
    static struct ahoy_bindings bindings;
    char name[NAME_SIZE];
    memset(filler, 'x', sizeof filler);
    const struct ahoy_binding binding = {
        .contact = SPAN("sip:user@192.0.2.1"),
        .params = { filler, ahoy_rng_below(&world.rng, sizeof filler) },
        .cseq = cseq,
        .expires_ms = until_ms,
    };
    ahoy_bindings_init(&bindings);
    if (cseq > 0)
        assert_true(ahoy_bindings_add(&bindings, &binding));
    return record_new(&world.index.slabs, name_of(user, name), &bindings);
}

static void put(size_t user, uint32_t cseq, uint64_t until_ms)
{
    struct record *record = make(user, cseq, until_ms);
    assert_non_null(record);
    record->row = cseq;
    bool replaced = index_put(&world.index, record, index_hash(&world.index, record_aor(record)));
    assert_int_equal(replaced, world.known[user] != 0);
    world.known[user] = cseq;
    world.until_ms[user] = until_ms;
}

/* One that is not among those who are known, or is known to have this very binding. */
static void put_again(size_t user)
{
    struct record *record = make(user, 1, SPAN_MS);
    assert_non_null(record);
    record->row = 1;
    index_put(&world.index, record, index_hash(&world.index, record_aor(record)));
}

static void check(size_t user)
{
    static struct ahoy_bindings bindings;
    char name[NAME_SIZE];
    struct span aor = name_of(user, name);
    assert_int_equal(index_find(&world.index, aor, 0, &bindings), world.known[user] != 0);
    assert_int_equal(index_row(&world.index, aor), world.known[user]);
    if (world.known[user] != 0)
        assert_int_equal(bindings.list[0].cseq, world.known[user]);
}

static bool see(void *context, struct record *record)
{
    unsigned user = 0;
    char name[NAME_SIZE] = "";
    (void)context;
    memcpy(name, record_aor(record).at, record_aor(record).size);
    assert_int_equal(sscanf(name, "user%u@", &user), 1);
    assert_true(user < USERS && world.known[user] != 0 && !world.seen[user]);
    world.seen[user] = true;
    return true;
}

static void check_all(void)
{
    size_t count = 0;
    memset(world.seen, 0, sizeof world.seen);
    index_each_record(&world.index, see, NULL);
    for (size_t i = 0; i < USERS; i++) {
        check(i);
        assert_int_equal(world.seen[i], world.known[i] != 0);
        count += world.known[i] != 0;
    }
    assert_int_equal(index_count(&world.index), count);
}

static void forget(uint64_t now_ms)
{
    size_t gone = 0, forgotten = 0;
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        forgotten += index_forget(&world.index, i, now_ms);
    for (size_t i = 0; i < USERS; i++) {
        if (world.known[i] != 0 && world.until_ms[i] <= now_ms) {
            world.known[i] = 0;
            gone++;
        }
    }
    assert_int_equal(forgotten, gone);
}

static void play(void)
{
    for (uint32_t i = 1; i <= STEPS; i++) {
        size_t user = ahoy_rng_below(&world.rng, USERS);
        bool removes = ahoy_rng_below(&world.rng, 4) == 0;
        put(user, removes ? 0 : i, 1 + ahoy_rng_below(&world.rng, SPAN_MS));
        check(ahoy_rng_below(&world.rng, USERS));
        if (i % (STEPS / 4) == 0) {
            check_all();
            forget(SPAN_MS / 4);
            check_all();
        }
    }
    forget(SPAN_MS);
    check_all();
    assert_int_equal(index_count(&world.index), 0);
}

static void what_was_put_is_found(void **state)
{
    (void)state;
    play();
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        assert_true(world.index.shards[i].buckets > 1);
}

/* A change that was committed is put, whether there is memory or not. */
static void buckets_that_cannot_grow_have_chains(void **state)
{
    (void)state;
    world.index.buckets.limit = 0;
    play();
    for (size_t i = 0; i < INDEX_SHARDS; i++)
        assert_true(world.index.shards[i].buckets <= 16); /* Those of the memory it began with. */
}

/* Only to be quicker: where there is something to wait for, and not behind another's lock. */
static void who_is_expected_is_fetched(void **state)
{
    (void)state;
    char name[NAME_SIZE];
    const struct span domain = SPAN("atlanta.example");
    put(7, 1, SPAN_MS);
    assert_int_equal(index_expect(&world.index, SPAN("user7"), domain), 0);
    for (size_t i = USERS; i < 4 * (size_t)USERS; i++)
        put_again(i);
    uint64_t hash = index_expect(&world.index, SPAN("user7"), domain);
    assert_int_equal(hash, index_hash(&world.index, name_of(7, name)));
    index_expect_record(&world.index, hash);
    index_expect_record(&world.index, index_expect(&world.index, SPAN("nobody"), domain));
    check(7);
    struct shard *shard = &world.index.shards[hash % INDEX_SHARDS];
    pthread_mutex_lock(&shard->lock);
    index_expect_record(&world.index, hash);
    pthread_mutex_unlock(&shard->lock);
    check(7);
}

/* While the writer goes on: the thread sanitizer sees what is read without the lock. */
static void *expect_on(void *context)
{
    static struct ahoy_bindings bindings;
    const struct span aor = SPAN("user7@atlanta.example");
    const atomic_bool *ends = context;
    while (!*ends) {
        uint64_t hash = index_expect(&world.index, SPAN("user7"), SPAN("atlanta.example"));
        if (hash != 0)
            index_expect_record(&world.index, hash);
        assert_true(index_find(&world.index, aor, 0, &bindings));
    }
    return NULL;
}

static void who_is_expected_is_found_while_others_come(void **state)
{
    (void)state;
    pthread_t reader;
    atomic_bool ends = false;
    put(7, 1, SPAN_MS);
    assert_int_equal(pthread_create(&reader, NULL, expect_on, &ends), 0);
    for (size_t i = 0; i < 4 * (size_t)USERS; i++)
        put_again(i % 4 == 0 ? 7 : USERS + i);
    ends = true;
    pthread_join(reader, NULL);
}

static void a_record_is_refused_where_memory_is(void **state)
{
    (void)state;
    struct record *record = NULL;
    uint32_t count = 0;
    world.index.slabs.items.limit = 0;
    assert_null(make(0, 1, 1));
    world.index.slabs.items.limit = SIZE_MAX;
    put(0, 1, 1);
    world.index.slabs.items.limit = 0;
    while (count < 10000 && (record = make(1, 1, 1)) != NULL)
        count++;
    assert_null(record);
    check(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_put_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(buckets_that_cannot_grow_have_chains, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_expected_is_fetched, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_expected_is_found_while_others_come, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_record_is_refused_where_memory_is, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
