/* libosip2: its parse makes the whole tree, so there is no index alone. */
#include "bench/parse.h"

#include <stdlib.h>

#include <osipparser2/osip_parser.h>

static void init(void)
{
    if (parser_init() != 0)
        abort();
}

static osip_message_t *parse(struct span bytes)
{
    osip_message_t *message;
    if (osip_message_init(&message) != 0)
        abort();
    if (osip_message_parse(message, bytes.at, bytes.size) == 0)
        return message;
    osip_message_free(message);
    return NULL;
}

static bool index_message(struct span bytes)
{
    osip_message_t *message = parse(bytes);
    if (message == NULL)
        return false;
    osip_message_free(message);
    return true;
}

static unsigned has_host(const osip_uri_t *uri)
{
    return uri != NULL && uri->host != NULL;
}

static unsigned has_tag(osip_from_t *address)
{
    osip_uri_param_t *tag = NULL;
    return osip_from_get_tag(address, &tag) == 0 && tag->gvalue != NULL;
}

/* Contact, Route and Record-Route are made of the same struct as From. */
static unsigned walk(osip_list_t *list)
{
    unsigned found = 0;
    for (int i = 0; i < osip_list_size(list); i++) {
        const osip_from_t *address = osip_list_get(list, i);
        found += has_host(address->url);
    }
    return found;
}

static unsigned route_via(osip_message_t *message)
{
    osip_via_t *via = osip_list_get(&message->vias, 0);
    if (via == NULL)
        return 0;
    osip_generic_param_t *param = NULL;
    unsigned found = osip_via_get_host(via) != NULL;
    found += osip_via_param_get_byname(via, "branch", &param) == 0 && param->gvalue != NULL;
    found += osip_via_param_get_byname(via, "rport", &param) == 0;
    return found;
}

static unsigned has_max_forwards(osip_message_t *message)
{
    osip_header_t *header = NULL;
    return osip_message_get_max_forwards(message, 0, &header) >= 0 && header->hvalue != NULL &&
           strtoul(header->hvalue, NULL, 10) > 0;
}

static unsigned route(struct span bytes)
{
    osip_message_t *message = parse(bytes);
    if (message == NULL)
        return 0;
    unsigned found = MSG_IS_REQUEST(message) && has_host(message->req_uri);
    found += route_via(message);
    found += has_host(message->from->url) + has_tag(message->from);
    found += has_host(message->to->url) + has_tag(message->to);
    found += message->call_id->number != NULL;
    found += strtoul(message->cseq->number, NULL, 10) > 0;
    found += has_max_forwards(message);
    found += walk(&message->contacts) + walk(&message->routes) + walk(&message->record_routes);
    osip_message_free(message);
    return found;
}

const struct parser parser_osip = { "libosip2", init, index_message, route };
