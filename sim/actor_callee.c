/* An actor answers. */
#include <stdio.h>

#include "libahoy/syntax/compose.h"
#include "sim/actor_inside.h"

enum { RINGING_MOST_MS = 15000, RESEND_MS = 32000 };

/* Responds to the request at hand in |delay_ms|. */
static struct actor_pending *respond(struct sim_actor *actor, unsigned status, const char *tag,
                                     uint64_t delay_ms)
{
    char space[ACTOR_MESSAGE_LIMIT];
    char rows[2048];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf headers = ahoy_buf_over(rows, sizeof rows);
    const struct ahoy_message *request = &actor->message;
    const struct ahoy_field *route = ahoy_message_first(request, AHOY_HEADER_RECORD_ROUTE);
    for (; route != NULL; route = ahoy_message_next(request, route))
        ahoy_buf_put(&headers, route->row);
    if (request->method == AHOY_METHOD_INVITE || status / 100 == 3) {
        actor_put(&headers, "Contact: ");
        actor_put_contact(actor, &headers);
        actor_put(&headers, "\r\n");
    }
    if (status == 401 || status == 407)
        actor_put(&headers, "%s: Digest realm=\"%s\", nonce=\"1\"\r\n",
                  status == 401 ? "WWW-Authenticate" : "Proxy-Authenticate", actor->options.name);
    const struct ahoy_response response = { .status = status,
                                            .to_tag = ahoy_span(tag),
                                            .headers = ahoy_buf_text(&headers) };
    ahoy_compose_response(&buf, request, &response);
    struct actor_pending *pending =
        actor_later(actor, delay_ms, &actor->came_from, actor->came_by, ahoy_buf_text(&buf));
    if (pending == NULL)
        return NULL;
    pending->status = status;
    pending->transaction = actor_transaction(actor->routing.via.branch, request->method_text);
    return pending;
}

/* A final response to INVITE goes again until it is acknowledged (13.3.1.4, 17.2.1). */
static void respond_finally(struct sim_actor *actor, unsigned status, const char *tag,
                            uint64_t delay_ms)
{
    struct actor_pending *pending = respond(actor, status, tag, delay_ms);
    if (pending == NULL || (actor->options.transport != AHOY_UDP && status >= 300))
        return;
    pending->interval_ms = 500;
    pending->until_ms = pending->due_ms + RESEND_MS;
}

static void answer_invite(struct sim_actor *actor)
{
    static const unsigned provisional[] = { 180, 180, 183, 182 };
    static const unsigned final[] = { 200, 200, 200, 200, 200, 302, 401, 404, 407, 415,
                                      420, 480, 486, 486, 500, 503, 600, 603, 408, 400 };
    char tag[32];
    uint64_t ringing_ms = actor_below(actor, 3000);
    snprintf(tag, sizeof tag, "%s-%llu", actor->options.name,
             (unsigned long long)actor->next_order);
    if (actor_chance(actor, 20))
        (void)respond(actor, 100, "", 0); /* Where it cannot be, it is silent. */
    if (actor_chance(actor, 80))
        (void)respond(actor, provisional[actor_below(actor, 4)], tag, ringing_ms); /* Likewise. */
    if (actor_chance(actor, 10))
        return;
    uint64_t answer_ms = ringing_ms + actor_below(actor, RINGING_MOST_MS);
    unsigned status = final[actor_below(actor, sizeof final / sizeof *final)];
    respond_finally(actor, status, tag, answer_ms);
    if (actor_chance(actor, 5)) { /* Another one behind it answers too. */
        snprintf(tag, sizeof tag, "%s-too-%llu", actor->options.name,
                 (unsigned long long)actor->next_order);
        respond_finally(actor, 200, tag, answer_ms + actor_below(actor, 2000));
    }
    if (actor->options.is_wild && !actor->is_calm && actor_chance(actor, 30))
        (void)respond(actor, final[actor_below(actor, 20)], "wild", answer_ms + 10);
}

/* Whether anything final is still to be sent to |transaction|. */
static bool is_unanswered(const struct sim_actor *actor, uint64_t transaction)
{
    return actor_find((struct actor_kept *)(uintptr_t)actor->answered, ACTOR_ANSWERED_LIMIT,
                      transaction) == NULL;
}

