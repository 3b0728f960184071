/* Nothing that is under way keeps a pointer into the configuration but for what calls count for,
 * which is moved here: proxies copy their targets, registrations what their answers need. */
#include "ahoyd/renewal.h"

#include <stdlib.h>

#include "ahoyd/admission.h"
#include "ahoyd/probes.h"
#include "ahoyd/script.h"

struct ahoyd_renewal {
    const struct ahoyd_config *config;
    const struct ahoy_listener *listeners;
    size_t listener_count;
    struct ahoyd_names names;
    struct ahoyd_script *script;
    struct ahoyd_probe *probes;
    struct ahoy_meter *meters;
    size_t before_count;        /* Of the meters before. */
    struct ahoy_meter **places; /* Where each of those goes; NULL: its name is gone. */
};

/* Meters of one name are one. */
static void place_meters(struct ahoyd_renewal *renewal, const struct ahoyd_config *before)
{
    const struct ahoyd_config *after = renewal->config;
    renewal->places[0] = &renewal->meters[0];
    for (size_t i = 0; i < before->domain_count; i++) {
        for (size_t j = 0; j < after->domain_count; j++) {
            if (ahoy_span_equal(before->domains[i].name, after->domains[j].name))
                renewal->places[1 + i] = &renewal->meters[1 + j];
        }
    }
    for (size_t i = 0; i < before->trunk_count; i++) {
        for (size_t j = 0; j < after->trunk_count; j++) {
            if (ahoy_span_equal(before->trunks[i].name, after->trunks[j].name))
                renewal->places[1 + before->domain_count + i] =
                    &renewal->meters[1 + after->domain_count + j];
        }
    }
}

static bool fill(struct ahoyd_renewal *renewal, const struct ahoyd_config *before)
{
    const struct ahoyd_config *config = renewal->config;
    renewal->before_count = ahoyd_server_meter_count(before);
    renewal->meters = calloc(ahoyd_server_meter_count(config), sizeof *renewal->meters);
    renewal->places = calloc(renewal->before_count, sizeof *renewal->places);
    if (!ahoyd_names_init(&renewal->names, config, renewal->listeners, renewal->listener_count) ||
        renewal->meters == NULL || renewal->places == NULL ||
        !ahoyd_probes_new(config, &renewal->probes))
        return false;
    place_meters(renewal, before);
    if (config->when_count > 0)
        renewal->script = ahoyd_script_new(config);
    return config->when_count == 0 || renewal->script != NULL;
}

struct ahoyd_renewal *ahoyd_renewal_new(const struct ahoyd_config *before,
                                        const struct ahoyd_config *config,
                                        const struct ahoy_listener *listeners, size_t count)
{
    struct ahoyd_renewal *renewal = calloc(1, sizeof *renewal);
    if (renewal == NULL)
        return NULL;
    renewal->config = config;
    renewal->listeners = listeners;
    renewal->listener_count = count;
    if (fill(renewal, before))
        return renewal;
    ahoyd_renewal_free(renewal);
    return NULL;
}

void ahoyd_renewal_free(struct ahoyd_renewal *renewal)
{
    if (renewal == NULL)
        return;
    ahoyd_names_fini(&renewal->names);
    ahoyd_script_free(renewal->script);
    free(renewal->probes);
    free(renewal->meters);
    free(renewal->places);
    free(renewal);
}

/* What was counted stays counted, and what is under way counts on. */
static void renew_meters(struct ahoyd_server *server, struct ahoyd_renewal *renewal)
{
    struct ahoy_meter *before = server->meters;
    for (size_t i = 0; i < renewal->before_count; i++) {
        if (renewal->places[i] != NULL)
            *renewal->places[i] = before[i];
    }
    ahoy_proxy_remeter(server->proxy, before, renewal->before_count, renewal->places);
    server->meters = renewal->meters;
    renewal->meters = before;
}

void ahoyd_server_renew(struct ahoyd_server *server, struct ahoyd_renewal *renewal, uint64_t now_ms)
{
    const uint32_t overload_ms = server->options.config->overload_ms;
    const struct ahoyd_names names = server->names;
    struct ahoyd_script *script = server->script;
    renew_meters(server, renewal);
    renewal->probes = ahoyd_probes_renew(server, renewal->probes, renewal->config, now_ms);
    server->names = renewal->names;
    renewal->names = names;
    server->script = renewal->script;
    renewal->script = script;
    server->options.config = renewal->config;
    server->options.listeners = renewal->listeners;
    server->options.listener_count = renewal->listener_count;
    ahoy_stack_relisten(server->stack, renewal->listeners, renewal->listener_count);
    if (renewal->config->overload_ms != overload_ms)
        ahoyd_admission_init(server, now_ms);
}
