/* Which values of Resource-Priority are routine: RFC 4412 12, the lowest of each namespace. */
#include "libahoy/tu/urgency.h"

static bool is_help(const struct ahoy_uri *uri)
{
    const struct span sos = SPAN("service:sos");
    return uri->scheme == AHOY_SCHEME_OTHER && ahoy_span_starts_nocase(uri->text, SPAN("urn:")) &&
           ahoy_span_starts_nocase(uri->opaque, sos) &&
           (uri->opaque.size == sos.size || uri->opaque.at[sos.size] == '.');
}

static bool is_routine(struct span value)
{
    static const struct span values[] = { SPAN_INIT("dsn.routine"), SPAN_INIT("drsn.routine"),
                                          SPAN_INIT("q735.4"), SPAN_INIT("ets.4"),
                                          SPAN_INIT("wps.4") };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (ahoy_span_equal_nocase(value, values[i]))
            return true;
    }
    return false;
}

/* Whether a namespace that we know gives it more than routine; others mean nothing to us (RFC 4412
 * 4.6.2). */
static bool is_marked(const struct ahoy_message *message)
{
    static const struct span spaces[] = {
        SPAN_INIT("dsn."), SPAN_INIT("drsn."), SPAN_INIT("q735."),
        SPAN_INIT("ets."), SPAN_INIT("wps."),  SPAN_INIT("esnet.")
    };
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RESOURCE_PRIORITY);
    struct span value;
    while (ahoy_values_next(&values, &value, NULL)) {
        for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
            if (ahoy_span_starts_nocase(value, spaces[i]) && !is_routine(value))
                return true;
        }
    }
    return false;
}

enum ahoy_urgency ahoy_urgency_of(const struct ahoy_message *message,
                                  const struct ahoy_routing *routing, bool trusted)
{
    if (routing->to_tag.size > 0 || is_help(&routing->request_uri) || is_help(&routing->to.uri) ||
        (trusted && is_marked(message)))
        return AHOY_URGENCY_KEPT;
    return AHOY_URGENCY_NEW;
}
