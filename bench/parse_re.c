/* libre: its decoder reads the start line, the topmost Via, From, To and CSeq at once and lists
 * the other rows. */
#include "bench/parse.h"

#include <stdlib.h>

#include <re.h>

static struct mbuf *buffer;

static void init(void)
{
    buffer = mbuf_alloc(4096);
    if (buffer == NULL)
        abort();
}

/* A transport hands over a buffer that the datagram was received into; here it is copied. */
static struct sip_msg *parse(struct span bytes)
{
    struct sip_msg *message;
    mbuf_rewind(buffer);
    if (mbuf_write_mem(buffer, (const uint8_t *)bytes.at, bytes.size) != 0)
        abort();
    mbuf_set_pos(buffer, 0);
    return sip_msg_decode(&message, buffer) == 0 ? message : NULL;
}

static bool index_message(struct span bytes)
{
    struct sip_msg *message = parse(bytes);
    if (message == NULL)
        return false;
    mem_deref(message);
    return true;
}

static bool take_address(const struct sip_hdr *header, const struct sip_msg *message, void *arg)
{
    (void)message;
    unsigned *found = arg;
    struct sip_addr address;
    if (sip_addr_decode(&address, &header->val) == 0)
        *found += pl_isset(&address.uri.host);
    return false; /* Go on. */
}

static unsigned walk(const struct sip_msg *message, enum sip_hdrid id)
{
    unsigned found = 0;
    sip_msg_hdr_apply(message, true, id, take_address, &found);
    return found;
}

static unsigned route(struct span bytes)
{
    struct sip_msg *message = parse(bytes);
    if (message == NULL)
        return 0;
    struct pl rport;
    unsigned found = message->req && pl_isset(&message->uri.host);
    found += pl_isset(&message->via.sentby);
    found += pl_isset(&message->via.branch);
    found += msg_param_exists(&message->via.params, "rport", &rport) == 0;
    found += pl_isset(&message->from.uri.host);
    found += pl_isset(&message->from.tag);
    found += pl_isset(&message->to.uri.host);
    found += pl_isset(&message->to.tag);
    found += pl_isset(&message->callid);
    found += message->cseq.num > 0;
    found += pl_isset(&message->maxfwd) && pl_u32(&message->maxfwd) > 0;
    found += walk(message, SIP_HDR_CONTACT) + walk(message, SIP_HDR_ROUTE) +
             walk(message, SIP_HDR_RECORD_ROUTE);
    mem_deref(message);
    return found;
}

const struct parser parser_re = { "libre", init, index_message, route };
