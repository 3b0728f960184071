/* Lines of a trace (docs/trace.md): flat objects of JSON, which tell of a few rows each. */
#include "ahoy/explain.h"
#include "libahoy/syntax/scan.h"

/* Reads a string behind its quote, escapes and all; false where it does not end. */
static bool take_string(struct span *rest, struct span *text)
{
    if (rest->size == 0 || rest->at[0] != '"')
        return false;
    const char *end = ahoy_skip_quoted(rest->at, ahoy_span_end(*rest));
    if (end == NULL)
        return false;
    *text = ahoy_span_between(rest->at + 1, end - 1);
    *rest = ahoy_span_between(end, ahoy_span_end(*rest));
    return true;
}

/* Takes "name": value off |rest|, and the comma or brace behind it. */
static bool take_member(struct span *rest, struct span *name, struct span *value)
{
    *rest = ahoy_span_trim(*rest);
    if (!take_string(rest, name))
        return false;
    *rest = ahoy_span_trim(*rest);
    if (rest->size == 0 || rest->at[0] != ':')
        return false;
    *rest = ahoy_span_trim(ahoy_span_after(*rest, 1));
    if (!take_string(rest, value)) {
        const char *end = ahoy_skip(rest->at, ahoy_span_end(*rest), AHOY_TOKEN);
        *value = ahoy_span_between(rest->at, end);
        *rest = ahoy_span_between(end, ahoy_span_end(*rest));
    }
    *rest = ahoy_span_trim(*rest);
    if (rest->size == 0 || (rest->at[0] != ',' && rest->at[0] != '}'))
        return false;
    *rest = ahoy_span_after(*rest, 1);
    return true;
}

/* Puts |text| as it was before it was escaped; control bytes stay escapes, as a row has none. */
static void put_plain(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '\\' && i + 1 < text.size &&
            (text.at[i + 1] == '"' || text.at[i + 1] == '\\'))
            i++;
        ahoy_buf_put_byte(buf, text.at[i]);
    }
}

static void put_row(struct ahoy_buf *buf, struct span before, struct span value, struct span after)
{
    if (value.size == 0)
        return;
    ahoy_buf_put(buf, before);
    put_plain(buf, value);
    ahoy_buf_put(buf, after);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

/* What the members tell of the message itself. */
struct rows {
    struct span start, call_id, cseq, from;
};

static void note(struct explain_entry *entry, struct rows *rows, struct span name,
                 struct span value)
{
    const struct {
        struct span name;
        struct span *value;
    } members[] = {
        { SPAN("us"), &entry->us },
        { SPAN("dir"), &entry->dir },
        { SPAN("transport"), &entry->transport },
        { SPAN("local"), &entry->local },
        { SPAN("remote"), &entry->remote },
        { SPAN("size"), &entry->size },
        { SPAN("start"), &rows->start },
        { SPAN("call_id"), &rows->call_id },
        { SPAN("cseq"), &rows->cseq },
        { SPAN("from"), &rows->from },
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (ahoy_span_equal(members[i].name, name))
            *members[i].value = value;
    }
    if (ahoy_span_equal(name, SPAN("malformed")))
        entry->is_malformed = ahoy_span_equal(value, SPAN("true"));
}

static void read_entry(struct explain_entry *entry, struct span line)
{
    struct rows rows = { SPAN(""), SPAN(""), SPAN(""), SPAN("") };
    struct span rest = ahoy_span_trim(line);
    struct span name;
    struct span value;
    if (rest.size == 0 || rest.at[0] != '{')
        return;
    rest = ahoy_span_after(rest, 1);
    while (take_member(&rest, &name, &value))
        note(entry, &rows, name, value);
    if (rest.size > 0 || rows.start.size == 0)
        return;
    struct ahoy_buf buf = ahoy_buf_over(entry->space, sizeof entry->space);
    put_row(&buf, SPAN(""), rows.start, SPAN(""));
    put_row(&buf, SPAN("From: <sip:"), rows.from, SPAN(">"));
    put_row(&buf, SPAN("Call-ID: "), rows.call_id, SPAN(""));
    put_row(&buf, SPAN("CSeq: "), rows.cseq, SPAN(""));
    ahoy_buf_put(&buf, SPAN("\r\n"));
    entry->message = ahoy_buf_text(&buf);
}

bool explain_trace_next(struct span *rest, struct explain_entry *entry, struct span *line)
{
    do {
        if (rest->size == 0)
            return false;
        size_t size = ahoy_span_find(*rest, '\n');
        *line = (struct span){ rest->at, size };
        *rest = ahoy_span_after(*rest, size < rest->size ? size + 1 : size);
    } while (ahoy_span_trim(*line).size == 0);
    struct span none = SPAN("");
    entry->us = entry->dir = entry->transport = entry->local = entry->remote = entry->size = none;
    entry->is_malformed = false;
    entry->message = none;
    read_entry(entry, *line);
    return true;
}
