/* A store that nodes share, over an engine that can be deaf, silent, and lose rows: what one node
 * answers the other sees, nobody's change is lost to another's, and what is known is served
 * whatever the engine does. */
#include "ahoyd/store/shared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/changes.h"

enum { ROWS = 16, EVENTS = 256, NODES = 2, FAKES = 3 };

static const uint64_t now_ms = 1700000000000;

/* The engine: rows that two nodes have in common, and what each is still to be told. */
static struct {
    pthread_mutex_t lock;
    struct fake_row {
        char key[64], bytes[512];
        size_t size;
        uint64_t version;
    } rows[ROWS];
    struct fake {
        bool is_deaf;         /* It is not told what others change. */
        bool is_full;         /* It cannot be asked for a row. */
        bool is_silent;       /* Swaps are swallowed, ... */
        bool has_kept;        /* ... and the last of them is kept: */
        uint64_t ticket;      /* Its own, ... */
        struct fake_row kept; /* ... and the row as it would be. */
        struct shared_event events[EVENTS];
        struct fake_row about[EVENTS];
        size_t first, last;
        uint64_t step_ms;
    } fakes[FAKES];
} engine = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct fake_row *row_at(struct span key)
{
    struct fake_row *empty = NULL;
    for (size_t i = 0; i < ROWS; i++) {
        if (ahoy_span_equal(ahoy_span(engine.rows[i].key), key))
            return &engine.rows[i];
        if (engine.rows[i].key[0] == '\0' && empty == NULL)
            empty = &engine.rows[i];
    }
    memcpy(empty->key, key.at, key.size);
    return empty;
}

static void tell(struct fake *fake, enum shared_event_kind kind, uint64_t ticket,
                 const struct fake_row *row)
{
    size_t place = fake->last++ % EVENTS;
    fake->events[place] = (struct shared_event){ .kind = kind, .ticket = ticket };
    if (row != NULL)
        fake->about[place] = *row;
}

static void tell_all(struct fake *fake)
{
    tell(fake, SHARED_READING, 0, NULL);
    for (size_t i = 0; i < ROWS; i++) {
        if (engine.rows[i].version != 0)
            tell(fake, SHARED_ROW, 0, &engine.rows[i]);
    }
    tell(fake, SHARED_READ, 0, NULL);
}

static void *fake_new(const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    struct fake *fake = &engine.fakes[options->path[0] - '0'];
    (void)fault; /* There is none. */
    (void)fault_size;
    memset(fake, 0, sizeof *fake);
    tell_all(fake);
    return fake;
}

static void fake_free(void *state)
{
    (void)state; /* It is nobody's. */
}

static size_t fake_watch(void *state, struct pollfd *fds)
{
    (void)state; /* Nothing is polled: the deadline is always near. */
    (void)fds;
    return 0;
}

static uint64_t fake_deadline(void *state)
{
    return ((struct fake *)state)->step_ms + 2;
}

static void fake_step(void *state, const struct pollfd *fds, size_t count, uint64_t step_ms)
{
    (void)fds;
    (void)count;
    ((struct fake *)state)->step_ms = step_ms;
}

static bool fake_event(void *state, struct shared_event *event)
{
    static _Thread_local struct fake_row row;
    struct fake *fake = state;
    pthread_mutex_lock(&engine.lock);
    bool any = fake->first < fake->last;
    if (any) {
        size_t place = fake->first++ % EVENTS;
        row = fake->about[place];
        *event = fake->events[place];
        event->row = (struct shared_row){ .key = ahoy_span(row.key),
                                          .version = row.version,
                                          .bytes = { row.bytes, row.size },
                                          .is_gone = row.version != 0 && row.size == 0 };
    }
    pthread_mutex_unlock(&engine.lock);
    return any;
}

/* What |swap| puts in the place of |row|. */
static void put_row(struct fake_row *row, const struct shared_swap *swap)
{
    row->version = swap->row.bytes.size > 0 ? swap->row.version : 0;
    row->size = swap->row.bytes.size;
    assert_true(row->size <= sizeof row->bytes);
    memcpy(row->bytes, swap->row.bytes.at, row->size);
}

