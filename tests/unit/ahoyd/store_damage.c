/* A file that a disk or somebody has spoiled: what is damaged is named and left out, all else is
 * there, and nothing is there that nobody wrote. */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "libahoy/base/rng.h"
#include "tests/support/changes.h"

enum {
    AORS = 600,
    USERS = 150,
    ALIASES = 20, /* Of the first users. */
    PAGE = 4096,
    LOST_MOST = 60, /* Of what stands on one page. */
    FLIPS = 200
};

static const uint64_t now_ms = 1700000000000;

static struct {
    struct changes changes;
    char folder[64], path[96], said[8192];
    struct ahoy_rng rng;
    unsigned char *bytes; /* Of the sound file. */
    size_t size;
    unsigned char secret[AHOYD_SECRET_SIZE];
} place = { .folder = "/tmp/ahoy-damage-XXXXXX" };

static void hear(void *context, enum ahoy_log_level level, const char *line)
{
    (void)context, (void)level;
    size_t size = strlen(place.said);
    snprintf(place.said + size, sizeof place.said - size, "%s\n", line);
}

static const struct ahoy_log ear = { .sink = hear, .level = AHOY_LOG_NOTICE };

static bool said(const char *what)
{
    return strstr(place.said, what) != NULL;
}

/* NULL where it refuses: what it said is then in place.said. */
static struct ahoyd_store *open_store(void)
{
    struct ahoyd_store_options options = {
        .kind = AHOYD_STORE_SQLITE, .path = place.path, .now_ms = now_ms, .log = &ear
    };
    char fault[512] = "";
    place.said[0] = '\0';
    struct ahoyd_store *store = ahoyd_store_open(&options, fault, sizeof fault);
    if (store == NULL)
        hear(NULL, AHOY_LOG_ERROR, fault);
    return store;
}

static void print_aor(unsigned number, char aor[32])
{
    snprintf(aor, 32, "user%u@b.example", number);
}

static void print_contact(unsigned number, char contact[64])
{
    snprintf(contact, 64, "sip:user%u@192.0.2.%u:5060;line=%08x", number, number % 250,
             number * 2654435761u);
}

static void submit_register(struct ahoyd_store *store, unsigned number, uint32_t cseq)
{
    char aor[32], contact[64];
    print_aor(number, aor);
    print_contact(number, contact);
    struct ahoy_registration registration = {
        .count = 1,
        .asked = { { .contact = ahoy_span(contact), .expires_s = 3600 } },
        .call_id = SPAN("call-1"),
        .cseq = cseq,
        .hop = { .transport = AHOY_UDP, .remote = { .family = 4 } },
    };
    changes_submit(&place.changes, store,
                   ahoyd_change_bindings(ahoy_span(aor), &registration, now_ms));
}

static void submit_user(struct ahoyd_store *store, unsigned number)
{
    struct ahoyd_user credentials = { .ha1[AHOY_DIGEST_MD5].size = 32 };
    char text[33], aor[32];
    snprintf(text, sizeof text, "%032x", number);
    memcpy(credentials.ha1[AHOY_DIGEST_MD5].text, text, 32);
    print_aor(number, aor);
    changes_submit(
        &place.changes, store,
        ahoyd_change_user(AHOYD_CHANGE_USER_PUT, ahoy_span(aor), SPAN("b.example"), &credentials));
}

static void submit_alias(struct ahoyd_store *store, unsigned number)
{
    char aor[32], alias[16];
    print_aor(number, aor);
    snprintf(alias, sizeof alias, "%u", 100 + number);
    changes_submit(&place.changes, store,
                   ahoyd_change_alias(AHOYD_CHANGE_ALIAS_PUT, ahoy_span(alias), SPAN("b.example"),
                                      ahoy_span(aor)));
}

static void register_all(struct ahoyd_store *store, unsigned count, uint32_t cseq)
{
    for (unsigned i = 0; i < count; i++) {
        submit_register(store, i, cseq);
        if (i % 500 == 499)
            assert_int_equal(changes_end(&place.changes), 200);
    }
    assert_int_not_equal(changes_end(&place.changes), 503);
}

