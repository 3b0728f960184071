/* What it comes to: who sent this, what it asks, and how a server would answer. */
#include "libahoy/explain/parts.h"
#include "libahoy/syntax/option_tag.h"
#include "libahoy/syntax/status.h"

#define TEXT(...) AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

static void conclude(struct ahoy_explainer *explainer, struct span subject, struct span text)
{
    ahoy_remark_add(explainer->remarks, AHOY_REMARK_VERDICT, SPAN(""), subject)->text = text;
}

/* "user@host" of an address header, or its text where it is no SIP URI; "nobody" without one. */
static struct span who(struct ahoy_explainer *explainer, enum ahoy_header header)
{
    struct ahoy_address address;
    struct span text = ahoy_message_value(explainer->message, header);
    if (!ahoy_address_parse(text, &address, NULL))
        return text.size == 0 ? SPAN("nobody") : SPAN("somebody who cannot be read");
    const struct ahoy_uri *uri = &address.uri;
    if (uri->scheme == AHOY_SCHEME_OTHER)
        return uri->text;
    return uri->has_user ? TEXT(uri->user, SPAN("@"), uri->host) : uri->host;
}

/* Who sent it: of a response, whoever was asked. */
static void conclude_sender(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct ahoy_routing routing;
    (void)ahoy_message_routing(message, &routing, NULL); /* For the Via alone. */
    struct span sender = who(explainer, message->is_request ? AHOY_HEADER_FROM : AHOY_HEADER_TO);
    if (routing.via_field == NULL)
        conclude(explainer, SPAN("sender"), TEXT(sender, SPAN(", and no Via says from where")));
    else if (message->is_request)
        conclude(explainer, SPAN("sender"),
                 TEXT(sender, SPAN(", from "), routing.via.sent_by, SPAN(" by "),
                      ahoy_transport_name(routing.via.transport)));
    else
        conclude(explainer, SPAN("sender"),
                 TEXT(sender, SPAN(", for "), who(explainer, AHOY_HEADER_FROM), SPAN(" at "),
                      routing.via.sent_by));
}

static void conclude_request(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    const struct ahoy_meaning *meaning = ahoy_method_meaning(message->method);
    struct ahoy_address to;
    bool is_within = ahoy_address_parse(ahoy_message_value(message, AHOY_HEADER_TO), &to, NULL) &&
                     to.tag.size > 0;
    conclude(explainer, SPAN("asks"),
             TEXT(message->method_text, SPAN(" "),
                  meaning != NULL ? meaning->text : SPAN("is a method that Ahoy does not know"),
                  is_within ? SPAN("; within a dialog") : SPAN("; outside of a dialog"),
                  SPAN("; for "), message->request_uri));
}

static void conclude_response(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    const struct ahoy_meaning *meaning = ahoy_status_meaning(message->status);
    struct ahoy_cseq cseq;
    bool is_known = ahoy_cseq_parse(ahoy_message_value(message, AHOY_HEADER_CSEQ), &cseq, NULL);
    conclude(explainer, SPAN("says"),
             TEXT(is_known ? cseq.method_text : SPAN("a request"), SPAN(" is answered: "),
                  meaning != NULL ? meaning->text : ahoy_status_reason(message->status)));
}

/* Which of the headers that 8.1.1 asks of every request are not there. */
static void conclude_missing(struct ahoy_explainer *explainer)
{
    static const enum ahoy_header mandatory[] = { AHOY_HEADER_TO,           AHOY_HEADER_FROM,
                                                  AHOY_HEADER_CSEQ,         AHOY_HEADER_CALL_ID,
                                                  AHOY_HEADER_MAX_FORWARDS, AHOY_HEADER_VIA };
    const struct ahoy_message *message = explainer->message;
    struct span missing = SPAN("");
    for (size_t i = 0; i < sizeof mandatory / sizeof mandatory[0]; i++) {
        if (ahoy_message_first(message, mandatory[i]) != NULL ||
            (mandatory[i] == AHOY_HEADER_MAX_FORWARDS && !message->is_request))
            continue;
        missing =
            TEXT(missing, missing.size > 0 ? SPAN(", ") : SPAN(""), ahoy_header_name(mandatory[i]));
    }
    conclude(explainer, SPAN("missing"),
             missing.size > 0 ? missing : SPAN("nothing that RFC 3261 8.1.1 asks for"));
}

/* What a server does with sound requests. */
static const struct {
    enum ahoy_method method;
    struct span answer;
} answers[] = {
    { AHOY_METHOD_INVITE, SPAN_INIT("a proxy answers 100 Trying and passes it on; the callee's "
                                    "phone answers 180 Ringing, then 200 OK") },
    { AHOY_METHOD_ACK, SPAN_INIT("an ACK is never answered") },
    { AHOY_METHOD_CANCEL, SPAN_INIT("200 OK, and 487 Request Terminated to the request that it "
                                    "calls back; 481 where there is none") },
    { AHOY_METHOD_REGISTER, SPAN_INIT("a registrar asks for a password first, with 401, then "
                                      "answers 200 OK with all bindings") },
    { AHOY_METHOD_SUBSCRIBE, SPAN_INIT("200 OK, and a NOTIFY at once; 489 where nobody knows the "
                                       "event package") },
    { AHOY_METHOD_REFER, SPAN_INIT("202 Accepted, and a NOTIFY about how it is getting on") },
    { AHOY_METHOD_PUBLISH, SPAN_INIT("200 OK with a SIP-ETag") },
    { AHOY_METHOD_OTHER, SPAN_INIT("a proxy passes it on; whoever it is for answers 501 Not "
                                   "Implemented, or 405, if he does not know it") },
};

static struct span answer_of(enum ahoy_method method)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].method == method)
            return answers[i].answer;
    }
    return SPAN("200 OK from whoever it is for; 481 where it belongs to a dialog that he does not "
                "know");
}

/* The first option that is required and not registered; empty without one. */
static struct span strange_option(const struct ahoy_message *message)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_REQUIRE);
    struct span item;
    while (ahoy_values_next(&values, &item, NULL)) {
        if (ahoy_option_tag(item) == NULL)
            return item;
    }
    return SPAN("");
}

static struct span answer(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    uint64_t hops;
    if (explainer->refusal != NULL)
        return TEXT(ahoy_explain_refusal(explainer, explainer->status), SPAN(": expected "),
                    ahoy_span(explainer->refusal));
    if (!message->is_request)
        return SPAN("a response is never answered; it goes back along the Via rows");
    struct span option = strange_option(message);
    if (option.size > 0)
        return TEXT(SPAN("420 Bad Extension, with Unsupported: "), option);
    if (ahoy_span_number(ahoy_message_value(message, AHOY_HEADER_MAX_FORWARDS), 0, &hops))
        return SPAN("483 Too Many Hops from a proxy; whoever it is for answers as usual");
    return answer_of(message->method);
}

void ahoy_explain_verdict(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    if (!explainer->is_excerpt)
        conclude_sender(explainer);
    if (message->is_request)
        conclude_request(explainer);
    else if (message->status != 0)
        conclude_response(explainer);
    if (explainer->is_excerpt)
        return;
    conclude_missing(explainer);
    conclude(explainer, SPAN("answer"), answer(explainer));
}