static bool fake_swap(void *state, const struct shared_swap *swap)
{
    struct fake *fake = state;
    pthread_mutex_lock(&engine.lock);
    struct fake_row *row = row_at(swap->row.key);
    if (fake->is_silent) {
        fake->has_kept = true;
        fake->ticket = swap->ticket;
        fake->kept = *row;
        put_row(&fake->kept, swap);
    } else if (row->version != swap->expected) {
        tell(fake, SHARED_OTHER, swap->ticket, row);
    } else {
        put_row(row, swap);
        tell(fake, SHARED_SWAPPED, swap->ticket, row);
        for (size_t i = 0; i < FAKES; i++) {
            if (!engine.fakes[i].is_deaf)
                tell(&engine.fakes[i], SHARED_ROW, 0, row);
        }
    }
    pthread_mutex_unlock(&engine.lock);
    return true;
}

static void fake_drop(void *state, uint64_t ticket)
{
    (void)state; /* What is silent never answers. */
    (void)ticket;
}

static bool fake_look(void *state, struct span key)
{
    struct fake *fake = state;
    pthread_mutex_lock(&engine.lock);
    bool can = !fake->is_full;
    if (can)
        tell(fake, SHARED_ROW, 0, row_at(key));
    pthread_mutex_unlock(&engine.lock);
    return can;
}

static void fake_look_or_read(void *state, struct span key)
{
    if (fake_look(state, key))
        return;
    pthread_mutex_lock(&engine.lock);
    tell_all(state);
    pthread_mutex_unlock(&engine.lock);
}

static bool fake_has_read(void *state, struct span key)
{
    (void)state; /* It always reads all. */
    (void)key;
    return true;
}

static const struct shared_engine fake_engine = { fake_new,          fake_free,    fake_watch,
                                                  fake_deadline,     fake_step,    fake_event,
                                                  fake_swap,         fake_drop,    fake_look,
                                                  fake_look_or_read, fake_has_read };
static const struct backend fake_backend = { .submit = shared_submit, .close = shared_close };

static struct ahoyd_store nodes[NODES];
static struct changes changes, kept; /* Those that a silent engine keeps. */

/* Whether one keeps everything, or users and aliases alone. */
typedef bool opener(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                    const struct shared_engine *engine, char *fault, size_t fault_size);

static void open_part(struct ahoyd_store *store, size_t fake, opener *open)
{
    char fault[256] = "";
    const char path[] = { (char)('0' + fake), '\0' };
    struct ahoyd_store_options options = { .path = path, .now_ms = now_ms };
    if (!open(store, &options, &fake_engine, fault, sizeof fault))
        fail_msg("%s", fault);
}

static void open_node(size_t number, opener *open)
{
    struct ahoyd_store *store = &nodes[number];
    *store = (struct ahoyd_store){ .backend = &fake_backend };
    assert_true(index_init(&store->index, (struct ahoy_hash_key){ { 1, number } }));
    assert_true(users_init(&store->users, (struct ahoy_hash_key){ { 2, number } }, false));
    open_part(store, number, open);
}

static void close_node(size_t number)
{
    if (nodes[number].shared != NULL)
        shared_close(&nodes[number]);
    if (nodes[number].names != NULL)
        shared_close_users(&nodes[number]);
    index_fini(&nodes[number].index);
    users_fini(&nodes[number].users);
}

static int set_up(void **state)
{
    (void)state; /* It is static. */
    memset(engine.rows, 0, sizeof engine.rows);
    changes_init(&changes);
    changes_init(&kept);
    open_node(0, shared_open);
    open_node(1, shared_open);
    return 0;
}

static int tear_down(void **state)
{
    (void)state; /* Likewise. */
    close_node(0);
    close_node(1);
    changes_fini(&changes);
    changes_fini(&kept);
    return 0;
}

static void set(bool *flag, bool value)
{
    pthread_mutex_lock(&engine.lock);
    *flag = value;
    pthread_mutex_unlock(&engine.lock);
}

static void submit_to(struct changes *whose, size_t node, const char *contact, uint32_t cseq)
{
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact), .expires_s = 3600, .q = 1000 } },
        .call_id = ahoy_span(contact),
        .cseq = cseq,
        .hop = { .transport = AHOY_TCP, .connection = { 3, 5 }, .remote = { .family = 4 } },
    };
    changes_submit(whose, &nodes[node],
                   ahoyd_change_bindings(SPAN("bob@b.example"), &registration, now_ms));
}

static void submit(size_t node, const char *contact, uint32_t cseq)
{
    submit_to(&changes, node, contact, cseq);
}

static unsigned put(size_t node, const char *contact, uint32_t cseq)
{
    submit(node, contact, cseq);
    return changes_end(&changes);
}

