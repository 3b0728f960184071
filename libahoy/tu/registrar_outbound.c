/* RFC 5626 6 and RFC 3327 5.3: Path, instance and reg-id of a REGISTER. */
#include "libahoy/tu/registrar_outbound.h"

bool ahoy_registrar_read_instance(const struct ahoy_param *instance,
                                  const struct ahoy_param *reg_id, struct ahoy_asked_contact *asked,
                                  struct ahoy_err *err)
{
    uint64_t number;
    asked->instance = ahoy_unquote(instance->value);
    asked->reg_id = 0;
    if (asked->instance.size > AHOY_INSTANCE_LIMIT)
        return ahoy_fail(err, 400, instance->value.at, "an instance of at most 128 bytes");
    /* Without an instance a reg-id is overlooked. */
    if (asked->instance.size == 0 || reg_id->name.size == 0)
        return true;
    if (!ahoy_span_number(reg_id->value, INT32_MAX, &number) || number == 0) /* R5626-10-1 */
        return ahoy_fail(err, 400, reg_id->name.at, "a reg-id from 1 to 2147483647");
    asked->reg_id = (uint32_t)number;
    return true;
}

/* Writes the Path values into one row; |first| is the URI of the one that was put there first, by
 * the phone's first hop: the last in the row. */
static bool join_path(const struct ahoy_message *request, struct ahoy_register *read,
                      struct ahoy_address *first, struct ahoy_err *err)
{
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_PATH);
    struct ahoy_buf buf = ahoy_buf_over(read->path, sizeof read->path);
    struct span value;
    struct ahoy_err fault;
    while (ahoy_values_next(&values, &value, &fault)) {
        if (!ahoy_address_parse(value, first, err))
            return false;
        if (buf.size > 0)
            ahoy_buf_put(&buf, SPAN(", "));
        ahoy_buf_put(&buf, value);
        if (buf.overflow)
            return ahoy_fail(err, 400, value.at, "a Path of at most 1,024 bytes");
    }
    read->asks.path = ahoy_buf_text(&buf);
    return fault.expected == NULL || ahoy_fail(err, fault.status, fault.at, fault.expected);
}

bool ahoy_registrar_is_first_hop(const struct ahoy_message *request)
{
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_VIA);
    struct span via;
    return ahoy_values_next(&values, &via, NULL) && !ahoy_values_next(&values, &via, NULL);
}

/* What the phone says that it knows of. */
struct supported {
    bool outbound, gruu, path;
};

static struct supported read_supported(const struct ahoy_message *request)
{
    struct ahoy_values values = ahoy_message_values(request, AHOY_HEADER_SUPPORTED);
    struct supported supported = { .outbound = false };
    struct span tag;
    while (ahoy_values_next(&values, &tag, NULL)) {
        supported.outbound |= ahoy_span_equal_nocase(tag, SPAN("outbound"));
        supported.gruu |= ahoy_span_equal_nocase(tag, SPAN("gruu"));
        supported.path |= ahoy_span_equal_nocase(tag, SPAN("path"));
    }
    return supported;
}

/* What a reg-id comes to where the way cannot be kept to: R5626-6-4, -5. */
static bool overlook(struct ahoy_registration *registration, bool supported, struct ahoy_err *err)
{
    for (size_t i = 0; i < registration->count; i++) {
        if (registration->asked[i].reg_id != 0 && supported)
            return ahoy_fail(err, 439, registration->asked[i].contact.at, "a first hop with ob");
        registration->asked[i].reg_id = 0;
    }
    return true;
}

/* One flow is one contact; others may only be removed beside it. */
static bool check_flow(struct ahoy_registration *registration, bool supported, struct ahoy_err *err)
{
    const struct ahoy_asked_contact *flow = NULL;
    size_t living = 0;
    for (size_t i = 0; i < registration->count; i++) {
        if (registration->asked[i].reg_id != 0)
            flow = &registration->asked[i];
        living += registration->asked[i].expires_s > 0;
    }
    if (flow != NULL && living > 1)
        return ahoy_fail(err, 400, flow->contact.at, "one contact beside a reg-id");
    registration->requires_outbound = flow != NULL && supported; /* R5626-6-6, -9 */
    return true;
}

/* Whether it matters how the request came: only to who speaks of flows. */
static bool is_of_flows(const struct ahoy_registration *registration, bool supported)
{
    for (size_t i = 0; i < registration->count; i++)
        supported |= registration->asked[i].reg_id != 0;
    return supported;
}

bool ahoy_registrar_read_outbound(const struct ahoy_message *request,
                                  struct ahoy_register *read, struct ahoy_err *err)
{
    struct ahoy_registration *registration = &read->asks;
    struct ahoy_address first;
    struct span ob;
    const struct supported supported = read_supported(request);
    registration->shows_gruus = supported.gruu;
    registration->requires_outbound = false;
    if (!join_path(request, read, &first, err))
        return false;
    registration->shows_path = registration->path.size > 0 && supported.path;
    if (!is_of_flows(registration, supported.outbound))
        return true;
    bool kept = registration->path.size > 0
                    ? ahoy_uri_param(&first.uri, SPAN("ob"), &ob)
                    : ahoy_registrar_is_first_hop(request); /* R5626-6-2, -3 */
    if (!kept)
        return overlook(registration, supported.outbound, err);
    return check_flow(registration, supported.outbound, err);
}
