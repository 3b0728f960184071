/* The registrar (RFC 3261 10.3): who may change whose bindings is decided here, what becomes of
 * them by tu/registrar, and the 200 waits for the store to keep them. */
#include "ahoyd/answer.h"
#include "ahoyd/aor.h"
#include "ahoyd/authenticate.h"
#include "ahoyd/gruu.h"
#include "ahoyd/node.h"
#include "ahoyd/policy.h"
#include "ahoyd/push.h"
#include "ahoyd/refusals.h"
#include "ahoyd/serve.h"
#include "ahoyd/why.h"
#include "libahoy/base/unset.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/syntax/status.h"

enum {
    FLOW_TIMER_S = 120,    /* RFC 5626 4.4.1: what is usual where power does not matter, */
    FLOW_TIMER_UDP_S = 29, /* and 4.4.2: before the quickest NATs forget. */
    RETRY_S = 2,           /* When one who is refused is to come again, ... */
    RETRY_SPREAD_S = 10    /* ... some sooner than others. */
};

_Static_assert(AHOY_IDLE_MS / 1000 > FLOW_TIMER_S, "we wait longer: R5626-5.4-3");

static bool is_of_user(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                       const struct ahoyd_domain *domain, struct span user)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    return ahoyd_names_are_of(&server->names, uri, domain) &&
           ahoyd_aor_find(server, uri, domain, &aor) &&
           ahoyd_aor_is_of(ahoy_buf_text(&aor), user, domain);
}

bool ahoyd_serve_own_aor(struct ahoyd_server *server, const struct ahoy_event *event,
                         const struct ahoyd_domain *domain, const struct ahoy_uri *uri,
                         uint64_t now_ms, struct ahoy_buf *aor, struct ahoy_buf *rows)
{
    if (domain->auth == AHOYD_AUTH_DIGEST) {
        struct ahoyd_proof proof;
        if (!ahoyd_demand(server, event, domain, 401, now_ms, &proof))
            return false;
        ahoyd_print_rspauth(domain, &proof, rows);
        if (!is_of_user(server, uri, domain, proof.user) ||
            !is_of_user(server, &event->routing->from.uri, domain, proof.user)) {
            ahoyd_refuse(server, event, 403, AHOY_CAUSE_FOREIGN_FROM, proof.user); /* R3261-10.3-8,
                                                                                     * attack 26 */
            return false;
        }
    }
    if (!ahoyd_names_are_of(&server->names, uri, domain) ||
        !ahoyd_aor_find(server, uri, domain, aor)) {
        ahoyd_refuse(server, event, 404, AHOY_CAUSE_UNKNOWN_USER, uri->text); /* R3261-10.3-9 */
        return false;
    }
    return true;
}

/* Nobody may have his calls sent to where he could not send anything himself. */
static bool may_be_reached(const struct ahoyd_server *server, const struct ahoy_uri *contact,
                           const struct ahoy_ip *source)
{
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    return !ahoy_locate(contact, &transport, &ip, NULL) ||
           ahoyd_policy_may_reach(server, &ip, source);
}

/* Whether |contact| means |aor| itself, as all its GRUUs do: calls would go round in circles. */
static bool is_circular(const struct ahoyd_server *server, const struct ahoyd_domain *domain,
                        struct span aor, const struct ahoy_uri *contact)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_uri plain = *contact;
    if (contact->port != 0 || !ahoyd_names_are_of(&server->names, contact, domain))
        return false;
    plain.params = plain.headers = SPAN("");
    bool is_plain = ahoyd_gruu_kind(contact) != AHOYD_GRUU_NONE || ahoy_uri_equal(contact, &plain);
    return is_plain && ahoyd_aor_find(server, contact, domain, &buf) &&
           ahoy_span_equal(ahoy_buf_text(&buf), aor);
}

/* Whether all that is asked for may be bound: R5627-5.1-1, R5627-5.1-2. */
static bool is_allowed(const struct ahoyd_server *server, const struct ahoyd_domain *domain,
                       struct span aor, const struct ahoy_register *read)
{
    for (size_t i = 0; i < read->asks.count; i++) {
        const struct ahoy_asked_contact *asked = &read->asks.asked[i];
        const struct ahoy_uri *uri = &read->uris[i];
        if (asked->expires_s > 0 &&
            (!may_be_reached(server, uri, &read->asks.hop.remote) ||
             (asked->instance.size > 0 && is_circular(server, domain, aor, uri))))
            return false;
    }
    return true;
}

