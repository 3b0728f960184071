/* A phone has woken when its binding has been refreshed, on whichever worker and node: the store
 * tells who watches the address-of-record.  Requests are found by a hash of that and of whom the
 * push service wakes, so that one push does for all that wait for the same phone. */
#include "ahoyd/sleepers.h"

#include "ahoyd/node.h"
#include "ahoyd/push.h"
#include "ahoyd/servers.h"
#include "ahoyd/targets.h"

struct sleeper {
    struct ahoy_handle self;
    struct ahoyd_watch watch;
    struct ahoy_timer timer; /* The Bucket Timer. */
    uint64_t branch;         /* The proxy's name of it. */
    uint64_t key;            /* Of the phone. */
    uint64_t instance;       /* The same by its instance; 0 where it has none. */
    uint64_t pushed_ms;      /* When its phone was pushed last. */
    uint64_t updated_ms;     /* Its binding, as it was. */
    size_t aor_size;
    char aor[AHOYD_AOR_LIMIT];
};

void ahoyd_sleepers_init(struct ahoyd_server *server, uint64_t now_ms)
{
    server->sleeper_watcher.owner = server->options.change_owner;
    server->sleeper_key =
        (struct ahoy_hash_key){ { ahoy_rng_next(&server->rng), ahoy_rng_next(&server->rng) } };
    ahoy_pool_init(&server->sleepers, sizeof(struct sleeper), AHOYD_SLEEPERS_LIMIT);
    ahoy_map_init(&server->sleepers_by_key, AHOYD_SLEEPERS_LIMIT);
    ahoy_timers_init(&server->sleeper_timers, now_ms);
}

static void forget(struct ahoyd_server *server, struct sleeper *sleeper)
{
    ahoyd_watch_remove(server->options.store, &sleeper->watch);
    ahoy_timers_cancel(&server->sleeper_timers, &sleeper->timer);
    /* It may not have come so far that it is there. */
    (void)ahoy_map_remove(&server->sleepers_by_key, sleeper->key, sleeper->watch.what);
    ahoy_pool_remove(&server->sleepers, sleeper->self);
}

void ahoyd_sleepers_forget(struct ahoyd_server *server)
{
    struct ahoy_handle handle = { 0, 0 };
    struct sleeper *sleeper;
    while ((sleeper = ahoy_pool_next(&server->sleepers, handle.slot, &handle)) != NULL)
        forget(server, sleeper);
}

void ahoyd_sleepers_fini(struct ahoyd_server *server)
{
    ahoyd_sleepers_forget(server);
    ahoy_pool_fini(&server->sleepers);
    ahoy_map_fini(&server->sleepers_by_key);
}

static uint64_t key_of(const struct ahoyd_server *server, struct span aor,
                       const struct ahoy_push *push)
{
    const struct span parts[] = { aor,        SPAN(";"), push->provider, SPAN(";"),
                                  push->prid, SPAN(";"), push->param };
    return ahoy_siphash_parts(&server->sleeper_key, parts, sizeof parts / sizeof *parts);
}

static uint64_t instance_of(const struct ahoyd_server *server, const struct ahoy_binding *binding)
{
    return binding->instance.size > 0 ? ahoy_siphash(&server->sleeper_key, binding->instance) : 0;
}

/* The request of |branch| goes to the binding number |index|, and to the other flows of its
 * instance: R8599-5.6.2-2. */
static void go_on(struct ahoyd_server *server, uint64_t branch, size_t index, uint64_t now_ms)
{
    const struct ahoy_event *event = ahoy_proxy_sleeper(server->proxy, branch);
    struct ahoy_proxy_target target;
    bool found = ahoyd_targets_of_sleeper(server, event, index, &target);
    ahoy_proxy_woken(server->proxy, branch, found ? &target : NULL, now_ms);
}

/* The request is answered without the phone. */
static void give_up(struct ahoyd_server *server, struct sleeper *sleeper, uint64_t now_ms)
{
    const uint64_t branch = sleeper->branch;
    forget(server, sleeper);
    ahoy_proxy_woken(server->proxy, branch, NULL, now_ms);
}

/* Forgets those of the same phone whose request has ended.  Returns when it was pushed last, 0 for
 * never. */
