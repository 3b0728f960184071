/* Via values, as they come and after we have marked them. */
#include "fuzz/target.h"
#include "libahoy/syntax/oc.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/received.h"

/* Marks |via| with |source|; where it was sound it stays so and says who sent it. */
static void check_marks(struct span text, const struct ahoy_via *via, bool sound,
                        const struct ahoy_ip *source)
{
    static char joined[1 << 21];
    char space[64];
    struct ahoy_buf marks = ahoy_buf_over(space, sizeof space);
    struct ahoy_edits edits;
    ahoy_edits_init(&edits, text);
    ahoy_edits_mark_via(&edits, via, source, &marks);
    MUST(!marks.overflow);
    struct span pieces[AHOY_PIECES_LIMIT];
    size_t count = ahoy_edits_gather(&edits, pieces);
    struct ahoy_buf buf = ahoy_buf_over(joined, sizeof joined);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&buf, pieces[i]);
    struct ahoy_via back;
    struct ahoy_err err;
    if (!sound || edits.overflow)
        return;
    MUST(ahoy_via_parse(ahoy_buf_text(&buf), &back, &err));
    MUST(ahoy_span_equal(back.branch, via->branch) && ahoy_span_equal(back.host, via->host));
    MUST(back.has_rport == via->has_rport);
    MUST(!back.has_oc);
    MUST(!back.has_rport || (back.rport == source->port && back.received.size > 0));
    struct ahoy_ip ip;
    MUST(back.received.size == 0 || ahoy_ip_parse(back.received, &ip));
}

/* What is said of overload can be told again, as an answer; and is nothing where "oc" is not. */
static void check_oc(const struct ahoy_via *via)
{
    struct ahoy_oc oc, back;
    if (!ahoy_oc_parse(via->params, &oc))
        return;
    MUST(via->has_oc && ahoy_oc_may_be_in(via->params) && oc.loss <= 100);
    char space[AHOY_OC_TEXT_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_oc_print(&buf, oc.loss, oc.validity_ms, oc.seq / 100);
    MUST(!buf.overflow && ahoy_oc_parse(ahoy_buf_text(&buf), &back));
    MUST(back.loss == oc.loss && back.validity_ms == oc.validity_ms && back.is_loss);
    MUST(back.seq == oc.seq / 100 * 100);
}

/* The first of a list is the same, read in place or not. */
static void check_first(struct span list)
{
    struct ahoy_via first, via;
    struct span rest = list;
    struct span item;
    bool sound = ahoy_list_next(&rest, &item, NULL) && ahoy_via_parse(item, &via, NULL);
    MUST(ahoy_via_first(list, &first) == sound);
    if (!sound)
        return;
    MUST(ahoy_span_equal(ahoy_span_trim(first.text), item));
    MUST(ahoy_span_equal(first.sent_by, via.sent_by) && ahoy_span_equal(first.params, via.params));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = { (const char *)data, size };
    struct ahoy_via via;
    struct ahoy_err err = { .expected = NULL };
    bool sound = ahoy_via_parse(text, &via, &err);
    MUST(sound == (err.expected == NULL));
    MUST(!sound || via.sent_by.size > 0);
    check_first(text);
    if (sound)
        check_oc(&via);
    (void)ahoy_via_has_cookie(&via); /* Either is fine. */
    struct span name = ahoy_transport_uri_name(via.transport);
    MUST(ahoy_transport_parse(name) == via.transport);
    struct ahoy_ip source;
    MUST(ahoy_ip_parse(SPAN("192.0.2.1"), &source));
    source.port = 5060;
    if (via.sent_by.size > 0)
        check_marks(text, &via, sound, &source);
    return 0;
}
