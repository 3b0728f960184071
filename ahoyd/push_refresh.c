/* Nothing is kept for it: each look takes the stretch of time behind that of the last.  A binding
 * that was refreshed meanwhile ends later, and those that have gone are not found
 * (R8599-5.5-1). */
#include "ahoyd/push_refresh.h"

#include "ahoyd/push.h"

/* Of the bindings that only a node's connection leads to (node.h) that node sees to. */
static bool is_ours(const struct ahoyd_config *config, struct span path)
{
    struct span node = config->node;
    node = ahoy_span_after(node, ahoy_span_find(node, ':') + (node.size > 0));
    return path.size == 0 ||
           (node.size > 0 && memmem(path.at, path.size, node.at, node.size) != NULL);
}

static bool visit(void *context, struct span aor, const struct ahoy_bindings *bindings)
{
    const struct ahoyd_push_refresh *refresh = context;
    for (size_t i = 0; i < bindings->count; i++) {
        const struct ahoy_binding *binding = &bindings->list[i];
        struct ahoy_push whom;
        if (binding->expires_ms <= refresh->from_ms || binding->expires_ms > refresh->until_ms ||
            !is_ours(refresh->config, binding->path) ||
            !ahoyd_push_suits(refresh->config, binding, &whom))
            continue;
        const struct ahoyd_push push = { .provider = whom.provider,
                                         .param = whom.param,
                                         .prid = whom.prid,
                                         .aor = aor,
                                         .method = SPAN("REGISTER") };
        /* Where there is no room, it ends, and begins again when its user does. */
        (void)refresh->pusher->ask(refresh->pusher, &push);
    }
    return true;
}

void ahoyd_push_refresh(struct ahoyd_push_refresh *refresh, uint64_t now_ms)
{
    refresh->from_ms = refresh->until_ms;
    refresh->until_ms = now_ms + AHOYD_PUSH_AHEAD_S * UINT64_C(1000);
    ahoyd_store_each_aor(refresh->store, now_ms, visit, refresh);
}