/* Steps 6 and 7, as far as they need no store.  False where it has been answered. */
static bool parse(struct ahoyd_server *server, const struct ahoy_event *event,
                  const struct ahoyd_domain *domain, struct span aor,
                  const struct ahoy_address *contact, struct ahoy_register *read)
{
    const struct span user = { aor.at, aor.size - domain->name.size - 1 };
    const struct ahoyd_limits *own = ahoyd_config_limits(server->options.config, domain, user);
    const struct ahoy_registrar_limits limits = { .min_expires_s = domain->min_expires_s,
                                                  .max_expires_s = domain->max_expires_s,
                                                  .default_expires_s = domain->default_expires_s,
                                                  .contacts = own->contacts };
    struct ahoy_err err;
    if (!ahoy_register_parse(event->message, event->routing, contact, event->hop, &limits, read,
                             &err)) {
        char space[32];
        struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
        if (err.status == 423) { /* R3261-10.3-19 */
            ahoy_buf_put(&rows, SPAN("Min-Expires: "));
            ahoy_buf_put_number(&rows, domain->min_expires_s);
            ahoy_buf_put(&rows, SPAN("\r\n"));
        }
        ahoyd_answer_with(server, event, err.status, ahoy_buf_text(&rows));
        return false;
    }
    if (ahoyd_push_refuses(server, &read->asks)) {
        ahoyd_answer(server, event, 555);
        return false;
    }
    if (!is_allowed(server, domain, aor, read)) {
        ahoyd_refuse(server, event, 403, AHOY_CAUSE_FORBIDDEN_PLACE, aor);
        return false;
    }
    return true;
}

/* The way that requests of our users take: R3608-6.3-1, R3608-6.3-2. */
static void print_service_route(struct span service_route, struct ahoy_buf *rows)
{
    if (service_route.size == 0)
        return;
    ahoy_buf_put(rows, SPAN("Service-Route: "));
    ahoy_buf_put(rows, service_route);
    ahoy_buf_put(rows, SPAN("\r\n"));
}

/* The rows of a 200 that list |bindings|: R5627-5.2-1, R5627-5.2-3. */
static void print_contacts(struct ahoyd_server *server, struct span aor,
                           const struct ahoy_registration *registration,
                           const struct ahoy_bindings *bindings, uint64_t now_ms,
                           struct ahoy_buf *rows)
{
    for (size_t i = 0; i < bindings->count; i++) {
        const struct ahoy_binding *binding = &bindings->list[i];
        if (binding->expires_ms <= now_ms)
            continue;
        ahoy_registrar_print_contact(binding, now_ms, rows);
        if (registration->shows_gruus)
            ahoyd_gruu_print(server, aor, binding, rows);
        ahoy_buf_put(rows, SPAN("\r\n"));
    }
}

/* Step 8 for those who only ask. */
static void answer_query(struct ahoyd_server *server, const struct ahoy_event *event,
                         const struct ahoyd_domain *domain, struct span aor,
                         const struct ahoy_registration *registration, struct span proof,
                         uint64_t now_ms)
{
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    ahoy_buf_put(&rows, proof);
    if (ahoyd_store_find(server->options.store, aor, now_ms, &server->bindings))
        print_contacts(server, aor, registration, &server->bindings, now_ms, &rows);
    print_service_route(domain->service_route, &rows);
    ahoyd_answer_with(server, event, 200, ahoy_buf_text(&rows));
}

static void forget(struct ahoyd_server *server, struct ahoy_handle handle,
                   struct ahoyd_waiting *waiting)
{
    ahoy_arena_release(&waiting->arena);
    ahoy_pool_remove(&server->waiting, handle);
}

/* Makes the transaction that will carry the answer, and keeps what the answer needs of the
 * request, and |rows|.  The null handle where a limit or the allocator refuses. */
