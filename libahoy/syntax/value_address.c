/* Values around a URI: addresses, routes, Via, and URIs in brackets (RFC 3261 20, 25.1). */
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

/* What the parser of the structure found, in terms of a value. */
static void take(struct ahoy_value *value, struct span params)
{
    value->params = params;
    value->head = ahoy_span_trim(ahoy_span_between(value->text.at, params.at));
}

bool ahoy_value_parse_address(struct ahoy_value *value, struct ahoy_err *err)
{
    struct ahoy_address *address = &value->as.address;
    /* R3261-10.2.2-1 */
    if (value->header == AHOY_HEADER_CONTACT && ahoy_span_equal(value->text, SPAN("*"))) {
        value->is_star = true;
        return true;
    }
    if (!ahoy_address_parse(value->text, address, err))
        return false;
    if (value->header == AHOY_HEADER_HISTORY_INFO && !address->in_brackets)
        return ahoy_fail(err, 400, value->text.at, "\"<\" and \">\" around the URI");
    take(value, address->params);
    return true;
}

/* Routes are name-addr: a URI without brackets would lose its ;lr to the header. */
bool ahoy_value_parse_route(struct ahoy_value *value, struct ahoy_err *err)
{
    if (!ahoy_value_parse_address(value, err))
        return false;
    return value->as.address.in_brackets ||
           ahoy_fail(err, 400, value->text.at, "\"<\" and \">\" around a route");
}

void ahoy_value_print_address(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    const struct ahoy_address *address = &value->as.address;
    struct span display = address->display;
    if (value->is_star) {
        ahoy_buf_put_byte(buf, '*');
        return;
    }
    if (display.size > 0 && display.at[0] == '"') {
        ahoy_print_unfolded(display, buf);
    } else if (display.size > 0) {
        ahoy_print_words(display, buf);
        ahoy_buf_put_byte(buf, ' '); /* *(token LWS) */
    }
    if (address->in_brackets)
        ahoy_buf_put_byte(buf, '<');
    ahoy_print_uri(&address->uri, buf);
    if (address->in_brackets)
        ahoy_buf_put_byte(buf, '>');
    ahoy_print_params(value->params, buf);
}

bool ahoy_value_parse_via(struct ahoy_value *value, struct ahoy_err *err)
{
    if (!ahoy_via_parse(value->text, &value->as.via, err))
        return false;
    take(value, value->as.via.params);
    return true;
}

void ahoy_value_print_via(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    const struct ahoy_via *via = &value->as.via;
    ahoy_print_packed(ahoy_span_between(value->text.at, via->sent_by.at), buf);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_print_lower(via->host, buf);
    if (via->port != 0) {
        ahoy_buf_put_byte(buf, ':');
        ahoy_buf_put_number(buf, via->port);
    }
    ahoy_print_params(value->params, buf);
}

bool ahoy_value_parse_uri(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *bracket = value->text.at;
    if (*bracket != '<')
        return ahoy_fail(err, 400, bracket, "\"<\" and \">\" around the URI");
    const char *close = memchr(bracket, '>', value->text.size);
    if (close == NULL)
        return ahoy_fail(err, 400, bracket, "a closing \">\"");
    struct ahoy_err fault;
    if (!ahoy_uri_parse(ahoy_span_between(bracket + 1, close), &value->as.uri, &fault))
        return ahoy_fail(err, 400, fault.at, fault.expected); /* 414 is for the Request-URI. */
    return ahoy_value_take_params(value, close + 1, err);
}

void ahoy_value_print_uri(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_buf_put_byte(buf, '<');
    ahoy_print_uri(&value->as.uri, buf);
    ahoy_buf_put_byte(buf, '>');
    ahoy_print_params(value->params, buf);
}
