/* The certificates of a configuration: faults with their line, reading anew, and warnings in
 * time. */
#include "ahoyd/main_tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/certificates.h"

enum { DAY_S = CERTIFICATE_DAY_S };

struct desk {
    struct certificate_folder folder;
    struct certificate authority;
    char told[1024]; /* Faults and lines of the log. */
    unsigned count;
    int line;
    struct ahoy_log log;
    struct ahoyd_config *config;
    struct ahoyd_tls tls;
};

static void note(struct desk *desk, const char *what)
{
    snprintf(desk->told, sizeof desk->told, "%s", what);
    desk->count++;
}

static void tell(void *context, const char *file, int line, const char *what)
{
    struct desk *desk = context;
    (void)file; /* The same for all. */
    desk->line = line;
    note(desk, what);
}

static void sink(void *context, enum ahoy_log_level level, const char *line)
{
    if (level <= AHOY_LOG_NOTICE)
        note(context, line);
}

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    certificate_folder_make(&desk->folder);
    desk->authority = certificate_authority("authority");
    desk->log = (struct ahoy_log){ .sink = sink, .context = desk, .level = AHOY_LOG_INFO };
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;
    ahoyd_tls_close(&desk->tls);
    ahoyd_config_free(desk->config);
    certificate_free(&desk->authority);
    certificate_folder_remove(&desk->folder);
    free(desk);
    return 0;
}

/* Writes NAME.pem and NAME.key, good for |seconds|. */
static void write_pair(struct desk *desk, const char *name, int64_t seconds)
{
    const struct certificate_wish wish = { .common_name = SPAN("a.example"), .until_s = seconds };
    struct certificate made = certificate_make(&desk->authority, &wish);
    certificate_write(&desk->folder, &made, name);
    certificate_free(&made);
}

static bool open_tls(struct desk *desk, const char *text)
{
    char path[128];
    struct ahoyd_config_faults faults = { .told = tell, .context = desk };
    snprintf(path, sizeof path, "%s/ahoyd.lua", desk->folder.path);
    desk->config = ahoyd_config_parse(text, strlen(text), path, &faults);
    assert_non_null(desk->config);
    bool opened = ahoyd_tls_open(&desk->tls, desk->config, &faults, &desk->log);
    assert_int_equal(opened, faults.count == 0);
    return opened;
}

static const char sound[] = "domain 'a.example'\n"
                            "listen('tls:127.0.0.1', { certificate = 'a.pem', key = 'a.key' })\n"
                            "domain('b.example', { certificate = 'b.pem', key = 'b.key' })\n";

static void without_tls_there_is_nothing_to_read(void **state)
{
    struct desk *desk = *state;
    assert_true(open_tls(desk, "listen 'udp:127.0.0.1' domain 'a.example'"));
    assert_int_equal(desk->tls.count, 0);
    ahoyd_tls_look(&desk->tls, 0);
    ahoyd_tls_reread(&desk->tls);
    assert_int_equal(desk->count, 0);
}

static void a_fault_names_its_line(void **state)
{
    struct desk *desk = *state;
    write_pair(desk, "a", 365 * (int64_t)DAY_S);
    assert_false(open_tls(desk, sound));
    assert_int_equal(desk->line, 3);
    assert_non_null(strstr(desk->told, "b.pem\" cannot be opened: No such file"));
    assert_non_null(strstr(desk->told, "; name a PEM file"));
}

static void changed_files_are_read_anew(void **state)
{
    struct desk *desk = *state;
    int64_t from_s;
    int64_t first_s;
    int64_t later_s;
    int64_t now_s = time(NULL);
    write_pair(desk, "a", 100 * (int64_t)DAY_S);
    write_pair(desk, "b", 100 * (int64_t)DAY_S);
    assert_true(open_tls(desk, sound));
    ahoyd_tls_look(&desk->tls, now_s);
    assert_int_equal(desk->count, 0);
    assert_true(ahoy_tls_context_validity(desk->tls.context, 1, &from_s, &first_s));
    write_pair(desk, "b", 200 * (int64_t)DAY_S);
    ahoyd_tls_look(&desk->tls, now_s);
    assert_int_equal(desk->count, 1);
    assert_non_null(strstr(desk->told, "read anew"));
    assert_true(ahoy_tls_context_validity(desk->tls.context, 1, &from_s, &later_s));
    assert_true(later_s > first_s);
    /* Half a change is told once, and the whole one is taken. */
    assert_int_equal(unlink(certificate_path(&desk->folder, "b.key")), 0);
    for (int i = 0; i < 3; i++)
        ahoyd_tls_look(&desk->tls, now_s);
    assert_int_equal(desk->count, 2);
    assert_non_null(strstr(desk->told, ":3: key = "));
    write_pair(desk, "b", 300 * (int64_t)DAY_S);
    ahoyd_tls_look(&desk->tls, now_s);
    assert_int_equal(desk->count, 3);
    ahoyd_tls_reread(&desk->tls); /* As SIGHUP asks, whether anything has changed or not. */
    assert_int_equal(desk->count, 4);
}

/* Once each: 30, 7 and 1 days before, and when it is over. */
static void the_end_is_warned_of(void **state)
{
    struct desk *desk = *state;
    static const int64_t warned[] = { 30, 7, 1, 0 };
    write_pair(desk, "a", 400 * (int64_t)DAY_S);
    write_pair(desk, "b", 40 * (int64_t)DAY_S);
    assert_true(open_tls(desk, sound));
    int64_t end_s = time(NULL) + 40 * (int64_t)DAY_S;
    unsigned count = 0;
    for (int64_t left = 40; left >= -2; left--) {
        for (int minutes = 0; minutes < 3; minutes++)
            ahoyd_tls_look(&desk->tls, end_s - left * DAY_S + 10 + minutes * 60);
        if (count < 4 && left == warned[count]) {
            count++;
            assert_non_null(strstr(desk->told, left > 0 ? "days" : "has ended"));
            assert_non_null(strstr(desk->told, ":3: the certificate"));
        }
        assert_int_equal(desk->count, count);
    }
    assert_int_equal(count, 4);
    write_pair(desk, "b", 3 * (int64_t)DAY_S); /* A new one, which will not last either. */
    ahoyd_tls_look(&desk->tls, time(NULL));
    assert_int_equal(desk->count, 6);
    assert_non_null(strstr(desk->told, "ends in 3 days"));
}

/* Tickets get another key every two hours, whatever happens in between. */
static void the_key_of_tickets_changes(void **state)
{
    struct desk *desk = *state;
    write_pair(desk, "a", 400 * (int64_t)DAY_S);
    write_pair(desk, "b", 400 * (int64_t)DAY_S);
    assert_true(open_tls(desk, sound));
    int64_t now_s = time(NULL);
    int64_t then_s = now_s + AHOYD_TICKET_KEY_S;
    ahoyd_tls_look(&desk->tls, now_s);
    ahoyd_tls_look(&desk->tls, then_s - 1);
    assert_int_equal(desk->tls.rotated_s, now_s);
    ahoyd_tls_look(&desk->tls, then_s);
    assert_int_equal(desk->tls.rotated_s, then_s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_tls_there_is_nothing_to_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fault_names_its_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_files_are_read_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_warned_of, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_key_of_tickets_changes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
