/* A branch whose phone sleeps: the request waits until its owner has woken that (RFC 8599 5.6.2).
 * In the meantime it is one that rings as any other, and where it is cancelled there is nobody to
 * tell. */
#include <assert.h>

#include "libahoy/tu/proxy_context.h"

void ahoy_proxy_sleep(struct ahoy_proxy *proxy, struct proxy_context *context, unsigned index,
                      const struct ahoy_proxy_target *target)
{
    struct proxy_branch *branch = proxy_branch_at(context, index);
    branch->flows = target;
    branch->sleeps = branch->waiting = true;
    ahoy_proxy_wish(proxy, &(struct proxy_wish){ .user = ahoy_proxy_name(context->handle, index) });
}

/* The context of a branch that sleeps under the name |user|; NULL where it does not any more. */
static struct proxy_context *find(const struct ahoy_proxy *proxy, uint64_t user, unsigned *index)
{
    struct proxy_context *context = ahoy_proxy_find(proxy, user, index);
    if (context == NULL || context->closed || *index >= context->count)
        return NULL;
    const struct proxy_branch *branch = proxy_branch_at(context, *index);
    return branch->sleeps ? context : NULL;
}

bool ahoy_proxy_sleeps(const struct ahoy_proxy *proxy, uint64_t user)
{
    unsigned index;
    return find(proxy, user, &index) != NULL;
}

const struct ahoy_event *ahoy_proxy_sleeper(struct ahoy_proxy *proxy, uint64_t user)
{
    unsigned index;
    const struct proxy_context *context = find(proxy, user, &index);
    assert(context != NULL);
    return ahoy_proxy_recall(proxy, context->kept);
}

void ahoy_proxy_woken(struct ahoy_proxy *proxy, uint64_t user,
                      const struct ahoy_proxy_target *target, uint64_t now_ms)
{
    unsigned index;
    struct proxy_context *context = find(proxy, user, &index);
    if (context == NULL)
        return;
    struct proxy_branch *branch = proxy_branch_at(context, index);
    branch->sleeps = branch->waiting = false;
    branch->flows = NULL;
    if (target == NULL) {
        ahoy_proxy_finish(proxy, context, branch, 480, NULL, now_ms);
        return;
    }
    bool begun = ahoy_proxy_keep_flows(&context->arena, target->next, &branch->flows) &&
                 ahoy_proxy_start_target(proxy, context, index, target, now_ms);
    if (!begun && !ahoy_proxy_next_flow(proxy, context, index, now_ms))
        ahoy_proxy_finish(proxy, context, branch, 503, NULL, now_ms);
}
