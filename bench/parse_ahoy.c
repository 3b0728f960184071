/* Ours: an index, then views over the received bytes. */
#include "bench/parse.h"

#include "libahoy/syntax/message.h"

static struct ahoy_message message;
static struct ahoy_routing routing;
static struct ahoy_address address;

static bool index_message(struct span bytes)
{
    struct ahoy_err err;
    return ahoy_message_parse(bytes, &message, &err);
}

/* Reads all addresses of |header|. */
static unsigned walk(enum ahoy_header header)
{
    struct ahoy_values values = ahoy_message_values(&message, header);
    struct ahoy_err err;
    unsigned found = 0;
    while (ahoy_addresses_next(&values, &address, &err))
        found += address.uri.host.size > 0;
    return found;
}

/* The hosts of From and To: those of a response only who needs them reads. */
static unsigned read_parties(void)
{
    if (!message.is_request)
        return walk(AHOY_HEADER_FROM) + walk(AHOY_HEADER_TO);
    unsigned found = routing.from.uri.host.size > 0;
    return found + (routing.to.uri.host.size > 0);
}

static unsigned route(struct span bytes)
{
    struct ahoy_err err;
    if (!index_message(bytes) || !ahoy_message_routing(&message, &routing, &err))
        return 0;
    unsigned found = message.is_request && routing.request_uri.host.size > 0;
    found += routing.via.host.size > 0;
    found += routing.via.branch.size > 0;
    found += routing.via.has_rport;
    found += routing.from_tag.size > 0;
    found += routing.to_tag.size > 0;
    found += routing.call_id.size > 0;
    found += routing.cseq.number > 0;
    found += ahoy_message_first(&message, AHOY_HEADER_MAX_FORWARDS) != NULL;
    return found + read_parties() + walk(AHOY_HEADER_CONTACT) + walk(AHOY_HEADER_ROUTE) +
           walk(AHOY_HEADER_RECORD_ROUTE);
}

const struct parser parser_ahoy = { "ahoy", NULL, index_message, route };
