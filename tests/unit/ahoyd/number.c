/* Numbers and hours, as routes compare them. */
#include "ahoyd/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ahoyd/hours.h"

static const char *read_number(const char *user)
{
    static char text[AHOYD_NUMBER_LIMIT + 1];
    struct ahoy_buf buf = ahoy_buf_over(text, AHOYD_NUMBER_LIMIT);
    if (!ahoyd_number_read(ahoy_span(user), &buf))
        return "none";
    text[buf.size] = '\0';
    return text;
}

/* However it is written: RFC 3966 5.1.1. */
static void numbers_are_read(void **state)
{
    (void)state;
    assert_string_equal(read_number("+4930123"), "+4930123");
    assert_string_equal(read_number("%2B49-30.(12)3;isub=9"), "+4930123");
    assert_string_equal(read_number("*72%23"), "*72#");
    assert_string_equal(read_number("alice"), "none");
    assert_string_equal(read_number("12x"), "none");
    assert_string_equal(read_number("1+2"), "none");
    assert_string_equal(read_number("+"), "none");
    assert_string_equal(read_number("-"), "none");
    assert_string_equal(read_number(""), "none");
    assert_string_equal(read_number("1234567890123456789012345678901234567890"),
                        "1234567890123456789012345678901234567890");
    assert_string_equal(read_number("12345678901234567890123456789012345678901"), "none");
}

static bool covers(const char *wide, const char *narrow)
{
    return ahoyd_pattern_covers(ahoy_span(wide), ahoy_span(narrow));
}

static void patterns_fit(void **state)
{
    (void)state;
    assert_true(covers("+49.", "+4930"));
    assert_false(covers("+49.", "+49"));
    assert_true(covers("0049XXX.", "00491234"));
    assert_false(covers("0049XXX.", "0049123"));
    assert_true(covers("NZX", "219"));
    assert_false(covers("NZX", "119"));
    assert_false(covers("NZX", "209"));
    assert_true(covers("112", "112"));
    assert_false(covers("112", "1123"));
    assert_false(covers("+X.", "0049"));
    assert_true(covers(".", "+49"));
    /* A pattern in another one. */
    assert_true(covers("+49.", "+4930."));
    assert_true(covers("X.", "NX"));
    assert_false(covers("NX", "XX"));
    assert_false(covers("+49X", "+49."));
    assert_true(ahoyd_pattern_is_sound(SPAN("+49ZXN.")));
    assert_false(ahoyd_pattern_is_sound(SPAN("4.9")));
    assert_false(ahoyd_pattern_is_sound(SPAN("4+")));
    assert_false(ahoyd_pattern_is_sound(SPAN("abc")));
    assert_false(ahoyd_pattern_is_sound(SPAN("")));
}

