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

static bool is_same(const struct ahoy_address *a, const struct ahoy_address *b)
{
    return a->text.at == b->text.at && a->text.size == b->text.size &&
           ahoy_span_equal(a->display, b->display) && ahoy_span_equal(a->params, b->params) &&
           a->tag.at == b->tag.at && a->tag.size == b->tag.size &&
           a->in_brackets == b->in_brackets && a->uri.text.at == b->uri.text.at &&
           a->uri.text.size == b->uri.text.size;
}

/* Read in place, a list gives what it gives item by item, faults among it. */
static void check_walk(struct span list)
{
    struct span rest = list;
    struct ahoy_address next;
    struct ahoy_address address;
    struct ahoy_err fault;
    struct ahoy_err err;
    struct span item;
    for (;;) {
        bool found = ahoy_address_next(&rest, &next, &fault);
        MUST(found ==
             (ahoy_list_next(&list, &item, &err) && ahoy_address_parse(item, &address, &err)));
        if (!found)
            break;
        MUST(is_same(&next, &address) && rest.size == list.size);
    }
    MUST(fault.expected == err.expected);
    MUST(fault.expected == NULL || fault.at == err.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = { (const char *)data, size };
    check_address(rest);
    struct span item;
    struct ahoy_err err = { .expected = NULL };
    size_t left = size + 1;
    check_walk(rest);
    while (ahoy_list_next(&rest, &item, &err)) {
        MUST(item.size > 0);
        MUST(rest.size < left); /* It comes to an end. */
        left = rest.size;
        check_address(item);
    }
    return 0;
}