static size_t count_of(size_t node)
{
    static struct ahoy_bindings bindings;
    ahoyd_store_find(&nodes[node], SPAN("bob@b.example"), now_ms, &bindings);
    return bindings.count;
}

static void wait_for(size_t node, size_t count)
{
    for (int i = 0; i < 20000 && count_of(node) != count; i++)
        usleep(1000);
    assert_int_equal(count_of(node), count);
}

static void test_others_see_what_was_answered(void **state)
{
    static struct ahoy_bindings bindings;
    unsigned char secrets[NODES][AHOYD_SECRET_SIZE];
    (void)state; /* It is static. */
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    assert_int_equal(count_of(0), 1); /* At once. */
    wait_for(1, 1);
    /* A connection is one of the node that it was made to. */
    ahoyd_store_find(&nodes[0], SPAN("bob@b.example"), now_ms, &bindings);
    assert_int_equal(bindings.list[0].hop.connection.generation, 5);
    ahoyd_store_find(&nodes[1], SPAN("bob@b.example"), now_ms, &bindings);
    assert_int_equal(bindings.list[0].hop.connection.generation, 0);
    ahoyd_store_secret(&nodes[0], secrets[0]);
    ahoyd_store_secret(&nodes[1], secrets[1]);
    assert_memory_equal(secrets[0], secrets[1], AHOYD_SECRET_SIZE);
}

static void test_nobodys_change_is_lost(void **state)
{
    (void)state; /* It is static. */
    set(&engine.fakes[1].is_deaf, true);
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    assert_int_equal(count_of(1), 0);
    assert_int_equal(put(1, "sip:bob@two.example", 1), 200); /* On the other's row. */
    assert_int_equal(count_of(1), 2);
    wait_for(0, 2);
}

static void test_changes_of_one_key_are_in_order(void **state)
{
    (void)state; /* It is static. */
    for (uint32_t cseq = 1; cseq <= 100; cseq++)
        submit(cseq % NODES, "sip:bob@one.example", 1); /* All but one are repeated: 500. */
    changes_end(&changes);
    for (uint32_t cseq = 2; cseq <= 100; cseq++)
        submit(0, "sip:bob@one.example", cseq);
    struct ahoyd_change *next = NULL;
    uint32_t cseq = 2;
    for (struct ahoyd_change *change = changes_await(&changes); change != NULL; change = next) {
        next = change->next;
        assert_int_equal(change->status, 200);
        assert_int_equal(change->registration.cseq, cseq++);
        ahoyd_change_free(change);
    }
}

static void test_silence(void **state)
{
    (void)state; /* It is static. */
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    set(&engine.fakes[0].is_silent, true);
    submit(0, "sip:bob@two.example", 1);
    submit(0, "sip:bob@three.example", 1);
    assert_int_equal(count_of(0), 1); /* What is known is served. */
    assert_int_equal(changes_end(&changes), 503);
    assert_int_equal(count_of(0), 1);
    set(&engine.fakes[0].is_silent, false);
    assert_int_equal(put(0, "sip:bob@two.example", 2), 200);
    assert_int_equal(count_of(0), 2);
}

static void test_as_many_wait_as_may(void **state)
{
    (void)state; /* It is static. */
    set(&engine.fakes[0].is_silent, true);
    for (uint32_t i = 0; i < AHOYD_CHANGES_LIMIT; i++)
        submit(0, "sip:bob@one.example", i);
    struct ahoyd_change *change =
        ahoyd_change_alias(AHOYD_CHANGE_ALIAS_REMOVE, SPAN("a"), SPAN("b"), SPAN(""));
    assert_false(ahoyd_store_submit(&nodes[0], change));
    ahoyd_change_free(change);
    assert_int_equal(changes_end(&changes), 503);
    set(&engine.fakes[0].is_silent, false);
    assert_int_equal(put(0, "sip:bob@one.example", AHOYD_CHANGES_LIMIT), 200);
}

/* A watch was lost, and with it the word that a row went. */
static void test_all_is_read_again(void **state)
{
    (void)state; /* It is static. */
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    wait_for(1, 1);
    pthread_mutex_lock(&engine.lock);
    row_at(SPAN("b:bob@b.example"))->version = 0;
    tell_all(&engine.fakes[1]);
    pthread_mutex_unlock(&engine.lock);
    wait_for(1, 0);
    assert_int_equal(count_of(0), 1); /* It still watches, and was told nothing. */
}