static void the_longest_prefix_is_replaced(void **state)
{
    (void)state;
    static const struct ahoyd_prefix list[] = { { SPAN_INIT("00"), SPAN_INIT("+") },
                                                { SPAN_INIT("0"), SPAN_INIT("+49") } };
    const struct ahoyd_prefixes prefixes = { 2, list };
    static const char *const rows[][2] = { { "0043123", "+43123" },
                                           { "030123", "+4930123" },
                                           { "123", "123" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[AHOYD_NUMBER_LIMIT];
        struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
        ahoyd_prefixes_put(&prefixes, ahoy_span(rows[i][0]), &buf);
        assert_true(ahoy_span_equal(ahoy_buf_text(&buf), ahoy_span(rows[i][1])));
    }
}

/* Seconds since 1970 of the 2nd of February 2026, a Monday, and of a time of that day in UTC. */
#define MONDAY                1769990400
#define AT(day, hour, minute) (MONDAY + (day)*86400 + (hour)*3600 + (minute)*60)

static bool hold(const char *text, int64_t at_s)
{
    struct ahoyd_hours hours = { .zone = NULL };
    assert_true(ahoyd_hours_parse(ahoy_span(text), &hours));
    return ahoyd_hours_hold(&hours, (uint64_t)at_s * 1000);
}

static void hours_of_the_week(void **state)
{
    (void)state;
    static const char office[] = "Mon-Fri 08:00-18:00, Sat 09:00-13:00";
    assert_false(hold(office, AT(0, 7, 59)));
    assert_true(hold(office, AT(0, 8, 0)));
    assert_true(hold(office, AT(4, 17, 59)));
    assert_false(hold(office, AT(4, 18, 0)));
    assert_true(hold(office, AT(5, 12, 0)));
    assert_false(hold(office, AT(6, 12, 0)));
    /* Over midnight it belongs to the day on which it begins. */
    assert_true(hold("Fri 22:00-06:00", AT(5, 5, 59)));
    assert_false(hold("Fri 22:00-06:00", AT(4, 5, 59)));
    assert_true(hold("Sat-Mon 00:00-24:00", AT(6, 23, 59)));
    assert_false(hold("Sat-Mon 00:00-24:00", AT(1, 0, 0)));
    assert_true(hold("22:00-06:00", AT(2, 1, 0)));
}

static void what_is_no_hours(void **state)
{
    (void)state;
    static const char *const texts[] = { "",
                                         "Mon",
                                         "Mon 8:00-18:00",
                                         "Mon 08:00-24:01",
                                         "Mon 24:00-08:00",
                                         "Mon 08:00-08:00",
                                         "Mon- 08:00-09:00",
                                         "Mon-Fri08:00-09:00",
                                         "Mon 08:60-09:00",
                                         "Mon 08:00-09:00,",
                                         "Funday 08:00-09:00" };
    struct ahoyd_hours hours;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(ahoyd_hours_parse(ahoy_span(texts[i]), &hours));
}

/* The system's own tables, but for a machine that has none. */
static void zones_have_summer_time(void **state)
{
    (void)state;
    static char bytes[65536];
    FILE *file = fopen("/usr/share/zoneinfo/Europe/Berlin", "r");
    if (file == NULL)
        skip();
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    struct ahoyd_zone zone;
    ahoy_chunks_init(&chunks, 4096, 1 << 20);
    ahoy_arena_init(&arena, &chunks);
    assert_null(ahoyd_zone_read((struct span){ bytes, size }, &arena, &zone));
    assert_int_equal(ahoyd_zone_ahead(&zone, MONDAY), 3600);
    assert_int_equal(ahoyd_zone_ahead(&zone, 1774745999), 3600); /* 2026-03-29 00:59:59 */
    assert_int_equal(ahoyd_zone_ahead(&zone, 1774746000), 7200);
    assert_int_equal(ahoyd_zone_ahead(&zone, 1782864000), 7200); /* July 2026, ... */
    assert_int_equal(ahoyd_zone_ahead(&zone, 2224713600), 7200); /* ... and of 2040. */
    assert_int_equal(ahoyd_zone_ahead(&zone, 2208988800), 3600); /* January 2040. */
    assert_int_equal(ahoyd_zone_ahead(NULL, MONDAY), 0);
    /* Whatever is cut off or changed is survived, and mostly noticed. */
    for (size_t i = 0; i < size; i += 7) {
        struct ahoyd_zone other;
        char *copy = malloc(size - i); /* Its end is watched. */
        memcpy(copy, bytes, size - i);
        (void)ahoyd_zone_read((struct span){ copy, size - i }, &arena, &other);
        if (size - i > 30)
            copy[20 + i % 200 % (size - i - 20)] ^= 0x55;
        (void)ahoyd_zone_read((struct span){ copy, size - i }, &arena, &other);
        free(copy);
    }
    assert_non_null(ahoyd_zone_read(SPAN("TZif"), &arena, &zone));
    ahoy_arena_release(&arena);
    ahoy_chunks_fini(&chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read),
        cmocka_unit_test(patterns_fit),
        cmocka_unit_test(the_longest_prefix_is_replaced),
        cmocka_unit_test(hours_of_the_week),
        cmocka_unit_test(what_is_no_hours),
        cmocka_unit_test(zones_have_summer_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
