/* What a NOTIFY tells is found out when it is sent: by comparing what the store has with what was
 * told last.  So it does not matter who has changed it, or how often. */
#include "ahoyd/subscriptions.h"

#include <stdlib.h>

#include "ahoyd/gruu.h"
#include "ahoyd/policy.h"
#include "ahoyd/store/record.h"
#include "libahoy/base/unset.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/tu/reginfo.h"

enum { GRUU_SIZE = AHOYD_AOR_LIMIT + 3 * AHOY_INSTANCE_LIMIT + 16 };

void ahoyd_subscriptions_init(struct ahoyd_server *server, uint64_t now_ms)
{
    server->watcher.owner = server->options.change_owner;
    ahoy_pool_init(&server->subscriptions, sizeof(struct ahoyd_subscription),
                   AHOYD_SUBSCRIPTIONS_LIMIT);
    ahoy_timers_init(&server->subscription_timers, now_ms);
}

void ahoyd_subscription_remove(struct ahoyd_server *server, struct ahoyd_subscription *subscription)
{
    ahoyd_watch_remove(server->options.store, &subscription->watch);
    ahoy_timers_cancel(&server->subscription_timers, &subscription->timer);
    ahoy_dialog_fini(&subscription->notifier.dialog);
    free(subscription->told);
    ahoy_pool_remove(&server->subscriptions, subscription->self);
}

void ahoyd_subscriptions_forget(struct ahoyd_server *server)
{
    struct ahoy_handle handle = { 0, 0 };
    struct ahoyd_subscription *subscription;
    while ((subscription = ahoy_pool_next(&server->subscriptions, handle.slot, &handle)) != NULL)
        ahoyd_subscription_remove(server, subscription);
}

void ahoyd_subscriptions_fini(struct ahoyd_server *server)
{
    ahoyd_subscriptions_forget(server);
    ahoy_pool_fini(&server->subscriptions);
}

struct ahoyd_subscription *ahoyd_subscription_new(struct ahoyd_server *server, struct span aor,
                                                  const struct ahoy_ip *ip, unsigned *status)
{
    struct ahoy_handle handle;
    struct ahoyd_subscription *subscription = ahoy_pool_add(&server->subscriptions, &handle);
    *status = 503;
    if (subscription == NULL)
        return NULL;
    subscription->self = handle;
    subscription->lapse_ms = UINT64_MAX;
    subscription->timer.what = subscription->watch.what = ahoy_handle_pack(handle);
    subscription->watch.watcher = &server->watcher;
    subscription->aor_size = aor.size;
    memcpy(subscription->aor, aor.at, aor.size);
    *status = ahoyd_watch_add(server->options.store, &subscription->watch, aor, ip);
    if (*status == 0)
        return subscription;
    ahoyd_subscription_remove(server, subscription);
    return NULL;
}

void ahoyd_subscription_print_tag(struct ahoyd_server *server,
                                  const struct ahoyd_subscription *subscription,
                                  char tag[AHOYD_SUBSCRIPTION_TAG_SIZE])
{
    ahoy_rng_token(&server->rng, tag);
    ahoy_token_print(ahoy_handle_pack(subscription->self), tag + AHOY_TOKEN_SIZE);
}

struct ahoyd_subscription *ahoyd_subscription_find(struct ahoyd_server *server,
                                                   const struct ahoy_routing *routing)
{
    uint64_t packed;
    if (routing->to_tag.size != AHOYD_SUBSCRIPTION_TAG_SIZE ||
        !ahoy_token_parse(ahoy_span_after(routing->to_tag, AHOY_TOKEN_SIZE), &packed))
        return NULL;
    struct ahoyd_subscription *subscription =
        ahoy_pool_get(&server->subscriptions, ahoy_handle_unpack(packed));
    bool matches =
        subscription != NULL && ahoy_dialog_matches(&subscription->notifier.dialog, routing);
    return matches ? subscription : NULL;
}

/* What no name of the proxy's is: its handles, being in use, have an odd generation. */
static uint64_t name_of(const struct ahoyd_subscription *subscription)
{
    struct ahoy_handle handle = subscription->self;
    handle.generation++;
    return ahoy_handle_pack(handle);
}

