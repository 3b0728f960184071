/* tel URIs: whatever is read equals itself and its canonical spelling, which prints to itself, and
 * becomes a SIP URI that is read as a number again. */
#include "fuzz/target.h"
#include "libahoy/syntax/tel.h"

enum { PRINTED_LIMIT = 3 * AHOY_URI_LIMIT + 32 };

static void check_canonical(const struct ahoy_tel *tel)
{
    char first[PRINTED_LIMIT];
    char second[PRINTED_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(first, sizeof first);
    struct ahoy_buf again = ahoy_buf_over(second, sizeof second);
    struct ahoy_tel back;
    ahoy_tel_print(tel, &buf);
    MUST(!buf.overflow);
    if (buf.size > AHOY_URI_LIMIT)
        return;
    MUST(ahoy_tel_parse(ahoy_buf_text(&buf), &back, NULL));
    MUST(ahoy_tel_equal(tel, &back) && ahoy_tel_equal(&back, tel));
    ahoy_tel_print(&back, &again);
    MUST(ahoy_span_equal(ahoy_buf_text(&buf), ahoy_buf_text(&again)));
}

static void check_sip(const struct ahoy_tel *tel)
{
    char first[PRINTED_LIMIT];
    char second[PRINTED_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(first, sizeof first);
    struct ahoy_buf again = ahoy_buf_over(second, sizeof second);
    struct ahoy_uri uri;
    struct ahoy_tel back;
    ahoy_tel_print_sip(tel, SPAN("host"), &buf);
    MUST(!buf.overflow);
    if (buf.size > AHOY_URI_LIMIT)
        return;
    MUST(ahoy_uri_parse(ahoy_buf_text(&buf), &uri, NULL));
    MUST(ahoy_tel_from_sip(&uri, &back, NULL));
    MUST(back.is_global == tel->is_global);
    ahoy_tel_print_sip(&back, SPAN("host"), &again);
    MUST(ahoy_span_equal(ahoy_buf_text(&buf), ahoy_buf_text(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Two URIs, a line each. */
    struct span bytes = { (const char *)data, size };
    struct span first = { bytes.at, ahoy_span_find(bytes, '\n') };
    struct span second = ahoy_span_after(bytes, first.size + (first.size < size));
    struct ahoy_tel a;
    struct ahoy_tel b;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_tel_parse(first, &a, &err)) {
        MUST(err.expected != NULL && ahoy_err_offset(&err, first) <= first.size);
        return 0;
    }
    MUST(ahoy_tel_equal(&a, &a));
    check_canonical(&a);
    check_sip(&a);
    if (ahoy_tel_parse(second, &b, &err))
        MUST(ahoy_tel_equal(&a, &b) == ahoy_tel_equal(&b, &a));
    return 0;
}
