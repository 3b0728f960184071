/* A search that is done as soon as it has begun, or not wanted. */
#include "libahoy/resolve/locate.h"

#include "libahoy/resolve/search.h"

bool ahoy_locate(const struct ahoy_uri *uri, enum ahoy_transport *transport, struct ahoy_ip *ip,
                 struct ahoy_err *err)
{
    const uint16_t spoken = 1 << AHOY_UDP | 1 << AHOY_TCP;
    const struct ahoy_search_options options = { .means = { spoken, spoken } };
    struct ahoy_search search;
    if (!ahoy_search_begin(&search, uri, &options, err))
        return false;
    if (!search.done)
        return ahoy_fail(err, 503, uri->host.at, "an IP address, as names are not looked up");
    *transport = search.servers[0].transport;
    *ip = search.servers[0].ip;
    return true;
}
