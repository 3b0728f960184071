/* SUBSCRIBE to what this server knows: where its users are registered (RFC 3680).  Who watches whom
 * is decided as who registers whom, and a trusted peer may watch everybody
 * (docs/decisions/0120-who-may-watch.md). */
#include "ahoyd/admission.h"
#include "ahoyd/answer.h"
#include "ahoyd/aor.h"
#include "ahoyd/serve.h"
#include "ahoyd/subscriptions.h"

bool ahoyd_serve_watches(const struct ahoy_event *event, const struct ahoyd_path *path)
{
    struct ahoy_event_name name;
    return event->message->method == AHOY_METHOD_SUBSCRIBE && path->domain != NULL &&
           !path->names_instance && !path->has_next && !path->has_flow &&
           ahoy_event_name_read(event->message, &name) && name.package != NULL &&
           name.package->print != NULL; /* Of others, phones tell. */
}

/* What the SUBSCRIBE at hand asks, and whether that may be. */
struct wish {
    const struct ahoy_event *event;
    const struct ahoyd_domain *domain;
    struct ahoy_subscribe subscribe;
    bool is_trusted; /* It comes from a peer that is. */
    struct ahoy_buf aor, proof;
    char aor_space[AHOYD_AOR_LIMIT], proof_space[AHOYD_PROOF_ROW_LIMIT];
};

static void refuse(struct ahoyd_server *server, const struct wish *wish, unsigned status)
{
    char space[128];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    if (status == 423) {
        ahoy_buf_put(&rows, SPAN("Min-Expires: "));
        ahoy_buf_put_number(&rows, wish->domain->min_expires_s);
        ahoy_buf_put(&rows, SPAN("\r\n"));
    } else if (status == 489) {
        ahoy_event_put_allow(&rows);
    } else if (status == 503) {
        ahoyd_serve_later(server, wish->event);
        return;
    }
    ahoyd_answer_with(server, wish->event, status, ahoy_buf_text(&rows));
}

/* Reads what is asked, and finds out whose |uri| is and whether he is the one who asks (4.2.1.3).
 * False where it has been answered. */
static bool admit(struct ahoyd_server *server, struct wish *wish, const struct ahoy_uri *uri,
                  uint64_t now_ms)
{
    const struct ahoyd_domain *domain = wish->domain;
    const struct ahoy_subscribe_limits limits = { domain->min_expires_s, domain->max_expires_s };
    struct ahoy_err err;
    wish->aor = ahoy_buf_over(wish->aor_space, sizeof wish->aor_space);
    wish->proof = ahoy_buf_over(wish->proof_space, sizeof wish->proof_space);
    wish->is_trusted = ahoyd_names_is_trusted(&server->names, &wish->event->hop->remote);
    if (!ahoy_subscribe_read(wish->event->message, &limits, &wish->subscribe, &err)) {
        refuse(server, wish, err.status);
        return false;
    }
    if (!wish->is_trusted)
        return ahoyd_serve_own_aor(server, wish->event, domain, uri, now_ms, &wish->aor,
                                   &wish->proof);
    if (!ahoyd_aor_find(server, uri, domain, &wish->aor)) {
        refuse(server, wish, 404);
        return false;
    }
    return true;
}

/* Kept, as a second SUBSCRIBE of the same bytes must not make a second subscription. */
static void answer(struct ahoyd_server *server, const struct ahoy_event *event, struct span tag,
                   struct span rows)
{
    struct ahoy_buf buf = ahoy_buf_over(server->text, sizeof server->text);
    const struct ahoy_response response = { .status = 200, /* R6665-8.3.1-2 */
                                            .to_tag = tag,
                                            .headers = rows,
                                            .received = &event->hop->remote,
                                            .load = ahoyd_admission_load(server, event) };
    ahoy_compose_response(&buf, event->message, &response);
    struct span text = ahoy_buf_text(&buf);
    if (text.size == 0)
        return;
    ahoy_transaction_keep_answer(server->transactions, event);
    ahoy_transaction_answer(server->transactions, event, &text, 1);
}

