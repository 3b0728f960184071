/* Our call is sent elsewhere: 3xx, and what is tried after a failure (RFC 3261 8.1.3.4, 21.3). */
#include "libahoy/tu/session.h"

#include <stdlib.h>

#include "libahoy/syntax/params.h"
#include "libahoy/tu/registrar.h"

struct target {
    struct span request_uri;
    struct span proxy; /* That a 305 names; empty without. */
    uint16_t q;        /* Thousandths. */
    bool is_tried;
};

/* The target set.  It begins with what was called, and nothing is in it twice. */
struct ahoy_session_targets {
    size_t count, current;
    struct target all[AHOY_SESSION_TARGETS_LIMIT];
    size_t route_count; /* Of the dialog, without a proxy of a 305. */
    size_t text_size;
    char text[AHOY_SESSION_TARGETS_TEXT_LIMIT];
};

static bool is_same_uri(struct span a, struct span b)
{
    struct ahoy_uri one, other;
    return ahoy_span_equal(a, b) ||
           (ahoy_uri_parse(a, &one, NULL) && ahoy_uri_parse(b, &other, NULL) &&
            ahoy_uri_equal(&one, &other));
}

static bool is_sips(struct span uri)
{
    return ahoy_span_starts_nocase(uri, SPAN("sips:"));
}

/* R3261-8.1.3.4-1; and nothing but sips where sips was called. */
static bool is_wanted(const struct ahoy_session_targets *targets, const struct target *target)
{
    struct span called = targets->all[0].request_uri;
    struct span leads_to = target->proxy.size > 0 ? target->proxy : target->request_uri;
    if (is_sips(called) && !is_sips(leads_to))
        return false;
    for (size_t i = 0; i < targets->count; i++) {
        const struct target *known = &targets->all[i];
        if (is_same_uri(known->request_uri, target->request_uri) &&
            is_same_uri(known->proxy, target->proxy))
            return false;
    }
    return true;
}

static struct ahoy_session_targets *begin(const struct ahoy_session *session)
{
    struct span called = ahoy_dialog_target(&session->dialog);
    struct ahoy_session_targets *targets = calloc(1, sizeof *targets);
    if (targets == NULL || called.size > sizeof targets->text) {
        free(targets);
        return NULL;
    }
    memcpy(targets->text, called.at, called.size);
    targets->text_size = called.size;
    targets->route_count = session->dialog.route_count;
    targets->all[targets->count++] =
        (struct target){ .request_uri = { targets->text, called.size }, .is_tried = true };
    return targets;
}

/* A Contact of a redirection; what it asks for beyond its URI is not looked at (19.1.5). */
static void add(struct ahoy_session_targets *targets, const struct ahoy_address *contact,
                bool is_proxy)
{
    char *room = targets->text + targets->text_size;
    struct ahoy_buf uri = ahoy_buf_over(room, sizeof targets->text - targets->text_size);
    struct target target = { .q = 1000 };
    struct ahoy_param q;
    if (targets->count == AHOY_SESSION_TARGETS_LIMIT || contact->uri.scheme == AHOY_SCHEME_OTHER)
        return;
    ahoy_uri_print_request(&contact->uri, &uri); /* R3261-8.1.3.4-2 */
    struct span text = ahoy_buf_text(&uri);
    target.request_uri = is_proxy ? targets->all[targets->current].request_uri : text;
    target.proxy = is_proxy ? text : SPAN("");
    if (ahoy_params_find(contact->params, SPAN("q"), &q) &&
        !ahoy_registrar_read_q(q.value, &target.q))
        return;
    if (text.size == 0 || !is_wanted(targets, &target))
        return;
    targets->text_size += text.size;
    targets->all[targets->count++] = target;
}

static void collect(struct ahoy_session *session, const struct ahoy_message *response)
{
    struct ahoy_values values = ahoy_message_values(response, AHOY_HEADER_CONTACT);
    struct ahoy_address contact;
    if (session->targets == NULL)
        session->targets = begin(session);
    while (session->targets != NULL && ahoy_addresses_next(&values, &contact, NULL))
        add(session->targets, &contact, response->status == 305);
}

/* The best that is left; NULL where none is. */
static struct target *choose(struct ahoy_session_targets *targets)
{
    struct target *best = NULL;
    for (size_t i = 0; i < targets->count; i++) {
        struct target *target = &targets->all[i];
        if (!target->is_tried && (best == NULL || target->q > best->q))
            best = target;
    }
    return best;
}

/* R3261-21.3.4-1: the last of the routes, a loose one. */
static bool add_proxy(struct ahoy_dialog *dialog, struct span proxy)
{
    char space[AHOY_URI_LIMIT + 8];
    struct ahoy_buf route = ahoy_buf_over(space, sizeof space);
    struct ahoy_uri uri;
    struct span value;
    if (!ahoy_uri_parse(proxy, &uri, NULL))
        return false;
    ahoy_buf_put_byte(&route, '<');
    ahoy_buf_put(&route, proxy);
    if (!ahoy_uri_param(&uri, SPAN("lr"), &value))
        ahoy_buf_put(&route, SPAN(";lr"));
    ahoy_buf_put_byte(&route, '>');
    return ahoy_dialog_add_route(dialog, ahoy_buf_text(&route));
}

/* The same request, by all else that it says, in a transaction of its own: R3261-8.1.3.4-3. */
static bool try(struct ahoy_session *session, struct ahoy_ua_context *context,
                const struct target *target, uint64_t now_ms)
{
    struct ahoy_dialog *dialog = &session->dialog;
    dialog->route_count = session->targets->route_count;
    if (!ahoy_dialog_retarget(dialog, target->request_uri) ||
        (target->proxy.size > 0 && !add_proxy(dialog, target->proxy)))
        return false;
    ahoy_session_forget_early(session, context);
    ahoy_session_forget(&session->credentials);
    return ahoy_session_send_invite(session, context, now_ms);
}

bool ahoy_session_redirect(struct ahoy_session *session, struct ahoy_ua_context *context,
                           unsigned status, const struct ahoy_message *response, uint64_t now_ms)
{
    if (status / 100 == 3 && status != 380) /* Whose alternatives are in the body. */
        collect(session, response);
    /* After a 6xx nobody else is asked (21.6). */
    if (session->targets == NULL || status >= 600)
        return false;
    for (;;) {
        struct target *target = choose(session->targets);
        if (target == NULL)
            return false;
        target->is_tried = true;
        session->targets->current = (size_t)(target - session->targets->all);
        if (!try(session, context, target, now_ms))
            continue;
        ahoy_ua_tell(context,
                     &(struct ahoy_ua_news){
                         .kind = AHOY_NEWS_REDIRECTED, .session = session->self, .status = status },
                     target->proxy.size > 0 ? target->proxy : target->request_uri);
        return true;
    }
}
