/* What others learn of our listeners: what is bound, what is advertised instead, and what stands
 * for all addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ahoyd/listeners.h"
#include "tests/support/failing_alloc.h"

struct told {
    int line;
    char what[300];
};

static void note_fault(void *context, const char *file, int line, const char *what)
{
    struct told *told = context;
    (void)file;
    told->line = line;
    snprintf(told->what, sizeof told->what, "%s", what);
}

static struct ahoyd_config *configure(const char *listens, struct ahoyd_config_faults *faults)
{
    char text[1024];
    int size =
        snprintf(text, sizeof text, "store \"memory:\"\ndomain \"atlanta.example\"\n%s", listens);
    struct ahoyd_config *config = ahoyd_config_parse(text, (size_t)size, "/etc/ahoyd.lua", faults);
    assert_non_null(config);
    return config;
}

static struct ahoy_ip ip_of(const char *text)
{
    struct ahoy_ip ip = { 0 };
    assert_true(ahoy_ip_parse(ahoy_span(text), &ip));
    return ip;
}

static void check(const struct ahoyd_listeners *listeners, size_t index, const char *sent_by,
                  const char *uri)
{
    const struct ahoy_listener *listener = &listeners->at[index];
    assert_true(ahoy_span_equal(listener->sent_by, ahoy_span(sent_by)));
    assert_true(ahoy_span_equal(listener->uri, ahoy_span(uri)));
}

static void listeners_say_where_they_are(void **state)
{
    (void)state;
    struct told told = { 0 };
    struct ahoyd_config_faults faults = { note_fault, &told, 0 };
    struct ahoyd_own_addresses own = { ip_of("198.51.100.9"), ip_of("2001:db8::9") };
    struct ahoyd_config *config =
        configure("listen \"udp:192.0.2.1:5060\"\n"
                  "listen \"tcp:[2001:db8::1]:5070\"\n"
                  "listen(\"udp:192.0.2.1:5080\", { advertise = \"sip.atlanta.example\" })\n"
                  "listen(\"udp:192.0.2.1:5081\", { advertise = \"203.0.113.1:5099\" })\n"
                  "listen(\"udp:192.0.2.1:5082\", { advertise = \"[2001:db8::2]\" })\n"
                  "listen(\"udp:192.0.2.1:5083\", { advertise = \"[2001:db8::2]:5098\" })\n"
                  "listen \"udp:0.0.0.0:5090\"\n"
                  "listen \"tcp:[::]:5090\"\n"
                  "listen(\"tcp:0.0.0.0:5091\", { advertise = \"203.0.113.1\" })\n",
                  &faults);
    struct ahoyd_listeners listeners;
    assert_true(ahoyd_listeners_init(&listeners, config, &own, &faults));
    assert_int_equal(listeners.count, 9);
    check(&listeners, 0, "192.0.2.1:5060", "sip:192.0.2.1:5060;transport=udp");
    check(&listeners, 1, "[2001:db8::1]:5070", "sip:[2001:db8::1]:5070;transport=tcp");
    check(&listeners, 2, "sip.atlanta.example:5080", "sip:sip.atlanta.example:5080;transport=udp");
    check(&listeners, 3, "203.0.113.1:5099", "sip:203.0.113.1:5099;transport=udp");
    check(&listeners, 4, "[2001:db8::2]:5082", "sip:[2001:db8::2]:5082;transport=udp");
    check(&listeners, 5, "[2001:db8::2]:5098", "sip:[2001:db8::2]:5098;transport=udp");
    check(&listeners, 6, "198.51.100.9:5090", "sip:198.51.100.9:5090;transport=udp");
    check(&listeners, 7, "[2001:db8::9]:5090", "sip:[2001:db8::9]:5090;transport=tcp");
    check(&listeners, 8, "203.0.113.1:5091", "sip:203.0.113.1:5091;transport=tcp");
    for (size_t i = 0; i < listeners.count; i++) {
        assert_int_equal(listeners.at[i].transport, config->listens[i].transport);
        assert_true(ahoy_ip_equal(&listeners.at[i].local, &config->listens[i].ip));
    }
    ahoyd_listeners_fini(&listeners);
    ahoyd_config_free(config);
}

/* Via must name a host: without one, the line is told and how to mend it. */
static void a_wildcard_without_an_address_is_a_fault(void **state)
{
    (void)state;
    struct told told = { 0 };
    struct ahoyd_config_faults faults = { note_fault, &told, 0 };
    struct ahoyd_own_addresses own = { .v4 = ip_of("198.51.100.9") };
    struct ahoyd_config *config =
        configure("listen \"udp:0.0.0.0\"\nlisten \"tcp:[::]\"\n", &faults);
    struct ahoyd_listeners listeners;
    assert_false(ahoyd_listeners_init(&listeners, config, &own, &faults));
    assert_int_equal(faults.count, 1);
    assert_int_equal(told.line, 4);
    assert_non_null(strstr(told.what, "tcp:[::]:5060"));
    assert_non_null(strstr(told.what, "advertise"));
    ahoyd_config_free(config);
}

static void running_out_of_memory_is_survived(void **state)
{
    (void)state;
    struct ahoyd_config_faults faults = { 0 };
    struct ahoyd_own_addresses own = { 0 };
    struct ahoyd_config *config = configure("listen \"udp:192.0.2.1\"\n", &faults);
    for (size_t count = 0;; count++) {
        struct ahoyd_listeners listeners;
        failing_alloc_begin(count, FAILING_ALLOC_ONE);
        bool made = ahoyd_listeners_init(&listeners, config, &own, &faults);
        size_t refused = failing_alloc_end();
        assert_int_equal(made, refused == 0);
        if (made) {
            ahoyd_listeners_fini(&listeners);
            break;
        }
    }
    assert_int_equal(faults.count, 0);
    ahoyd_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_say_where_they_are),
        cmocka_unit_test(a_wildcard_without_an_address_is_a_fault),
        cmocka_unit_test(running_out_of_memory_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
