/* What is missing, and what does not go together (RFC 3261 8.1.1, 12.1.1, 20, and extensions). */
#include "libahoy/explain/parts.h"

#define TEXT(...) AHOY_REMARK_TEXT(explainer->remarks, __VA_ARGS__)

/* Which messages must have a header. */
enum who {
    ALL,
    REQUESTS,
    METHOD, /* Requests of that method. */
    STATUS, /* Responses of that status. */
    TAKEN   /* 2xx to requests of that method. */
};

/* |is_fault|: nobody can do without it; else some can. */
static const struct {
    enum ahoy_header header;
    enum who who;
    unsigned what;
    bool is_fault;
    struct span source;
    struct span consequence;
} needs[] = {
    { AHOY_HEADER_VIA, ALL, 0, true, SPAN_INIT("RFC 3261 8.1.1.7"), SPAN_INIT("") },
    { AHOY_HEADER_FROM, ALL, 0, true, SPAN_INIT("RFC 3261 8.1.1.3"), SPAN_INIT("") },
    { AHOY_HEADER_TO, ALL, 0, true, SPAN_INIT("RFC 3261 8.1.1.2"), SPAN_INIT("") },
    { AHOY_HEADER_CALL_ID, ALL, 0, true, SPAN_INIT("RFC 3261 8.1.1.4"), SPAN_INIT("") },
    { AHOY_HEADER_CSEQ, ALL, 0, true, SPAN_INIT("RFC 3261 8.1.1.5"), SPAN_INIT("") },
    { AHOY_HEADER_MAX_FORWARDS, REQUESTS, 0, false, SPAN_INIT("RFC 3261 8.1.1.6"),
      SPAN_INIT("a proxy takes it for RFC 2543 and adds 70 (RFC 3261 16.6)") },
    { AHOY_HEADER_CONTACT, METHOD, AHOY_METHOD_INVITE, false, SPAN_INIT("RFC 3261 8.1.1.8"),
      SPAN_INIT(
          "the callee cannot send requests within the call, such as BYE; phones answer 400") },
    { AHOY_HEADER_CONTACT, TAKEN, AHOY_METHOD_INVITE, false, SPAN_INIT("RFC 3261 12.1.1"),
      SPAN_INIT("the caller does not know where to send the ACK") },
    { AHOY_HEADER_CONTACT, METHOD, AHOY_METHOD_SUBSCRIBE, false, SPAN_INIT("RFC 6665 4.1.2.1"),
      SPAN_INIT("nobody knows where to send the NOTIFY") },
    { AHOY_HEADER_CONTACT, METHOD, AHOY_METHOD_REFER, false, SPAN_INIT("RFC 3515 2.2"),
      SPAN_INIT("nobody knows where to send the NOTIFY") },
    { AHOY_HEADER_EVENT, METHOD, AHOY_METHOD_SUBSCRIBE, false, SPAN_INIT("RFC 6665 4.1.2.1"),
      SPAN_INIT("whoever is asked answers 489 Bad Event") },
    { AHOY_HEADER_EVENT, METHOD, AHOY_METHOD_NOTIFY, false, SPAN_INIT("RFC 6665 4.2.2"),
      SPAN_INIT("the subscriber answers 489 Bad Event") },
    { AHOY_HEADER_EVENT, METHOD, AHOY_METHOD_PUBLISH, false, SPAN_INIT("RFC 3903 4"),
      SPAN_INIT("whoever is asked answers 489 Bad Event") },
    { AHOY_HEADER_SUBSCRIPTION_STATE, METHOD, AHOY_METHOD_NOTIFY, false,
      SPAN_INIT("RFC 6665 4.2.2"), SPAN_INIT("the subscriber answers 400 Bad Request") },
    { AHOY_HEADER_REFER_TO, METHOD, AHOY_METHOD_REFER, false, SPAN_INIT("RFC 3515 2.4.1"),
      SPAN_INIT("whoever is asked answers 400 Bad Request") },
    { AHOY_HEADER_RACK, METHOD, AHOY_METHOD_PRACK, false, SPAN_INIT("RFC 3262 4"),
      SPAN_INIT("the callee does not know which answer this confirms, and answers 481") },
    { AHOY_HEADER_WWW_AUTHENTICATE, STATUS, 401, false, SPAN_INIT("RFC 3261 21.4.2"),
      SPAN_INIT("the client cannot prove who it is, and gives up") },
    { AHOY_HEADER_PROXY_AUTHENTICATE, STATUS, 407, false, SPAN_INIT("RFC 3261 21.4.8"),
      SPAN_INIT("the client cannot prove who it is, and gives up") },
    { AHOY_HEADER_ALLOW, STATUS, 405, false, SPAN_INIT("RFC 3261 21.4.6"),
      SPAN_INIT("the client does not learn which methods would do") },
    { AHOY_HEADER_UNSUPPORTED, STATUS, 420, false, SPAN_INIT("RFC 3261 21.4.15"),
      SPAN_INIT("the client does not learn which extension to leave out") },
    { AHOY_HEADER_MIN_SE, STATUS, 422, false, SPAN_INIT("RFC 4028 6"),
      SPAN_INIT("the client does not learn which interval would do") },
    { AHOY_HEADER_MIN_EXPIRES, STATUS, 423, false, SPAN_INIT("RFC 3261 21.4.17"),
      SPAN_INIT("the client does not learn which interval would do") },
};

static bool is_taken(const struct ahoy_message *message, enum ahoy_method method)
{
    struct ahoy_cseq cseq;
    return message->status >= 200 && message->status < 300 &&
           ahoy_cseq_parse(ahoy_message_value(message, AHOY_HEADER_CSEQ), &cseq, NULL) &&
           cseq.method == method;
}

