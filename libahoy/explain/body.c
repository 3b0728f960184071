/* The body: whether its length is what Content-Length says (RFC 3261 18.3), and what it is. */
#include "libahoy/explain/parts.h"

#define TEXT(...) AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

static struct span number(struct ahoy_explainer *explainer, uint64_t value)
{
    return ahoy_remark_number(explainer->remarks, value);
}

/* Content-Length says |says|, |is| bytes of body are there. */
static void explain_short(struct ahoy_explainer *explainer, const struct ahoy_field *field,
                          uint64_t says, size_t is)
{
    struct ahoy_remark *remark = ahoy_explain_problem(
        explainer, true, field->value, SPAN("Content-Length"),
        TEXT(SPAN("Content-Length says "), number(explainer, says), SPAN(", but "),
             number(explainer, is), SPAN(" bytes of body follow")),
        SPAN("RFC 3261 18.3"));
    struct span wait = TEXT(SPAN("over TCP the receiver waits for "), number(explainer, says - is),
                            SPAN(" more bytes, takes what comes next for them, and closes the "
                                 "connection when none come"));
    remark->consequence =
        TEXT(SPAN("over UDP "), ahoy_explain_refusal(explainer, 400), SPAN(" (18.3); "), wait);
    remark->mend = TEXT(SPAN("write Content-Length: "), number(explainer, is),
                        SPAN(", or send the body that is missing: "), number(explainer, says),
                        SPAN(" bytes behind the empty line"));
    if (explainer->refusal == NULL) {
        explainer->refusal = explainer->fault.expected;
        explainer->status = 400;
    }
}

static void explain_long(struct ahoy_explainer *explainer, const struct ahoy_field *field,
                         size_t says, size_t is)
{
    struct ahoy_remark *remark =
        ahoy_explain_problem(explainer, false, field->value, SPAN("Content-Length"),
                             TEXT(SPAN("Content-Length says "), number(explainer, says),
                                  SPAN(", but "), number(explainer, is), SPAN(" bytes follow")),
                             SPAN("RFC 3261 18.3"));
    remark->consequence =
        TEXT(SPAN("over UDP the last "), number(explainer, is - says),
             SPAN(" bytes are dropped; over TCP they are taken for the next message, answered with "
                  "400, and the connection is closed"));
    remark->mend = TEXT(SPAN("write Content-Length: "), number(explainer, is),
                        SPAN(", or end the body there"));
}

static void explain_absent(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct span place = { message->bytes.at + message->headers_end, 0 };
    struct ahoy_remark *remark =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_NOTE, place, SPAN("Content-Length"));
    remark->text = SPAN("there is no Content-Length: over UDP the body is all the rest; over TCP "
                        "the message is answered with 400, for nobody could tell where it ends");
    remark->source = SPAN("RFC 3261 18.3");
}

static void check_length(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_CONTENT_LENGTH);
    uint64_t says;
    if (field == NULL) {
        explain_absent(explainer);
        return;
    }
    if (!ahoy_span_number(field->value, UINT32_MAX, &says))
        return;
    /* Empty lines behind a message are no part of it. */
    struct span rest = ahoy_span_between(message->body.at, ahoy_span_end(explainer->bytes));
    struct span surplus = rest;
    if (says <= rest.size)
        surplus = ahoy_span_trim(ahoy_span_after(rest, (size_t)says));
    if (says > rest.size)
        explain_short(explainer, field, says, rest.size);
    else if (surplus.size > 0)
        explain_long(explainer, field, (size_t)says, rest.size);
}

static void explain_type(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_CONTENT_TYPE);
    struct ahoy_value type;
    if (field == NULL) {
        struct ahoy_remark *remark = ahoy_explain_problem(
            explainer, false, ahoy_remark_quote(message->body), SPAN("body"),
            SPAN("there is a body, and no Content-Type says what it is"), SPAN("RFC 3261 20.15"));
        remark->consequence = SPAN("nobody knows how to read it; phones answer 415 or 400");
        remark->mend = SPAN("add a row such as Content-Type: application/sdp");
        return;
    }
    if (!ahoy_value_parse(AHOY_HEADER_CONTENT_TYPE, field->value, &type, NULL))
        return;
    struct ahoy_remark *line =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE, SPAN(""), SPAN("body"));
    line->text = TEXT(number(explainer, message->body.size), SPAN(" bytes of "), type.head);
    line->source = SPAN("RFC 3261 7.4");
    explainer->remarks->within = SPAN("body");
    ahoy_explain_content(explainer, type.text,
                         ahoy_message_value(message, AHOY_HEADER_CONTENT_ENCODING), message->body);
    explainer->remarks->within = SPAN("");
}

void ahoy_explain_body(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    if (explainer->is_excerpt || message->headers_end >= message->bytes.size)
        return;
    check_length(explainer);
    if (message->body.size > 0)
        explain_type(explainer);
}