/* How many are there; each as it was written. */
static unsigned count_aors(struct ahoyd_store *store, unsigned of)
{
    unsigned count = 0;
    for (unsigned i = 0; i < of; i++) {
        struct ahoy_bindings bindings;
        char aor[32], contact[64];
        print_aor(i, aor);
        print_contact(i, contact);
        if (!ahoyd_store_find(store, ahoy_span(aor), now_ms, &bindings))
            continue;
        assert_int_equal(bindings.count, 1);
        assert_true(ahoy_span_equal(bindings.list[0].contact, ahoy_span(contact)));
        count++;
    }
    return count;
}

static unsigned count_users(struct ahoyd_store *store)
{
    unsigned count = 0;
    for (unsigned i = 0; i < USERS; i++) {
        struct ahoyd_user credentials;
        char aor[32];
        print_aor(i, aor);
        count += ahoyd_store_user(store, ahoy_span(aor), SPAN("b.example"), &credentials);
    }
    return count;
}

/* Each means whom it was made for. */
static unsigned count_aliases(struct ahoyd_store *store)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ALIASES; i++) {
        char aor[32], alias[16], space[AHOYD_NAME_LIMIT];
        struct ahoy_buf user = ahoy_buf_over(space, sizeof space);
        print_aor(i, aor);
        snprintf(alias, sizeof alias, "%u", 100 + i);
        if (!ahoyd_store_alias(store, ahoy_span(alias), SPAN("b.example"), &user))
            continue;
        assert_true(ahoy_span_equal(ahoy_buf_text(&user), ahoy_span(aor)));
        count++;
    }
    return count;
}

static void read_file(void)
{
    FILE *file = fopen(place.path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    place.size = (size_t)ftell(file);
    rewind(file);
    place.bytes = malloc(place.size);
    assert_non_null(place.bytes);
    assert_int_equal(fread(place.bytes, 1, place.size, file), place.size);
    fclose(file);
}

static void remove_files(void)
{
    char pattern[112];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s*", place.path);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            unlink(found.gl_pathv[i]);
        globfree(&found);
    }
}

static void write_file(const unsigned char *bytes)
{
    remove_files();
    FILE *file = fopen(place.path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, place.size, file), place.size);
    fclose(file);
}

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(place.folder) == NULL)
        return -1;
    snprintf(place.path, sizeof place.path, "%s/ahoy.db", place.folder);
    ahoy_rng_init(&place.rng, (const uint64_t[2]){ 7, 7 });
    changes_init(&place.changes);
    struct ahoyd_store *store = open_store();
    register_all(store, AORS, 1);
    for (unsigned i = 0; i < USERS; i++)
        submit_user(store, i);
    assert_int_equal(changes_end(&place.changes), 200);
    for (unsigned i = 0; i < ALIASES; i++)
        submit_alias(store, i);
    assert_int_equal(changes_end(&place.changes), 200);
    ahoyd_store_secret(store, place.secret);
    ahoyd_store_close(store);
    read_file();
    return 0;
}

static int end(void **state)
{
    (void)state;
    remove_files();
    free(place.bytes);
    changes_fini(&place.changes);
    return rmdir(place.folder);
}

/* The file that took the damaged one's place has all that was found, and no fault. */
static void assert_mended(struct ahoyd_store *store, unsigned aors, unsigned users,
                          unsigned aliases)
{
    char kept[112];
    snprintf(kept, sizeof kept, "%s.damaged-1", place.path);
    assert_true(said("written anew") && said(kept));
    assert_int_equal(access(kept, R_OK), 0);
    submit_register(store, 0, 2);
    assert_int_equal(changes_end(&place.changes), 200);
    aors = count_aors(store, AORS) > aors ? aors + 1 : aors;
    ahoyd_store_close(store);
    store = open_store();
    assert_non_null(store);
    assert_string_equal(place.said, "");
    assert_int_equal(count_aors(store, AORS), aors);
    assert_int_equal(count_users(store), users);
    assert_int_equal(count_aliases(store), aliases);
    ahoyd_store_close(store);
}