static void test_a_damaged_row_is_written_over(void **state)
{
    (void)state; /* It is static. */
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    pthread_mutex_lock(&engine.lock);
    struct fake_row *row = row_at(SPAN("b:bob@b.example"));
    row->version++;
    row->bytes[5] ^= 1;
    tell_all(&engine.fakes[1]);
    pthread_mutex_unlock(&engine.lock);
    assert_int_equal(put(0, "sip:bob@two.example", 1), 200);
    wait_for(1, 2);
}

/* An engine may keep for a while that there was a row: it is nobody's then, and who puts another
 * does it on nothing. */
static void test_a_row_is_gone(void **state)
{
    static struct ahoy_bindings bindings;
    struct fake_row *row = row_at(SPAN("b:bob@b.example"));
    (void)state; /* It is static. */
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    wait_for(1, 1);
    pthread_mutex_lock(&engine.lock);
    row->version++;
    row->size = 0;
    tell(&engine.fakes[0], SHARED_ROW, 0, row);
    pthread_mutex_unlock(&engine.lock);
    wait_for(0, 0);
    assert_int_equal(put(1, "sip:bob@two.example", 1), 200); /* It was not told. */
    ahoyd_store_find(&nodes[1], SPAN("bob@b.example"), now_ms, &bindings);
    assert_int_equal(bindings.count, 1);
    wait_for(0, 1);
    assert_int_equal(put(0, "sip:bob@two.example", 2), 200);
}

/* A change on node 0, whose engine is asked for it and does not answer; its ticket. */
static uint64_t keep(const char *contact, uint32_t cseq)
{
    struct fake *fake = &engine.fakes[0];
    bool is_kept = false;
    uint64_t ticket = 0;
    set(&fake->is_silent, true);
    submit_to(&kept, 0, contact, cseq);
    for (int i = 0; i < 20000 && !is_kept; i++) {
        usleep(1000);
        pthread_mutex_lock(&engine.lock);
        is_kept = fake->has_kept;
        ticket = fake->ticket;
        pthread_mutex_unlock(&engine.lock);
    }
    assert_true(is_kept);
    return ticket;
}

/* What another connection tells of a row may be newer than the answer that comes after it, and the
 * change ends there: nobody would tell of the newer row again. */
static void test_an_answer_is_older_than_what_was_told(void **state)
{
    struct fake_row *row = row_at(SPAN("b:bob@b.example")), older;
    (void)state; /* It is static. */
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    wait_for(1, 1);
    const uint64_t ticket = keep("sip:bob@one.example", 2);
    assert_int_equal(put(1, "sip:bob@one.example", 3), 200);
    pthread_mutex_lock(&engine.lock);
    older = *row;
    pthread_mutex_unlock(&engine.lock);
    assert_int_equal(put(1, "sip:bob@two.example", 1), 200);
    wait_for(0, 2);
    pthread_mutex_lock(&engine.lock);
    tell(&engine.fakes[0], SHARED_OTHER, ticket, &older);
    pthread_mutex_unlock(&engine.lock);
    assert_int_equal(changes_end(&kept), 500); /* Its CSeq is too low for that row. */
    wait_for(0, 2);
}

/* As before, but it is done, and there is no room to ask for the newer row. */
static void test_no_room_to_look_again(void **state)
{
    struct fake *fake = &engine.fakes[0];
    struct fake_row *row = row_at(SPAN("b:bob@b.example"));
    (void)state; /* It is static. */
    set(&fake->is_full, true);
    const uint64_t ticket = keep("sip:bob@one.example", 1);
    pthread_mutex_lock(&engine.lock);
    *row = fake->kept;
    tell_all(&engine.fakes[1]);
    pthread_mutex_unlock(&engine.lock);
    assert_int_equal(put(1, "sip:bob@two.example", 1), 200);
    wait_for(0, 2);
    pthread_mutex_lock(&engine.lock);
    tell(fake, SHARED_SWAPPED, ticket, &fake->kept);
    pthread_mutex_unlock(&engine.lock);
    assert_int_equal(changes_end(&kept), 200);
    wait_for(0, 2);
}

static unsigned change_name(size_t node, enum ahoyd_change_kind kind, const char *name,
                            const char *means)
{
    const struct ahoyd_user user = { .ha1[AHOY_DIGEST_MD5] = { .size = 32 } };
    bool is_user = kind == AHOYD_CHANGE_USER_PUT || kind == AHOYD_CHANGE_USER_REMOVE;
    changes_submit(
        &changes, &nodes[node],
        is_user ? ahoyd_change_user(kind, ahoy_span(name), SPAN("b.example"), &user)
                : ahoyd_change_alias(kind, ahoy_span(name), SPAN("b.example"), ahoy_span(means)));
    return changes_end(&changes);
}