static uint64_t tidy_up(struct ahoyd_server *server, uint64_t key)
{
    uint64_t pushed_ms = 0, packed;
    size_t cursor = 0;
    while (ahoy_map_find(&server->sleepers_by_key, key, &cursor, &packed)) {
        struct sleeper *other = ahoy_pool_get(&server->sleepers, ahoy_handle_unpack(packed));
        if (other->pushed_ms > pushed_ms)
            pushed_ms = other->pushed_ms;
        if (ahoy_proxy_sleeps(server->proxy, other->branch))
            continue;
        forget(server, other);
        cursor = 0; /* The map has changed. */
    }
    return pushed_ms;
}

static struct sleeper *add(struct ahoyd_server *server, struct span aor, uint64_t branch,
                           uint64_t key)
{
    struct ahoy_handle handle;
    struct sleeper *sleeper = ahoy_pool_add(&server->sleepers, &handle);
    if (sleeper == NULL)
        return NULL;
    sleeper->self = handle;
    sleeper->branch = branch;
    sleeper->key = key;
    sleeper->timer.what = sleeper->watch.what = ahoy_handle_pack(handle);
    sleeper->watch.watcher = &server->sleeper_watcher;
    sleeper->aor_size = aor.size;
    memcpy(sleeper->aor, aor.at, aor.size);
    if (ahoyd_watch_add(server->options.store, &sleeper->watch, aor, NULL) == 0 &&
        ahoy_map_add(&server->sleepers_by_key, key, sleeper->watch.what))
        return sleeper;
    forget(server, sleeper);
    return NULL;
}

/* Asks the push service, unless it was asked just now for another request. */
static bool push(struct ahoyd_server *server, struct sleeper *sleeper, const struct ahoy_push *whom,
                 const struct ahoy_event *event, uint64_t now_ms)
{
    const struct ahoyd_push asked = { .provider = whom->provider,
                                      .param = whom->param,
                                      .prid = whom->prid,
                                      .aor = { sleeper->aor, sleeper->aor_size },
                                      .method = event->message->method_text,
                                      .call_id = event->routing->call_id,
                                      .key = sleeper->key,
                                      .owner = server->options.push_owner };
    if (sleeper->pushed_ms != 0 && now_ms < sleeper->pushed_ms + AHOYD_PUSH_AGAIN_MS)
        return true;
    sleeper->pushed_ms = now_ms;
    server->counters.pushes++;
    return server->options.pusher->ask(server->options.pusher, &asked);
}

/* What is no INVITE has to end while its sender still waits for that (5.6.2, RFC 4321). */
static uint64_t wait_ms(const struct ahoyd_server *server, const struct ahoy_event *event)
{
    uint64_t most_ms = server->options.config->push.wait_s * UINT64_C(1000);
    bool is_invite = event->message->method == AHOY_METHOD_INVITE;
    return is_invite || most_ms < AHOY_PROXY_LATE_MS ? most_ms : AHOY_PROXY_LATE_MS;
}

/* False where no more may wait, or nobody can be asked. */
static bool wait_for(struct ahoyd_server *server, const struct ahoy_proxy_wish *wish,
                     const struct ahoy_binding *binding, const struct ahoy_push *whom,
                     uint64_t now_ms)
{
    uint64_t key = key_of(server, wish->sleeper, whom);
    uint64_t pushed_ms = tidy_up(server, key);
    struct sleeper *sleeper = add(server, wish->sleeper, wish->user, key);
    if (sleeper == NULL)
        return false;
    sleeper->instance = instance_of(server, binding);
    sleeper->updated_ms = binding->updated_ms;
    sleeper->pushed_ms = pushed_ms;
    const struct ahoy_event *event = ahoy_proxy_sleeper(server->proxy, wish->user);
    ahoy_timers_set(&server->sleeper_timers, &sleeper->timer, now_ms + wait_ms(server, event));
    server->counters.parked++;
    if (push(server, sleeper, whom, event, now_ms))
        return true;
    server->counters.failed_pushes++;
    forget(server, sleeper);
    return false;
}

/* The binding whose contact |wish| names; as many as there are where it is no more. */
static size_t find_contact(struct ahoyd_server *server, const struct ahoy_proxy_wish *wish,
                           uint64_t now_ms)
{
    const struct ahoy_bindings *bindings = &server->bindings;
    size_t i = 0;
    if (!ahoyd_node_find(server, wish->sleeper, now_ms))
        return 0;
    while (i < bindings->count && !ahoy_span_equal(bindings->list[i].contact, wish->uri))
        i++;
    return i;
}

