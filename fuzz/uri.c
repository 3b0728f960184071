/* URIs: whatever is read equals itself and has an address-of-record that is read again, and
 * equality is symmetric. */
#include "fuzz/target.h"
#include "libahoy/syntax/param_rule.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/uri_part.h"

/* The address-of-record is a URI behind "sip:" again, and its own address-of-record. */
static void check_aor(const struct ahoy_uri *uri)
{
    char first[3 * AHOY_URI_LIMIT + 4];
    char second[3 * AHOY_URI_LIMIT + 4];
    struct ahoy_buf buf = ahoy_buf_over(first, sizeof first);
    ahoy_buf_put(&buf, SPAN("sip:"));
    ahoy_uri_print_aor(uri, &buf);
    MUST(!buf.overflow);
    struct ahoy_uri back;
    struct ahoy_err err;
    if (uri->scheme == AHOY_SCHEME_OTHER || buf.size > AHOY_URI_LIMIT)
        return;
    MUST(ahoy_uri_parse(ahoy_buf_text(&buf), &back, &err));
    struct ahoy_buf again = ahoy_buf_over(second, sizeof second);
    ahoy_buf_put(&again, SPAN("sip:"));
    ahoy_uri_print_aor(&back, &again);
    MUST(ahoy_span_equal(ahoy_buf_text(&buf), ahoy_buf_text(&again)));
    MUST(ahoy_host_equal(back.host, uri->host));
}

/* A rule, where there is one, is that of the parameter's name. */
static void check_rules(const struct ahoy_uri *uri)
{
    struct span rest = uri->params;
    struct ahoy_uri_part part;
    while (ahoy_uri_part_next(&rest, ';', AHOY_PARAMCHAR, &part)) {
        const struct ahoy_param_rule *rule = ahoy_uri_param_rule(part.name);
        MUST(rule == NULL || ahoy_span_equal_nocase(rule->name, part.name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Two URIs, a line each. */
    struct span bytes = { (const char *)data, size };
    struct span first = { bytes.at, ahoy_span_find(bytes, '\n') };
    struct span second = ahoy_span_after(bytes, first.size + (first.size < size));
    struct ahoy_uri a;
    struct ahoy_uri b;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_uri_parse(first, &a, &err)) {
        MUST(err.expected != NULL && ahoy_err_offset(&err, first) <= first.size);
        return 0;
    }
    MUST(ahoy_uri_equal(&a, &a));
    struct span value;
    (void)ahoy_uri_param(&a, SPAN("lr"), &value); /* Either is fine. */
    check_aor(&a);
    check_rules(&a);
    if (ahoy_uri_parse(second, &b, &err))
        MUST(ahoy_uri_equal(&a, &b) == ahoy_uri_equal(&b, &a));
    return 0;
}