static bool is_asked(const struct ahoy_message *message, enum who who, unsigned what)
{
    switch (who) {
    case ALL:
        return true;
    case REQUESTS:
        return message->is_request;
    case METHOD:
        return message->is_request && message->method == what;
    case STATUS:
        return !message->is_request && message->status == what;
    case TAKEN:
        return !message->is_request && is_taken(message, (enum ahoy_method)what);
    }
    return false;
}

static void explain_missing(struct ahoy_explainer *explainer, size_t index)
{
    const struct ahoy_message *message = explainer->message;
    enum ahoy_header header = needs[index].header;
    struct span name = ahoy_header_name(header);
    struct span place = { message->bytes.at + message->headers_end, 0 };
    struct ahoy_remark *remark = ahoy_explain_problem(
        explainer, needs[index].is_fault, place, name,
        TEXT(SPAN("there is no "), name, SPAN(": "), ahoy_explain_header(header)),
        needs[index].source);
    remark->consequence =
        needs[index].is_fault ? ahoy_explain_refusal(explainer, 400) : needs[index].consequence;
    struct span example = ahoy_explain_example(header);
    remark->mend = example.size > 0 ? TEXT(SPAN("add a row such as "), example)
                                    : TEXT(SPAN("add a row "), name);
    if (needs[index].is_fault && explainer->refusal == NULL) {
        explainer->refusal = "a header that is missing";
        explainer->status = 400;
    }
}

/* R3261-8.1.1.3-1: a From without a tag is one of RFC 2543's; who knows better must write one. */
static void check_from_tag(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct ahoy_address from;
    struct ahoy_routing routing;
    struct span text = ahoy_message_value(message, AHOY_HEADER_FROM);
    if (!message->is_request || !ahoy_address_parse(text, &from, NULL) || from.tag.size > 0)
        return;
    (void)ahoy_message_routing(message, &routing, NULL); /* For the Via alone. */
    struct ahoy_err err;
    ahoy_fail(&err, 400, ahoy_span_end(from.text), "a tag in From");
    ahoy_explain_fault(explainer, &err, SPAN("From"),
                       routing.via_field != NULL && ahoy_via_has_cookie(&routing.via),
                       SPAN("RFC 3261 8.1.1.3"), ahoy_explain_example(AHOY_HEADER_FROM));
}

/* Whether the list |header| holds |word|. */
static bool holds(const struct ahoy_message *message, enum ahoy_header header, struct span word)
{
    struct ahoy_values values = ahoy_message_values(message, header);
    struct span item;
    while (ahoy_values_next(&values, &item, NULL)) {
        if (ahoy_span_equal_nocase(item, word))
            return true;
    }
    return false;
}

static bool read_interval(const struct ahoy_message *message, enum ahoy_header header,
                          struct ahoy_value *value)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    return field != NULL && ahoy_value_parse(header, field->value, value, NULL);
}

static void check_session(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct ahoy_value interval;
    struct ahoy_value least;
    if (!read_interval(message, AHOY_HEADER_SESSION_EXPIRES, &interval))
        return;
    if (read_interval(message, AHOY_HEADER_MIN_SE, &least) &&
        interval.as.number < least.as.number) {
        struct ahoy_remark *remark = ahoy_explain_problem(
            explainer, false, interval.head, SPAN("Session-Expires"),
            TEXT(SPAN("shorter than Min-SE, which is "), least.head), SPAN("RFC 4028 7.1"));
        remark->consequence = SPAN("answered with 422 Session Interval Too Small");
        remark->mend = TEXT(SPAN("write "), least.head, SPAN(" or more"));
    }
    if (message->is_request && !holds(message, AHOY_HEADER_SUPPORTED, SPAN("timer")) &&
        !holds(message, AHOY_HEADER_REQUIRE, SPAN("timer"))) {
        struct ahoy_remark *remark =
            ahoy_explain_problem(explainer, false, interval.head, SPAN("Session-Expires"),
                                 SPAN("Supported does not name timer"), SPAN("RFC 4028 7.1"));
        remark->consequence = SPAN("the callee does not make the caller refresh the session");
        remark->mend = SPAN("add timer to Supported");
    }
}

/* R3261-10.2.2-1: "*" removes all bindings, so it asks for Expires: 0. */
static void check_star(struct ahoy_explainer *explainer)
{
    const struct ahoy_message *message = explainer->message;
    struct span contact = ahoy_message_value(message, AHOY_HEADER_CONTACT);
    uint64_t seconds;
    if (!message->is_request || !ahoy_span_equal(contact, SPAN("*")))
        return;
    if (message->method == AHOY_METHOD_REGISTER &&
        ahoy_span_number(ahoy_message_value(message, AHOY_HEADER_EXPIRES), 0, &seconds))
        return;
    struct ahoy_remark *remark = ahoy_explain_problem(
        explainer, false, contact, SPAN("Contact"),
        SPAN("\"*\" stands without Expires: 0 in a REGISTER"), SPAN("RFC 3261 10.2.2"));
    remark->consequence = SPAN("a registrar answers 400 Bad Request and keeps the bindings");
    remark->mend = SPAN("add Expires: 0, or name the contact");
}

void ahoy_explain_whole(struct ahoy_explainer *explainer)
{
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        if (is_asked(explainer->message, needs[i].who, needs[i].what) &&
            ahoy_message_first(explainer->message, needs[i].header) == NULL &&
            !explainer->is_unreadable[needs[i].header])
            explain_missing(explainer, i);
    }
    check_from_tag(explainer);
    check_session(explainer);
    check_star(explainer);
}
