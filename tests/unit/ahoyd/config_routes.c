/* Routes as they are written: what is understood, and that every fault names its line. */
#include "ahoyd/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct told {
    unsigned count;
    int line;
    char text[1024];
};

static void tell(void *context, const char *file, int line, const char *what)
{
    struct told *told = context;
    (void)file; /* There is one only. */
    told->count++;
    told->line = line;
    snprintf(told->text, sizeof told->text, "%s", what);
}

/* A sound beginning, then |text| from line 2 on. */
static struct ahoyd_config *parse(const char *text, struct told *told)
{
    char all[4096];
    struct ahoyd_config_faults faults = { .told = tell, .context = told };
    *told = (struct told){ 0 };
    int size = snprintf(all, sizeof all,
                        "listen 'udp:127.0.0.1' domain 'a.example' "
                        "trunk('t', { 'sip:192.0.2.1:5070;transport=tcp' }) "
                        "trunk('named', { 'sip:carrier.example' })\n%s\n",
                        text);
    assert_true(size > 0 && (size_t)size < sizeof all);
    return ahoyd_config_parse(all, (size_t)size, "/etc/ahoy/ahoyd.lua", &faults);
}

static void assert_fault(const char *text, const char *what)
{
    struct told told;
    assert_null(parse(text, &told));
    if (strstr(told.text, what) == NULL || told.count != 1 || told.line != 2)
        fail_msg("%s: told \"%s\" of line %d, not \"%s\"", text, told.text, told.line, what);
}

static void all_options(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config = parse(
        "group('g', { 'b@a.example', { 't', ring_time = 9 } }, { ring = 'hunt', ring_time = 7 })\n"
        "route { domain = 'a.example', from = { 't', 'b@a.example' }, method = 'INVITE',\n"
        "  transport = { 'tls', 'udp' }, number = { '+49.', '112' }, user = 'x',\n"
        "  source = { '10.0.0.0/8', '2001:db8::/33' }, header = 'Subject',\n"
        "  hours = 'Mon 08:00-09:00', zone = 'UTC', rewrite = { ['0'] = '+49', ['00'] = '+' },\n"
        "  when = function() end,\n"
        "  to = { 'g', '+491@t', '*@a.example' }, ring_time = 30 }\n"
        "route { redirect = 'sip:*@b.example' }\n"
        "route { domain = 'far.example', from = 'trunks', to = 't', stateless = true }\n",
        &told);
    if (config == NULL)
        fail_msg("%d: %s", told.line, told.text);
    const struct ahoyd_route *route = &config->routes[0];
    assert_int_equal(route->conditions, (1u << AHOYD_CONDITION_COUNT) - 1);
    assert_int_equal(route->from[0].kind, AHOYD_FROM_ONE_TRUNK);
    assert_int_equal(route->from[1].kind, AHOYD_FROM_ONE_USER);
    assert_int_equal(route->sources[1].bits, 33);
    assert_int_equal(route->rewrite.at[0].from.size, 2); /* The longest first. */
    assert_int_equal(route->to.count, 3);
    assert_int_equal(route->to.at[0].kind, AHOYD_GOAL_GROUP);
    assert_int_equal(route->to.at[1].kind, AHOYD_GOAL_TRUNK);
    assert_int_equal(route->to.at[2].kind, AHOYD_GOAL_USER);
    assert_int_equal(route->to.at[2].user.size, 0);
    assert_int_equal(config->groups[0].ring, AHOYD_RING_HUNT);
    assert_int_equal(config->groups[0].members.at[1].ring_time_s, 9);
    assert_int_equal(config->domains[0].route, 1);
    assert_int_equal(config->common_route, 2);
    assert_true(config->routes[2].is_first);
    assert_true(ahoy_span_equal(config->trunks[0].targets[0].place, SPAN("192.0.2.1:5070")));
    ahoyd_config_free(config);
}

