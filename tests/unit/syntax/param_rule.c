/* The parameters of header fields and SIP URIs (RFC 3261 7.3.1, 25.1). */
#include "libahoy/syntax/param_rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static void test_rules_are_found_case_aside(void **state)
{
    (void)state;
    const struct ahoy_param_rule *rule = ahoy_param_rule(AHOY_HEADER_CONTACT, SPAN("Expires"));
    assert_non_null(rule);
    assert_span(rule->name, "expires");
    assert_span(rule->source, "RFC 3261 20.10");
    assert_true(rule->meaning.size > 0);
    assert_non_null(ahoy_param_rule(AHOY_HEADER_VIA, SPAN("BRANCH")));
    assert_null(ahoy_param_rule(AHOY_HEADER_VIA, SPAN("q")));
    assert_null(ahoy_param_rule(AHOY_HEADER_OTHER, SPAN("branch")));
    assert_null(ahoy_param_rule(AHOY_HEADER_IDENTITY, SPAN("")));
}

static void test_headers_share_rules(void **state)
{
    (void)state;
    assert_non_null(ahoy_param_rule(AHOY_HEADER_SECURITY_VERIFY, SPAN("d-ver")));
    assert_non_null(ahoy_param_rule(AHOY_HEADER_PROXY_AUTHENTICATE, SPAN("stale")));
    assert_non_null(ahoy_param_rule(AHOY_HEADER_PROXY_AUTHORIZATION, SPAN("nc")));
}

/* RFC 3840 9, RFC 3841 9.2, RFC 4508: what a target can, and what is asked of it. */
static void test_features_belong_to_targets(void **state)
{
    (void)state;
    assert_non_null(ahoy_param_rule(AHOY_HEADER_CONTACT, SPAN("isfocus")));
    assert_non_null(ahoy_param_rule(AHOY_HEADER_ACCEPT_CONTACT, SPAN("audio")));
    assert_non_null(ahoy_param_rule(AHOY_HEADER_REJECT_CONTACT, SPAN("methods")));
    assert_non_null(ahoy_param_rule(AHOY_HEADER_REFER_TO, SPAN("isfocus")));
    assert_span(ahoy_param_rule(AHOY_HEADER_CONTACT, SPAN("+sip.Rendering"))->source,
                "RFC 4235 5.2");
    assert_null(ahoy_param_rule(AHOY_HEADER_TO, SPAN("isfocus")));
}

static void test_uri_rules(void **state)
{
    (void)state;
    assert_span(ahoy_uri_param_rule(SPAN("LR"))->source, "RFC 3261 19.1.1");
    assert_non_null(ahoy_uri_param_rule(SPAN("pn-provider")));
    assert_null(ahoy_uri_param_rule(SPAN("x-own")));
}

struct check {
    enum ahoy_header header;
    const char *params;
    int offset; /* Of the fault; FINE for none. */
};

enum { FINE = -1 };