static void wait_for_name(size_t node, const char *name, enum users_kind kind)
{
    struct users *users = &nodes[node].users;
    for (int i = 0; i < 20000; i++) {
        if (users_kind(users, ahoy_span(name), SPAN("b.example")) == kind)
            return;
        usleep(1000);
    }
    fail_msg("%s is not as it should be", name);
}

static void test_users_and_aliases(void **state)
{
    (void)state; /* It is static. */
    assert_int_equal(change_name(0, AHOYD_CHANGE_USER_PUT, "bob", ""), 200);
    wait_for_name(1, "bob", USERS_USER);
    assert_int_equal(change_name(1, AHOYD_CHANGE_ALIAS_PUT, "100", "bob"), 200);
    wait_for_name(0, "100", USERS_ALIAS);
    assert_int_equal(change_name(0, AHOYD_CHANGE_ALIAS_PUT, "101", "nobody"), 404);
    assert_int_equal(change_name(0, AHOYD_CHANGE_USER_REMOVE, "bob", ""), 200);
    wait_for_name(1, "bob", USERS_NOBODY);
    wait_for_name(1, "100", USERS_NOBODY);
    wait_for_name(0, "100", USERS_NOBODY);
    for (int i = 0; i < 20000 && row_at(SPAN("u:100@b.example"))->version != 0; i++)
        usleep(1000);
    assert_int_equal(row_at(SPAN("u:100@b.example"))->version, 0);
}

/* A node that has users in common with others, and bindings of its own. */
static void test_users_alone(void **state)
{
    (void)state; /* It is static. */
    close_node(1);
    open_node(1, shared_open_users);
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    assert_int_equal(change_name(0, AHOYD_CHANGE_USER_PUT, "bob", ""), 200);
    wait_for_name(1, "bob", USERS_USER);
    assert_int_equal(count_of(1), 0);
    assert_int_equal(change_name(1, AHOYD_CHANGE_ALIAS_PUT, "100", "bob"), 200);
    wait_for_name(0, "100", USERS_ALIAS);
    pthread_mutex_lock(&engine.lock);
    row_at(SPAN("u:bob@b.example"))->version++; /* Nothing can be made of what it is now. */
    row_at(SPAN("u:bob@b.example"))->size = 0;
    tell_all(&engine.fakes[1]);
    pthread_mutex_unlock(&engine.lock);
    wait_for_name(1, "bob", USERS_NOBODY);
    assert_int_equal(change_name(1, AHOYD_CHANGE_USER_PUT, "bob", ""), 200);
    set(&engine.fakes[1].is_silent, true);
    changes_submit(
        &changes, &nodes[1],
        ahoyd_change_user(AHOYD_CHANGE_USER_REMOVE, SPAN("bob"), SPAN("b.example"), NULL));
    struct ahoyd_change *change = changes_await(&changes);
    assert_int_equal(change->status, 503);
    assert_string_equal(change->why, "the database of users does not answer");
    ahoyd_change_free(change);
    assert_int_equal(users_kind(&nodes[1].users, SPAN("bob"), SPAN("b.example")), USERS_USER);
}

/* Where both are shared, but apart, each part keeps its own only. */
static void test_users_apart(void **state)
{
    (void)state; /* It is static. */
    close_node(1);
    open_node(1, shared_open_users);
    open_part(&nodes[1], 2, shared_open);
    set(&engine.fakes[1].is_deaf, true);
    assert_int_equal(change_name(0, AHOYD_CHANGE_USER_PUT, "bob", ""), 200);
    assert_int_equal(put(0, "sip:bob@one.example", 1), 200);
    wait_for(1, 1);
    assert_int_equal(users_kind(&nodes[1].users, SPAN("bob"), SPAN("b.example")), USERS_NOBODY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_others_see_what_was_answered),
        TEST(test_nobodys_change_is_lost),
        TEST(test_changes_of_one_key_are_in_order),
        TEST(test_silence),
        TEST(test_as_many_wait_as_may),
        TEST(test_all_is_read_again),
        TEST(test_a_damaged_row_is_written_over),
        TEST(test_a_row_is_gone),
        TEST(test_an_answer_is_older_than_what_was_told),
        TEST(test_no_room_to_look_again),
        TEST(test_users_and_aliases),
        TEST(test_users_alone),
        TEST(test_users_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
