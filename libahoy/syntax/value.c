/* The values of all header fields: the table of forms (RFC 3261 20, 25.1). */
#include "libahoy/syntax/value.h"

#include "libahoy/syntax/param_rule.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

static const struct {
    ahoy_value_parser *parse;
    ahoy_value_printer *print;
} forms[AHOY_FORM_COUNT] = {
    [AHOY_FORM_TEXT] = { ahoy_value_parse_text, ahoy_value_print_text },
    [AHOY_FORM_TOKEN] = { ahoy_value_parse_token, ahoy_value_print_word },
    [AHOY_FORM_ITEM] = { ahoy_value_parse_item, ahoy_value_print_word },
    [AHOY_FORM_NUMBER] = { ahoy_value_parse_number, ahoy_value_print_number },
    [AHOY_FORM_INTERVAL] = { ahoy_value_parse_interval, ahoy_value_print_interval },
    [AHOY_FORM_CALL_ID] = { ahoy_value_parse_call_id, ahoy_value_print_word },
    [AHOY_FORM_DIALOG] = { ahoy_value_parse_dialog, ahoy_value_print_word },
    [AHOY_FORM_ADDRESS] = { ahoy_value_parse_address, ahoy_value_print_address },
    [AHOY_FORM_ROUTE] = { ahoy_value_parse_route, ahoy_value_print_address },
    [AHOY_FORM_VIA] = { ahoy_value_parse_via, ahoy_value_print_via },
    [AHOY_FORM_CSEQ] = { ahoy_value_parse_cseq, ahoy_value_print_cseq },
    [AHOY_FORM_RACK] = { ahoy_value_parse_rack, ahoy_value_print_rack },
    [AHOY_FORM_CHALLENGE] = { ahoy_value_parse_challenge, ahoy_value_print_challenge },
    [AHOY_FORM_PAIRS] = { ahoy_value_parse_pairs, ahoy_value_print_pairs },
    [AHOY_FORM_MEDIA] = { ahoy_value_parse_media, ahoy_value_print_word },
    [AHOY_FORM_LANGUAGE] = { ahoy_value_parse_language, ahoy_value_print_word },
    [AHOY_FORM_URI] = { ahoy_value_parse_uri, ahoy_value_print_uri },
    [AHOY_FORM_FEATURES] = { ahoy_value_parse_features, ahoy_value_print_word },
    [AHOY_FORM_PRIORITY] = { ahoy_value_parse_priority, ahoy_value_print_word },
    [AHOY_FORM_DATE] = { ahoy_value_parse_date, ahoy_value_print_date },
    [AHOY_FORM_TIMESTAMP] = { ahoy_value_parse_timestamp, ahoy_value_print_timestamp },
    [AHOY_FORM_WARNING] = { ahoy_value_parse_warning, ahoy_value_print_warning },
    [AHOY_FORM_PRODUCTS] = { ahoy_value_parse_products, ahoy_value_print_products },
    [AHOY_FORM_VERSION] = { ahoy_value_parse_version, ahoy_value_print_word },
    [AHOY_FORM_SESSION] = { ahoy_value_parse_session, ahoy_value_print_word },
    [AHOY_FORM_IDENTITY] = { ahoy_value_parse_identity, ahoy_value_print_word },
};

bool ahoy_value_parse(enum ahoy_header header, struct span text, struct ahoy_value *value,
                      struct ahoy_err *err)
{
    text = ahoy_span_trim(text.at == NULL ? SPAN("") : text);
    struct span none = ahoy_nothing(ahoy_span_end(text));
    *value = (struct ahoy_value){ .header = header,
                                  .form = ahoy_header_form(header),
                                  .text = text,
                                  .head = text,
                                  .params = none,
                                  .comment = none };
    if (text.size == 0 && value->form != AHOY_FORM_TEXT)
        return ahoy_fail(err, 400, text.at, "a value");
    return forms[value->form].parse(value, err) && ahoy_params_check(header, value->params, err);
}

void ahoy_value_print(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    forms[value->form].print(value, buf);
}

bool ahoy_value_param(const struct ahoy_value *value, struct span name, struct span *found)
{
    struct ahoy_param param;
    if (!ahoy_params_find(value->params, name, &param))
        return false;
    *found = ahoy_unquote(param.value);
    return true;
}

bool ahoy_value_take_params(struct ahoy_value *value, const char *at, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    value->head = ahoy_span_between(value->text.at, at);
    value->params = ahoy_span_between(ahoy_skip(at, end, AHOY_LWS), end);
    struct span rest = value->params;
    struct ahoy_param param;
    struct ahoy_err fault;
    while (ahoy_param_next(&rest, &param, &fault))
        ;
    return fault.expected == NULL || ahoy_fail(err, 400, fault.at, fault.expected);
}

bool ahoy_value_take_end(struct ahoy_value *value, const char *at, struct ahoy_err *err)
{
    value->head = ahoy_span_between(value->text.at, at);
    const char *end = ahoy_span_end(value->text);
    return at == end || ahoy_fail(err, 400, ahoy_skip(at, end, AHOY_LWS), "nothing more");
}
