/* Names of methods, headers, transports and status codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "libahoy/syntax/header.h"
#include "libahoy/syntax/method.h"
#include "libahoy/syntax/status.h"
#include "libahoy/syntax/via.h"
#include "tests/support/bytes.h"

static void test_methods_are_case_sensitive(void **state)
{
    (void)state;
    for (unsigned i = 1; i < AHOY_METHOD_COUNT; i++)
        assert_int_equal(ahoy_method_parse(ahoy_method_name((enum ahoy_method)i)), i);
    assert_int_equal(ahoy_method_parse(SPAN("INVITE")), AHOY_METHOD_INVITE);
    assert_int_equal(ahoy_method_parse(SPAN("invite")), AHOY_METHOD_OTHER);
    assert_int_equal(ahoy_method_parse(SPAN("INVITES")), AHOY_METHOD_OTHER);
    assert_int_equal(ahoy_method_parse(SPAN("INVIT")), AHOY_METHOD_OTHER);
    assert_int_equal(ahoy_method_parse(SPAN("RE%47IST%45R")), AHOY_METHOD_OTHER);
    assert_int_equal(ahoy_method_parse(SPAN("")), AHOY_METHOD_OTHER);
    assert_span(ahoy_method_name(AHOY_METHOD_OTHER), "");
}

static void test_methods_that_form_dialogs(void **state)
{
    (void)state;
    assert_true(ahoy_method_forms_dialog(AHOY_METHOD_INVITE));
    assert_true(ahoy_method_forms_dialog(AHOY_METHOD_SUBSCRIBE));
    assert_true(ahoy_method_forms_dialog(AHOY_METHOD_REFER));
    assert_false(ahoy_method_forms_dialog(AHOY_METHOD_REGISTER));
    assert_false(ahoy_method_forms_dialog(AHOY_METHOD_OTHER));
}

static struct span with_case(struct span text, bool upper)
{
    struct span copy = test_copy(text);
    char *at = (char *)(uintptr_t)copy.at;
    for (size_t i = 0; i < copy.size; i++) {
        if (upper && at[i] >= 'a' && at[i] <= 'z')
            at[i] = (char)(at[i] - 'a' + 'A');
        else if (!upper && at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] - 'A' + 'a');
    }
    return copy;
}

/* Every name is found, in every case, and no name that differs in one letter (7.3.1). */
static void test_header_names(void **state)
{
    (void)state;
    for (unsigned i = 1; i < AHOY_HEADER_COUNT; i++) {
        struct span name = ahoy_header_name((enum ahoy_header)i);
        assert_int_equal(ahoy_header_parse(name), i);
        assert_int_equal(ahoy_header_parse(with_case(name, true)), i);
        assert_int_equal(ahoy_header_parse(with_case(name, false)), i);
        struct span other = test_copy(name);
        for (size_t place = 0; place < other.size; place++) {
            char *byte = (char *)(uintptr_t)other.at + place;
            char kept = *byte;
            *byte = '!';
            assert_int_equal(ahoy_header_parse(other), AHOY_HEADER_OTHER);
            *byte = kept;
        }
        if (name.size > 2) /* "To" without its end would be "t". */
            assert_int_not_equal(ahoy_header_parse((struct span){ name.at, name.size - 1 }), i);
    }
    assert_int_equal(ahoy_header_parse(SPAN("")), AHOY_HEADER_OTHER);
    assert_int_equal(ahoy_header_parse(SPAN("C%6Fntact")), AHOY_HEADER_OTHER);
    assert_span(ahoy_header_name(AHOY_HEADER_OTHER), "");
}

