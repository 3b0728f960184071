/* The promise about data: who was answered 200 is found after the power was lost at any moment, and
 * a REGISTER of two contacts has changed both or none (R3261-10.3-23).
 *
 * test-ahoyd-power_cut [CUTS [SEED]] */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "libahoy/base/rng.h"
#include "tests/support/changes.h"
#include "tests/support/frail_disk.h"

enum {
    USERS = 40,
    BURST_LIMIT = 30,
    OPERATIONS_LIMIT = 400, /* Before the power goes. */
    REMOVING_EACH = 5,      /* Each so manyth REGISTER removes its contacts. */
    CONTACTS = 2,
    FILE_LIMIT = 4 << 20 /* Bytes: the log is swept meanwhile. */
};

static const uint64_t now_ms = 1700000000000;

/* What is known of somebody: his REGISTERs are numbered by their CSeq, his passwords likewise. */
struct subject {
    uint32_t sent, kept;
};

static struct {
    unsigned cuts;
    uint64_t seed;
    char folder[64], path[96];
    struct ahoy_rng rng;
    struct frail_disk *disk;
    struct ahoyd_store *store;
    struct changes changes;
    struct subject bindings[USERS], passwords[USERS];
} world = { .cuts = 400, .seed = 1, .folder = "/tmp/ahoy-power-XXXXXX" };

static unsigned chance(unsigned bound)
{
    return (unsigned)ahoy_rng_below(&world.rng, bound);
}

static bool open_store(void)
{
    char fault[256] = "";
    struct ahoyd_store_options options = { .kind = AHOYD_STORE_SQLITE,
                                           .path = world.path,
                                           .now_ms = now_ms };
    world.store = ahoyd_store_open(&options, fault, sizeof fault);
    if (world.store == NULL && !frail_disk_is_dark(world.disk))
        fail_msg("the store does not open again: %s", fault);
    return world.store != NULL;
}

static void name(char text[32], unsigned user)
{
    snprintf(text, 32, "u%u@b.example", user);
}

static void submit_register(unsigned user)
{
    uint32_t cseq = ++world.bindings[user].sent;
    uint32_t expires_s = cseq % REMOVING_EACH == 0 ? 0 : 3600;
    struct ahoy_registration registration = {
        .count = CONTACTS,
        .asked = { { .contact = SPAN("sip:desk@192.0.2.1"), .expires_s = expires_s },
                   { .contact = SPAN("sip:hand@192.0.2.2"), .expires_s = expires_s } },
        .call_id = SPAN("call-1"),
        .cseq = cseq,
        .hop = { .transport = AHOY_UDP, .remote = { .family = 4 } },
    };
    char aor[32];
    name(aor, user);
    changes_submit(&world.changes, world.store,
                   ahoyd_change_bindings(ahoy_span(aor), &registration, now_ms));
}

static void submit_password(unsigned user)
{
    struct ahoyd_user credentials = { .ha1[AHOY_DIGEST_MD5].size = 32 };
    char text[33], aor[32];
    snprintf(text, sizeof text, "%032x", ++world.passwords[user].sent);
    memcpy(credentials.ha1[AHOY_DIGEST_MD5].text, text, 32);
    name(aor, user);
    changes_submit(
        &world.changes, world.store,
        ahoyd_change_user(AHOYD_CHANGE_USER_PUT, ahoy_span(aor), SPAN("b.example"), &credentials));
}

static uint32_t number_of(const struct ahoyd_change *change)
{
    if (change->kind == AHOYD_CHANGE_BINDINGS)
        return change->registration.cseq;
    char text[33] = "";
    memcpy(text, change->credentials.ha1[AHOY_DIGEST_MD5].text, 32);
    return (uint32_t)strtoul(text, NULL, 16);
}

/* Waits for the answers and notes what was promised; returns how many were. */
static unsigned hear_answers(void)
{
    unsigned count = 0;
    struct ahoyd_change *next = NULL;
    for (struct ahoyd_change *change = changes_await(&world.changes); change != NULL;
         change = next) {
        bool is_binding = change->kind == AHOYD_CHANGE_BINDINGS;
        struct span user = is_binding ? change->aor : change->user;
        unsigned index = (unsigned)strtoul(user.at + 1, NULL, 10);
        struct subject *subject = is_binding ? &world.bindings[index] : &world.passwords[index];
        if (change->status == 200) {
            subject->kept = number_of(change);
            count++;
        } else {
            assert_int_equal(change->status, 503);
        }
        next = change->next;
        ahoyd_change_free(change);
    }
    return count;
}

