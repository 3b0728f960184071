/* Date (RFC 3261 20.17, 25.1 rfc1123-date): GMT alone. */
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

static const struct span weekdays[] = {
    SPAN_INIT("Mon"), SPAN_INIT("Tue"), SPAN_INIT("Wed"), SPAN_INIT("Thu"),
    SPAN_INIT("Fri"), SPAN_INIT("Sat"), SPAN_INIT("Sun"),
};

static const struct span months[] = {
    SPAN_INIT("Jan"), SPAN_INIT("Feb"), SPAN_INIT("Mar"), SPAN_INIT("Apr"),
    SPAN_INIT("May"), SPAN_INIT("Jun"), SPAN_INIT("Jul"), SPAN_INIT("Aug"),
    SPAN_INIT("Sep"), SPAN_INIT("Oct"), SPAN_INIT("Nov"), SPAN_INIT("Dec"),
};

static const uint8_t month_days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

static bool is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* The weekday, 0 for Monday, by counting the days since 1 January of the year 0, a Saturday. */
static unsigned weekday_of(const struct ahoy_date *date)
{
    unsigned days = date->year * 365u + (date->year + 3u) / 4 - (date->year + 99u) / 100 +
                    (date->year + 399u) / 400 + date->day - 1u;
    for (unsigned month = 1; month < date->month; month++)
        days += month_days[month - 1];
    if (date->month > 2 && !is_leap(date->year))
        days--;
    return (days + 5) % 7;
}

/* Takes |size| digits. */
static bool take_digits(struct span *rest, size_t size, unsigned *number)
{
    uint64_t value;
    if (rest->size < size || !ahoy_span_number((struct span){ rest->at, size }, 9999, &value))
        return false;
    *number = (unsigned)value;
    *rest = ahoy_span_after(*rest, size);
    return true;
}

static bool take_byte(struct span *rest, char byte)
{
    if (rest->size == 0 || rest->at[0] != byte)
        return false;
    *rest = ahoy_span_after(*rest, 1);
    return true;
}

/* Takes white space, of which there must be some. */
static bool take_space(struct span *rest)
{
    const char *at = ahoy_skip(rest->at, ahoy_span_end(*rest), AHOY_LWS);
    size_t size = (size_t)(at - rest->at);
    *rest = ahoy_span_after(*rest, size);
    return size > 0;
}

/* Takes one of |count| names of three letters, and tells its index. */
static bool take_name(struct span *rest, const struct span *names, size_t count, unsigned *index)
{
    for (size_t i = 0; i < count; i++) {
        if (!ahoy_span_starts_nocase(*rest, names[i]))
            continue;
        *index = (unsigned)i;
        *rest = ahoy_span_after(*rest, names[i].size);
        return true;
    }
    return false;
}

/* Takes wkday "," SP date1 SP; returns what was expected, NULL where all is there. */
static const char *take_day(struct span *rest, struct ahoy_date *date)
{
    unsigned weekday;
    unsigned day;
    unsigned month;
    unsigned year;
    if (!take_name(rest, weekdays, 7, &weekday))
        return "a weekday such as \"Mon\"";
    if (!take_byte(rest, ',') || !take_space(rest))
        return "a comma and a space";
    if (!take_digits(rest, 2, &day) || !take_space(rest))
        return "a day of two digits and a space";
    if (!take_name(rest, months, 12, &month) || !take_space(rest))
        return "a month such as \"Jan\" and a space";
    if (!take_digits(rest, 4, &year) || !take_space(rest))
        return "a year of four digits and a space";
    *date = (struct ahoy_date){ .year = (uint16_t)year,
                                .month = (uint8_t)(month + 1),
                                .day = (uint8_t)day,
                                .weekday = (uint8_t)weekday };
    return NULL;
}

/* Takes time SP "GMT". */
static const char *take_time(struct span *rest, struct ahoy_date *date)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    struct span time = *rest;
    if (!take_digits(rest, 2, &hour) || !take_byte(rest, ':') || !take_digits(rest, 2, &minute) ||
        !take_byte(rest, ':') || !take_digits(rest, 2, &second))
        return "a time as \"23:59:59\"";
    if (hour > 23 || minute > 59 || second > 59) {
        *rest = time;
        return "a time of 00:00:00 to 23:59:59";
    }
    static const struct span zone = SPAN_INIT("GMT");
    unsigned index;
    if (!take_space(rest) || !take_name(rest, &zone, 1, &index))
        return "\"GMT\"";
    if (rest->size > 0)
        return "nothing more";
    date->hour = (uint8_t)hour;
    date->minute = (uint8_t)minute;
    date->second = (uint8_t)second;
    return NULL;
}

static bool is_in_month(const struct ahoy_date *date)
{
    unsigned last = month_days[date->month - 1];
    if (date->month == 2 && !is_leap(date->year))
        last = 28;
    return date->day >= 1 && date->day <= last;
}

bool ahoy_value_parse_date(struct ahoy_value *value, struct ahoy_err *err)
{
    struct ahoy_date *date = &value->as.date;
    struct span rest = value->text;
    const char *expected = take_day(&rest, date);
    if (expected == NULL)
        expected = take_time(&rest, date);
    if (expected != NULL)
        return ahoy_fail(err, 400, rest.at, expected);
    if (!is_in_month(date))
        return ahoy_fail(err, 400, value->text.at, "a day that the month has");
    if (date->weekday != weekday_of(date))
        return ahoy_fail(err, 400, value->text.at, "the weekday of that day");
    return true;
}

static void print_two(struct ahoy_buf *buf, unsigned number, char behind)
{
    ahoy_buf_put_byte(buf, (char)('0' + number / 10));
    ahoy_buf_put_byte(buf, (char)('0' + number % 10));
    ahoy_buf_put_byte(buf, behind);
}

void ahoy_value_print_date(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    const struct ahoy_date *date = &value->as.date;
    ahoy_buf_put(buf, weekdays[date->weekday]);
    ahoy_buf_put(buf, SPAN(", "));
    print_two(buf, date->day, ' ');
    ahoy_buf_put(buf, months[date->month - 1]);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put_byte(buf, (char)('0' + date->year / 1000));
    ahoy_buf_put_byte(buf, (char)('0' + date->year / 100 % 10));
    print_two(buf, date->year % 100u, ' ');
    print_two(buf, date->hour, ':');
    print_two(buf, date->minute, ':');
    print_two(buf, date->second, ' ');
    ahoy_buf_put(buf, SPAN("GMT"));
}
