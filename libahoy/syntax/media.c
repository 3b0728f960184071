/* What a body is (RFC 3261 20.11, 20.15), and finding a kind in it: RFC 5621. */
#include "libahoy/syntax/media.h"

#include "libahoy/syntax/multipart.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/scan.h"

/* Takes the next token, and white space around it, off |rest|. */
static struct span take_token(struct span *rest)
{
    const char *end = ahoy_span_end(*rest);
    const char *at = ahoy_skip(rest->at, end, AHOY_LWS);
    const char *stop = ahoy_skip(at, end, AHOY_TOKEN);
    *rest = ahoy_span_between(ahoy_skip(stop, end, AHOY_LWS), end);
    return ahoy_span_between(at, stop);
}

bool ahoy_media_is(struct span type, struct span media)
{
    size_t slash = ahoy_span_find(media, '/');
    struct span subtype = ahoy_span_after(media, slash + 1);
    struct span rest = type;
    if (!ahoy_span_equal_nocase(take_token(&rest), (struct span){ media.at, slash }) ||
        rest.size == 0 || rest.at[0] != '/')
        return false;
    rest = ahoy_span_after(rest, 1);
    struct span second = take_token(&rest);
    return second.size > 0 && (rest.size == 0 || rest.at[0] == ';') &&
           (subtype.size == 0 || ahoy_span_equal_nocase(second, subtype));
}

bool ahoy_media_param(struct span value, struct span name, struct span *found, struct ahoy_err *err)
{
    struct span rest = ahoy_span_after(value, ahoy_span_find(value, ';'));
    struct ahoy_param param;
    struct ahoy_err fault;
    bool is_there = false;
    while (ahoy_param_next(&rest, &param, &fault)) {
        if (!ahoy_span_equal_nocase(param.name, name))
            continue;
        if (is_there)
            return ahoy_fail(err, 400, param.name.at, "each parameter once"); /* R3261-7.3.1-4 */
        const char *end = ahoy_span_end(param.value);
        bool is_quoted = param.value.size > 0 && param.value.at[0] == '"';
        if (!is_quoted && ahoy_skip(param.value.at, end, AHOY_TOKEN) != end)
            return ahoy_fail(err, 400, param.value.at, "a token, or a value in quotes");
        *found = ahoy_unquote(param.value);
        is_there = true;
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, 400, fault.at, fault.expected);
    return is_there || ahoy_finished(err);
}
