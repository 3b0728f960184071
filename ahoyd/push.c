/* This server is proxy and registrar in one, and so the last on the way of a REGISTER.  Where
 * another proxy stands in between, with a Path of its own, waking is that one's business. */
#include "ahoyd/push.h"

#include "ahoyd/node.h"
#include "libahoy/syntax/params.h"

static bool is_on(const struct ahoyd_server *server)
{
    return server->options.config->push.url != NULL && server->options.pusher != NULL;
}

static bool knows(const struct ahoyd_config *config, struct span provider)
{
    for (size_t i = 0; i < config->push.provider_count; i++) {
        if (ahoy_span_equal_nocase(config->push.providers[i], provider))
            return true;
    }
    return false;
}

bool ahoyd_push_suits(const struct ahoyd_config *config, const struct ahoy_binding *binding,
                      struct ahoy_push *push)
{
    return binding->expires_ms >= binding->updated_ms + AHOYD_PUSH_LEAST_S * UINT64_C(1000) &&
           ahoy_push_read(binding->contact, push) && ahoy_push_is_whole(push) &&
           knows(config, push->provider);
}

/* R8599-1-1: who wakes is on the way of all requests, and |path| says who is. */
static bool is_ours(const struct ahoyd_server *server, struct span path)
{
    struct ahoyd_node_way way;
    return path.size == 0 || ahoyd_node_read(server, path, &way);
}

bool ahoyd_push_serves(const struct ahoyd_server *server, const struct ahoy_binding *binding,
                       struct ahoy_push *push)
{
    return is_on(server) && ahoyd_push_suits(server->options.config, binding, push) &&
           is_ours(server, binding->path);
}

bool ahoyd_push_is_same(const struct ahoyd_server *server, const struct ahoy_binding *a,
                        const struct ahoy_binding *b)
{
    struct ahoy_push one, other;
    return is_on(server) && ahoy_push_read(a->contact, &one) && one.prid.size > 0 &&
           ahoy_push_read(b->contact, &other) && ahoy_span_equal(one.prid, other.prid) &&
           ahoy_span_equal(one.provider, other.provider) && ahoy_span_equal(one.param, other.param);
}

bool ahoyd_push_refuses(const struct ahoyd_server *server,
                        const struct ahoy_registration *registration)
{
    struct ahoy_push push;
    if (!is_on(server) || registration->is_pushed) /* R8599-5.6.1.2-4 */
        return false;
    for (size_t i = 0; i < registration->count; i++) {
        const struct ahoy_asked_contact *asked = &registration->asked[i];
        if (asked->expires_s > 0 && ahoy_push_read(asked->contact, &push) &&
            push.provider.size > 0 && !knows(server->options.config, push.provider))
            return true;
    }
    return false;
}

/* Whether |asked| is told of |provider|: who asks for no one in particular is told of all of them
 * (R8599-5.6.1.2-5); who wants to be woken, where that can be done (5.6.1.1). */
static bool is_told(const struct ahoy_asked_contact *asked, struct span provider)
{
    struct ahoy_push push;
    if (asked->expires_s == 0 || !ahoy_push_read(asked->contact, &push))
        return false;
    if (push.prid.size == 0 && push.provider.size == 0)
        return true;
    return ahoy_span_equal_nocase(push.provider, provider) &&
           (push.prid.size == 0 ||
            (ahoy_push_is_whole(&push) && asked->expires_s >= AHOYD_PUSH_LEAST_S));
}

void ahoyd_push_print(const struct ahoyd_server *server,
                      const struct ahoy_registration *registration, struct ahoy_buf *rows)
{
    const struct ahoyd_hook *hook = &server->options.config->push;
    if (!is_on(server) || registration->is_pushed || !is_ours(server, registration->path))
        return; /* R8599-5.6.1.1-1 */
    for (size_t i = 0; i < hook->provider_count; i++) {
        bool told = false, refreshes = false;
        for (size_t j = 0; j < registration->count; j++) {
            const struct ahoy_asked_contact *asked = &registration->asked[j];
            struct ahoy_param param;
            if (!is_told(asked, hook->providers[i]))
                continue;
            told = true;
            refreshes |= ahoy_params_find(asked->params, SPAN("+sip.pnsreg"), &param);
        }
        if (!told)
            continue;
        ahoy_buf_put(rows, SPAN("Feature-Caps: *;+sip.pns=\"")); /* R8599-5.4-1 */
        ahoy_buf_put(rows, hook->providers[i]);
        if (refreshes) { /* R8599-5.4-2 */
            ahoy_buf_put(rows, SPAN("\";+sip.pnsreg=\""));
            ahoy_buf_put_number(rows, AHOYD_PUSH_REG_S);
        }
        ahoy_buf_put(rows, SPAN("\"\r\n"));
    }
}
