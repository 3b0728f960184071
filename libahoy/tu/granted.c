/* Service-Route and GRUUs at the user agent: RFC 3608 6.1, RFC 5627 4.2. */
#include "libahoy/tu/granted.h"

#include "libahoy/syntax/challenge.h"
#include "libahoy/syntax/params.h"

void ahoy_granted_clear(struct ahoy_granted *granted)
{
    granted->route_size = granted->gruu_size = 0;
}

/* In the order of the response: R3608-6.1-1. */
static void read_route(struct ahoy_granted *granted, const struct ahoy_message *response)
{
    struct ahoy_values values = ahoy_message_values(response, AHOY_HEADER_SERVICE_ROUTE);
    struct ahoy_buf buf = ahoy_buf_over(granted->route, sizeof granted->route);
    struct ahoy_address route;
    struct ahoy_err fault;
    while (ahoy_addresses_next(&values, &route, &fault)) {
        if (buf.size > 0)
            ahoy_buf_put(&buf, SPAN(", "));
        ahoy_buf_put(&buf, route.text);
    }
    if (fault.expected == NULL)
        granted->route_size = ahoy_buf_text(&buf).size;
}

/* R5627-4.2-6 to -9: not a byte of it is changed but for the quotes. */
static bool read_gruu(struct ahoy_granted *granted, struct span params, struct span name)
{
    struct ahoy_param param;
    struct ahoy_uri uri;
    struct ahoy_buf buf = ahoy_buf_over(granted->gruu, sizeof granted->gruu);
    if (!ahoy_params_find(params, name, &param))
        return false;
    ahoy_put_unescaped(&buf, ahoy_unquote(param.value));
    struct span gruu = ahoy_buf_text(&buf);
    if (!ahoy_uri_parse(gruu, &uri, NULL) || uri.scheme == AHOY_SCHEME_OTHER)
        return false;
    granted->gruu_size = gruu.size;
    return true;
}

/* R5627-4.2-1 */
static void read_gruus(struct ahoy_granted *granted, const struct ahoy_message *response,
                       const struct ahoy_uri *contact)
{
    struct ahoy_values values = ahoy_message_values(response, AHOY_HEADER_CONTACT);
    struct ahoy_address address;
    while (ahoy_addresses_next(&values, &address, NULL)) {
        if (ahoy_uri_equal(&address.uri, contact) &&
            (read_gruu(granted, address.params, SPAN("pub-gruu")) ||
             read_gruu(granted, address.params, SPAN("temp-gruu"))))
            return;
    }
}

void ahoy_granted_read(struct ahoy_granted *granted, const struct ahoy_message *response,
                       const struct ahoy_uri *contact)
{
    ahoy_granted_clear(granted);
    read_route(granted, response);
    read_gruus(granted, response, contact);
}

struct span ahoy_granted_route(const struct ahoy_granted *granted)
{
    return (struct span){ granted->route, granted->route_size };
}

struct span ahoy_granted_gruu(const struct ahoy_granted *granted)
{
    return (struct span){ granted->gruu, granted->gruu_size };
}
