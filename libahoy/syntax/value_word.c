/* Values that are one word, most with parameters behind it (RFC 3261 25.1 token, callid; the
 * extensions that header.h names). */
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"
#include "libahoy/syntax/value_forms.h"

/* Tokens where not every one will do. */
static const struct {
    enum ahoy_header header;
    struct span word;
} words[] = {
    { AHOY_HEADER_REFER_SUB, SPAN_INIT("true") },
    { AHOY_HEADER_REFER_SUB, SPAN_INIT("false") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("proxy") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("redirect") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("cancel") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("no-cancel") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("fork") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("no-fork") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("recurse") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("no-recurse") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("parallel") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("sequential") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("queue") },
    { AHOY_HEADER_REQUEST_DISPOSITION, SPAN_INIT("no-queue") },
};

/* Whether |token| is one of the words of |header|, or any token will do. */
static bool is_word_of(enum ahoy_header header, struct span token)
{
    bool is_any = true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].header != header)
            continue;
        if (ahoy_span_equal_nocase(words[i].word, token))
            return true;
        is_any = false;
    }
    return is_any;
}

/* Whether |token| is token-nodot *("." token-nodot) (RFC 6665 8.4). */
static bool is_dotted(struct span token)
{
    for (size_t i = 0; i < token.size; i++) {
        if (token.at[i] == '.' && (i == 0 || i + 1 == token.size || token.at[i - 1] == '.'))
            return false;
    }
    return true;
}

/* Reads the token at the front, which must be one that |value->header| allows; returns the place
 * behind it, NULL at a fault. */
static const char *read_token(const struct ahoy_value *value, struct ahoy_err *err)
{
    enum ahoy_header header = value->header;
    const char *at = ahoy_skip(value->text.at, ahoy_span_end(value->text), AHOY_TOKEN);
    struct span token = ahoy_span_between(value->text.at, at);
    bool is_event = header == AHOY_HEADER_EVENT || header == AHOY_HEADER_ALLOW_EVENTS;
    const char *expected = NULL;
    if (token.size == 0)
        expected = "a token";
    else if (is_event && !is_dotted(token))
        expected = "a name on each side of \".\"";
    else if (!is_word_of(header, token))
        expected = "a word that this header allows";
    if (expected == NULL)
        return at;
    ahoy_fail(err, 400, token.at, expected);
    return NULL;
}

bool ahoy_value_parse_text(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = value->text.at;
    while (at < end && (ahoy_is(*at, AHOY_VISIBLE | AHOY_LWS) || (unsigned char)*at >= 0x80))
        at++;
    return at == end || ahoy_fail(err, 400, at, "no control byte");
}

bool ahoy_value_parse_token(struct ahoy_value *value, struct ahoy_err *err)
{
    if (value->header == AHOY_HEADER_CONTENT_LANGUAGE)
        return ahoy_value_parse_language(value, err);
    const char *at = read_token(value, err);
    return at != NULL && ahoy_value_take_end(value, at, err);
}

bool ahoy_value_parse_item(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *at = read_token(value, err);
    if (at == NULL || !ahoy_value_take_params(value, at, err))
        return false;
    value->is_star =
        value->header == AHOY_HEADER_ACCEPT_ENCODING && ahoy_span_equal(value->head, SPAN("*"));
    return true;
}

/* A Call-ID is compared and copied, never taken apart: whatever is visible passes, as in
 * routing.c. */
bool ahoy_value_parse_call_id(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *at = ahoy_skip(value->text.at, ahoy_span_end(value->text), AHOY_VISIBLE);
    if (at == value->text.at)
        return ahoy_fail(err, 400, at, "a Call-ID");
    return ahoy_value_take_end(value, at, err);
}

bool ahoy_value_parse_dialog(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = value->text.at;
    while (at < end && *at != ';' && ahoy_is(*at, AHOY_VISIBLE))
        at++;
    if (at == value->text.at)
        return ahoy_fail(err, 400, at, "a Call-ID");
    return ahoy_value_take_params(value, at, err);
}

bool ahoy_value_parse_features(struct ahoy_value *value, struct ahoy_err *err)
{
    if (value->text.at[0] != '*')
        return ahoy_fail(err, 400, value->text.at, "\"*\"");
    value->is_star = true;
    return ahoy_value_take_params(value, value->text.at + 1, err);
}

/* Reads token-nodot. */
static struct span read_part(const char *at, const char *end)
{
    const char *stop = at;
    while (stop < end && *stop != '.' && ahoy_is(*stop, AHOY_TOKEN))
        stop++;
    return ahoy_span_between(at, stop);
}

bool ahoy_value_parse_priority(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    struct span first = read_part(value->text.at, end);
    const char *dot = ahoy_span_end(first);
    if (first.size == 0)
        return ahoy_fail(err, 400, dot, "a namespace");
    if (dot == end || *dot != '.')
        return ahoy_fail(err, 400, dot, "\".\" behind the namespace");
    struct span second = read_part(dot + 1, end);
    if (second.size == 0)
        return ahoy_fail(err, 400, second.at, "a priority behind the \".\"");
    value->as.pair.first = first;
    value->as.pair.second = second;
    return ahoy_value_take_end(value, ahoy_span_end(second), err);
}

/* RFC 7329 7.1: upper-case digits are not allowed. */
bool ahoy_value_parse_session(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = value->text.at;
    while (at < end && ahoy_is(*at, AHOY_HEX) && ahoy_lower(*at) == *at)
        at++;
    if (at - value->text.at != 32)
        return ahoy_fail(err, 400, value->text.at, "32 lower-case hexadecimal digits");
    return ahoy_value_take_params(value, at, err);
}

/* The ABNF of RFC 8224 4 forgets "=", "-" and "_", which its examples and RFC 7515 have. */
static bool is_base64(char byte)
{
    return ahoy_is(byte, AHOY_ALPHA | AHOY_DIGIT) || memchr("/+=-_.", byte, 6) != NULL;
}

bool ahoy_value_parse_identity(struct ahoy_value *value, struct ahoy_err *err)
{
    const char *end = ahoy_span_end(value->text);
    const char *at = value->text.at;
    while (at < end && is_base64(*at))
        at++;
    if (at == value->text.at)
        return ahoy_fail(err, 400, at, "a signature in base64");
    if (!ahoy_value_take_params(value, at, err))
        return false;
    struct ahoy_param info;
    bool is_there = ahoy_params_find(value->params, SPAN("info"), &info);
    if (is_there && (info.value.size == 0 || info.value.at[0] != '<'))
        return ahoy_fail(err, 400, info.value.at, "\"<\" and \">\" around the URI");
    return true;
}
