/* RFC 8599, as far as it is text. */
#include "libahoy/tu/push.h"

#include "libahoy/syntax/params.h"
#include "libahoy/syntax/uri.h"
#include "libahoy/syntax/uri_part.h"

/* The services that RFC 8599 knows, and whether they need a pn-param.  Others may have one. */
static const struct {
    struct span name;
    bool needs_param, has_none;
} services[] = {
    { SPAN_INIT("apns"), true, false },    /* 10 */
    { SPAN_INIT("fcm"), true, false },     /* 11 */
    { SPAN_INIT("webpush"), false, true }, /* R8599-12-1 */
};

bool ahoy_push_read(struct span contact, struct ahoy_push *push)
{
    struct ahoy_uri uri;
    *push = (struct ahoy_push){ .provider = SPAN("") };
    if (!ahoy_uri_parse(contact, &uri, NULL) ||
        !ahoy_uri_param(&uri, SPAN("pn-provider"), &push->provider))
        return false;
    /* What is absent stays empty. */
    (void)ahoy_uri_param(&uri, SPAN("pn-param"), &push->param);
    (void)ahoy_uri_param(&uri, SPAN("pn-prid"), &push->prid);
    return true;
}

bool ahoy_push_is_whole(const struct ahoy_push *push)
{
    bool has_param = push->param.size > 0;
    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        if (ahoy_span_equal_nocase(push->provider, services[i].name) &&
            (has_param ? services[i].has_none : services[i].needs_param))
            return false;
    }
    return push->provider.size > 0 && push->prid.size > 0;
}

bool ahoy_push_is_done(const struct ahoy_message *request)
{
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_FEATURE_CAPS);
    struct span value;
    struct ahoy_param param;
    while (ahoy_values_next(&values, &value, NULL)) {
        size_t star = ahoy_span_find(value, ';');
        if (ahoy_params_find(ahoy_span_after(value, star), SPAN("+sip.pns"), &param))
            return true;
    }
    return false;
}

static bool is_private(struct span name)
{
    return ahoy_escaped_equal_nocase(name, SPAN("pn-provider")) ||
           ahoy_escaped_equal_nocase(name, SPAN("pn-param")) ||
           ahoy_escaped_equal_nocase(name, SPAN("pn-prid"));
}

void ahoy_push_print_public(struct span contact, struct ahoy_buf *buf)
{
    struct ahoy_uri uri;
    struct ahoy_uri_part param;
    if (!ahoy_uri_parse(contact, &uri, NULL) || uri.params.size == 0) {
        ahoy_buf_put(buf, contact);
        return;
    }
    ahoy_buf_put(buf, ahoy_span_between(contact.at, uri.params.at));
    struct span rest = uri.params;
    const char *at = rest.at;
    for (; ahoy_uri_part_next(&rest, ';', AHOY_PARAMCHAR, &param); at = rest.at) {
        if (!is_private(param.name))
            ahoy_buf_put(buf, ahoy_span_between(at, rest.at));
    }
    ahoy_buf_put(buf, ahoy_span_between(ahoy_span_end(uri.params), ahoy_span_end(contact)));
}