/* Decision 20: whom a route is for where it does not say so. */
static void only_users_reach_trunks(void **state)
{
    (void)state;
    struct told told;
    struct ahoyd_config *config =
        parse("group('g', { 't' })\n"
              "route { user = 'a', to = 'g' } route { user = 'b', to = 'c@a.example' }\n"
              "route { user = 'c', reject = 404 } route { user = 'd', to = '1@t' }\n",
              &told);
    assert_non_null(config);
    static const bool users[] = { true, false, false, true };
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(config->routes[i].conditions & 1u << AHOYD_IF_FROM ? 1 : 0, users[i]);
        assert_int_equal(config->routes[i].from[0].kind,
                         users[i] ? AHOYD_FROM_USERS : AHOYD_FROM_ANYONE);
    }
    ahoyd_config_free(config);
}

static void what_is_not_understood(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "route { to = 'nobody' }", "no such trunk and no such group" },
        { "route { to = 'x@far.example' }", "must stand a domain of ours" },
        { "route { to = '@a.example' }", "must stand a domain of ours" },
        { "route { to = {} }", "1 to 16 places" },
        { "route { to = { 7 } }", "in a table" },
        { "route { to = { {} } }", "a text is missing" },
        { "route { to = { { 't', ring_time = 4 } } }", "between 5 and 180" },
        { "route { to = { { 't', 't' } } }", "has no option" },
        { "trunk('u', { { 'sip:192.0.2.1', weight = 65536 } })", "between 0 and 65535" },
        { "trunk('u', { { weight = 1 } })", "a text is missing" },
        { "trunk('u', { 'sip:u.example' }, { probe = 30 })", "probe is for targets" },
        { "trunk('u', { 'sip:192.0.2.1' }, { probe = 4 })", "between 5 and 3600" },
        { "trunk('u', { 'sip:u.example' }, { calls = 30 })", "calls is for targets" },
        { "trunk('u', { 'sip:192.0.2.1' }, { rate = 0 })", "between 1 and 1000" },
        { "trunk('u', { 'sip:192.0.2.1' }, { rate = 5 }) "
          "route { domain = 'u.example', to = 'u', from = 'anyone', stateless = true }",
          "counts no calls" },
        { "route { to = 't', reject = 404 }", "one of them" },
        { "route { reject = 399 }", "between 400 and 699" },
        { "route { to = 't', reason = 'x' }", "are for reject" },
        { "route { reject = 404, reason = 'x\\r\\ny' }", "one short line" },
        { "route { reject = 404, ring_time = 9 }", "are for to" },
        { "route { redirect = 'tel:+1' }", "no SIP URI" },
        { "route { to = 't', form = 'users' }", "did you mean 'from'?" },
        { "route { to = 't', from = 'named' }", "no trunk that has an address" },
        { "route { to = 't', from = 'strangers' }", "is neither \"users\"" },
        { "route { to = 't', from = '@a.example' }", "is neither \"users\"" },
        { "route { to = 't', method = 'CALL' }", "method = \"CALL\" is not understood" },
        { "route { to = 't', transport = 'ip' }", "transport = \"ip\" is not understood" },
        { "route { to = 't', transport = 'sctp' }", "transport = \"sctp\" is not understood" },
        { "route { to = 't', number = '49x' }", "number = \"49x\" is not understood" },
        { "route { to = 't', number = {} }", "a text, or a table of 1 to 64" },
        { "route { to = 't', number = { 49 } }", "a text, or a table of 1 to 64" },
        { "route { to = 't', user = '' }", "is not understood" },
        { "route { to = 't', source = '10.0.0.0/33' }", "is not understood" },
        { "route { to = 't', source = 'lan' }", "is not understood" },
        { "route { to = 't', header = 'a b' }", "is not understood" },
        { "route { to = 't', hours = 'always', zone = 'UTC' }", "is not understood" },
        { "route { to = 't', hours = 'Mon 08:00-09:00' }", "hours and zone go together" },
        { "route { to = 't', hours = 'Mon 08:00-09:00', zone = '../passwd' }", "is no name" },
        { "route { to = 't', hours = 'Mon 08:00-09:00', zone = 'Mars/Home' }", "No such file" },
        { "route { to = 't', rewrite = { '0' } }", "beginnings of numbers" },
        { "route { to = 't', rewrite = { ['x'] = '0' } }", "beginnings of numbers" },
        { "route { to = 't', rewrite = { ['0'] = 'x' } }", "beginnings of numbers" },
        { "group('g', { 'g' })", "in each other" },
        { "group('g', { 'h' }) group('h', { 'g' }) group('i', { 't' })", "in each other" },
        { "group('t', { 't' })", "trunk \"t\" stands here twice" },
        { "group('users', { 't' })", "choose another name" },
        { "group('g', { 't' }, { ring = 'any' })", "\"all\", \"order\" or \"hunt\"" },
        { "group('g', { 't','t','t','t','t','t','t','t','t' }) route { to = { 'g', 'g' } }",
          "more than 16 places" },
        { "domain('b.example', { numbers = { ['00'] = 'x' } })", "beginnings of numbers" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct told told;
        assert_null(parse(rows[i][0], &told));
        if (strstr(told.text, rows[i][1]) == NULL || told.line != 2)
            fail_msg("%s: told \"%s\" of line %d, not \"%s\"", rows[i][0], told.text, told.line,
                     rows[i][1]);
    }
}