static struct ahoy_handle wait_for_store(struct ahoyd_server *server,
                                         const struct ahoy_event *event,
                                         const struct ahoyd_domain *domain, struct span rows,
                                         uint64_t now_ms)
{
    const struct ahoy_handle null = { 0, 0 };
    struct ahoy_handle handle;
    struct ahoyd_waiting *waiting = ahoy_pool_add(&server->waiting, &handle);
    if (waiting == NULL)
        return null;
    struct ahoy_buf buf = ahoy_buf_over(server->text, sizeof server->text);
    const struct ahoyd_answer answer = { .status = 200, .rows = rows, .is_kept = true };
    ahoyd_answer_print(server, event, &answer, &buf);
    struct span text = ahoy_buf_text(&buf);
    size_t line = ahoy_span_find(text, '\n');
    ahoy_arena_init(&waiting->arena, &server->waiting_chunks);
    if (line < text.size)
        waiting->rows = ahoy_arena_copy(&waiting->arena, ahoy_span_after(text, line + 1));
    waiting->call = ahoy_span_mark(event->routing->call_id);
    waiting->service_route = ahoy_arena_copy(&waiting->arena, domain->service_route);
    if (waiting->rows.size > 0 && waiting->rows.at != NULL && waiting->service_route.at != NULL)
        waiting->transaction = ahoy_transaction_accept(server->transactions, event, 0, now_ms);
    if (ahoy_handle_equal(waiting->transaction, null)) {
        forget(server, handle, waiting);
        return null;
    }
    return handle;
}

/* Answers |waiting| with |status| and further |rows|, and forgets it. */
static void answer_waiting(struct ahoyd_server *server, struct ahoy_handle handle, unsigned status,
                           struct span rows, uint64_t now_ms)
{
    struct ahoyd_waiting *waiting = ahoy_pool_get(&server->waiting, handle);
    if (waiting == NULL)
        return;
    char space[128];
    struct ahoy_buf line = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&line, SPAN("SIP/2.0 "));
    ahoy_buf_put_number(&line, status);
    ahoy_buf_put_byte(&line, ' ');
    ahoy_buf_put(&line, ahoy_status_reason(status));
    ahoy_buf_put(&line, SPAN("\r\n"));
    const struct span pieces[] = { ahoy_buf_text(&line), rows, waiting->rows };
    const struct ahoy_reply reply = { .status = status,
                                      .pieces = pieces,
                                      .count = 3,
                                      .call = waiting->call,
                                      .behind = sizeof "0\r\n\r\n" - 1 }; /* It has no body. */
    /* Where the transaction is gone, nobody waits for the answer any more. */
    (void)ahoy_transaction_reply(server->transactions, waiting->transaction, &reply, now_ms);
    forget(server, handle, waiting);
}

/* More registrations wait for the store than may, as when all phones come back at once, or it does
 * not answer: those that are refused are told to come again, and not all in the same moment (RFC
 * 3261 20.33). */
static struct span print_retry(struct ahoyd_server *server)
{
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    ahoy_buf_put(&rows, SPAN("Retry-After: "));
    ahoy_buf_put_number(&rows, RETRY_S + server->counters.refused % RETRY_SPREAD_S);
    ahoy_buf_put(&rows, SPAN("\r\n"));
    return ahoy_buf_text(&rows);
}

static void submit(struct ahoyd_server *server, const struct ahoy_event *event,
                   const struct ahoyd_domain *domain, struct span aor, struct ahoy_register *read,
                   struct span proof, uint64_t now_ms)
{
    ahoyd_node_mark(server, read);
    struct ahoyd_change *change = ahoyd_change_bindings(aor, &read->asks, now_ms);
    struct ahoy_handle handle = { 0, 0 };
    if (change != NULL)
        handle = wait_for_store(server, event, domain, proof, now_ms);
    if (ahoy_handle_equal(handle, (struct ahoy_handle){ 0, 0 })) {
        ahoyd_change_free(change);
        ahoyd_why(server, event, AHOY_CAUSE_FULL, aor);
        ahoyd_answer_with(server, event, 503, print_retry(server));
        return;
    }
    change->owner = server->options.change_owner;
    change->ticket = ahoy_handle_pack(handle);
    /* From here on the change may come back at any moment, before submit returns too. */
    if (!ahoyd_store_submit(server->options.store, change)) {
        ahoyd_change_free(change);
        ahoyd_why(server, event, AHOY_CAUSE_NO_STORE, aor);
        server->counters.refused++;
        answer_waiting(server, handle, 503, print_retry(server), now_ms);
    }
}