void ahoyd_sleepers_wake(struct ahoyd_server *server, const struct ahoy_proxy_wish *wish,
                         uint64_t now_ms)
{
    struct ahoy_push whom;
    size_t i = find_contact(server, wish, now_ms);
    const struct ahoy_binding *binding = &server->bindings.list[i];
    /* R8599-5.5-1: for one that is gone, or has changed, nobody is pushed any more. */
    if (i >= server->bindings.count || !ahoyd_push_serves(server, binding, &whom))
        ahoy_proxy_woken(server->proxy, wish->user, NULL, now_ms);
    else if (now_ms < binding->updated_ms + AHOYD_PUSH_AWAKE_MS)
        go_on(server, wish->user, i, now_ms); /* It woke before its turn came. */
    else if (!wait_for(server, wish, binding, &whom, now_ms))
        ahoy_proxy_woken(server->proxy, wish->user, NULL, now_ms);
}

/* Whether |binding| is that of the phone: by all three parameters (R8599-5.3-1), or by its
 * instance, as push services rename whom they wake (4.1.3). */
static bool is_of(const struct ahoyd_server *server, const struct sleeper *sleeper,
                  const struct ahoy_binding *binding)
{
    const struct span aor = { sleeper->aor, sleeper->aor_size };
    struct ahoy_push whom;
    return (sleeper->instance != 0 && instance_of(server, binding) == sleeper->instance) ||
           (ahoy_push_read(binding->contact, &whom) && key_of(server, aor, &whom) == sleeper->key);
}

/* The bindings have changed.  Is the phone awake, or gone? */
static void look(struct ahoyd_server *server, struct sleeper *sleeper, uint64_t now_ms)
{
    const struct span aor = { sleeper->aor, sleeper->aor_size };
    const struct ahoy_bindings *bindings = &server->bindings;
    const uint64_t branch = sleeper->branch;
    bool is_there = false;
    size_t count = ahoyd_node_find(server, aor, now_ms) ? bindings->count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct ahoy_binding *binding = &bindings->list[i];
        if (!is_of(server, sleeper, binding))
            continue;
        is_there = true;
        if (binding->updated_ms <= sleeper->updated_ms)
            continue;
        forget(server, sleeper);
        server->counters.woken++;
        go_on(server, branch, i, now_ms);
        return;
    }
    if (is_there)
        return;
    give_up(server, sleeper, now_ms);
}

void ahoyd_sleepers_failed(struct ahoyd_server *server, uint64_t key, uint64_t now_ms)
{
    uint64_t packed;
    size_t cursor = 0;
    server->counters.failed_pushes++;
    while (ahoy_map_find(&server->sleepers_by_key, key, &cursor, &packed)) {
        struct sleeper *sleeper = ahoy_pool_get(&server->sleepers, ahoy_handle_unpack(packed));
        give_up(server, sleeper, now_ms);
        ahoyd_servers_ask(server, now_ms);
        cursor = 0; /* The map has changed. */
    }
}

/* The one that |packed| names and whose request still waits; else NULL. */
static struct sleeper *find(struct ahoyd_server *server, uint64_t packed)
{
    struct sleeper *sleeper = ahoy_pool_get(&server->sleepers, ahoy_handle_unpack(packed));
    if (sleeper == NULL || ahoy_proxy_sleeps(server->proxy, sleeper->branch))
        return sleeper;
    forget(server, sleeper);
    return NULL;
}

bool ahoyd_sleepers_expire(struct ahoyd_server *server, uint64_t now_ms)
{
    struct sleeper *sleeper;
    struct ahoy_timer *timer;
    uint64_t packed;
    if (ahoyd_sleepers_deadline(server) > now_ms)
        return false;
    while (ahoyd_watch_next(server->options.store, &server->sleeper_watcher, &packed)) {
        sleeper = find(server, packed);
        if (sleeper != NULL)
            look(server, sleeper, now_ms);
        ahoyd_servers_ask(server, now_ms);
    }
    while ((timer = ahoy_timers_expire(&server->sleeper_timers, now_ms)) != NULL) {
        sleeper = find(server, timer->what);
        if (sleeper == NULL)
            continue;
        server->counters.not_woken++;
        give_up(server, sleeper, now_ms); /* R8599-5.6.2-4 */
        ahoyd_servers_ask(server, now_ms);
    }
    return true;
}

uint64_t ahoyd_sleepers_deadline(const struct ahoyd_server *server)
{
    if (atomic_load(&server->sleeper_watcher.is_told))
        return 0;
    return server->sleepers.used > 0 ? ahoy_timers_deadline(&server->sleeper_timers) : UINT64_MAX;
}
