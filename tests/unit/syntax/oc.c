/* What neighbours tell each other of overload (RFC 7339 4, 9). */
#include "libahoy/syntax/oc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "libahoy/syntax/via.h"
#include "tests/support/bytes.h"

static bool parse(const char *params, struct ahoy_oc *oc)
{
    char text[300];
    snprintf(text, sizeof text, "SIP/2.0/TLS p1.example.net;branch=z9hG4bK1%s", params);
    struct ahoy_via via;
    assert_true(ahoy_via_parse(test_text(text), &via, NULL));
    bool parsed = ahoy_oc_parse(via.params, oc);
    assert_true(via.has_oc || !parsed);
    assert_true(!parsed || via.has_oc_value == oc->has_value);
    return parsed;
}

/* The examples of section 6. */
static void what_both_sides_say(void **state)
{
    (void)state;
    struct ahoy_oc oc;
    assert_true(parse(";oc;oc-algo=\"loss,A\"", &oc));
    assert_false(oc.has_value);
    assert_true(oc.is_loss);
    assert_true(parse(";oc=20;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321615.782", &oc));
    assert_true(oc.has_value);
    assert_int_equal(oc.loss, 20);
    assert_int_equal(oc.validity_ms, 500);
    assert_int_equal(oc.seq, 128232161578200);
    assert_true(parse(";OC=0 ; oc-algo = \"A, LOSS\";received=192.0.2.1;oc-validity=0", &oc));
    assert_true(oc.is_loss);
    assert_int_equal(oc.validity_ms, 0);
    assert_true(parse(";oc=10;oc-algo=\"rate\"", &oc));
    assert_false(oc.is_loss);
    assert_int_equal(oc.validity_ms, 500); /* RFC 7339 4.3 */
    assert_true(parse(";oc=10;oc-validity", &oc));
    assert_int_equal(oc.validity_ms, 500);
}

/* Section 9, and R7339-7.1-1: by the letter, or not at all.  R7339-4.3-2, R7339-4.3-3: what stands
 * without "oc" is nothing. */
static void the_rest_says_nothing(void **state)
{
    (void)state;
    static const char *const faults[] = { "",
                                          ";oc-validity=500",
                                          ";oc-algo=\"loss\"",
                                          ";ocean=5",
                                          ";oc=",
                                          ";oc=101",
                                          ";oc=-1",
                                          ";oc=1.5",
                                          ";oc=\"5\"",
                                          ";oc;oc",
                                          ";oc=1;oc=1",
                                          ";oc;oc-algo=loss",
                                          ";oc;oc-algo=\"\"",
                                          ";oc;oc-algo=\"loss,\"",
                                          ";oc;oc-algo=\"lo ss\"",
                                          ";oc;oc-algo=\"loss\";oc-algo=\"loss\"",
                                          ";oc=1;oc-validity=",
                                          ";oc=1;oc-validity=x",
                                          ";oc=1;oc-validity=99999999999",
                                          ";oc=1;oc-seq",
                                          ";oc=1;oc-seq=1",
                                          ";oc=1;oc-seq=1.",
                                          ";oc=1;oc-seq=.1",
                                          ";oc=1;oc-seq=1.123456",
                                          ";oc=1;oc-seq=1234567890123.1",
                                          ";oc=1;oc-seq=1.2.3",
                                          ";oc=1;oc-seq=1a.1" };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char text[300];
        snprintf(text, sizeof text, "%s", faults[i]);
        struct ahoy_oc oc;
        struct ahoy_via via;
        char value[340];
        snprintf(value, sizeof value, "SIP/2.0/UDP a;branch=z9hG4bK1%s", text);
        if (ahoy_via_parse(test_text(value), &via, NULL) && ahoy_oc_parse(via.params, &oc))
            fail_msg("taken: %s", faults[i]);
    }
}

/* R7339-4.4-2, R7339-5.2-2: later ones are greater. */
static void what_is_printed_can_be_read(void **state)
{
    (void)state;
    char space[AHOY_OC_TEXT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_oc_print(&buf, 100, 500, 1282321615007);
    assert_span(ahoy_buf_text(&buf),
                ";oc=100;oc-algo=\"loss\";oc-validity=500;oc-seq=1282321615.007");
    uint64_t before = 0;
    for (uint64_t now_ms = 1282321615990; now_ms < 1282321616010; now_ms++) {
        struct ahoy_oc oc;
        buf = ahoy_buf_over(space, sizeof space);
        ahoy_oc_print(&buf, 5, 500, now_ms);
        assert_true(ahoy_oc_parse(ahoy_buf_text(&buf), &oc));
        assert_true(oc.seq > before);
        before = oc.seq;
    }
}

static void it_is_taken_out(void **state)
{
    (void)state;
    struct span original = test_text(
        "SIP/2.0/UDP a;oc=1;branch=z9hG4bK1;oc-algo=\"loss\" ;oc-seq=1.1;ocean;OC-Validity=3");
    struct ahoy_via via;
    struct ahoy_edits edits;
    struct span pieces[AHOY_PIECES_LIMIT];
    char joined[200];
    struct ahoy_buf buf = ahoy_buf_over(joined, sizeof joined);
    assert_true(ahoy_via_parse(original, &via, NULL));
    ahoy_edits_init(&edits, original);
    ahoy_edits_remove_oc(&edits, via.params);
    size_t count = ahoy_edits_gather(&edits, pieces);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&buf, pieces[i]);
    assert_span(ahoy_buf_text(&buf), "SIP/2.0/UDP a;branch=z9hG4bK1;ocean");
    assert_true(ahoy_oc_may_be_in(original));
    assert_true(ahoy_oc_may_be_in(test_text("SIP/2.0/UDP a; OC")));
    assert_false(ahoy_oc_may_be_in(test_text("SIP/2.0/UDP oc;branch=oc;o=c")));
    assert_false(ahoy_oc_may_be_in(test_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_sides_say),
        cmocka_unit_test(the_rest_says_nothing),
        cmocka_unit_test(what_is_printed_can_be_read),
        cmocka_unit_test(it_is_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