void ahoyd_serve_register(struct ahoyd_server *server, const struct ahoy_event *event,
                          const struct ahoyd_domain *domain, uint64_t now_ms)
{
    struct ahoy_err err;
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    char proof_space[AHOYD_PROOF_ROW_LIMIT];
    struct ahoy_buf proof = ahoy_buf_over(proof_space, sizeof proof_space);
    struct ahoy_address contact;
    AHOY_UNSET struct ahoy_register read;
    if (!ahoy_message_check_rest(event->message, event->routing, &contact, &err)) {
        ahoyd_answer(server, event, err.status);
        return;
    }
    if (!ahoyd_serve_extensions(server, event, AHOY_HEADER_REQUIRE) || /* R3261-10.3-7 */
        !ahoyd_serve_own_aor(server, event, domain, &event->routing->to.uri, now_ms, &aor, &proof))
        return;
    ahoy_stack_trust(server->stack, event->hop);
    if (!parse(server, event, domain, ahoy_buf_text(&aor), &contact, &read))
        return;
    if (read.asks.count == 0 && !read.asks.remove_all)
        answer_query(server, event, domain, ahoy_buf_text(&aor), &read.asks, ahoy_buf_text(&proof),
                     now_ms);
    else
        submit(server, event, domain, ahoy_buf_text(&aor), &read, ahoy_buf_text(&proof), now_ms);
}

/* What the answer says beside the contacts: that the flow is kept to, how often keep-alives are
 * wanted on it, and the way that requests will come (RFC 5626 6, RFC 3327 5.3). */
static void print_outbound(const struct ahoyd_server *server,
                           const struct ahoy_registration *registration, struct ahoy_buf *rows)
{
    struct ahoyd_node_way way;
    bool is_reliable = ahoy_transport_is_reliable(registration->hop.transport);
    bool has_path =
        registration->path.size > 0 && !ahoyd_node_read(server, registration->path, &way);
    if (registration->shows_path) {
        ahoy_buf_put(rows, SPAN("Path: "));
        ahoy_buf_put(rows, registration->path);
        ahoy_buf_put(rows, SPAN("\r\n"));
    }
    if (!registration->requires_outbound)
        return;
    ahoy_buf_put(rows, SPAN("Supported: path, outbound\r\nRequire: outbound\r\n")); /* R5626-6-9 */
    if (has_path)
        return; /* The edge knows what the flow needs. */
    ahoy_buf_put(rows, SPAN("Flow-Timer: "));
    ahoy_buf_put_number(rows, is_reliable ? FLOW_TIMER_S : FLOW_TIMER_UDP_S);
    ahoy_buf_put(rows, SPAN("\r\n"));
}

/* More phones than a user may have. */
static void tell_refused(struct ahoyd_server *server, const struct ahoyd_change *change,
                         uint64_t now_ms)
{
    size_t at = change->aor.size; /* A user's name may hold one, too. */
    while (at > 0 && change->aor.at[at - 1] != '@')
        at--;
    const struct span realm = ahoy_span_after(change->aor, at);
    const struct span user = { change->aor.at, at > 0 ? at - 1 : 0 };
    const struct ahoyd_refusal refusal = { "refused phone", "too many of one user", realm, user,
                                           &change->registration.hop };
    ahoyd_refusal_tell(server, &refusal, now_ms);
}

void ahoyd_serve_stored(struct ahoyd_server *server, const struct ahoyd_change *change,
                        uint64_t now_ms)
{
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    struct ahoy_handle handle = ahoy_handle_unpack(change->ticket);
    const struct ahoyd_waiting *waiting = ahoy_pool_get(&server->waiting, handle);
    if (waiting == NULL)
        return;
    if (change->status != 200) {
        server->counters.refused++;
        if (change->status == 403 || change->status == 503)
            ahoy_cause_note(&server->causes,
                            change->status == 403 ? AHOY_CAUSE_TOO_MANY_PHONES
                                                  : AHOY_CAUSE_NO_STORE,
                            change->registration.call_id, &change->registration.hop, change->aor);
        if (change->status == 403)
            tell_refused(server, change, now_ms);
        answer_waiting(server, handle, change->status,
                       change->status == 503 ? print_retry(server) : SPAN(""), now_ms);
        return;
    }
    server->counters.registers++;
    ahoyd_change_outcome(change, &server->bindings);
    print_contacts(server, change->aor, &change->registration, &server->bindings, now_ms, &rows);
    print_outbound(server, &change->registration, &rows);
    ahoyd_push_print(server, &change->registration, &rows); /* R8599-5.6.1.1-6 */
    print_service_route(waiting->service_route, &rows);
    answer_waiting(server, handle, 200, ahoy_buf_text(&rows), now_ms);
}
