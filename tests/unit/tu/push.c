/* What a Contact says of its push service (RFC 8599). */
#include "libahoy/tu/push.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "libahoy/tu/bindings.h"
#include "libahoy/tu/reginfo.h"

/* R8599-12-1 among them. */
static void what_is_needed(void **state)
{
    static const struct {
        const char *params;
        bool is_whole;
    } cases[] = {
        { ";pn-provider=fcm;pn-param=a;pn-prid=b", true },
        { ";PN-Provider=FCM;%70n-param=a;pn-prid=b", true },
        { ";pn-provider=fcm;pn-prid=b", false },
        { ";pn-provider=fcm;pn-param=a", false },
        { ";pn-provider;pn-param=a;pn-prid=b", false },
        { ";pn-provider=apns;pn-prid=b", false },
        { ";pn-provider=apns;pn-param=a;pn-prid=b", true },
        { ";pn-provider=webpush;pn-prid=https%3A%2F%2Fp.example", true },
        { ";pn-provider=webpush;pn-param=a;pn-prid=b", false },
        { ";pn-provider=acme;pn-prid=b", true },
        { ";pn-provider=acme;pn-param=a;pn-prid=b", true },
    };
    (void)state; /* No test here needs any. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char space[128];
        struct ahoy_push push;
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        ahoy_buf_put(&buf, SPAN("sip:bob@192.0.2.1"));
        ahoy_buf_put(&buf, ahoy_span(cases[i].params));
        assert_true(ahoy_push_read(ahoy_buf_text(&buf), &push));
        assert_int_equal(ahoy_push_is_whole(&push), cases[i].is_whole);
    }
    struct ahoy_push push;
    assert_false(ahoy_push_read(SPAN("sip:bob@192.0.2.1;pn-prid=b"), &push));
    assert_false(ahoy_push_read(SPAN("nonsense"), &push));
}

/* R8599-13-3 */
static void what_others_see(void **state)
{
    static const struct {
        const char *whole, *seen;
    } cases[] = {
        { "sip:bob@192.0.2.1", "sip:bob@192.0.2.1" },
        { "sip:bob@192.0.2.1;pn-provider=fcm", "sip:bob@192.0.2.1" },
        { "sip:bob@192.0.2.1;ob;pn-prid=b;transport=tcp;pn-param=a;PN-provider=x?Subject=pn-prid",
          "sip:bob@192.0.2.1;ob;transport=tcp?Subject=pn-prid" },
        { "sip:bob@192.0.2.1;pn-%70rid=b;pn-purr=c;pn-priest=d",
          "sip:bob@192.0.2.1;pn-purr=c;pn-priest=d" },
        { "tel:+1", "tel:+1" },
    };
    (void)state; /* As above. */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char space[128];
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space - 1);
        ahoy_push_print_public(ahoy_span(cases[i].whole), &buf);
        space[buf.size] = '\0';
        assert_string_equal(space, cases[i].seen);
    }
}

/* R8599-4.1-3, R8599-13-4 */
static void what_watchers_see(void **state)
{
    const struct ahoy_binding binding = {
        .contact = SPAN("sip:bob@192.0.2.1;pn-provider=fcm;pn-param=a;pn-prid=secret;ob"),
        .call_id = SPAN("1"),
        .expires_ms = 3600000
    };
    static struct ahoy_bindings bindings;
    char space[1024];
    struct ahoy_buf body = ahoy_buf_over(space, sizeof space - 1);
    struct ahoy_reginfo reginfo = { .aor = SPAN("bob@open.example") };
    (void)state; /* As above. */
    ahoy_bindings_init(&bindings);
    assert_true(ahoy_bindings_add(&bindings, &binding));
    ahoy_reginfo_compare(&reginfo, NULL, &bindings, 0);
    ahoy_reginfo_print(&reginfo, &body);
    space[body.size] = '\0';
    assert_non_null(strstr(space, "<uri>sip:bob@192.0.2.1;ob</uri>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_needed),
                                        cmocka_unit_test(what_others_see),
                                        cmocka_unit_test(what_watchers_see) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