static unsigned make_changes(void)
{
    for (unsigned left = 1 + chance(BURST_LIMIT); left > 0; left--) {
        unsigned user = chance(USERS);
        if (chance(10) == 0)
            submit_password(user);
        else
            submit_register(user);
    }
    return hear_answers();
}

/* What is there is what was promised last, or something newer that was asked for. */
static void check_number(const char *what, unsigned user, struct subject *subject, uint32_t found)
{
    if (found < subject->kept || found > subject->sent)
        fail_msg("seed %llu: %s of user %u: number %u is there, %u to %u may be",
                 (unsigned long long)world.seed, what, user, found, subject->kept, subject->sent);
    subject->kept = found;
}

static void check_bindings(unsigned user)
{
    struct subject *subject = &world.bindings[user];
    struct ahoy_bindings bindings;
    char aor[32];
    name(aor, user);
    if (!ahoyd_store_find(world.store, ahoy_span(aor), now_ms, &bindings)) {
        uint32_t removed = subject->sent - subject->sent % REMOVING_EACH;
        check_number("REGISTER", user, subject, removed);
        return;
    }
    assert_int_equal(bindings.count, CONTACTS);
    assert_int_equal(bindings.list[0].cseq, bindings.list[1].cseq);
    assert_int_not_equal(bindings.list[0].cseq % REMOVING_EACH, 0);
    check_number("REGISTER", user, subject, bindings.list[0].cseq);
}

static void check_password(unsigned user)
{
    struct ahoyd_user credentials;
    char aor[32], text[33] = "";
    name(aor, user);
    if (ahoyd_store_user(world.store, ahoy_span(aor), SPAN("b.example"), &credentials))
        memcpy(text, credentials.ha1[AHOY_DIGEST_MD5].text, 32);
    check_number("password", user, &world.passwords[user], (uint32_t)strtoul(text, NULL, 16));
}

static void check_all(void)
{
    for (unsigned user = 0; user < USERS; user++) {
        check_bindings(user);
        check_password(user);
    }
}

/* Security row 24 and 28: what cannot be kept is not promised, and nothing needs to be mended by
 * hand once it can. */
static void make_changes_while_the_disk_refuses(void)
{
    frail_disk_refuse(world.disk, chance(2) == 0 ? SQLITE_FULL : SQLITE_IOERR_FSYNC);
    assert_int_equal(make_changes(), 0);
    frail_disk_refuse(world.disk, SQLITE_OK);
    if (!frail_disk_is_dark(world.disk) && make_changes() == 0)
        assert_true(frail_disk_is_dark(world.disk));
}

/* One life of the machine, which ends in the dark or, at times, in order. */
static void live(void)
{
    bool ends_in_order = chance(16) == 0;
    unsigned operations = 1 + chance(chance(4) == 0 ? 10 : OPERATIONS_LIMIT);
    frail_disk_lose_power_after(world.disk, ends_in_order ? 0 : operations);
    if (!open_store())
        return;
    check_all();
    for (unsigned bursts = 0; !frail_disk_is_dark(world.disk); bursts++) {
        if (ends_in_order && bursts == 10)
            break;
        if (chance(8) == 0)
            make_changes_while_the_disk_refuses();
        else
            make_changes();
    }
    ahoyd_store_close(world.store);
}

static void what_was_promised_is_there(void **state)
{
    (void)state;
    for (unsigned i = 0; i < world.cuts; i++) {
        live();
        frail_disk_restore(world.disk);
    }
    assert_true(open_store());
    check_all();
    ahoyd_store_close(world.store);
    size_t size = 0;
    assert_non_null(frail_disk_bytes(world.disk, world.path, &size));
    assert_in_range(size, 1, FILE_LIMIT);
}

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(world.folder) == NULL)
        return -1;
    snprintf(world.path, sizeof world.path, "%s/ahoy.db", world.folder);
    ahoy_rng_init(&world.rng, (const uint64_t[2]){ world.seed, 1 });
    changes_init(&world.changes);
    world.disk = frail_disk_new(world.seed);
    return world.disk == NULL ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    frail_disk_free(world.disk);
    changes_fini(&world.changes);
    unlink(world.path); /* The store made an empty one, so that none but us may read it. */
    return rmdir(world.folder);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        world.cuts = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        world.seed = strtoull(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_promised_is_there) };
    return cmocka_run_group_tests(tests, begin, end);
}