static bool is_name(uint64_t user)
{
    return user != 0 && ahoy_handle_unpack(user).generation % 2 == 0;
}

void ahoyd_subscription_put_contact(const struct ahoyd_server *server,
                                    const struct ahoyd_subscription *subscription,
                                    const struct ahoy_hop *hop, struct ahoy_buf *rows)
{
    const struct ahoy_listener *listener = ahoy_transaction_listener(server->transactions, hop);
    bool is_sips = ahoy_dialog_is_sips(&subscription->notifier.dialog);
    if (listener == NULL)
        return; /* Nothing is sent then either. */
    ahoy_buf_put(rows, is_sips ? SPAN("Contact: <sips:") : SPAN("Contact: <sip:"));
    ahoy_buf_put(rows, ahoy_span_after(listener->uri, ahoy_span_find(listener->uri, ':') + 1));
    ahoy_buf_put(rows, SPAN(";gr>\r\n")); /* It leads to this server: R6665-4.5.1-1. */
}

/* Where the NOTIFY goes: straight to a subscriber by the way that he came, as nothing else may lead
 * through his NAT.  Else where the dialog says, or, as long as that is a name, back to the proxy
 * that his SUBSCRIBE came from. */
static bool find_way(const struct ahoyd_server *server,
                     const struct ahoyd_subscription *subscription, struct ahoy_hop *hop)
{
    const struct ahoy_dialog *dialog = &subscription->notifier.dialog;
    struct ahoy_uri uri;
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    bool is_sips = ahoy_dialog_is_sips(dialog);
    *hop = subscription->hop;
    if (!subscription->is_direct && ahoy_dialog_next_hop(dialog, &uri)) {
        if (is_sips)
            uri.scheme = AHOY_SCHEME_SIPS;
        if (ahoy_locate(&uri, &transport, &ip, NULL)) {
            *hop = (struct ahoy_hop){ .transport = (uint8_t)transport,
                                      .listener = AHOY_ANY_LISTENER,
                                      .remote = ip };
            hop->domain = ahoy_stack_domain(server->stack, transport, uri.host);
            if (!ahoyd_policy_may_reach(server, &ip, &subscription->hop.remote))
                return false;
        }
    }
    return !is_sips || ahoy_transport_is_secure((enum ahoy_transport)hop->transport);
}

/* The document that tells |current|, in server->text; empty where it does not fit. */
static struct span print_document(struct ahoyd_server *server,
                                  struct ahoyd_subscription *subscription,
                                  const struct ahoy_bindings *current, uint64_t now_ms)
{
    AHOY_UNSET struct ahoy_bindings before;
    AHOY_UNSET char gruus[AHOY_REGINFO_CONTACTS_LIMIT][GRUU_SIZE];
    struct ahoy_reginfo reginfo = { .aor = { subscription->aor, subscription->aor_size },
                                    .version = subscription->version++ };
    bool has_told =
        subscription->told != NULL && record_decode(record_state(subscription->told), 0, &before);
    ahoy_reginfo_compare(&reginfo, has_told ? &before : NULL, current, now_ms);
    for (size_t i = 0; i < reginfo.count; i++) {
        struct ahoy_buf gruu = ahoy_buf_over(gruus[i], sizeof gruus[i]);
        ahoyd_gruu_print_public(reginfo.aor, reginfo.contacts[i].binding, &gruu);
        reginfo.contacts[i].gruu = ahoy_buf_text(&gruu);
    }
    struct ahoy_buf body = ahoy_buf_over(server->text, sizeof server->text);
    subscription->notifier.package->print(&reginfo, &body);
    return ahoy_buf_text(&body);
}

/* Where memory is refused, the next document tells nothing of those that will have gone. */
static void keep_told(struct ahoyd_subscription *subscription, const struct ahoy_bindings *told)
{
    free(subscription->told);
    subscription->told =
        record_new(NULL, (struct span){ subscription->aor, subscription->aor_size }, told);
    subscription->lapse_ms = UINT64_MAX;
    for (size_t i = 0; i < told->count; i++) {
        if (told->list[i].expires_ms < subscription->lapse_ms)
            subscription->lapse_ms = told->list[i].expires_ms;
    }
}