/* 200, and the NOTIFY behind it. */
static void grant(struct ahoyd_server *server, const struct wish *wish,
                  struct ahoyd_subscription *subscription, uint64_t now_ms)
{
    const struct ahoy_event *event = wish->event;
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    subscription->hop = *event->hop;
    subscription->is_direct = subscription->notifier.dialog.route_count == 0 &&
                              ahoy_registrar_is_first_hop(event->message);
    ahoy_buf_put(&rows, ahoy_buf_text(&wish->proof));
    ahoy_buf_put(&rows, SPAN("Expires: ")); /* R6665-3.1.1-2 */
    ahoy_buf_put_number(&rows, wish->subscribe.expires_s);
    ahoy_buf_put(&rows, SPAN("\r\n"));
    ahoyd_subscription_put_contact(server, subscription, event->hop, &rows);
    answer(server, event, subscription->notifier.dialog.local_tag, ahoy_buf_text(&rows));
    ahoyd_subscription_advance(server, subscription, now_ms);
}

static void begin(struct ahoyd_server *server, struct wish *wish, const struct ahoyd_path *path,
                  uint64_t now_ms)
{
    const struct ahoy_event *event = wish->event;
    char tag[AHOYD_SUBSCRIPTION_TAG_SIZE];
    struct ahoy_err err;
    unsigned status;
    wish->domain = path->domain;
    if (wish->domain == NULL) {
        refuse(server, wish, 404);
        return;
    }
    if (!admit(server, wish, &path->target, now_ms))
        return;
    ahoy_stack_trust(server->stack, event->hop);
    struct ahoyd_subscription *subscription = ahoyd_subscription_new(
        server, ahoy_buf_text(&wish->aor), wish->is_trusted ? NULL : &event->hop->remote, &status);
    if (subscription == NULL) {
        refuse(server, wish, status);
        return;
    }
    ahoyd_subscription_print_tag(server, subscription, tag);
    if (ahoy_notifier_begin(&subscription->notifier, event->message, event->routing,
                            &wish->subscribe, (struct span){ tag, sizeof tag }, now_ms, &err)) {
        grant(server, wish, subscription, now_ms);
        return;
    }
    ahoyd_subscription_remove(server, subscription);
    refuse(server, wish, err.status);
}

/* Within a subscription, whoever made it proves it again. */
static void refresh(struct ahoyd_server *server, struct wish *wish, uint64_t now_ms)
{
    const struct ahoy_event *event = wish->event;
    struct ahoyd_subscription *subscription = ahoyd_subscription_find(server, event->routing);
    struct ahoy_err err = { .status = 481 };
    if (subscription == NULL) {
        refuse(server, wish, 481);
        return;
    }
    const struct span aor = { subscription->aor, subscription->aor_size };
    wish->domain = ahoyd_names_of_aor(&server->names, aor);
    if (wish->domain == NULL) { /* It is served no more. */
        refuse(server, wish, 404);
        return;
    }
    if (!admit(server, wish, &event->routing->to.uri, now_ms))
        return;
    if (!ahoy_span_equal(aor, ahoy_buf_text(&wish->aor)))
        refuse(server, wish, 403);
    else if (ahoy_notifier_refresh(&subscription->notifier, event->message, event->routing,
                                   &wish->subscribe, now_ms, &err))
        grant(server, wish, subscription, now_ms);
    else
        refuse(server, wish, err.status);
}

void ahoyd_serve_subscribe(struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_path *path, uint64_t now_ms)
{
    struct wish wish = { .event = event };
    struct ahoy_err err;
    if (!ahoy_message_check_rest(event->message, event->routing, NULL, &err)) {
        refuse(server, &wish, err.status);
        return;
    }
    if (!ahoyd_serve_extensions(server, event, AHOY_HEADER_REQUIRE))
        return;
    if (event->routing->to_tag.size > 0)
        refresh(server, &wish, now_ms);
    else
        begin(server, &wish, path, now_ms);
}
