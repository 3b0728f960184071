/* The flow of a registration: RFC 5626 4.2 to 4.5. */
#include "libahoy/tu/registration.h"

/* R5626-4.4-1; where the server does not say how often, the RFC does. */
static uint32_t keep_ms(const struct ahoy_message *response, const struct ahoy_hop *hop)
{
    uint64_t seconds = ahoy_transport_is_reliable((enum ahoy_transport)hop->transport)
                           ? AHOY_FLOW_STREAM_S
                           : AHOY_FLOW_DATAGRAM_S;
    uint64_t said;
    struct span text = ahoy_message_value(response, AHOY_HEADER_FLOW_TIMER);
    if (ahoy_span_number(text, AHOY_FLOW_TIMER_LIMIT_S, &said) && said > 0)
        seconds = said;
    return (uint32_t)seconds * 1000;
}

void ahoy_registration_client_set_flow(struct ahoy_registration_client *client,
                                       const struct ahoy_message *response,
                                       const struct ahoy_hop *hop)
{
    bool is_flow = ahoy_ua_lists(response, AHOY_HEADER_REQUIRE, SPAN("outbound"));
    bool is_same = client->keep_ms > 0 && ahoy_hop_leads_where(&client->flow, hop) &&
                   ahoy_handle_equal(client->flow.connection, hop->connection);
    client->is_up = true;
    client->flow = *hop;
    client->keep_ms = is_flow ? keep_ms(response, hop) : 0;
    client->is_answered &= is_same;
    if (!is_flow || client->is_answered)
        client->failures = 0;
}

void ahoy_registration_client_answered(struct ahoy_registration_client *client)
{
    client->is_answered = true;
    client->failures = 0;
}

/* By chance, between half of the bound and all of it: R5626-4.5-2. */
uint64_t ahoy_registration_client_retry_ms(struct ahoy_registration_client *client,
                                           struct ahoy_ua_context *context, uint64_t now_ms)
{
    unsigned others = context->flows_up - client->is_up;
    uint64_t most_ms = (others > 0 ? AHOY_FLOW_ANOTHER_S : AHOY_FLOW_ALONE_S) * UINT64_C(1000);
    client->failures++;
    for (unsigned i = 0; i < client->failures && most_ms < AHOY_FLOW_MOST_S * UINT64_C(1000); i++)
        most_ms *= 2;
    if (most_ms > AHOY_FLOW_MOST_S * UINT64_C(1000))
        most_ms = AHOY_FLOW_MOST_S * UINT64_C(1000);
    return now_ms + most_ms / 2 + ahoy_rng_below(&context->rng, most_ms / 2 + 1);
}

/* One that was good is replaced at once, R5626-4.5-1: else there is the wait. */
void ahoy_registration_client_flow_failed(struct ahoy_registration_client *client,
                                          struct ahoy_ua_context *context, uint64_t now_ms)
{
    bool was_good = client->is_answered;
    if (client->keep_ms == 0)
        return;
    client->keep_ms = 0;
    client->is_answered = false;
    if (client->transaction.generation == 0 && client->state == AHOY_REGISTRATION_HELD) {
        if (was_good)
            ahoy_registration_client_begin(client, context, now_ms);
        else
            client->due_ms = ahoy_registration_client_retry_ms(client, context, now_ms);
    }
    client->is_up = false;
}
