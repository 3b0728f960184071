/* received= and rport= in the topmost Via (RFC 3261 18.2.1, RFC 3581 4). */
#include "libahoy/syntax/received.h"

#include "libahoy/syntax/oc.h"
#include "libahoy/syntax/params.h"

/* Whether responses need to be told the source address (18.2.1, RFC 3581 4). */
static bool needs_received(const struct ahoy_via *via, const struct ahoy_ip *source)
{
    return via->has_rport || !ahoy_ip_reads_as(via->host, source);
}

static struct span written_since(const struct ahoy_buf *text, size_t start)
{
    if (text->overflow)
        return SPAN("");
    return (struct span){ text->at + start, text->size - start };
}

/* Behind sent-by, where it stands well even if the peer's parameters do not. */
static void insert_received(struct ahoy_edits *edits, const struct ahoy_via *via,
                            const struct ahoy_ip *source, struct ahoy_buf *text)
{
    size_t start = text->size;
    ahoy_buf_put(text, SPAN(";received="));
    ahoy_ip_print_bare(source, text);
    ahoy_edits_insert(edits, ahoy_span_end(via->sent_by), written_since(text, start));
}

void ahoy_edits_mark_via(struct ahoy_edits *edits, const struct ahoy_via *via,
                         const struct ahoy_ip *source, struct ahoy_buf *text)
{
    if (needs_received(via, source)) /* R3261-18.2.1-3 */
        insert_received(edits, via, source, text);
    if (via->has_oc)
        ahoy_edits_remove_oc(edits, via->params);
    if (!via->has_rport && !via->has_received)
        return;
    struct span rest = via->params;
    struct ahoy_param param;
    const char *before = rest.at;
    size_t rport = 0;
    for (; ahoy_param_next(&rest, &param, NULL); before = rest.at) {
        if (ahoy_span_equal_nocase(param.name, SPAN("received"))) {
            ahoy_edits_remove(edits, ahoy_span_between(before, rest.at));
        } else if (ahoy_span_equal_nocase(param.name, SPAN("rport"))) {
            if (rport == 0) {
                rport = text->size;
                ahoy_buf_put_byte(text, '=');
                ahoy_buf_put_number(text, source->port);
            }
            ahoy_edits_replace(edits, ahoy_span_between(ahoy_span_end(param.name), rest.at),
                               written_since(text, rport));
        }
    }
}
