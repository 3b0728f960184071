/* The end of a server and its next start: what its store brings back. */
#include <assert.h>
#include <stdlib.h>

#include "sim/host_inside.h"

struct ahoyd_store *sim_host_open_store(const struct sim_host *host)
{
    /* Several of one world have not the same one. */
    unsigned char secret[AHOYD_SECRET_SIZE] = SIM_SECRET;
    secret[AHOYD_SECRET_SIZE - 1] = host->config->listens[0].ip.bytes[3];
    struct ahoyd_store_options store = { AHOYD_STORE_MEMORY, .now_ms = sim_host_now(host),
                                         .secret = secret };
    char fault[256];
    return ahoyd_store_open(&store, fault, sizeof fault);
}

static void forget_changes(struct sim_host *host)
{
    while (host->changes != NULL) {
        struct ahoyd_change *change = host->changes;
        host->changes = change->next;
        ahoyd_change_free(change);
    }
}

/* All that the process held is gone, and what the store was still to commit. */
void sim_host_stop(struct sim_host *host)
{
    if (host->server != NULL)
        ahoyd_server_free(host->server);
    host->server = NULL;
    while (host->store != NULL && ahoyd_store_settle(host->store, true))
        continue;
    forget_changes(host);
    for (size_t i = 0; i < host->answer_count; i++)
        free((void *)(uintptr_t)host->answers[i].bytes.at);
    host->answer_count = 0;
    host->commit_ms = UINT64_MAX;
    memset(host->streams, 0, sizeof host->streams);
}

/* Has the store keep |change| at once. */
void sim_host_put_change(struct sim_host *host, struct ahoyd_change *change)
{
    assert(change != NULL);
    change->owner = &host->owner;
    (void)ahoyd_store_submit(host->store, change); /* Nothing else waits. */
    while (ahoyd_store_settle(host->store, false))
        continue;
    forget_changes(host);
}

void sim_host_add_user(struct sim_host *host, const char *user, const char *domain,
                       const char *password)
{
    struct ahoyd_user ha1;
    struct span name = ahoy_span(user), realm = ahoy_span(domain);
    bool made = ahoy_digest_ha1(AHOY_DIGEST_MD5, name, realm, ahoy_span(password), &ha1.md5) &&
                ahoy_digest_ha1(AHOY_DIGEST_SHA256, name, realm, ahoy_span(password), &ha1.sha256);
    assert(made);
    sim_host_put_change(host, ahoyd_change_user(AHOYD_CHANGE_USER_PUT, name, realm, &ha1));
}

void sim_host_crash(struct sim_host *host)
{
    sim_host_stop(host);
    for (size_t i = 0; i < host->config->listen_count; i++)
        sim_world_reset(host->world, &host->nodes[i].ip);
}

/* What the file of a real store would bring back: every binding, but no connection. */
struct revival {
    struct sim_host *host;
    struct ahoyd_change *changes;
};

static bool revive(void *context, struct span aor, const struct ahoy_bindings *bindings)
{
    struct revival *revival = context;
    for (size_t i = bindings->count; i > 0; i--) { /* The first of them is put first. */
        const struct ahoy_binding *binding = &bindings->list[i - 1];
        struct ahoy_registration registration = {
            .count = 1,
            .asked = { { .contact = binding->contact,
                         .params = binding->params,
                         .instance = binding->instance,
                         .reg_id = binding->reg_id,
                         .expires_s =
                             (uint32_t)((binding->expires_ms - binding->updated_ms) / 1000),
                         .q = binding->q } },
            .call_id = binding->call_id,
            .cseq = binding->cseq,
            .hop = binding->hop,
            .path = binding->path,
        };
        registration.hop.connection = (struct ahoy_handle){ 0, 0 };
        struct ahoyd_change *change =
            ahoyd_change_bindings(aor, &registration, binding->updated_ms);
        assert(change != NULL);
        change->next = revival->changes;
        revival->changes = change;
    }
    return true;
}

static bool copy_user(void *context, struct span user, struct span realm)
{
    struct revival *revival = context;
    struct ahoyd_change *change =
        ahoyd_change_user(AHOYD_CHANGE_USER_PUT, user, realm, &(struct ahoyd_user){ 0 });
    assert(change != NULL);
    change->next = revival->changes;
    revival->changes = change;
    return true;
}

void sim_host_restart(struct sim_host *host)
{
    struct revival revival = { .host = host };
    struct ahoyd_store *old = host->store;
    ahoyd_store_each_aor(old, sim_host_now(host), revive, &revival);
    ahoyd_store_each_user(old, copy_user, &revival);
    host->store = sim_host_open_store(host);
    assert(host->store != NULL);
    while (revival.changes != NULL) {
        struct ahoyd_change *change = revival.changes;
        revival.changes = change->next;
        if (change->kind == AHOYD_CHANGE_USER_PUT)
            ahoyd_store_user(old, change->user, change->realm, &change->credentials);
        sim_host_put_change(host, change);
    }
    ahoyd_store_close(old);
    if (host->holds)
        ahoyd_store_hold(host->store, host->manner.limit);
    bool opened = sim_host_open_server(host);
    assert(opened);
}
