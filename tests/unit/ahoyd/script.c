/* Functions in routes: what they see, and that none of them holds a worker up. */
#include "tests/support/exchange.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

static const char config[] =
    "listen \"udp:192.0.2.100:5060\"\n"
    "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
    "store \"memory:\"\n"
    "local seen = 0\n"
    "route { user = \"facts\", reject = 404, when = function(call)\n"
    "    return call.method == 'INVITE' and call.user == 'facts' and call.number == '' and\n"
    "           call.host == 'open.example' and call.transport == 'udp' and\n"
    "           call.source == '192.0.2.1' and call.from == 'user' and call.trunk == nil and\n"
    "           call.caller == 'alice' and call.caller_domain == 'open.example' and\n"
    "           call.time > 0 and call.header('SUBJECT') == 'x' and\n"
    "           call.header('X-No') == nil and call.header('x-other') == 'y'\n"
    "end }\n"
    "route { user = \"third\", reject = 410, when = function() seen = seen + 1\n"
    "    return seen % 3 == 0 end }\n"
    "route { user = \"fails\", reject = 410, when = function(call)\n"
    "    return call.nothing.there\n"
    "end }\n"
    "route { user = \"number\", reject = 410, when = function() error(5) end }\n"
    "route { user = \"endless\", reject = 410, when = function()\n"
    "    while true do pcall(function() while true do end end) end end }\n"
    "route { user = \"large\", reject = 410, when = function()\n"
    "    local all = {} for i = 1, 20000 do all[i] = { i } end end }\n";

static int setup(void **state)
{
    *state = exchange_new(config, 0);
    exchange_wait(*state, 2000);
    return 0;
}

static unsigned call(struct exchange *exchange, const char *user)
{
    char uri[64];
    snprintf(uri, sizeof uri, "sip:%s@open.example", user);
    const struct ask ask = { .method = "INVITE",
                             .uri = uri,
                             .from = "sip:alice@open.example",
                             .rows = "s: x\r\nX-Other: y\r\n" };
    return exchange_ask(exchange, &ask);
}

static void a_function_sees_the_call(void **state)
{
    assert_int_equal(call(*state, "facts"), 404);
}

/* By itself the user is not there: 404. */
static void locals_are_kept(void **state)
{
    assert_int_equal(call(*state, "third"), 404);
    assert_int_equal(call(*state, "third"), 404);
    assert_int_equal(call(*state, "third"), 410);
}

static void faults_are_answered_counted_and_logged(void **state)
{
    static const char *const users[] = { "fails", "number", "endless", "large" };
    struct exchange *exchange = *state;
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(call(exchange, users[i]), 500);
        assert_int_equal(ahoyd_server_counters(exchange->server)->script_faults, i + 1);
        exchange_wait(exchange, 1000);
    }
    assert_non_null(strstr(exchange->logged, ":16: when: attempt to index a nil value"));
    assert_non_null(strstr(exchange->logged, "this does not come to an end"));
    assert_non_null(strstr(exchange->logged, "not enough memory"));
    assert_int_equal(call(exchange, "facts"), 404); /* All others go on. */
}

#define SCRIPT(test) cmocka_unit_test_setup_teardown(test, setup, exchange_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPT(a_function_sees_the_call),
        SCRIPT(locals_are_kept),
        SCRIPT(faults_are_answered_counted_and_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
