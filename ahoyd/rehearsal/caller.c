/* Who calls: he proves who he is where he is asked, acknowledges what he gets, and hangs up. */
#include "ahoyd/rehearsal/inside.h"
#include "libahoy/syntax/compose.h"
#include "libahoy/syntax/status.h"

enum { SOUND_SIZE = 512 };

static void put_via(struct world *world, uint32_t branch, struct ahoy_buf *buf)
{
    const struct ahoy_hop *hop = &world->caller.hop;
    ahoy_buf_put(buf, SPAN("Via: SIP/2.0/"));
    ahoy_buf_put(buf, ahoy_transport_name((enum ahoy_transport)hop->transport));
    ahoy_buf_put_byte(buf, ' ');
    ahoy_ip_print(&hop->remote, buf);
    ahoy_buf_put(buf, SPAN(";branch=" AHOY_BRANCH_COOKIE "caller"));
    ahoy_buf_put_number(buf, branch);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

/* Whom From names. */
static void put_from(const struct ahoyd_plan *plan, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, SPAN("From: <"));
    if (plan->from.size > 0) {
        ahoy_buf_put(buf, plan->from);
    } else if (plan->user.size > 0) {
        ahoy_buf_put(buf, SPAN("sip:"));
        ahoy_buf_put(buf, plan->user);
    } else {
        ahoy_buf_put(buf, SPAN("sip:stranger@stranger.invalid"));
    }
    ahoy_buf_put(buf, SPAN(">;tag=caller\r\n"));
}

/* The INVITE, the first one or one that says more. */
static void invite(struct world *world)
{
    struct caller *caller = &world->caller;
    const struct ahoyd_plan *plan = world->plan;
    struct ahoy_buf buf = ahoy_buf_over(caller->invite, sizeof caller->invite);
    char space[SOUND_SIZE];
    struct ahoy_buf sound = ahoy_buf_over(space, sizeof space);
    party_put_sound(&caller->hop.remote, &sound);
    ahoy_buf_put(&buf, SPAN("INVITE "));
    ahoy_buf_put(&buf, plan->to);
    ahoy_buf_put(&buf, SPAN(" SIP/2.0\r\n"));
    put_via(world, ++caller->cseq, &buf);
    put_from(plan, &buf);
    ahoy_buf_put(&buf, SPAN("To: <"));
    ahoy_buf_put(&buf, plan->to);
    ahoy_buf_put(&buf, SPAN(">\r\nCall-ID: test\r\nMax-Forwards: 70\r\nCSeq: "));
    ahoy_buf_put_number(&buf, caller->cseq);
    ahoy_buf_put(&buf, SPAN(" INVITE\r\nContact: <sip:"));
    ahoy_ip_print(&caller->hop.remote, &buf);
    ahoy_buf_put(&buf, SPAN(";transport="));
    ahoy_buf_put(&buf, ahoy_transport_uri_name((enum ahoy_transport)caller->hop.transport));
    ahoy_buf_put(&buf, SPAN(">\r\n"));
    ahoy_buf_put(&buf, plan->rows);
    ahoy_credentials_put(&caller->credentials, &buf);
    ahoy_buf_put(&buf, SPAN("Content-Type: application/sdp\r\nContent-Length: "));
    ahoy_buf_put_number(&buf, sound.size);
    ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
    ahoy_buf_put(&buf, ahoy_buf_text(&sound));
    caller->invite_size = ahoy_buf_text(&buf).size;
    world->is_broken |= buf.overflow;
    world_send(world, &caller->hop, ahoy_buf_text(&buf));
}

/* Whether what the test says made a request. */
static bool is_sound(struct world *world)
{
    const struct caller *caller = &world->caller;
    const struct span bytes = { caller->invite, caller->invite_size };
    const struct ahoy_uri *uri = &world->routing.request_uri;
    return ahoy_message_parse(bytes, &world->invite, NULL) &&
           ahoy_message_routing(&world->invite, &world->routing, NULL) &&
           uri->scheme != AHOY_SCHEME_OTHER && uri->has_user;
}

bool caller_call(struct world *world)
{
    struct caller *caller = &world->caller;
    if (caller->hop.transport != AHOY_UDP) {
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED, .hop = caller->hop };
        world_step(world, &event);
        caller->hop.connection = event.hop.connection;
    }
    invite(world);
    if (world->plan->cancels_s > 0)
        world_schedule(world, &(struct happening){ .kind = CALLER_TIRES }, SPAN(""),
                       world->plan->cancels_s * 1000ull);
    return is_sound(world);
}

/* RFC 3261 17.1.1.3 */
static void acknowledge(struct world *world)
{
    struct caller *caller = &world->caller;
    struct ahoy_buf buf = ahoy_buf_over(world->text, sizeof world->text);
    if (!ahoy_message_parse((struct span){ caller->invite, caller->invite_size }, &world->invite,
                            NULL))
        return;
    ahoy_compose_ack(&buf, &world->invite, &world->message);
    world_send(world, &caller->hop, ahoy_buf_text(&buf));
}

