/* The start line: Request-Line and Status-Line (RFC 3261 7.1, 7.2). */
#include "libahoy/explain/parts.h"
#include "libahoy/syntax/status.h"

static void explain_request_uri(struct ahoy_explainer *explainer)
{
    struct span text = explainer->message->request_uri;
    struct ahoy_uri uri;
    struct ahoy_err err;
    ahoy_explain_part(explainer, SPAN("Request-URI"), text, SPAN("whom or what it is for"),
                      SPAN("RFC 3261 8.1.1.1"));
    if (!ahoy_uri_parse(text, &uri, &err)) {
        ahoy_explain_fault(explainer, &err, SPAN("Request-URI"), true, SPAN("RFC 3261 19.1.1"),
                           SPAN("sip:bob@biloxi.com"));
        return;
    }
    ahoy_explain_uri(explainer, &uri);
    if (uri.headers.size == 0)
        return;
    ahoy_fail(&err, 400, uri.headers.at, "no headers in a Request-URI");
    ahoy_explain_fault(explainer, &err, SPAN("Request-URI"), true, SPAN("RFC 3261 19.1.1"),
                       SPAN(""));
}

static void explain_request(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    ahoy_explain_word(explainer, SPAN("method"), message->method_text,
                      ahoy_method_meaning(message->method),
                      SPAN("a method that Ahoy does not know by name"));
    /* A fault within it was found before, and names it better. */
    if (explainer->fault.expected == NULL || explainer->fault.at < message->start_line.at ||
        explainer->fault.at >= ahoy_span_end(message->start_line))
        explain_request_uri(explainer);
}

static void explain_response(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct span line = ahoy_span_trim(message->start_line);
    struct span code = { line.at + ahoy_span_find(line, ' '), 0 };
    if (message->status == 0)
        return;
    code = (struct span){ code.at + 1, 3 };
    ahoy_explain_word(explainer, SPAN("status"), code, ahoy_status_meaning(message->status),
                      ahoy_status_reason(message->status));
    ahoy_explain_part(explainer, SPAN("reason"), message->reason,
                      SPAN("the same for people; programs look at the number only"),
                      SPAN("RFC 3261 7.2"));
}

void ahoy_explain_start_line(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    const struct ahoy_err *err = &explainer->fault;
    struct span start = message->start_line;
    bool is_response = ahoy_span_starts_nocase(start, SPAN("SIP/"));
    struct ahoy_remark *line =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_LINE, start, SPAN("start line"));
    line->text = message->is_request ? SPAN("a request")
                 : is_response       ? SPAN("a response")
                                     : SPAN("neither a request nor a response");
    line->source = is_response ? SPAN("RFC 3261 7.2") : SPAN("RFC 3261 7.1");
    struct span source = line->source;
    if (message->is_request)
        explain_request(explainer);
    else
        explain_response(explainer);
    if (err->expected != NULL && err->at >= start.at && err->at < ahoy_span_end(start))
        ahoy_explain_fault(explainer, err, SPAN("start line"), true, source,
                           is_response ? SPAN("SIP/2.0 200 OK")
                                       : SPAN("INVITE sip:bob@biloxi.com SIP/2.0"));
}
