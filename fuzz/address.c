/* Addresses, one by one and as a list. */
#include "fuzz/target.h"
#include "libahoy/syntax/address.h"
#include "libahoy/syntax/params.h"

static void check_address(struct span text)
{
    struct ahoy_address address;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_address_parse(text, &address, &err)) {
        MUST(err.expected != NULL && err.status == 400);
        MUST(ahoy_err_offset(&err, text) <= text.size);
        return;
    }
    MUST(ahoy_span_equal(ahoy_address_tag(&address), address.tag));
    struct ahoy_param param;
    bool tagged = ahoy_params_find(address.params, SPAN("tag"), &param);
    MUST(tagged == (address.tag.size > 0));
    MUST(!tagged || ahoy_span_equal(param.value, address.tag));
    struct ahoy_uri uri;
    MUST(ahoy_uri_parse(address.uri.text, &uri, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = { (const char *)data, size };
    check_address(rest);
    struct span item;
    struct ahoy_err err = { .expected = NULL };
    size_t left = size + 1;
    while (ahoy_list_next(&rest, &item, &err)) {
        MUST(item.size > 0);
        MUST(rest.size < left); /* It comes to an end. */
        left = rest.size;
        check_address(item);
    }
    return 0;
}
