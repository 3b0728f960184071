/* The Route values of a forwarded request: those that name us go (RFC 3261 16.4), and a strict
 * router that comes next finds its own URI in the Request-URI (16.6 step 6). */
#include "libahoy/syntax/params.h"
#include "libahoy/tu/proxy_context.h"

/* Looks at the value that will be topmost. */
static bool read_top(struct span value, struct proxy_routes *routes)
{
    struct ahoy_address top;
    if (!ahoy_address_parse(value, &top, NULL))
        return false;
    struct span lr;
    routes->top_is_sips = top.uri.scheme == AHOY_SCHEME_SIPS;
    if (!ahoy_uri_param(&top.uri, SPAN("lr"), &lr)) /* R3261-16.6-24 */
        routes->strict = top.uri.text;
    return true;
}

bool ahoy_proxy_read_routes(const struct ahoy_message *message, const struct ahoy_proxy_plan *plan,
                            struct proxy_routes *routes)
{
    *routes = (struct proxy_routes){ .count = 0 };
    if (plan->no_other_route) {
        routes->count = routes->begin = routes->end = plan->own_routes;
        return true;
    }
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_ROUTE);
    struct ahoy_err err = { .expected = NULL };
    struct span top = SPAN("");
    struct span item;
    for (; ahoy_values_next(&values, &item, &err); routes->count++) {
        if (routes->count == plan->own_routes)
            top = item;
    }
    if (err.expected != NULL)
        return false;
    routes->end = routes->count;
    if (plan->restore_uri && routes->end > 0)
        routes->end--; /* R3261-16.4-2 */
    routes->begin = plan->own_routes < routes->end ? plan->own_routes : routes->end;
    if (routes->begin == routes->end)
        return true;
    if (!read_top(top, routes)) /* R3261-16.6-23 */
        return false;
    if (routes->strict.size > 0)
        routes->begin++; /* R3261-16.6-26 */
    return true;
}

/* Takes the values out of one row that do not stay; |number| is that of its first value.  Returns
 * that of the first one behind it. */
static size_t edit_row(struct ahoy_edits *edits, const struct ahoy_field *field,
                       const struct proxy_routes *routes, size_t number)
{
    struct span rest = field->value;
    struct span item;
    const char *kept = NULL; /* Where what stays begins, and where it ends. */
    const char *kept_end = NULL;
    for (; ahoy_list_next(&rest, &item, NULL); number++) {
        if (number < routes->begin || number >= routes->end)
            continue;
        if (kept == NULL)
            kept = item.at;
        kept_end = ahoy_span_end(item);
    }
    if (kept == NULL) {
        ahoy_edits_remove(edits, field->row);
        return number;
    }
    ahoy_edits_remove(edits, ahoy_span_between(field->value.at, kept));
    ahoy_edits_remove(edits, ahoy_span_between(kept_end, ahoy_span_end(field->value)));
    return number;
}

void ahoy_proxy_edit_routes(struct ahoy_edits *edits, const struct ahoy_message *message,
                            const struct proxy_routes *routes, struct span uri,
                            struct ahoy_buf *text)
{
    if (routes->begin == 0 && routes->end == routes->count)
        return;
    if (routes->begin == routes->end && routes->strict.size == 0) {
        ahoy_proxy_drop_rows(edits, message, AHOY_HEADER_ROUTE);
        return;
    }
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_ROUTE);
    const struct ahoy_field *last = NULL;
    size_t number = 0;
    for (; field != NULL; field = ahoy_message_next(message, field)) {
        number = edit_row(edits, field, routes, number);
        last = field;
    }
    if (routes->strict.size == 0 || last == NULL)
        return;
    size_t start = text->size; /* R3261-16.6-25 */
    ahoy_buf_put(text, SPAN("Route: <"));
    ahoy_buf_put(text, uri);
    ahoy_buf_put(text, SPAN(">\r\n"));
    if (!text->overflow)
        ahoy_edits_insert(edits, ahoy_span_end(last->row),
                          (struct span){ text->at + start, text->size - start });
}
