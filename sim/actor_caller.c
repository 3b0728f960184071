/* An actor asks: REGISTER, INVITE with all that follows it, and requests of other kinds. */
#include <stdio.h>

#include "libahoy/syntax/compose.h"
#include "sim/actor_inside.h"

enum { CALL_MOST_MS = 20000, GIVING_UP_MS = 32000 };

void actor_ask(struct sim_actor *actor, struct span request)
{
    if (!ahoy_message_parse(request, &actor->other, NULL))
        return;
    struct ahoy_via via;
    if (!ahoy_via_parse(ahoy_message_value(&actor->other, AHOY_HEADER_VIA), &via, NULL))
        return;
    uint64_t transaction = actor_transaction(via.branch, actor->other.method_text);
    actor_keep(actor->asked, ACTOR_ASKED_LIMIT, &actor->asked_next, transaction, request);
    struct actor_pending *pending = actor_later(actor, 0, &actor->options.server, 0, request);
    if (pending == NULL)
        return;
    pending->transaction = transaction;
    if (actor->options.transport != AHOY_UDP)
        return;
    pending->interval_ms = 500;
    pending->until_ms = sim_world_now(actor->world) + GIVING_UP_MS;
}

/* The rows that all requests have, up to CSeq. */
static void put_head(struct sim_actor *actor, struct ahoy_buf *buf, const char *method,
                     const char *user)
{
    const char *name = actor->options.name;
    bool is_register = strcmp(method, "REGISTER") == 0;
    unsigned call = is_register ? 0 : ++actor->calls;
    unsigned cseq = is_register ? ++actor->register_cseq : ++actor->cseq;
    if (is_register && actor_chance(actor, 10) && cseq > 3)
        cseq -= 3; /* Late, and so out of order. */
    actor_put(buf, "%s sip:%s%satlanta.example SIP/2.0\r\n", method, is_register ? "" : user,
              is_register ? "" : "@");
    actor_put_via(actor, buf);
    actor_put(buf, "Max-Forwards: %u\r\n",
              actor_chance(actor, 90) ? 70 : (unsigned)actor_below(actor, 3));
    actor_put(buf, "From: <sip:%s@atlanta.example>;tag=%s-%u\r\nTo: <sip:%s@atlanta.example>\r\n",
              name, name, call, user);
    actor_put(buf, "Call-ID: %s-%u@%s\r\nCSeq: %u %s\r\n", name, call, name, cseq, method);
}

static void register_contacts(struct sim_actor *actor)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    put_head(actor, &buf, "REGISTER", actor->options.name);
    if (actor_chance(actor, 5)) {
        actor_put(&buf, "Contact: *\r\nExpires: 0\r\n");
    } else {
        for (uint64_t i = 1 + actor_below(actor, 3); i > 0; i--) {
            static const unsigned seconds[] = { 0, 60, 90, 3600, 3600 };
            actor_put(&buf, "Contact: ");
            actor_put_contact(actor, &buf);
            actor_put(&buf, ";expires=%u;q=0.%u\r\n", seconds[actor_below(actor, 5)],
                      (unsigned)actor_below(actor, 10));
        }
    }
    actor_put(&buf, "Content-Length: 0\r\n\r\n");
    actor_ask(actor, ahoy_buf_text(&buf));
}

static void ask_friend(struct sim_actor *actor, const char *method)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    size_t count = 0;
    while (count < SIM_ACTOR_FRIENDS_LIMIT && actor->options.friends[count] != NULL)
        count++;
    if (count == 0)
        return;
    put_head(actor, &buf, method, actor->options.friends[actor_below(actor, count)]);
    actor_put(&buf, "Contact: ");
    actor_put_contact(actor, &buf);
    actor_put(&buf, "\r\nContent-Length: 0\r\n\r\n");
    actor_ask(actor, ahoy_buf_text(&buf));
}

void actor_do_something(struct sim_actor *actor)
{
    static const char *const methods[] = { "INVITE",  "INVITE", "INVITE",    "INVITE", "MESSAGE",
                                           "OPTIONS", "FLY",    "SUBSCRIBE", "INFO" };
    if (actor->register_cseq == 0 || actor_chance(actor, 20))
        register_contacts(actor);
    else
        ask_friend(actor, methods[actor_below(actor, sizeof methods / sizeof *methods)]);
}

/* The dialog's next request, from the 2xx at hand: ACK now or BYE later (12.2.1.1). */
static void follow_success(struct sim_actor *actor, const char *method, struct ahoy_buf *buf)
{
    const struct ahoy_message *message = &actor->message;
    struct ahoy_address contact;
    struct span routes[8];
    size_t count = 0;
    if (!ahoy_address_parse(ahoy_message_value(message, AHOY_HEADER_CONTACT), &contact, NULL))
        return;
    actor_put(buf, "%s %.*s SIP/2.0\r\n", method, (int)contact.uri.text.size, contact.uri.text.at);
    actor_put_via(actor, buf);
    struct ahoy_values values = ahoy_message_values(message, AHOY_HEADER_RECORD_ROUTE);
    while (count < 8 && ahoy_values_next(&values, &routes[count], NULL))
        count++;
    for (; count > 0; count--)
        actor_put(buf, "Route: %.*s\r\n", (int)routes[count - 1].size, routes[count - 1].at);
    struct span from = ahoy_message_value(message, AHOY_HEADER_FROM);
    struct span to = ahoy_message_value(message, AHOY_HEADER_TO);
    struct span call_id = actor->routing.call_id;
    bool is_ack = strcmp(method, "ACK") == 0;
    actor_put(buf, "Max-Forwards: 70\r\nFrom: %.*s\r\nTo: %.*s\r\nCall-ID: %.*s\r\n",
              (int)from.size, from.at, (int)to.size, to.at, (int)call_id.size, call_id.at);
    actor_put(buf, "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
              is_ack ? actor->routing.cseq.number : ++actor->cseq, method);
}

