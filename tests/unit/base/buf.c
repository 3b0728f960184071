/* A writer that never grows, and the escapes that make a stranger's bytes safe to show. */
#include "libahoy/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_text(const struct ahoy_buf *buf, const char *expected)
{
    struct span text = ahoy_buf_text(buf);
    if (!ahoy_span_equal(text, ahoy_span(expected)))
        fail_msg("\"%.*s\" where \"%s\" was expected", (int)text.size, text.at, expected);
}

static void test_writes_in_order(void **state)
{
    (void)state;
    char bytes[64];
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
    assert_text(&buf, "");
    ahoy_buf_put(&buf, SPAN("CSeq: "));
    ahoy_buf_put_number(&buf, 0);
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_buf_put_number(&buf, UINT64_MAX);
    ahoy_buf_put(&buf, (struct span){ NULL, 0 });
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_buf_put_hex(&buf, "\x00\x9f\xFF", 3);
    assert_text(&buf, "CSeq: 0 18446744073709551615 009fff");
    assert_false(buf.overflow);
}

/* Whatever does not fit by one byte: nothing of it is written, and nothing after it. */
static void test_overflow_is_once_and_for_all(void **state)
{
    (void)state;
    for (int way = 0; way < 5; way++) {
        char bytes[8] = "-------";
        struct ahoy_buf buf = ahoy_buf_over(bytes, 4);
        ahoy_buf_put(&buf, way == 1 ? SPAN("abcd") : SPAN("abc"));
        if (way == 0)
            ahoy_buf_put(&buf, SPAN("de"));
        else if (way == 1)
            ahoy_buf_put_byte(&buf, 'e');
        else if (way == 2)
            ahoy_buf_put_number(&buf, 10);
        else if (way == 3)
            ahoy_buf_put_hex(&buf, "x", 1);
        else
            ahoy_buf_put_escaped(&buf, SPAN("\n"));
        assert_true(buf.overflow);
        ahoy_buf_put(&buf, SPAN(""));
        ahoy_buf_put_byte(&buf, 'z');
        ahoy_buf_put(&buf, SPAN("z"));
        ahoy_buf_put_number(&buf, 1);
        ahoy_buf_put_escaped(&buf, SPAN("z"));
        assert_true(buf.overflow);
        assert_int_equal(ahoy_buf_text(&buf).size, 0);
        assert_memory_equal(bytes, way == 1 ? "abcd---" : "abc----", 8);
    }
}

static void test_exact_fit(void **state)
{
    (void)state;
    char bytes[6];
    struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
    ahoy_buf_put(&buf, SPAN("a"));
    ahoy_buf_put_hex(&buf, "x", 1);
    ahoy_buf_put_number(&buf, 12);
    ahoy_buf_put_byte(&buf, 'e');
    assert_text(&buf, "a7812e");
    ahoy_buf_put(&buf, SPAN(""));
    assert_false(buf.overflow);
    ahoy_buf_put_byte(&buf, 'f');
    assert_true(buf.overflow);
}

static void test_no_room_at_all(void **state)
{
    (void)state;
    struct ahoy_buf buf = ahoy_buf_over(NULL, 0);
    ahoy_buf_put(&buf, SPAN(""));
    ahoy_buf_put_escaped(&buf, SPAN(""));
    ahoy_buf_put_hex(&buf, "", 0);
    assert_false(buf.overflow);
    ahoy_buf_put_number(&buf, 0);
    assert_true(buf.overflow);
}

static void test_escapes(void **state)
{
    (void)state;
    static const struct {
        struct span raw;
        const char *escaped;
    } cases[] = {
        { SPAN_INIT("plain text ~"), "plain text ~" },
        { SPAN_INIT("a\r\nb\tc"), "a\\x0d\\x0ab\\x09c" },
        { SPAN_INIT("\x1b[2J\x7f"), "\\x1b[2J\\x7f" },
        { SPAN_INIT("\\x41"), "\\x5cx41" },
        { SPAN_INIT("\0"), "\\x00" },
        { SPAN_INIT("B\xc3\xb6rse \xe2\x82\xac \xf0\x9f\x93\x9e"),
          "B\xc3\xb6rse \xe2\x82\xac \xf0\x9f\x93\x9e" },
        /* No UTF-8: alone, cut short, overlong, a surrogate, beyond the last character. */
        { SPAN_INIT("\x80"), "\\x80" },
        { SPAN_INIT("\xff\xfe"), "\\xff\\xfe" },
        { SPAN_INIT("\xc3"), "\\xc3" },
        { SPAN_INIT("\xc3z"), "\\xc3z" },
        { SPAN_INIT("\xe2\x82"), "\\xe2\\x82" },
        { SPAN_INIT("\xe2\x82\n"), "\\xe2\\x82\\x0a" },
        { SPAN_INIT("\xc0\x8a"), "\\xc0\\x8a" },
        { SPAN_INIT("\xc1\xbf"), "\\xc1\\xbf" },
        { SPAN_INIT("\xe0\x80\x8a"), "\\xe0\\x80\\x8a" },
        { SPAN_INIT("\xf0\x80\x80\x8a"), "\\xf0\\x80\\x80\\x8a" },
        { SPAN_INIT("\xe0\x90\x80"), "\\xe0\\x90\\x80" },
        { SPAN_INIT("\xf0\x85\x80\x80"), "\\xf0\\x85\\x80\\x80" },
        { SPAN_INIT("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
        { SPAN_INIT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },
        { SPAN_INIT("\xf5\x80\x80\x80"), "\\xf5\\x80\\x80\\x80" },
        /* What a terminal or a reader obeys: CSI in one character, NEL, line separator, and an
         * override of the direction. */
        { SPAN_INIT("\xc2\x9b"), "\\xc2\\x9b" },
        { SPAN_INIT("\xc2\x85"), "\\xc2\\x85" },
        { SPAN_INIT("\xc2\xa0"), "\xc2\xa0" },
        { SPAN_INIT("\xe2\x80\xa8"), "\\xe2\\x80\\xa8" },
        { SPAN_INIT("\xe2\x80\xae"), "\\xe2\\x80\\xae" },
        { SPAN_INIT("\xe2\x81\xa6"), "\\xe2\\x81\\xa6" },
        /* The characters at the edges of what is valid. */
        { SPAN_INIT("\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
          "\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbd\xf0\x90\x80\x80\xf4\x8f\xbf\xbf" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[128];
        struct ahoy_buf buf = ahoy_buf_over(bytes, sizeof bytes);
        ahoy_buf_put_escaped(&buf, cases[i].raw);
        assert_text(&buf, cases[i].escaped);
    }
}

/* Every single byte comes out printable, and no two come out alike. */
static void test_every_byte_is_told_apart(void **state)
{
    (void)state;
    char seen[256][5];
    for (int i = 0; i < 256; i++) {
        char byte = (char)i;
        struct ahoy_buf buf = ahoy_buf_over(seen[i], 4);
        ahoy_buf_put_escaped(&buf, (struct span){ &byte, 1 });
        assert_false(buf.overflow);
        seen[i][buf.size] = '\0';
        for (size_t k = 0; k < buf.size; k++)
            assert_in_range(seen[i][k], 0x20, 0x7e);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(seen[i], seen[j]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_in_order), cmocka_unit_test(test_overflow_is_once_and_for_all),
        cmocka_unit_test(test_exact_fit),       cmocka_unit_test(test_no_room_at_all),
        cmocka_unit_test(test_escapes),         cmocka_unit_test(test_every_byte_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
