/* sofia-sip: its parse reads every header that it knows, so there is no index alone. */
#include "bench/parse.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>

static msg_t *parse(struct span bytes)
{
    msg_t *message = msg_make(sip_default_mclass(), 0, bytes.at, (ssize_t)bytes.size);
    if (message != NULL && sip_object(message)->sip_error == NULL)
        return message;
    msg_destroy(message);
    return NULL;
}

static bool index_message(struct span bytes)
{
    msg_t *message = parse(bytes);
    if (message == NULL)
        return false;
    msg_destroy(message);
    return true;
}

static unsigned walk_contacts(const sip_contact_t *contact)
{
    unsigned found = 0;
    for (; contact != NULL; contact = contact->m_next)
        found += contact->m_url->url_host != NULL;
    return found;
}

static unsigned walk_routes(const sip_route_t *route)
{
    unsigned found = 0;
    for (; route != NULL; route = route->r_next)
        found += route->r_url->url_host != NULL;
    return found;
}

static unsigned route(struct span bytes)
{
    msg_t *message = parse(bytes);
    if (message == NULL)
        return 0;
    const sip_t *sip = sip_object(message);
    unsigned found = sip->sip_request != NULL && sip->sip_request->rq_url->url_host != NULL;
    found += sip->sip_via->v_host != NULL;
    found += sip->sip_via->v_branch != NULL;
    found += sip->sip_via->v_rport != NULL;
    found += sip->sip_from->a_url->url_host != NULL;
    found += sip->sip_from->a_tag != NULL;
    found += sip->sip_to->a_url->url_host != NULL;
    found += sip->sip_to->a_tag != NULL;
    found += sip->sip_call_id->i_id != NULL;
    found += sip->sip_cseq->cs_seq > 0;
    found += sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count > 0;
    found += walk_contacts(sip->sip_contact) + walk_routes(sip->sip_route) +
             walk_routes(sip->sip_record_route);
    msg_destroy(message);
    return found;
}

const struct parser parser_sofia = { "sofia-sip", NULL, index_message, route };
