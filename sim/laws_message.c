/* Laws 14 to 19 and 26: what a message that is passed on must look like (RFC 3261 16.3 to 16.7). */
#include <stdio.h>

#include "sim/laws.h"
#include "sim/notes.h"

static bool is_forwarded_request(const struct sim_news *news)
{
    return news->message->is_request && news->message->method != AHOY_METHOD_ACK &&
           news->message->method != AHOY_METHOD_CANCEL && news->lower != NULL &&
           news->upper != NULL && !news->upper->is_forged && !news->is_again;
}

static bool has_same(const struct ahoy_message *a, const struct ahoy_message *b,
                     enum ahoy_header header)
{
    return ahoy_span_equal(ahoy_message_value(a, header), ahoy_message_value(b, header));
}

/* Law 14.  A response that is passed on says what its callee made it say. */
void sim_law_dialog_names(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *upper = news->upper;
    if (upper != NULL && !news->message->is_request &&
        (upper->branches > 0 || witness->blurred_turn == witness->turn))
        return;
    if (upper == NULL || upper->is_forged ||
        (news->message->is_request && !is_forwarded_request(news)))
        return;
    const struct ahoy_message *request = sim_witness_request(witness, upper->bytes, upper->size);
    if (!has_same(request, news->message, AHOY_HEADER_FROM))
        sim_witness_break(witness, 14, "another From");
    if (!has_same(request, news->message, AHOY_HEADER_CALL_ID))
        sim_witness_break(witness, 14, "another Call-ID");
    if (!has_same(request, news->message, AHOY_HEADER_CSEQ))
        sim_witness_break(witness, 14, "another CSeq");
    if (news->message->is_request && !has_same(request, news->message, AHOY_HEADER_TO))
        sim_witness_break(witness, 14, "another To");
    if (!news->message->is_request && news->message->status > 100 &&
        news->routing->to_tag.size == 0)
        sim_witness_break(witness, 14, "a response without a To tag");
}

/* Whether |uri| names the server itself: a route with another port is another's. */
static bool is_ours(const struct sim_witness *witness, const struct ahoy_uri *uri)
{
    struct ahoy_ip ip;
    const struct ahoy_ip *own = &sim_host_config(witness->host)->listens[0].ip;
    uint16_t usual = uri->scheme == AHOY_SCHEME_SIPS ? 5061 : 5060; /* 19.1.2 */
    uint16_t port = uri->port != 0 ? uri->port : usual;
    return ahoy_ip_parse(uri->host, &ip) && ahoy_ip_equal_host(&ip, own) && port == own->port;
}

/* The first value of a list of addresses; false where there is none. */
static bool first_address(const struct ahoy_message *message, enum ahoy_header header,
                          struct ahoy_address *address)
{
    struct ahoy_values values = ahoy_message_values(message, header);
    struct span text;
    return ahoy_values_next(&values, &text, NULL) && ahoy_address_parse(text, address, NULL);
}

/* Law 16, and of law 15 what a proxy has part in: it takes itself off the route. */
void sim_law_record_route(struct sim_witness *witness, const struct sim_news *news)
{
    struct ahoy_address address;
    struct span value;
    if (!is_forwarded_request(news))
        return;
    if (news->message->method == AHOY_METHOD_INVITE &&
        (!first_address(news->message, AHOY_HEADER_RECORD_ROUTE, &address) ||
         !is_ours(witness, &address.uri) || !ahoy_uri_param(&address.uri, SPAN("lr"), &value)))
        sim_witness_break(witness, 16, "an INVITE without our Record-Route");
    if (first_address(news->message, AHOY_HEADER_ROUTE, &address) && is_ours(witness, &address.uri))
        sim_witness_break(witness, 15, "our own Route is left");
}

/* Whether |peer| is where 18.2.2 and RFC 3581 4 send a response. */
static bool is_way_back(const struct sim_upper *upper, const struct ahoy_via *via,
                        const struct ahoy_ip *peer)
{
    uint16_t port = via->has_rport ? upper->source.port : sim_sent_by_port(via);
    return via->maddr.size > 0 || (ahoy_ip_equal_host(&upper->source, peer) && peer->port == port);
}

/* Whether the Via behind ours says where the request came from, as its sender wished. */
static bool is_marked(const struct ahoy_message *message, const struct ahoy_message *request)
{
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_VIA);
    struct span text;
    struct ahoy_via asked, marked;
    if (!ahoy_via_parse(ahoy_message_value(request, AHOY_HEADER_VIA), &asked, NULL) ||
        !asked.has_rport)
        return true;
    return ahoy_values_next(&values, &text, NULL) && ahoy_values_next(&values, &text, NULL) &&
           ahoy_via_parse(text, &marked, NULL) && marked.received.size > 0 && marked.rport != 0;
}

