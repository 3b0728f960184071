/* A message: index, routing headers, all typed headers, its canonical spelling, the answer to it,
 * and those read again. */
#include "fuzz/target.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/syntax/print.h"

static struct ahoy_message message;
static struct ahoy_message answer;
static char space[3 * AHOY_MESSAGE_LIMIT];

static void check_inside(struct span part, struct span whole)
{
    MUST(part.at >= whole.at && ahoy_span_end(part) <= ahoy_span_end(whole));
}

static void check_index(struct span bytes)
{
    check_inside(message.bytes, bytes);
    check_inside(message.start_line, message.bytes);
    MUST(message.headers_end <= message.bytes.size);
    for (unsigned i = 0; i < message.field_count; i++) {
        const struct ahoy_field *field = &message.fields[i];
        check_inside(field->row, message.bytes);
        check_inside(field->name, field->row);
        check_inside(field->value, field->row);
    }
}

/* A sound request has a sound answer that belongs to it. */
static void check_answer(bool sound, const struct ahoy_routing *routing)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_ip source;
    MUST(ahoy_ip_parse(SPAN("2001:db8::1"), &source));
    source.port = 5060;
    struct ahoy_response response = { .status = 400, .to_tag = SPAN("t"), .received = &source };
    ahoy_compose_response(&buf, &message, &response);
    MUST(!buf.overflow);
    struct ahoy_err err;
    struct ahoy_routing back;
    bool parsed = ahoy_message_parse(ahoy_buf_text(&buf), &answer, &err);
    bool routed = ahoy_message_routing(&answer, &back, &err);
    if (!sound || buf.size > AHOY_MESSAGE_LIMIT)
        return;
    MUST(parsed && routed);
    MUST(ahoy_span_equal(back.call_id, routing->call_id));
    MUST(ahoy_span_equal(back.via.branch, routing->via.branch));
    MUST(ahoy_span_equal(back.via.sent_by, routing->via.sent_by));
    MUST(ahoy_span_equal(back.from_tag, routing->from_tag));
    MUST(back.to_tag.size > 0 && back.cseq.number == routing->cseq.number);
}

/* So has an ACK and a CANCEL of it. */
static void check_composed_requests(const struct ahoy_routing *routing)
{
    for (unsigned cancel = 0; cancel < 2; cancel++) {
        struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
        if (cancel)
            ahoy_compose_cancel(&buf, &message, SPAN(""));
        else
            ahoy_compose_ack(&buf, &message, &message);
        if (buf.size > AHOY_MESSAGE_LIMIT)
            continue;
        struct ahoy_err err;
        struct ahoy_routing back;
        MUST(ahoy_message_parse(ahoy_buf_text(&buf), &answer, &err));
        MUST(ahoy_message_routing(&answer, &back, &err));
        MUST(ahoy_span_equal(back.via.text, routing->via.text));
    }
}

/* Without its first Route, a message is as sound as before. */
static void check_edits(bool sound)
{
    struct ahoy_edits edits;
    struct span pieces[AHOY_PIECES_LIMIT];
    ahoy_edits_init(&edits, message.bytes);
    ahoy_edits_remove_first(&edits, &message, AHOY_HEADER_ROUTE);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    size_t count = ahoy_edits_gather(&edits, pieces);
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put(&buf, pieces[i]);
    struct ahoy_err err;
    bool parsed = ahoy_message_parse(ahoy_buf_text(&buf), &answer, &err);
    MUST(!sound || parsed);
}

/* What is printed has the same rows, and prints to itself.  Long rows may grow past their limit. */
static void check_print(void)
{
    static char twice[2 * AHOY_LINE_LIMIT];
    if (message.bytes.size > AHOY_LINE_LIMIT / 2 || message.field_count == AHOY_HEADERS_LIMIT)
        return;
    struct ahoy_buf first = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf second = ahoy_buf_over(twice, sizeof twice);
    ahoy_message_print(&message, &first);
    struct ahoy_err err;
    MUST(ahoy_message_parse(ahoy_buf_text(&first), &answer, &err));
    bool added = ahoy_message_first(&message, AHOY_HEADER_CONTENT_LENGTH) == NULL;
    MUST(answer.field_count == message.field_count + added);
    for (size_t i = 0; i < message.field_count; i++)
        MUST(answer.fields[i].header == message.fields[i].header);
    MUST(ahoy_span_equal(answer.body, message.body));
    ahoy_message_print(&answer, &second);
    MUST(!second.overflow && ahoy_span_equal(ahoy_buf_text(&first), ahoy_buf_text(&second)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = { (const char *)data, size };
    struct ahoy_err err = { .expected = NULL };
    struct ahoy_routing routing;
    bool parsed = ahoy_message_parse(bytes, &message, &err);
    MUST(parsed == (err.expected == NULL));
    check_index(bytes);
    bool routed = ahoy_message_routing(&message, &routing, &err);
    MUST((parsed && routed) || err.expected != NULL);
    MUST(ahoy_err_offset(&err, bytes) <= size);
    bool checked = ahoy_message_check(&message, NULL); /* Either is fine. */
    MUST(!parsed || !routed || ahoy_message_check_rest(&message, &routing, NULL, NULL) == checked);
    struct span call_id = ahoy_message_scan_call_id(bytes);
    if (parsed && routed)
        MUST(ahoy_span_equal(call_id, routing.call_id));
    check_edits(parsed);
    if (parsed)
        check_print();
    if (!message.is_request)
        return 0;
    check_answer(parsed && routed, &routing);
    if (parsed && routed)
        check_composed_requests(&routing);
    return 0;
}