/* R3261-7.3.3-1 */
static void test_compact_names(void **state)
{
    (void)state;
    static const struct {
        char letter;
        enum ahoy_header header;
    } compact[] = {
        { 'v', AHOY_HEADER_VIA },
        { 'f', AHOY_HEADER_FROM },
        { 't', AHOY_HEADER_TO },
        { 'i', AHOY_HEADER_CALL_ID },
        { 'm', AHOY_HEADER_CONTACT },
        { 'l', AHOY_HEADER_CONTENT_LENGTH },
        { 'c', AHOY_HEADER_CONTENT_TYPE },
        { 'e', AHOY_HEADER_CONTENT_ENCODING },
        { 'k', AHOY_HEADER_SUPPORTED },
        { 's', AHOY_HEADER_SUBJECT },
        { 'o', AHOY_HEADER_EVENT },
        { 'r', AHOY_HEADER_REFER_TO },
        { 'a', AHOY_HEADER_ACCEPT_CONTACT },
        { 'j', AHOY_HEADER_REJECT_CONTACT },
        { 'd', AHOY_HEADER_REQUEST_DISPOSITION },
        { 'b', AHOY_HEADER_REFERRED_BY },
        { 'x', AHOY_HEADER_SESSION_EXPIRES },
        { 'u', AHOY_HEADER_ALLOW_EVENTS },
        { 'y', AHOY_HEADER_IDENTITY },
    };
    enum ahoy_header by_byte[256] = { AHOY_HEADER_OTHER };
    for (size_t i = 0; i < sizeof compact / sizeof compact[0]; i++) {
        by_byte[(unsigned char)compact[i].letter] = compact[i].header;
        by_byte[(unsigned char)compact[i].letter - 'a' + 'A'] = compact[i].header;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        char name = (char)byte;
        assert_int_equal(ahoy_header_parse((struct span){ &name, 1 }), by_byte[byte]);
    }
}

static void test_header_kinds(void **state)
{
    (void)state;
    assert_int_equal(ahoy_header_kind(AHOY_HEADER_FROM), AHOY_SINGLE);
    assert_int_equal(ahoy_header_kind(AHOY_HEADER_VIA), AHOY_LIST);
    assert_int_equal(ahoy_header_kind(AHOY_HEADER_AUTHORIZATION), AHOY_ROWS);
}

static void test_transports(void **state)
{
    (void)state;
    assert_int_equal(ahoy_transport_parse(SPAN("UDP")), AHOY_UDP);
    assert_int_equal(ahoy_transport_parse(SPAN("tls")), AHOY_TLS);
    assert_int_equal(ahoy_transport_parse(SPAN("wSs")), AHOY_WSS);
    assert_int_equal(ahoy_transport_parse(SPAN("UNKNOWN")), AHOY_TRANSPORT_OTHER);
    assert_int_equal(ahoy_transport_parse(SPAN("")), AHOY_TRANSPORT_OTHER);
    for (unsigned i = 1; i < AHOY_TRANSPORT_COUNT; i++) {
        enum ahoy_transport transport = (enum ahoy_transport)i;
        assert_int_equal(ahoy_transport_parse(ahoy_transport_name(transport)), i);
        assert_int_equal(ahoy_transport_parse(ahoy_transport_uri_name(transport)), i);
        assert_int_equal(ahoy_transport_is_reliable(transport), transport != AHOY_UDP);
    }
    assert_int_equal(ahoy_transport_port(AHOY_UDP), 5060);
    assert_int_equal(ahoy_transport_port(AHOY_TLS), 5061);
    assert_int_equal(ahoy_transport_port(AHOY_WSS), 443);
}

static void test_reasons(void **state)
{
    (void)state;
    assert_span(ahoy_status_reason(100), "Trying");
    assert_span(ahoy_status_reason(200), "OK");
    assert_span(ahoy_status_reason(407), "Proxy Authentication Required");
    assert_span(ahoy_status_reason(481), "Call/Transaction Does Not Exist");
    assert_span(ahoy_status_reason(608), "Rejected");
    assert_span(ahoy_status_reason(299), "Success");
    assert_span(ahoy_status_reason(499), "Client Failure");
    assert_span(ahoy_status_reason(699), "Global Failure");
    assert_span(ahoy_status_reason(700), "Unknown");
    assert_span(ahoy_status_reason(0), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_methods_are_case_sensitive),
        cmocka_unit_test(test_methods_that_form_dialogs),
        cmocka_unit_test_teardown(test_header_names, test_free_all),
        cmocka_unit_test(test_compact_names),
        cmocka_unit_test(test_header_kinds),
        cmocka_unit_test(test_transports),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