/* Law 17. */
void sim_law_own_via(struct sim_witness *witness, const struct sim_news *news)
{
    const struct sim_upper *upper = news->upper;
    if (news->message->is_request && !news->routing->via.has_rport)
        sim_witness_break(witness, 17, "our own Via does not ask for rport"); /* RFC 3581 3 */
    if (upper == NULL || upper->is_forged ||
        (news->message->is_request && !is_forwarded_request(news)))
        return;
    const struct ahoy_message *request = sim_witness_request(witness, upper->bytes, upper->size);
    /* A response takes the way that its callee wrote (16.7 step 3). */
    bool is_request = news->message->is_request;
    if ((is_request || !upper->has_other_vias) &&
        !sim_notes_has_vias(news->message, is_request ? 1 : 0, request))
        sim_witness_break(witness, 17, "other Vias than it came with");
    if (news->message->is_request && !is_marked(news->message, request))
        sim_witness_break(witness, 17, "a Via that asked for rport is not marked");
    if (!news->message->is_request && upper->stream == 0 && news->stream == 0 &&
        !is_way_back(upper, &news->routing->via, &news->peer))
        sim_witness_break(witness, 17, "a response to another address than its request's");
    if (!news->message->is_request && news->stream != upper->stream &&
        sim_witness_has_stream(witness, upper->stream))
        sim_witness_break(witness, 17, "a response on another connection than its request's");
}

/* Law 18. */
void sim_law_max_forwards(struct sim_witness *witness, const struct sim_news *news)
{
    uint64_t before = 71, after = 0;
    if (!is_forwarded_request(news))
        return;
    const struct ahoy_message *request =
        sim_witness_request(witness, news->upper->bytes, news->upper->size);
    (void)ahoy_span_number(ahoy_message_value(request, AHOY_HEADER_MAX_FORWARDS), 255,
                           &before); /* Where there is none, 70 goes out. */
    if (before == 0)
        sim_witness_break(witness, 18, "forwarded with Max-Forwards 0");
    if (!ahoy_span_number(ahoy_message_value(news->message, AHOY_HEADER_MAX_FORWARDS), 255,
                          &after) ||
        after + 1 != before)
        sim_witness_break(witness, 18, "Max-Forwards %u after %u", (unsigned)after,
                          (unsigned)before);
}

/* How often the request of |upper| has been here before, the same Request-URI on it. */
static unsigned visits(struct sim_witness *witness, const struct sim_upper *upper)
{
    static struct ahoy_message now;
    unsigned count = 0;
    struct span text;
    struct ahoy_via via;
    if (!ahoy_message_parse((struct span){ upper->bytes, upper->size }, &now, NULL))
        return 0;
    struct ahoy_values values = ahoy_message_values(&now, AHOY_HEADER_VIA);
    while (ahoy_values_next(&values, &text, NULL)) {
        if (!ahoy_via_parse(text, &via, NULL))
            continue;
        uint64_t branch = sim_hash(via.branch);
        for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
            const struct sim_lower *lower = &witness->lowers[i];
            if (lower->branch != branch || lower->upper == NULL)
                continue;
            const struct ahoy_message *before =
                sim_witness_request(witness, lower->upper->bytes, lower->upper->size);
            count += ahoy_span_equal(before->request_uri, now.request_uri);
        }
    }
    return count;
}

/* Law 19. */
void sim_law_no_loop(struct sim_witness *witness, const struct sim_news *news)
{
    if (is_forwarded_request(news) && visits(witness, news->upper) >= 2)
        sim_witness_break(witness, 19, "a request goes round a third time");
}

static bool holds(struct span bytes, struct span secret)
{
    return memmem(bytes.at, bytes.size, secret.at, secret.size) != NULL;
}

/* Law 26. */
void sim_law_no_secret(struct sim_witness *witness, const struct sim_news *news)
{
    struct span secrets[2 + AHOY_DIGEST_COUNT] = { SPAN(SIM_SECRET), SPAN(SIM_PASSWORD) };
    for (size_t i = 0; i < AHOY_DIGEST_COUNT; i++) {
        const struct ahoy_digest_hex *ha1 = &witness->user.ha1[i];
        secrets[2 + i] = (struct span){ ha1->text, ha1->size };
    }
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        if (secrets[i].size > 0 && holds(news->message->bytes, secrets[i]))
            sim_witness_break(witness, 26, "a secret is in what was sent");
    }
}
