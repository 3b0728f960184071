/* The order in which a message is explained, and what all parts say alike. */
#include "libahoy/explain/explain.h"

#include "libahoy/explain/parts.h"
#include "libahoy/syntax/status.h"

#define TEXT(...) AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

void ahoy_explain_part(struct ahoy_explainer *explainer, struct span subject, struct span where,
                       struct span meaning, struct span source)
{
    if (where.size == 0)
        return;
    struct ahoy_remark *remark =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_PART, where, TEXT(subject));
    remark->text = meaning;
    remark->source = source;
}

void ahoy_explain_word(struct ahoy_explainer *explainer, struct span subject, struct span where,
                       const struct ahoy_meaning *meaning, struct span unknown)
{
    if (meaning != NULL)
        ahoy_explain_part(explainer, subject, where, meaning->text, meaning->source);
    else
        ahoy_explain_part(explainer, subject, where, unknown, SPAN(""));
}

struct span ahoy_explain_refusal(struct ahoy_explainer *explainer, unsigned status)
{
    const struct ahoy_message *message = explainer->message;
    struct ahoy_routing routing;
    if (!message->is_request)
        return SPAN("whoever receives this drops it, as if no answer had come (RFC 3261 18.1.2)");
    if (message->method == AHOY_METHOD_ACK)
        return SPAN("a server drops it: an ACK is never answered (RFC 3261 17)");
    (void)ahoy_message_routing(message, &routing, NULL); /* Only where an answer would go. */
    if (routing.via_field == NULL)
        return SPAN("a server drops it: without a Via that can be read, no answer finds its way "
                    "back (RFC 3261 18.2.2)");
    return TEXT(SPAN("a server answers this with "), ahoy_remark_number(explainer->remarks, status),
                SPAN(" "), ahoy_status_reason(status));
}

struct span ahoy_explain_body_refusal(void)
{
    return SPAN("a proxy passes the body on; whoever reads it answers 400, or makes nothing of it");
}

/* What the verdict calls the reason. */
static void note_refusal(struct ahoy_explainer *explainer, const struct ahoy_err *err)
{
    if (explainer->refusal != NULL)
        return;
    explainer->refusal = err->expected;
    explainer->status = err->status;
}

/* What stands at |at|, or that nothing does. */
static struct span found(struct ahoy_explainer *explainer, const char *at)
{
    const char *end = ahoy_span_end(explainer->bytes);
    if (at == NULL || at < explainer->bytes.at || at >= end)
        return SPAN("the end");
    if (*at == '\r' || *at == '\n')
        return SPAN("the end of the line");
    struct span quote = ahoy_remark_quote(ahoy_span_between(at, end));
    return TEXT(SPAN("\""), quote, SPAN("\""));
}

struct ahoy_remark *ahoy_explain_problem(struct ahoy_explainer *explainer, bool is_fault,
                                         struct span where, struct span subject, struct span text,
                                         struct span source)
{
    enum ahoy_remark_kind kind = is_fault ? AHOY_REMARK_FAULT : AHOY_REMARK_WARNING;
    struct ahoy_remark *remark = ahoy_remark_add(explainer->remarks, kind, where, subject);
    remark->text = text;
    remark->source = source;
    return remark;
}

struct ahoy_remark *ahoy_explain_fault(struct ahoy_explainer *explainer, const struct ahoy_err *err,
                                       struct span subject, bool is_needed, struct span source,
                                       struct span example)
{
    bool is_within = explainer->depth > 0; /* Of a body, which servers do not read. */
    bool is_fault = is_needed && !is_within;
    size_t offset = ahoy_err_offset(err, explainer->bytes);
    struct span where = ahoy_remark_quote(ahoy_span_after(explainer->bytes, offset));
    struct span expected = ahoy_span(err->expected);
    struct span text =
        TEXT(SPAN("expected "), expected, SPAN(", found "), found(explainer, err->at));
    struct ahoy_remark *remark =
        ahoy_explain_problem(explainer, is_fault, where, subject, text, source);
    if (is_within)
        remark->consequence = ahoy_explain_body_refusal();
    else if (is_fault)
        remark->consequence = ahoy_explain_refusal(explainer, err->status);
    else
        remark->consequence = SPAN("whoever does not need this row passes over it (RFC 3261 "
                                   "8.2.2); whoever does answers 400");
    remark->mend = example.size == 0 ? TEXT(SPAN("write "), expected)
                                     : TEXT(SPAN("write "), expected, SPAN(", as in: "), example);
    if (is_fault)
        note_refusal(explainer, err);
    return remark;
}