static void spoil(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)ahoy_rng_below(&place.rng, 256);
}

/* The inner pages of SQLite's trees (its file format, 1.6): what they lead to is lost with them. */
static bool leads_to_others(size_t page)
{
    return place.bytes[page * PAGE] == 5 || place.bytes[page * PAGE] == 2;
}

/* One page after the other is random bytes. */
static void spoiled_pages_cost_what_stood_on_them(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(place.size);
    unsigned mended = 0;
    for (size_t page = 0; page < place.size / PAGE; page++) {
        memcpy(bytes, place.bytes, place.size);
        spoil(bytes + page * PAGE, PAGE);
        write_file(bytes);
        struct ahoyd_store *store = open_store();
        if (store == NULL) {
            /* The first page says what the file is; without it there is none. */
            assert_int_equal(page, 0);
            assert_true(said(place.path));
            continue;
        }
        unsigned aors = count_aors(store, AORS), users = count_users(store);
        unsigned aliases = count_aliases(store);
        unsigned char secret[AHOYD_SECRET_SIZE];
        ahoyd_store_secret(store, secret);
        bool keeps_secret = memcmp(secret, place.secret, sizeof secret) == 0;
        assert_true(keeps_secret || said("secret is damaged"));
        if (!leads_to_others(page))
            assert_in_range(aors + users, AORS + USERS - LOST_MOST, AORS + USERS);
        assert_true((users == USERS && aliases == ALIASES) || said("users are damaged"));
        if (said("written anew")) {
            assert_mended(store, aors, users, aliases);
            mended++;
        } else {
            assert_int_equal(aors + users + aliases, AORS + USERS + ALIASES);
            ahoyd_store_close(store);
        }
    }
    assert_in_range(mended, place.size / PAGE / 2, place.size / PAGE);
    free(bytes);
}

/* Bits turn over, and nobody is sent to a wrong place. */
static void flipped_bits_are_noticed(void **state)
{
    (void)state;
    unsigned char *bytes = malloc(place.size);
    for (unsigned i = 0; i < FLIPS; i++) {
        memcpy(bytes, place.bytes, place.size);
        size_t at = PAGE + (size_t)ahoy_rng_below(&place.rng, place.size - PAGE);
        bytes[at] ^= (unsigned char)(1u << ahoy_rng_below(&place.rng, 8));
        write_file(bytes);
        struct ahoyd_store *store = open_store();
        assert_non_null(store);
        unsigned aors = count_aors(store, AORS);
        assert_in_range(aors, AORS - LOST_MOST, AORS);
        assert_true(aors == AORS || said("damaged"));
        ahoyd_store_close(store);
    }
    free(bytes);
}

/* The disk spoils the file while the server runs: memory has everything. */
static void a_running_store_loses_nothing(void **state)
{
    (void)state;
    enum { MANY = 20000, SPOILED = 40 };
    remove_files();
    struct ahoyd_store *store = open_store();
    register_all(store, MANY, 1);
    /* Until the log's beginning has left SQLite's memory and the write-ahead log. */
    register_all(store, MANY / 2, 2);
    int fd = open(place.path, O_RDWR | O_CLOEXEC);
    unsigned char bytes[PAGE];
    for (unsigned i = 0; i < SPOILED; i++) {
        spoil(bytes, sizeof bytes);
        assert_int_equal(pwrite(fd, bytes, PAGE, (off_t)(10 + 3 * i) * PAGE), PAGE);
    }
    close(fd);
    for (uint32_t cseq = 3; cseq < 9 && !said("written anew"); cseq++)
        register_all(store, MANY, cseq);
    assert_true(said("written anew"));
    assert_int_equal(count_aors(store, MANY), MANY);
    ahoyd_store_close(store);
    store = open_store();
    assert_non_null(store);
    assert_string_equal(place.said, "");
    assert_int_equal(count_aors(store, MANY), MANY);
    ahoyd_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spoiled_pages_cost_what_stood_on_them),
        cmocka_unit_test(flipped_bits_are_noticed),
        cmocka_unit_test(a_running_store_loses_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
