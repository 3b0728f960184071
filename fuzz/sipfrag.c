/* Fragments: the index lies inside, a sound message is a sound fragment, and the rows of a fragment
 * are what the walk over rows gives. */
#include "fuzz/target.h"
#include "libahoy/syntax/fragment.h"
#include "libahoy/syntax/sipfrag.h"

static struct ahoy_message fragment;
static struct ahoy_message whole;

static void check_rows(void)
{
    const char *at = ahoy_span_end(fragment.start_line);
    struct span rest = ahoy_span_between(at, fragment.bytes.at + fragment.headers_end);
    for (unsigned i = 0; i < fragment.field_count; i++) {
        struct ahoy_field row;
        MUST(ahoy_row_next(&rest, &row, NULL));
        MUST(row.header == fragment.fields[i].header);
        MUST(row.row.at == fragment.fields[i].row.at);
        MUST(row.row.size == fragment.fields[i].row.size);
        MUST(row.value.at == fragment.fields[i].value.at);
    }
    MUST(rest.size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = { (const char *)data, size };
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_sipfrag_parse(bytes, &fragment, &err)) {
        MUST(err.expected != NULL && ahoy_err_offset(&err, bytes) <= size);
        return 0;
    }
    MUST(fragment.bytes.at == bytes.at || size == 0);
    MUST(fragment.bytes.size <= size);
    MUST(fragment.headers_end <= fragment.bytes.size);
    MUST(ahoy_span_end(fragment.body) == ahoy_span_end(fragment.bytes));
    check_rows();
    if (fragment.start_line.size > 0 && ahoy_message_parse(bytes, &whole, &err)) {
        MUST(whole.field_count == fragment.field_count && whole.status == fragment.status);
        MUST(ahoy_span_equal(whole.body, fragment.body));
    }
    return 0;
}
