/* What is written for people: products and comments (RFC 3261 20.35, 20.41, 25.1), and warnings
 * (20.43). */
#include "libahoy/syntax/host.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

const char *ahoy_skip_comment(const char *at, const char *end)
{
    for (size_t depth = 0; at < end; at++) {
        if (*at == '\\') {
            at++; /* quoted-pair: all but CR and LF. */
            if (at == end || *at == '\r' || *at == '\n')
                return NULL;
        } else if (*at == '(') {
            depth++;
        } else if (*at == ')' && --depth == 0) {
            return at + 1;
        }
    }
    return NULL;
}

/* Behind the product at |at|: token [SLASH token]; NULL at a fault. */
static const char *skip_product(const char *at, const char *end, struct ahoy_err *err)
{
    const char *stop = ahoy_skip(at, end, AHOY_TOKEN);
    if (stop == at) {
        ahoy_fail(err, 400, at, "a product or a comment");
        return NULL;
    }
    const char *slash = ahoy_skip(stop, end, AHOY_LWS);
    if (slash == end || *slash != '/')
        return stop;
    const char *version = ahoy_skip(slash + 1, end, AHOY_LWS);
    stop = ahoy_skip(version, end, AHOY_TOKEN);
    if (stop == version) {
        ahoy_fail(err, 400, version, "a version behind the \"/\"");
        return NULL;
    }
    return stop;
}

/* Takes a product or comment, and the white space behind it, off |rest|. */
static bool take_item(struct span *rest, struct span *item, struct ahoy_err *err)
{
    const char *at = rest->at;
    const char *end = ahoy_span_end(*rest);
    const char *stop;
    if (*at == '(') {
        stop = ahoy_skip_comment(at, end);
        if (stop == NULL)
            return ahoy_fail(err, 400, at, "a closing \")\"");
    } else {
        stop = skip_product(at, end, err);
        if (stop == NULL)
            return false;
    }
    const char *next = ahoy_skip(stop, end, AHOY_LWS);
    if (next == stop && stop < end)
        return ahoy_fail(err, 400, stop, "white space behind a product or comment");
    *item = ahoy_span_between(at, stop);
    *rest = ahoy_span_between(next, end);
    return true;
}

bool ahoy_value_parse_products(struct ahoy_value *value, struct ahoy_err *err)
{
    struct span rest = value->text;
    struct span item;
    while (rest.size > 0) {
        if (!take_item(&rest, &item, err))
            return false;
    }
    return true;
}

void ahoy_value_print_products(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    struct span rest = value->text;
    struct span item;
    while (rest.size > 0 && take_item(&rest, &item, NULL)) {
        if (item.at != value->text.at)
            ahoy_buf_put_byte(buf, ' ');
        if (item.at[0] == '(')
            ahoy_print_unfolded(item, buf);
        else
            ahoy_print_packed(item, buf);
    }
}

/* Whether |agent| is hostport or a pseudonym, which is a token. */
static bool is_agent(struct span agent)
{
    const char *end = ahoy_span_end(agent);
    if (agent.size > 0 && ahoy_skip(agent.at, end, AHOY_TOKEN) == end)
        return true;
    uint16_t port;
    const char *at = ahoy_host_parse(agent.at, end, NULL);
    if (at != NULL && at < end && *at == ':')
        at = ahoy_port_parse(at + 1, end, &port, NULL);
    return at == end;
}

bool ahoy_value_parse_warning(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = ahoy_skip(value->text.at, end, AHOY_DIGIT);
    uint64_t code;
    if (at - value->text.at != 3 ||
        !ahoy_span_number(ahoy_span_between(value->text.at, at), 999, &code) || code < 100)
        return ahoy_fail(err, 400, value->text.at, "a code of 100 to 999");
    const char *agent = ahoy_skip(at, end, AHOY_LWS);
    const char *agent_end = ahoy_seek(agent, end, AHOY_LWS);
    if (agent == at || !is_agent(ahoy_span_between(agent, agent_end)))
        return ahoy_fail(err, 400, agent, "white space and who warns: a host or a token");
    const char *text = ahoy_skip(agent_end, end, AHOY_LWS);
    if (text == end || *text != '"')
        return ahoy_fail(err, 400, text, "white space and a text in quotes");
    at = ahoy_skip_quoted(text, end);
    if (at == NULL)
        return ahoy_fail(err, 400, text, "a closing quote");
    value->as.warning.code = (unsigned)code;
    value->as.warning.agent = ahoy_span_between(agent, agent_end);
    value->as.warning.text = ahoy_span_between(text, at);
    return ahoy_value_take_end(value, at, err);
}

void ahoy_value_print_warning(const struct ahoy_value *value, struct ahoy_buf *buf)
{
    ahoy_buf_put_number(buf, value->as.warning.code);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_buf_put(buf, value->as.warning.agent);
    ahoy_buf_put_byte(buf, ' ');
    ahoy_print_unfolded(value->as.warning.text, buf);
}