/* What comes first must leave something for what comes later. */
static void nothing_is_unreachable(void **state)
{
    (void)state;
    static const char *const covered[] = {
        "route { to = 't' } route { to = 't', number = '+49.' }",
        "route { number = '+49.', to = 't' } route { number = '+4930.', to = 't' }",
        "route { to = 't' } route { domain = 'a.example', to = 't' }",
        "route { reject = 404 } route { to = 't' }",
        "route { to = 't', from = 'trunks' } route { to = 't', from = 't' }",
        "route { domain = 'b', to = 't' } route { domain = 'b', from = 'b@a.example', to = 't' }",
        "route { user = { 'x', 'y' }, to = 't' } route { user = 'y', to = 't' }",
    };
    static const char *const open[] = {
        "route { number = '+4930.', to = 't' } route { number = '+49.', to = 't' }",
        "route { to = 't' } route { from = 'anyone', reject = 404 }",
        "route { domain = 'a.example', to = 't' } route { to = 't' }",
        "route { to = 't' } route { domain = 'b.example', to = 't' }",
        "route { user = 'x', number = '1', to = 't' } route { user = 'x', to = 't' }",
    };
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++)
        assert_fault(covered[i], "takes it all");
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        struct told told;
        struct ahoyd_config *config = parse(open[i], &told);
        if (config == NULL)
            fail_msg("%s: %s", open[i], told.text);
        ahoyd_config_free(config);
    }
}

static void what_cannot_be_stateless(void **state)
{
    (void)state;
#define STATELESS ", to = 't', stateless = true }"
    assert_fault("route { domain = 'b', from = 'users'" STATELESS, "stateless is for");
    assert_fault("route { domain = 'b'" STATELESS, "stateless is for");
    assert_fault("route { domain = 'a.example', from = 'anyone'" STATELESS, "not ours");
    assert_fault("route { from = 'anyone'" STATELESS, "not ours");
    assert_fault("route { domain = 'b', from = 'anyone', number = '+.'" STATELESS, "no condition");
    assert_fault("route { domain = 'b', from = 'users', to = 't' } "
                 "route { domain = 'b', from = 'anyone'" STATELESS,
                 "before the other routes");
}

static void domains_that_redirect_have_no_routes(void **state)
{
    (void)state;
    assert_fault("domain('b', { mode = 'redirect' }) route { domain = 'b', reject = 404 }",
                 "answers all calls by redirections");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_options),
        cmocka_unit_test(only_users_reach_trunks),
        cmocka_unit_test(what_is_not_understood),
        cmocka_unit_test(nothing_is_unreachable),
        cmocka_unit_test(what_cannot_be_stateless),
        cmocka_unit_test(domains_that_redirect_have_no_routes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
