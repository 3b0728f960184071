/* Fragments: the index lies inside, and what is a sound message too has the same index as one. */
#include "fuzz/target.h"
#include "libahoy/syntax/sipfrag.h"

static struct ahoy_message fragment;
static struct ahoy_message whole;

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
    if (fragment.start_line.size > 0 && ahoy_message_parse(bytes, &whole, &err)) {
        MUST(whole.field_count == fragment.field_count && whole.status == fragment.status);
        MUST(ahoy_span_equal(whole.body, fragment.body));
    }
    return 0;
}
