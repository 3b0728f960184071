/* Listeners keep their numbers from one configuration to the next. */
#include "ahoyd/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ahoyd/listeners.h"

enum { NOW_MS = 1000000 };

static char told_last[512];
static int told_line;

static void told(void *context, const char *file, int line, const char *what)
{
    (void)context;
    (void)file;
    told_line = line;
    snprintf(told_last, sizeof told_last, "%s", what);
}

/* One that listens on |ports| of loopback by UDP. */
static struct ahoyd_config *parse(const int *ports, size_t count, const char *option)
{
    static char text[8192];
    struct ahoyd_config_faults faults = { .told = told };
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "listen(\"udp:127.0.0.1:%d\", { %s })\n", ports[i], option);
    size += (size_t)snprintf(text + size, sizeof text - size,
                             "store \"memory:\"\ndomain(\"a.example\")\n");
    struct ahoyd_config *config = ahoyd_config_parse(text, size, "/test.lua", &faults);
    assert_non_null(config);
    return config;
}

#define PARSE(...)                                                                                 \
    parse((const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int), "")

/* |after| follows |*config|. */
static bool follow(struct ahoyd_config **config, struct ahoyd_config *after, uint64_t now_ms)
{
    struct ahoyd_config_faults faults = { .told = told };
    bool kept = ahoyd_slots_keep(after, *config, now_ms, &faults);
    assert_int_equal(kept, faults.count == 0);
    ahoyd_config_free(kept ? *config : after);
    if (kept)
        *config = after;
    return kept;
}

static void what_stays_keeps_its_number(void **state)
{
    (void)state;
    struct ahoyd_config *config = PARSE(1, 2, 3);
    assert_true(follow(&config, PARSE(4, 3, 1), NOW_MS));
    const int ports[] = { 1, 2, 3, 4 };
    assert_int_equal(config->listen_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(config->listens[i].ip.port, ports[i]);
        assert_int_equal(config->listens[i].until_ms, i == 1 ? NOW_MS + AHOYD_LEAVING_MS : 0);
    }
    ahoyd_config_free(config);
}

/* It leaves once, comes back where it was, and what has left gives its number away. */
static void what_leaves_may_come_back(void **state)
{
    (void)state;
    struct ahoyd_config *config = PARSE(1, 2);
    assert_true(follow(&config, PARSE(1), NOW_MS));
    assert_true(follow(&config, PARSE(1), NOW_MS + 5));
    assert_int_equal(config->listens[1].until_ms, NOW_MS + AHOYD_LEAVING_MS);
    assert_true(follow(&config, PARSE(1, 2), NOW_MS + 10));
    assert_int_equal(config->listen_count, 2);
    assert_int_equal(config->listens[1].until_ms, 0);
    assert_true(follow(&config, PARSE(1), NOW_MS));
    config->listens[1].is_free = true;
    assert_true(follow(&config, PARSE(1, 3), NOW_MS));
    assert_int_equal(config->listen_count, 2);
    assert_int_equal(config->listens[1].ip.port, 3);
    ahoyd_config_free(config);
}

/* A free number is nobody's name. */
static void a_free_number_is_no_listener(void **state)
{
    (void)state;
    const struct ahoyd_own_addresses own = { .v4 = { .family = AHOY_NO_FAMILY } };
    struct ahoyd_config_faults faults = { .told = told };
    struct ahoyd_listeners listeners;
    struct ahoyd_config *config = PARSE(1, 2, 3);
    assert_true(follow(&config, PARSE(1), NOW_MS));
    config->listens[1].is_free = true;
    assert_true(ahoyd_listeners_init(&listeners, config, &own, &faults));
    assert_int_equal(listeners.at[0].leaving, false);
    assert_int_equal(listeners.at[1].transport, AHOY_TRANSPORT_OTHER);
    assert_int_equal(listeners.at[2].leaving, true);
    assert_true(ahoy_span_equal(listeners.at[2].sent_by, SPAN("127.0.0.1:3")));
    ahoyd_listeners_fini(&listeners);
    ahoyd_config_free(config);
}

static void there_are_64(void **state)
{
    (void)state;
    int ports[AHOY_LISTENERS_LIMIT];
    for (int i = 0; i < AHOY_LISTENERS_LIMIT; i++)
        ports[i] = 100 + i;
    struct ahoyd_config *config = parse(ports, AHOY_LISTENERS_LIMIT, "");
    ports[7] = 99;
    assert_false(follow(&config, parse(ports, AHOY_LISTENERS_LIMIT, ""), NOW_MS));
    assert_int_equal(told_line, 8);
    assert_non_null(strstr(told_last, "listen \"udp:127.0.0.1:99\": there are 64"));
    assert_true(follow(&config, parse(ports, 7, ""), NOW_MS));
    for (size_t i = 7; i < AHOY_LISTENERS_LIMIT; i++)
        config->listens[i].is_free = true;
    assert_true(follow(&config, parse(ports, AHOY_LISTENERS_LIMIT, ""), NOW_MS));
    ahoyd_config_free(config);
}

static void a_name_does_not_change(void **state)
{
    (void)state;
    const int port = 1;
    struct ahoyd_config *config = parse(&port, 1, "");
    assert_false(follow(&config, parse(&port, 1, "advertise = \"sip.example\""), NOW_MS));
    assert_non_null(strstr(told_last, "advertise cannot change without a restart"));
    ahoyd_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stays_keeps_its_number),  cmocka_unit_test(what_leaves_may_come_back),
        cmocka_unit_test(a_free_number_is_no_listener), cmocka_unit_test(there_are_64),
        cmocka_unit_test(a_name_does_not_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