static void notify(struct ahoyd_server *server, struct ahoyd_subscription *subscription,
                   uint64_t now_ms)
{
    const struct span aor = { subscription->aor, subscription->aor_size };
    char space[AHOY_URI_LIMIT + 64];
    struct ahoy_buf line = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    struct ahoy_handle transaction = { 0, 0 };
    struct ahoy_hop hop;
    /* None are bindings too. */
    (void)ahoyd_store_find(server->options.store, aor, now_ms, &server->bindings);
    struct span body = print_document(server, subscription, &server->bindings, now_ms);
    if (find_way(server, subscription, &hop)) {
        ahoyd_subscription_put_contact(server, subscription, &hop, &rows);
        ahoy_notifier_print(&subscription->notifier, body.size, now_ms, &line, &rows);
        const struct span pieces[] = { ahoy_buf_text(&rows), body };
        const struct ahoy_outgoing request = { .method = AHOY_METHOD_NOTIFY,
                                               .request_line = ahoy_buf_text(&line),
                                               .pieces = pieces,
                                               .count = body.size > 0 ? 2 : 1,
                                               .hop = hop,
                                               .user = name_of(subscription) };
        if (request.request_line.size > 0 && pieces[0].size > 0)
            transaction = ahoy_transaction_request(server->transactions, &request, now_ms);
    }
    keep_told(subscription, &server->bindings);
    server->counters.notified++;
    ahoy_notifier_sent(&subscription->notifier, transaction, now_ms);
}

void ahoyd_subscription_advance(struct ahoyd_server *server,
                                struct ahoyd_subscription *subscription, uint64_t now_ms)
{
    struct ahoy_notifier *notifier = &subscription->notifier;
    if (now_ms >= subscription->lapse_ms) {
        subscription->lapse_ms = UINT64_MAX;
        ahoy_notifier_change(notifier);
    }
    while (ahoy_notifier_poll(notifier, now_ms))
        notify(server, subscription, now_ms);
    if (notifier->state == AHOY_NOTIFIER_OVER) {
        ahoyd_subscription_remove(server, subscription);
        return;
    }
    uint64_t deadline_ms = ahoy_notifier_deadline(notifier);
    if (subscription->lapse_ms < deadline_ms)
        deadline_ms = subscription->lapse_ms;
    if (deadline_ms == UINT64_MAX)
        ahoy_timers_cancel(&server->subscription_timers, &subscription->timer);
    else
        ahoy_timers_set(&server->subscription_timers, &subscription->timer, deadline_ms);
}

bool ahoyd_subscriptions_step(struct ahoyd_server *server, const struct ahoy_event *event,
                              uint64_t now_ms)
{
    if (!is_name(event->user))
        return false;
    struct ahoy_handle handle = ahoy_handle_unpack(event->user);
    handle.generation--;
    struct ahoyd_subscription *subscription = ahoy_pool_get(&server->subscriptions, handle);
    if (subscription == NULL)
        return true;
    ahoy_notifier_step(&subscription->notifier, event);
    ahoyd_subscription_advance(server, subscription, now_ms);
    return true;
}

bool ahoyd_subscriptions_expire(struct ahoyd_server *server, uint64_t now_ms)
{
    struct ahoyd_subscription *subscription;
    struct ahoy_timer *timer;
    uint64_t packed;
    bool any = false;
    while (ahoyd_watch_next(server->options.store, &server->watcher, &packed)) {
        any = true;
        subscription = ahoy_pool_get(&server->subscriptions, ahoy_handle_unpack(packed));
        if (subscription == NULL)
            continue;
        ahoy_notifier_change(&subscription->notifier);
        ahoyd_subscription_advance(server, subscription, now_ms);
    }
    while ((timer = ahoy_timers_expire(&server->subscription_timers, now_ms)) != NULL) {
        any = true;
        subscription = ahoy_pool_get(&server->subscriptions, ahoy_handle_unpack(timer->what));
        if (subscription != NULL)
            ahoyd_subscription_advance(server, subscription, now_ms);
    }
    return any;
}

uint64_t ahoyd_subscriptions_deadline(const struct ahoyd_server *server)
{
    if (atomic_load(&server->watcher.is_told))
        return 0;
    return ahoy_timers_deadline(&server->subscription_timers);
}
