/* Values that can be read and are odd all the same. */
#include "libahoy/explain/parts.h"
#include "libahoy/syntax/option_tag.h"
#include "libahoy/syntax/params.h"

enum {
    HOPS_MAX = 255,    /* RFC 3261 20.22. */
    SESSION_MIN_S = 90 /* RFC 4028 4, 5. */
};

static struct ahoy_remark *warn(struct ahoy_explainer *explainer, struct span where,
                                struct span subject, struct span text, struct span source)
{
    return ahoy_explain_problem(explainer, false, where, subject, text, source);
}

static void note(struct ahoy_explainer *explainer, struct span where, struct span subject,
                 struct span text, struct span source)
{
    struct ahoy_remark *remark =
        ahoy_remark_add(explainer->remarks, AHOY_REMARK_NOTE, where, subject);
    remark->text = text;
    remark->source = source;
}

static void check_via(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    const struct ahoy_via *via = &value->as.via;
    if (ahoy_via_has_cookie(via))
        return;
    struct ahoy_remark *remark =
        warn(explainer, via->branch.size > 0 ? via->branch : via->text, SPAN("Via"),
             via->branch.size > 0 ? SPAN("the branch does not begin with z9hG4bK, so it counts as "
                                         "made by an element of RFC 2543")
                                  : SPAN("there is no branch"),
             SPAN("RFC 3261 8.1.1.7"));
    remark->consequence = SPAN("the transaction is told by Request-URI, tags, Call-ID and CSeq, "
                               "which fails where two branches of a fork meet (RFC 3261 17.2.3)");
    remark->mend = SPAN("write a branch of z9hG4bK and something unique: branch=z9hG4bK776asdhds");
}

static void check_cseq(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    const struct ahoy_message *message = explainer->message;
    struct span method = value->as.cseq.method_text;
    if (!message->is_request || message->method_text.size == 0 ||
        ahoy_span_equal(method, message->method_text))
        return;
    struct ahoy_err err;
    ahoy_fail(&err, 400, method.at, "the request's method");
    ahoy_explain_fault(explainer, &err, SPAN("CSeq"), true, SPAN("RFC 3261 8.1.1.5"),
                       message->method_text);
}

static void check_max_forwards(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    if (value->as.number > HOPS_MAX) {
        struct ahoy_err err;
        ahoy_fail(&err, 400, value->text.at, "a number of hops up to 255");
        ahoy_explain_fault(explainer, &err, SPAN("Max-Forwards"), true, SPAN("RFC 3261 20.22"),
                           ahoy_explain_example(AHOY_HEADER_MAX_FORWARDS));
    } else if (value->as.number == 0) {
        struct ahoy_remark *remark = warn(explainer, value->text, SPAN("Max-Forwards"),
                                          SPAN("no hop is left"), SPAN("RFC 3261 16.3"));
        remark->consequence = SPAN("a proxy answers 483 Too Many Hops instead of passing it on; "
                                   "only whoever it is for takes it");
        remark->mend = SPAN("write Max-Forwards: 70");
    }
}

static void check_contact(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    struct span expires;
    uint64_t seconds;
    if (!ahoy_value_param(value, SPAN("expires"), &expires) ||
        ahoy_span_number(expires, UINT32_MAX, &seconds))
        return;
    struct ahoy_remark *remark =
        warn(explainer, expires, SPAN("Contact"), SPAN("expires is no number of seconds"),
             SPAN("RFC 3261 10.2.1.1"));
    remark->consequence = SPAN("a registrar takes it for 3600");
    remark->mend = SPAN("write a number: expires=3600");
}

static void check_route(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    struct span lr;
    if (ahoy_uri_param(&value->as.address.uri, SPAN("lr"), &lr))
        return;
    note(explainer, value->text, ahoy_header_name(value->header),
         SPAN("without ;lr this is a strict router of RFC 2543: the Request-URI is put last in the "
              "Route, and this one in its place"),
         SPAN("RFC 3261 16.6"));
}

static void check_option(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    if (ahoy_option_tag(value->head) == NULL)
        note(explainer, value->head, ahoy_header_name(value->header),
             SPAN("whoever does not know this extension answers 420 Bad Extension"),
             SPAN("RFC 3261 8.2.2.3"));
}

static void check_session(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    if (value->as.number >= SESSION_MIN_S)
        return;
    struct ahoy_remark *remark =
        warn(explainer, value->head, ahoy_header_name(value->header), SPAN("less than 90 seconds"),
             ahoy_header_source(value->header));
    remark->consequence = SPAN("whoever minds the load of refreshing answers 422 Session Interval "
                               "Too Small");
    remark->mend = SPAN("write 90 or more; 1800 is usual");
}

static const struct {
    enum ahoy_header header;
    void (*check)(struct ahoy_explainer *explainer, const struct ahoy_value *value);
} checks[] = {
    { AHOY_HEADER_VIA, check_via },
    { AHOY_HEADER_CSEQ, check_cseq },
    { AHOY_HEADER_MAX_FORWARDS, check_max_forwards },
    { AHOY_HEADER_CONTACT, check_contact },
    { AHOY_HEADER_ROUTE, check_route },
    { AHOY_HEADER_RECORD_ROUTE, check_route },
    { AHOY_HEADER_REQUIRE, check_option },
    { AHOY_HEADER_PROXY_REQUIRE, check_option },
    { AHOY_HEADER_SESSION_EXPIRES, check_session },
    { AHOY_HEADER_MIN_SE, check_session },
};

void ahoy_explain_oddities(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].header == value->header)
            checks[i].check(explainer, value);
    }
}