/* Whether some fault was said at |at| already; within a body, where it is a warning. */
static bool is_said(const struct ahoy_explainer *explainer, const char *at)
{
    enum ahoy_remark_kind kind = explainer->depth > 0 ? AHOY_REMARK_WARNING : AHOY_REMARK_FAULT;
    for (size_t i = 0; i < explainer->remarks->count; i++) {
        const struct ahoy_remark *remark = &explainer->remarks->list[i];
        if (remark->kind == kind && remark->where.at == at)
            return true;
    }
    return false;
}

void ahoy_explain_unsaid(struct ahoy_explainer *explainer, struct span subject, struct span source)
{
    const struct ahoy_err *err = &explainer->fault;
    if (err->expected != NULL && !is_said(explainer, err->at))
        ahoy_explain_fault(explainer, err, subject, true, source, SPAN(""));
}

/* Faults that the parsers find and no part has said: what they refuse is said in any case. */
static void explain_rest(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct ahoy_err err;
    struct ahoy_routing routing;
    ahoy_explain_unsaid(explainer, SPAN("message"), SPAN("RFC 3261 7"));
    if (explainer->is_excerpt || explainer->remarks->counts[AHOY_REMARK_FAULT] > 0)
        return;
    if (!ahoy_message_routing(message, &routing, &err) || !ahoy_message_check(message, &err))
        ahoy_explain_fault(explainer, &err, SPAN("message"), true, SPAN("RFC 3261 8"), SPAN(""));
}

/* Bytes between two rows are a row that could not be read, of which the index holds nothing. */
static void explain_gap(struct ahoy_explainer *explainer, struct span gap)
{
    while (gap.size > 0) {
        size_t size = ahoy_span_find(gap, '\n');
        size += size < gap.size;
        struct span row = { gap.at, size };
        gap = ahoy_span_after(gap, size);
        struct ahoy_err err = explainer->fault;
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE, row, SPAN(""));
        const char *last = ahoy_span_end(row) - (row.at[size - 1] == '\n');
        bool is_first = err.expected != NULL && err.at >= row.at && err.at <= last;
        struct span name = ahoy_span_trim((struct span){ row.at, ahoy_span_find(row, ':') });
        enum ahoy_header header = ahoy_header_parse(name);
        explainer->is_unreadable[header] = true;
        if (!is_first && header != AHOY_HEADER_OTHER &&
            ahoy_message_first(explainer->message, header) != NULL)
            ahoy_fail(&err, 400, row.at, "this header only once");
        else if (!is_first)
            ahoy_fail(&err, 400, row.at, "a name, \":\" and a value without control bytes");
        ahoy_explain_fault(explainer, &err, ahoy_header_name(header), true, SPAN("RFC 3261 7.3.1"),
                           SPAN(""));
    }
}

void ahoy_explain_rows(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    const char *at = ahoy_span_end(message->start_line);
    for (unsigned i = 0; i < message->field_count; i++) {
        const struct ahoy_field *field = &message->fields[i];
        explain_gap(explainer, ahoy_span_between(at, field->row.at));
        ahoy_explain_row(explainer, field);
        at = ahoy_span_end(field->row);
    }
    explain_gap(explainer, ahoy_span_between(at, message->bytes.at + message->headers_end));
}

void ahoy_explain(struct span bytes, bool is_excerpt, struct ahoy_explanation *explanation)
{
    if (bytes.at == NULL)
        bytes = SPAN("");
    struct ahoy_explainer explainer = { .message = &explanation->message,
                                        .inner = &explanation->inner,
                                        .remarks = &explanation->remarks,
                                        .bytes = bytes,
                                        .is_excerpt = is_excerpt };
    ahoy_remarks_clear(&explanation->remarks);
    if (ahoy_message_parse(bytes, &explanation->message, &explainer.fault))
        explainer.fault.expected = NULL;
    ahoy_explain_start_line(&explainer);
    ahoy_explain_rows(&explainer);
    ahoy_explain_body(&explainer);
    if (!is_excerpt)
        ahoy_explain_whole(&explainer);
    explain_rest(&explainer);
    ahoy_explain_verdict(&explainer);
}