static void answer_cancel(struct sim_actor *actor)
{
    uint64_t invite = actor_transaction(actor->routing.via.branch, SPAN("INVITE"));
    bool was_ringing = false;
    for (size_t i = 0; i < actor->pending_count; i++)
        was_ringing |= actor->pending[i].due_ms != 0 && actor->pending[i].status >= 200 &&
                       actor->pending[i].transaction == invite;
    (void)respond(actor, was_ringing || !is_unanswered(actor, invite) ? 200 : 481, "c", 0);
    if (!was_ringing || actor_chance(actor, 10))
        return;
    struct actor_kept *kept = actor_find(actor->asked, ACTOR_ASKED_LIMIT, invite);
    actor_drop(actor, invite, true);
    if (kept == NULL ||
        !ahoy_message_parse((struct span){ kept->bytes, kept->size }, &actor->message, NULL))
        return;
    respond_finally(actor, 487, "cancelled", 0);
}

static void answer_other(struct sim_actor *actor)
{
    static const unsigned statuses[] = { 200, 200, 200, 200, 404, 481, 408, 503, 100 };
    unsigned status = statuses[actor_below(actor, sizeof statuses / sizeof *statuses)];
    if (actor->message.method == AHOY_METHOD_BYE && actor_chance(actor, 80))
        status = 200;
    if (actor_chance(actor, 10))
        return;
    uint64_t delay_ms = actor_chance(actor, 70) ? 0 : actor_below(actor, 8000);
    (void)respond(actor, status, "o", delay_ms); /* Where it cannot be, it is silent. */
    if (status == 100)
        (void)respond(actor, 200, "o", delay_ms + 1000); /* Likewise. */
}

/* Sends the request back as a proxy would that thinks the server knows the user. */
static void loop(struct sim_actor *actor)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    const struct ahoy_message *request = &actor->message;
    const struct ahoy_field *hops = ahoy_message_first(request, AHOY_HEADER_MAX_FORWARDS);
    if (hops == NULL || actor->routing.max_forwards == 0)
        return;
    actor_put(&buf, "%.*s sip:%s@atlanta.example SIP/2.0\r\n", (int)request->method_text.size,
              request->method_text.at, actor->options.name);
    actor_put_via(actor, &buf);
    actor_put(&buf, "Max-Forwards: %u\r\n", actor->routing.max_forwards - 1);
    ahoy_buf_put(&buf, ahoy_span_between(ahoy_span_end(request->start_line), hops->row.at));
    ahoy_buf_put(&buf, ahoy_span_between(ahoy_span_end(hops->row), ahoy_span_end(request->bytes)));
    if (ahoy_buf_text(&buf).size > 0)
        actor_send(actor, &actor->options.server, 0, ahoy_buf_text(&buf));
}

void actor_take_request(struct sim_actor *actor)
{
    struct span method = actor->message.method_text;
    uint64_t transaction = actor_transaction(actor->routing.via.branch, method);
    struct actor_kept *answered = actor_find(actor->answered, ACTOR_ANSWERED_LIMIT, transaction);
    if (actor->message.method == AHOY_METHOD_ACK) {
        uint64_t invite = actor_transaction(actor->routing.via.branch, SPAN("INVITE"));
        for (size_t i = 0; i < actor->pending_count; i++) {
            struct actor_pending *pending = &actor->pending[i];
            if (pending->due_ms != 0 && pending->status >= 200 &&
                (pending->transaction == invite || pending->status / 100 == 2))
                pending->interval_ms = 0;
        }
        return;
    }
    if (answered != NULL) {
        actor_send(actor, &actor->came_from, actor->came_by,
                   (struct span){ answered->bytes, answered->size });
        return;
    }
    if (actor_find(actor->asked, ACTOR_ASKED_LIMIT, transaction) != NULL)
        return; /* It is being answered. */
    actor_keep(actor->asked, ACTOR_ASKED_LIMIT, &actor->asked_next, transaction,
               actor->message.bytes);
    if (actor->options.loops && !actor->is_calm)
        loop(actor);
    else if (actor->message.method == AHOY_METHOD_INVITE)
        answer_invite(actor);
    else if (actor->message.method == AHOY_METHOD_CANCEL)
        answer_cancel(actor);
    else
        answer_other(actor);
}
