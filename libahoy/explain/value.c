/* The parts of one value of a header field, by its form. */
#include "libahoy/explain/parts.h"
#include "libahoy/syntax/event_package.h"
#include "libahoy/syntax/option_tag.h"
#include "libahoy/syntax/param_rule.h"
#include "libahoy/syntax/params.h"

typedef void explainer_of_form(struct ahoy_explainer *explainer, const struct ahoy_value *value);

/* From a name to the end of its value. */
static struct span whole(const struct ahoy_param *param)
{
    struct span end = param->has_value ? param->value : param->name;
    return ahoy_span_between(param->name.at, ahoy_span_end(end));
}

static void explain_param(struct ahoy_explainer *explainer, enum ahoy_header header,
                          const struct ahoy_param *param)
{
    const struct ahoy_param_rule *rule = ahoy_param_rule(header, param->name);
    if (rule != NULL)
        ahoy_explain_part(explainer, param->name, whole(param), rule->meaning, rule->source);
    else
        ahoy_explain_part(explainer, param->name, whole(param),
                          SPAN("a parameter that Ahoy does not know; it is kept as it is"),
                          SPAN("RFC 3261 7.3.1"));
}

static void explain_params(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    struct span rest = value->params;
    struct ahoy_param param;
    while (ahoy_param_next(&rest, &param, NULL))
        explain_param(explainer, value->header, &param);
}

static void explain_via(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    const struct ahoy_via *via = &value->as.via;
    struct span protocol = ahoy_span_trim(ahoy_span_between(value->text.at, via->sent_by.at));
    ahoy_explain_part(explainer, SPAN("transport"), protocol,
                      SPAN("the protocol and the transport by which it was sent"),
                      SPAN("RFC 3261 20.42"));
    ahoy_explain_part(explainer, SPAN("sent-by"), via->sent_by,
                      SPAN("who sent it, and where an answer goes if nothing better is known"),
                      SPAN("RFC 3261 18.1.1"));
}

static void explain_address(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    const struct ahoy_address *address = &value->as.address;
    if (value->is_star) {
        ahoy_explain_part(explainer, SPAN("*"), value->text, SPAN("all bindings at once"),
                          SPAN("RFC 3261 10.2.2"));
        return;
    }
    ahoy_explain_part(explainer, SPAN("name"), address->display,
                      SPAN("the name to show; nobody checks it"), SPAN("RFC 3261 20.10"));
    ahoy_explain_uri(explainer, &address->uri);
}

static void explain_cseq(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    struct span number = { value->text.at, ahoy_span_find(value->text, ' ') };
    ahoy_explain_part(explainer, SPAN("number"), number,
                      SPAN("rises by one with each new request of a dialog"),
                      SPAN("RFC 3261 12.2.1.1"));
    ahoy_explain_word(explainer, SPAN("method"), value->as.cseq.method_text,
                      ahoy_method_meaning(value->as.cseq.method), SPAN("a method"));
}

static void explain_interval(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    ahoy_explain_part(explainer, SPAN("comment"), value->comment, SPAN("for people"), SPAN(""));
}

static void explain_pairs(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    struct span rest = value->text;
    struct ahoy_param pair;
    if (value->form == AHOY_FORM_CHALLENGE) {
        const struct ahoy_challenge *challenge = &value->as.challenge;
        ahoy_explain_part(explainer, SPAN("scheme"), challenge->scheme,
                          challenge->is_digest ? SPAN("the password is proved, not sent")
                                               : SPAN("another way of authentication than Digest"),
                          challenge->is_digest ? SPAN("RFC 7616 3") : SPAN("RFC 3261 22"));
        if (!challenge->is_digest)
            return;
        rest = ahoy_span_trim(ahoy_span_after(rest, challenge->scheme.size));
    }
    while (ahoy_pair_next(&rest, &pair, NULL))
        explain_param(explainer, value->header, &pair);
}

/* Tokens with a meaning of their own. */
static void explain_token(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    struct span word = value->head;
    switch (value->header) {
    case AHOY_HEADER_REQUIRE:
    case AHOY_HEADER_PROXY_REQUIRE:
    case AHOY_HEADER_SUPPORTED:
    case AHOY_HEADER_UNSUPPORTED:
        ahoy_explain_word(explainer, SPAN("option"), word, ahoy_option_tag(word),
                          SPAN("an extension that is not registered"));
        return;
    case AHOY_HEADER_ALLOW:
        ahoy_explain_word(explainer, SPAN("method"), word,
                          ahoy_method_meaning(ahoy_method_parse(word)),
                          SPAN("a method that Ahoy does not know by name"));
        return;
    case AHOY_HEADER_EVENT:
    case AHOY_HEADER_ALLOW_EVENTS:
        ahoy_explain_word(explainer, SPAN("package"), word, ahoy_event_package(word),
                          SPAN("an event package that is not registered"));
        return;
    case AHOY_HEADER_CONTENT_DISPOSITION:
        ahoy_explain_word(explainer, SPAN("disposition"), word, ahoy_explain_disposition(word),
                          SPAN("a disposition that Ahoy does not know"));
        return;
    case AHOY_HEADER_PRIVACY: {
        struct ahoy_param param = { .name = word, .value = word, .has_value = false };
        explain_param(explainer, value->header, &param);
        return;
    }
    default:
        return;
    }
}

static void explain_media(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    ahoy_explain_word(explainer, SPAN("type"), value->head, ahoy_explain_media(value->head),
                      SPAN("a media type that Ahoy does not know"));
}

static void explain_uri(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    ahoy_explain_uri(explainer, &value->as.uri);
}

/* A form that is not here is explained by its header. */
static explainer_of_form *const forms[AHOY_FORM_COUNT] = {
    [AHOY_FORM_TOKEN] = explain_token,       [AHOY_FORM_ITEM] = explain_token,
    [AHOY_FORM_INTERVAL] = explain_interval, [AHOY_FORM_ADDRESS] = explain_address,
    [AHOY_FORM_ROUTE] = explain_address,     [AHOY_FORM_VIA] = explain_via,
    [AHOY_FORM_CSEQ] = explain_cseq,         [AHOY_FORM_CHALLENGE] = explain_pairs,
    [AHOY_FORM_PAIRS] = explain_pairs,       [AHOY_FORM_MEDIA] = explain_media,
    [AHOY_FORM_URI] = explain_uri,
};

void ahoy_explain_value(struct ahoy_explainer *explainer, const struct ahoy_value *value)
{
    if (forms[value->form] != NULL)
        forms[value->form](explainer, value);
    explain_params(explainer, value);
}
