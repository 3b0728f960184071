/* Each goes its own way; the first that stands is where all else goes. */
#include "libahoy/tu/registrations.h"

static void choose_server(const struct ahoy_registrations *registrations,
                          struct ahoy_ua_context *context)
{
    const struct ahoy_registration_client *chosen = NULL;
    context->flows_up = 0;
    for (size_t i = 0; i < registrations->count; i++) {
        const struct ahoy_registration_client *client = &registrations->clients[i];
        context->flows_up += client->is_up;
        if (chosen == NULL && client->is_up)
            chosen = client;
    }
    if (chosen == NULL)
        chosen = &registrations->clients[0];
    context->server = chosen->way.server;
    context->route = chosen->way.route;
    context->granted = chosen->granted;
}

bool ahoy_registrations_init(struct ahoy_registrations *registrations,
                             struct ahoy_ua_context *context,
                             const struct ahoy_registration_way *ways, size_t count)
{
    if (count > AHOY_UA_SERVERS_LIMIT)
        return false;
    registrations->count = count;
    for (size_t i = 0; i < count; i++) {
        if (!ahoy_registration_client_init(&registrations->clients[i], context, &ways[i]))
            return false;
    }
    choose_server(registrations, context);
    return true;
}

void ahoy_registrations_start(struct ahoy_registrations *registrations,
                              struct ahoy_ua_context *context, uint32_t expires_s, uint64_t now_ms)
{
    for (size_t i = 0; i < registrations->count; i++)
        ahoy_registration_client_start(&registrations->clients[i], context, expires_s, now_ms);
}

void ahoy_registrations_stop(struct ahoy_registrations *registrations,
                             struct ahoy_ua_context *context, uint64_t now_ms)
{
    for (size_t i = 0; i < registrations->count; i++)
        ahoy_registration_client_stop(&registrations->clients[i], context, now_ms);
}

void ahoy_registrations_step(struct ahoy_registrations *registrations,
                             struct ahoy_ua_context *context, const struct ahoy_event *event,
                             uint64_t now_ms)
{
    for (size_t i = 0; i < registrations->count; i++)
        ahoy_registration_client_step(&registrations->clients[i], context, event, now_ms);
    choose_server(registrations, context);
}

void ahoy_registrations_flow_failed(struct ahoy_registrations *registrations,
                                    struct ahoy_ua_context *context, size_t index, uint64_t now_ms)
{
    ahoy_registration_client_flow_failed(&registrations->clients[index], context, now_ms);
    choose_server(registrations, context);
}

void ahoy_registrations_expire(struct ahoy_registrations *registrations,
                               struct ahoy_ua_context *context, uint64_t now_ms)
{
    for (size_t i = 0; i < registrations->count; i++)
        ahoy_registration_client_expire(&registrations->clients[i], context, now_ms);
    choose_server(registrations, context);
}

uint64_t ahoy_registrations_deadline(const struct ahoy_registrations *registrations)
{
    uint64_t deadline_ms = UINT64_MAX;
    for (size_t i = 0; i < registrations->count; i++) {
        uint64_t due_ms = registrations->clients[i].due_ms;
        deadline_ms = due_ms < deadline_ms ? due_ms : deadline_ms;
    }
    return deadline_ms;
}

uint32_t ahoy_registrations_busy(const struct ahoy_registrations *registrations)
{
    uint32_t busy = 0;
    for (size_t i = 0; i < registrations->count; i++)
        busy += registrations->clients[i].transaction.generation != 0;
    return busy;
}