static const struct check checks[] = {
    /* qvalue, exactly (25.1). */
    { AHOY_HEADER_CONTACT, ";q=0", FINE },
    { AHOY_HEADER_CONTACT, ";q=0.", FINE },
    { AHOY_HEADER_CONTACT, ";q=0.123", FINE },
    { AHOY_HEADER_CONTACT, ";q=1.000", FINE },
    { AHOY_HEADER_CONTACT, ";q=1.", FINE },
    { AHOY_HEADER_CONTACT, ";q=1", FINE },
    { AHOY_HEADER_CONTACT, ";q=1.001", 3 },
    { AHOY_HEADER_CONTACT, ";q=0.1234", 3 },
    { AHOY_HEADER_CONTACT, ";q=2", 3 },
    { AHOY_HEADER_CONTACT, ";q=00", 3 },
    { AHOY_HEADER_CONTACT, ";q=.5", 3 },
    { AHOY_HEADER_CONTACT, ";q=-1", 3 },
    { AHOY_HEADER_CONTACT, ";q=0.5a", 3 },
    { AHOY_HEADER_CONTACT, ";q", 2 },
    { AHOY_HEADER_ACCEPT, ";level=1;Q=0.5", FINE },
    { AHOY_HEADER_ACCEPT_LANGUAGE, ";q=9", 3 },
    /* 10.2.1.1: what cannot be read counts as 3600 there, and is no fault. */
    { AHOY_HEADER_CONTACT, ";expires=soon", FINE },
    { AHOY_HEADER_SUBSCRIPTION_STATE, ";expires=60", FINE },
    { AHOY_HEADER_SUBSCRIPTION_STATE, ";expires=soon", 9 },
    { AHOY_HEADER_SUBSCRIPTION_STATE, ";expires=4294967295", FINE },
    { AHOY_HEADER_SUBSCRIPTION_STATE, ";expires=4294967296", 9 },
    { AHOY_HEADER_SUBSCRIPTION_STATE, ";expires", 8 },
    /* Flags, tokens, quoted strings. */
    { AHOY_HEADER_REPLACES, ";to-tag=1;from-tag=2;early-only", FINE },
    { AHOY_HEADER_REPLACES, ";to-tag=1;from-tag=2;early-only=1", 32 },
    { AHOY_HEADER_REPLACES, ";to-tag=\"1\";from-tag=2", 8 },
    { AHOY_HEADER_CONTACT, ";+sip.instance=\"<urn:uuid:1>\"", FINE },
    { AHOY_HEADER_CONTACT, ";+sip.instance=urn", 15 },
    { AHOY_HEADER_PRIVACY, ";id;critical", FINE },
    { AHOY_HEADER_PRIVACY, ";id=1", 4 },
    /* Required ones: RFC 3891 6.1, RFC 4538 7, RFC 7044 5. */
    { AHOY_HEADER_REPLACES, ";to-tag=1", 9 },
    { AHOY_HEADER_REPLACES, ";from-tag=1", 11 },
    { AHOY_HEADER_JOIN, "", 0 },
    { AHOY_HEADER_TARGET_DIALOG, ";local-tag=1", 12 },
    { AHOY_HEADER_TARGET_DIALOG, ";local-tag=1;remote-tag=2", FINE },
    { AHOY_HEADER_HISTORY_INFO, ";np=1", 5 },
    { AHOY_HEADER_HISTORY_INFO, ";index=1.1;np=1", FINE },
    /* Via: hosts of all spellings (RFC 5118 4.5), ports, time to live. */
    { AHOY_HEADER_VIA, ";received=192.0.2.1;rport=5060;ttl=255;maddr=a.example", FINE },
    { AHOY_HEADER_VIA, ";received=2001:db8::1;rport", FINE },
    { AHOY_HEADER_VIA, ";received=[2001:db8::1]", FINE },
    { AHOY_HEADER_VIA, ";received=2001:db8:::1", 10 },
    { AHOY_HEADER_VIA, ";rport=65536", 7 },
    { AHOY_HEADER_VIA, ";ttl=256", 5 },
    { AHOY_HEADER_VIA, ";ttl=-1", 5 },
    /* R3261-7.3.1-4: twice, whether known or not. */
    { AHOY_HEADER_CONTACT, ";q=1;Q=0.5", 5 },
    { AHOY_HEADER_FROM, ";own=1;tag=2;OWN", 13 },
    { AHOY_HEADER_OTHER, ";a;b;c=\"a\"", FINE },
    { AHOY_HEADER_OTHER, "", FINE },
};

static void test_params_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        const struct check *check = &checks[i];
        struct span params = test_text(check->params);
        struct ahoy_err err = { .expected = NULL };
        bool fine = ahoy_params_check(check->header, params, &err);
        if (fine != (check->offset == FINE))
            fail_msg("%s: %s", check->params, fine ? "no fault" : err.expected);
        if (fine)
            continue;
        assert_int_equal(err.status, 400);
        if (ahoy_err_offset(&err, params) != (size_t)check->offset)
            fail_msg("%s: at %zu", check->params, ahoy_err_offset(&err, params));
    }
}

static void test_a_missing_one_is_named(void **state)
{
    (void)state;
    struct ahoy_err err = { .expected = NULL };
    assert_false(ahoy_params_check(AHOY_HEADER_REPLACES, SPAN(";to-tag=1"), &err));
    assert_string_equal(err.expected, "the parameter from-tag");
}

/* |count| different parameters. */
static struct span many(char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[3 * i] = ';';
        bytes[3 * i + 1] = (char)('a' + i / 26);
        bytes[3 * i + 2] = (char)('a' + i % 26);
    }
    return (struct span){ bytes, 3 * count };
}

static void test_params_have_a_limit(void **state)
{
    (void)state;
    char bytes[3 * (AHOY_PARAMS_LIMIT + 1)];
    struct ahoy_err err = { .expected = NULL };
    assert_true(ahoy_params_check(AHOY_HEADER_TO, many(bytes, AHOY_PARAMS_LIMIT), &err));
    struct span params = many(bytes, AHOY_PARAMS_LIMIT + 1);
    assert_false(ahoy_params_check(AHOY_HEADER_TO, params, &err));
    assert_int_equal(ahoy_err_offset(&err, params), 3 * AHOY_PARAMS_LIMIT + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_are_found_case_aside),
        cmocka_unit_test(test_headers_share_rules),
        cmocka_unit_test(test_features_belong_to_targets),
        cmocka_unit_test(test_uri_rules),
        cmocka_unit_test_teardown(test_params_are_checked, test_free_all),
        cmocka_unit_test(test_a_missing_one_is_named),
        cmocka_unit_test(test_params_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