static void take_success(struct sim_actor *actor, bool is_first)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf ack = ahoy_buf_over(space, sizeof space);
    follow_success(actor, "ACK", &ack);
    if (ahoy_buf_text(&ack).size > 0)
        actor_send(actor, &actor->options.server, 0, ahoy_buf_text(&ack));
    if (!is_first || actor_chance(actor, 30))
        return; /* The other side hangs up, or nobody. */
    struct ahoy_buf bye = ahoy_buf_over(space, sizeof space);
    follow_success(actor, "BYE", &bye);
    if (ahoy_buf_text(&bye).size > 0)
        (void)actor_later(actor, actor_below(actor, CALL_MOST_MS), &actor->options.server, 0,
                          ahoy_buf_text(&bye)); /* Where it cannot be, nobody hangs up. */
}

/* Asks once more, with the proof that was asked for. */
static void answer_challenge(struct sim_actor *actor, const struct ahoy_message *request)
{
    struct ahoy_credentials credentials = { 0 };
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_cseq cseq;
    if (ahoy_message_first(request, AHOY_HEADER_AUTHORIZATION) != NULL ||
        ahoy_message_first(request, AHOY_HEADER_PROXY_AUTHORIZATION) != NULL ||
        !ahoy_cseq_parse(ahoy_message_value(request, AHOY_HEADER_CSEQ), &cseq, NULL) ||
        !ahoy_credentials_answer(&credentials, &actor->account, &actor->message,
                                 request->method_text, request->request_uri, &actor->rng))
        return;
    bool is_register = request->method == AHOY_METHOD_REGISTER;
    unsigned number = is_register ? ++actor->register_cseq : ++actor->cseq;
    const struct ahoy_field *via = ahoy_message_first(request, AHOY_HEADER_VIA);
    const struct ahoy_field *field = ahoy_message_first(request, AHOY_HEADER_CSEQ);
    ahoy_buf_put(&buf, request->start_line);
    actor_put_via(actor, &buf);
    ahoy_buf_put(&buf, ahoy_credentials_row(&credentials));
    ahoy_buf_put(&buf, ahoy_span_between(ahoy_span_end(via->row), field->row.at));
    actor_put(&buf, "CSeq: %u %.*s\r\n", number, (int)request->method_text.size,
              request->method_text.at);
    ahoy_buf_put(&buf, ahoy_span_between(ahoy_span_end(field->row), ahoy_span_end(request->bytes)));
    actor_ask(actor, ahoy_buf_text(&buf));
}

static void cancel_later(struct sim_actor *actor, const struct ahoy_message *invite,
                         uint64_t transaction)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_compose_cancel(&buf, invite, SPAN(""));
    struct actor_pending *pending = actor_later(actor, actor_below(actor, 5000),
                                                &actor->options.server, 0, ahoy_buf_text(&buf));
    if (pending == NULL)
        return;
    pending->transaction = transaction;
    pending->is_cancel = true;
}

static void take_failure(struct sim_actor *actor, const struct ahoy_message *request, bool is_first)
{
    char space[ACTOR_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    unsigned status = actor->message.status;
    if (request->method == AHOY_METHOD_INVITE) {
        ahoy_compose_ack(&buf, request, &actor->message);
        actor_send(actor, &actor->options.server, 0, ahoy_buf_text(&buf));
    }
    if (is_first && (status == 401 || status == 407) && actor->account.password.size > 0)
        answer_challenge(actor, request);
}

void actor_take_response(struct sim_actor *actor)
{
    static struct ahoy_message request;
    unsigned status = actor->message.status;
    uint64_t transaction =
        actor_transaction(actor->routing.via.branch, actor->routing.cseq.method_text);
    struct actor_kept *asked = actor_find(actor->asked, ACTOR_ASKED_LIMIT, transaction);
    if (asked == NULL ||
        !ahoy_message_parse((struct span){ asked->bytes, asked->size }, &request, NULL))
        return;
    bool is_invite = request.method == AHOY_METHOD_INVITE;
    bool was_pending = false;
    for (size_t i = 0; i < actor->pending_count; i++)
        was_pending |= actor->pending[i].due_ms != 0 && actor->pending[i].status == 0 &&
                       !actor->pending[i].is_cancel && actor->pending[i].transaction == transaction;
    bool is_first = was_pending || actor_chance(actor, 50);
    if (status >= 200 || is_invite)
        actor_drop(actor, transaction, false);
    if (status < 200 && is_invite && was_pending && actor_chance(actor, 30))
        cancel_later(actor, &request, transaction);
    else if (status >= 300)
        take_failure(actor, &request, is_first);
    else if (status >= 200 && is_invite)
        take_success(actor, is_first);
}