/* A request within the dialog; it goes by us, as the first route says. */
static void send_within(struct world *world, enum ahoy_method method, uint32_t cseq)
{
    struct caller *caller = &world->caller;
    struct ahoy_buf line = ahoy_buf_over(world->text, sizeof world->text);
    struct ahoy_buf rows = ahoy_buf_over(world->rows, sizeof world->rows);
    ahoy_dialog_print(&caller->dialog, method, cseq, &line, &rows);
    put_via(world, 1000 + cseq + (method == AHOY_METHOD_ACK ? 0 : 1), &line);
    ahoy_buf_put(&line, ahoy_buf_text(&rows));
    ahoy_buf_put(&line, SPAN("Content-Length: 0\r\n\r\n"));
    world->is_broken |= line.overflow || rows.overflow;
    world_send(world, &caller->hop, ahoy_buf_text(&line));
}

/* Which place the tag of the response names; NO_PLACE: none, so it is the server itself. */
static int speaker(const struct world *world)
{
    struct span tag = world->routing.to_tag;
    uint64_t number;
    if (!ahoy_span_starts_nocase(tag, SPAN("place-")) ||
        !ahoy_span_number(ahoy_span_after(tag, 6), world->place_count, &number))
        return NO_PLACE;
    return (int)number - 1;
}

static void tell_answer(struct world *world)
{
    int place = speaker(world);
    struct span name = SPAN("nobody");
    if (place != NO_PLACE)
        name = (struct span){ world->places[place].called, world->places[place].called_size };
    const struct span pieces[] = { SPAN("answered by "), name };
    world_tell(world, pieces, 2);
}

static void be_answered(struct world *world)
{
    struct caller *caller = &world->caller;
    uint32_t cseq = world->routing.cseq.number;
    bool is_first = !caller->answered;
    if (is_first)
        tell_answer(world);
    if (!ahoy_dialog_from_response(&caller->dialog, &world->message, &world->routing, NULL) ||
        caller->dialog.route_count == 0) {
        caller->is_done = true; /* What follows goes past the server. */
        return;
    }
    send_within(world, AHOY_METHOD_ACK, cseq);
    caller->answered = true;
    if (is_first)
        world_schedule(world, &(struct happening){ .kind = CALLER_ENDS }, SPAN(""),
                       world->plan->lasts_s * 1000ull);
}

/* "603 Too dear", "302 sip:bob@biloxi.example" */
static void tell_failure(struct world *world)
{
    const struct ahoy_message *message = &world->message;
    char space[8];
    struct ahoy_buf status = ahoy_buf_over(space, sizeof space);
    struct ahoy_address contact;
    struct span more = SPAN("");
    ahoy_buf_put_number(&status, message->status);
    if (!ahoy_span_equal(message->reason, ahoy_status_reason(message->status)))
        more = message->reason;
    if (message->status < 400 &&
        ahoy_address_parse(ahoy_message_value(message, AHOY_HEADER_CONTACT), &contact, NULL))
        more = contact.uri.text;
    const struct span pieces[] = { ahoy_buf_text(&status), more.size > 0 ? SPAN(" ") : SPAN(""),
                                   more };
    world_tell(world, pieces, 3);
}

static void be_refused(struct world *world)
{
    struct caller *caller = &world->caller;
    unsigned status = world->message.status;
    acknowledge(world);
    const struct ahoy_digested digested = {
        SPAN("INVITE"), world->invite.body /* Of what was just acknowledged. */
    };
    if ((status == 401 || status == 407) && caller->proves && !caller->cancelled &&
        ahoy_credentials_answer(&caller->credentials, &caller->account, &world->message, &digested,
                                world->plan->to, &world->rng)) {
        invite(world);
        return;
    }
    tell_failure(world);
    caller->is_done = true;
}

static void be_ended(struct world *world)
{
    char space[8];
    struct ahoy_buf status = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put_number(&status, world->message.status);
    const struct span pieces[] = { SPAN("hangs up: "), ahoy_buf_text(&status) };
    if (world->message.status >= 300)
        world_tell(world, pieces, 2); /* That should not be. */
    world->caller.is_done = true;
}

void caller_receive(struct world *world)
{
    struct caller *caller = &world->caller;
    unsigned status = world->message.status;
    if (status < 200 || !ahoy_message_routing(&world->message, &world->routing, NULL))
        return;
    const struct ahoy_cseq *cseq = &world->routing.cseq;
    if (cseq->method == AHOY_METHOD_BYE)
        be_ended(world);
    else if (cseq->method != AHOY_METHOD_INVITE || cseq->number != caller->cseq || caller->is_done)
        return;
    else if (status < 300)
        be_answered(world);
    else
        be_refused(world);
}

/* RFC 3261 9.1 */
void caller_tire(struct world *world)
{
    struct caller *caller = &world->caller;
    struct ahoy_buf buf = ahoy_buf_over(world->text, sizeof world->text);
    if (caller->answered || caller->is_done ||
        !ahoy_message_parse((struct span){ caller->invite, caller->invite_size }, &world->invite,
                            NULL))
        return;
    caller->cancelled = true;
    ahoy_compose_cancel(&buf, &world->invite, SPAN(""));
    world_send(world, &caller->hop, ahoy_buf_text(&buf));
}

void caller_end(struct world *world)
{
    send_within(world, AHOY_METHOD_BYE, world->caller.dialog.local_cseq + 1);
}
