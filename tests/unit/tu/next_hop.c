/* Where requests of dialogs leave for (RFC 3261 8.1.2), one after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/tu/ua_context.h"

static unsigned asked; /* How often it was worked out where a URI leads. */

static bool locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                   struct ahoy_err *err)
{
    asked++;
    return ahoy_locate(uri, transport, ip, err);
}

static struct ahoy_ua_context context = {
    .locate = locate,
    .server = { .transport = AHOY_TCP,
                .remote = { .family = AHOY_IPV4, .port = 5070, .bytes = { 192, 0, 2, 9 } } },
};

/* Dialogs follow each other; each leads where it would lead as the first one, and is looked at only
 * where the one before had another way. */
static void test_one_after_the_other(void **state)
{
    static const struct {
        const char *target, *route;
        enum ahoy_transport transport;
        uint8_t last; /* Byte of the address. */
        uint16_t port;
        bool is_known; /* By the one before. */
    } rows[] = {
        { "sip:bob@192.0.2.2", "", AHOY_UDP, 2, 5060, false },
        { "sip:bob@192.0.2.2", "", AHOY_UDP, 2, 5060, true },
        { "sip:bob@192.0.2.3", "", AHOY_UDP, 3, 5060, false },
        { "sip:bob@192.0.2.3", "", AHOY_UDP, 3, 5060, true },
        { "sip:bob@192.0.2.3;transport=tcp", "", AHOY_TCP, 3, 5060, false },
        { "sip:bob@192.0.2.3:5062", "", AHOY_UDP, 3, 5062, false },
        /* Whom only the server can look up. */
        { "sip:bob@b.example", "", AHOY_TCP, 9, 5070, false },
        { "sip:bob@192.0.2.3", "<sip:192.0.2.4;lr>", AHOY_UDP, 4, 5060, false },
        { "sip:bob@192.0.2.2", "<sip:192.0.2.4;lr>", AHOY_UDP, 4, 5060, true },
        /* R3261-8.1.2-3 */
        { "sips:bob@192.0.2.2", "<sip:192.0.2.4;lr>", AHOY_TLS, 4, 5061, false },
        { "sip:bob@192.0.2.2", "<sip:192.0.2.4;lr>", AHOY_UDP, 4, 5060, false },
        { "sip:bob@192.0.2.2", "<sips:192.0.2.4;lr>", AHOY_TLS, 4, 5061, false },
        { "sip:bob@192.0.2.2", "", AHOY_UDP, 2, 5060, false },
    };
    (void)state;
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        size_t row = i % (sizeof rows / sizeof rows[0]);
        struct ahoy_dialog dialog = { .text_size = 0 };
        const struct ahoy_dialog_seed seed = { .call_id = SPAN("c"),
                                               .local_tag = SPAN("t"),
                                               .local_uri = SPAN("sip:alice@192.0.2.1"),
                                               .remote_uri = SPAN("sip:bob@192.0.2.2"),
                                               .target = ahoy_span(rows[row].target),
                                               .route = ahoy_span(rows[row].route) };
        assert_true(ahoy_dialog_begin(&dialog, &seed));
        asked = 0;
        struct ahoy_hop hop = ahoy_ua_next_hop(&context, &dialog);
        bool is_known = rows[row].is_known || (i > 0 && row == 0); /* The last is like the first. */
        assert_int_equal(asked, is_known ? 0 : 1);
        assert_int_equal(hop.transport, rows[row].transport);
        assert_int_equal(hop.remote.bytes[3], rows[row].last);
        assert_int_equal(hop.remote.port, rows[row].port);
        ahoy_dialog_fini(&dialog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_one_after_the_other) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
