/* Service-Route at the user agent: RFC 3608 6.1. */
#include "libahoy/tu/granted.h"

void ahoy_granted_clear(struct ahoy_granted *granted)
{
    granted->route_size = 0;
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

void ahoy_granted_read(struct ahoy_granted *granted, const struct ahoy_message *response)
{
    ahoy_granted_clear(granted);
    read_route(granted, response);
}

struct span ahoy_granted_route(const struct ahoy_granted *granted)
{
    return (struct span){ granted->route, granted->route_size };
}
