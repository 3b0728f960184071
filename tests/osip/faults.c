/* Where Ahoy refuses what libosip2 takes: whether the bytes bear out what Ahoy says. */
#include "tests/osip/place.h"

static const struct fault_class *const tables[] = { osip_message_faults, osip_uri_faults,
                                                    osip_param_faults };

/* Whether a row begins at |at|: behind a CRLF, and with no white space that would fold it. */
static bool is_begin_of_row(struct span bytes, const char *at)
{
    if (at - bytes.at < 2)
        return at == bytes.at;
    bool is_folded = at < ahoy_span_end(bytes) && (*at == ' ' || *at == '\t');
    return at[-2] == '\r' && at[-1] == '\n' && !is_folded;
}

/* The row around |at|, folds included. */
static struct span row_around(struct span bytes, const char *at)
{
    const char *from = at;
    const char *to = at;
    while (!is_begin_of_row(bytes, from))
        from--;
    while (to < ahoy_span_end(bytes) &&
           (ahoy_span_end(bytes) - to < 2 || !is_begin_of_row(bytes, to + 2)))
        to++;
    return ahoy_span_between(from, to);
}

const char *osip_class_of_fault(struct span bytes, const struct ahoy_err *fault)
{
    struct place place = { .bytes = bytes, .at = bytes.at + ahoy_err_offset(fault, bytes) };
    place.row = row_around(bytes, place.at);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct fault_class *row = tables[i]; row->name != NULL; row++) {
            place.words = row->words;
            if (strcmp(fault->expected, row->expected) == 0)
                return row->holds(&place) ? row->name : NULL;
        }
    }
    return NULL;
}

const char *osip_class_of_faults(size_t i)
{
    for (size_t table = 0; table < sizeof tables / sizeof tables[0]; table++) {
        for (const struct fault_class *row = tables[table]; row->name != NULL; row++) {
            if (i-- == 0)
                return row->name;
        }
    }
    return NULL;
}
