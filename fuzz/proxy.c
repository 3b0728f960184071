/* The proxy over the transaction layer: whatever a caller asks and targets answer, the messages
 * that leave can be read again, requests go to targets only and with our Via on top, and at the end
 * nothing is left.
 *
 * The input is a list of pieces: a byte that says what it is, one that says how it is meant, two
 * that say how many bytes follow, and these.
 *   0: the caller says them; how: bits 0-1 targets less one, 2-3 Route values that are ours, 4 the
 *      URI is restored, 5 Record-Route, 6 the targets are on streams, 7 their servers have to be
 *      found, which happens in the next turn.
 *   1: a target says them in answer to what it got last: a status line and rows, without Vias,
 *      which are put behind the first line; how: the target.
 *   2: so many quarters of a minute pass.
 *   3: as 0, but the targets differ in q, each has ten seconds, and redirections are followed. */
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/transaction/transactions.h"
#include "libahoy/tu/proxy.h"

enum { TARGETS = 4, TIMER_C_MS = 200000, CALLER = 10, FIRST_TARGET = 20, WISHES = 64 };

#define OUR_VIA "192.0.2.1:5060;branch=z9hG4bK"

struct world {
    uint64_t now_ms;
    struct ahoy_timers timers;
    struct ahoy_flows flows;
    struct ahoy_transactions *transactions;
    struct ahoy_proxy *proxy;
    struct ahoy_proxy_target targets[TARGETS];
    struct ahoy_proxy_plan plan;
    size_t wished_count; /* Who waits to be told where the servers are. */
    uint64_t wished[WISHES];
    size_t via_size[TARGETS]; /* The Via rows of what each target got last. */
    char vias[TARGETS][AHOY_MESSAGE_LIMIT];
    struct ahoy_message message; /* At hand. */
    struct ahoy_routing routing;
    struct ahoy_message sent;
};

static const struct ahoy_listener listeners[] = {
    { .transport = AHOY_UDP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 1 } },
      .sent_by = { "192.0.2.1:5060", 14 },
      .uri = { "sip:192.0.2.1", 13 } },
    { .transport = AHOY_TCP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 1 } },
      .sent_by = { "192.0.2.1:5060", 14 },
      .uri = { "sip:192.0.2.1;transport=tcp", 27 } },
};

static struct ahoy_hop hop_to(uint8_t host, uint8_t listener)
{
    return (struct ahoy_hop){
        .transport = (uint8_t)listeners[listener].transport,
        .listener = listener,
        .remote = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, host } }
    };
}

/* A request that leaves for a target: its Vias are what an answer will begin with. */
static void see_request(struct world *world, size_t target, const struct ahoy_message *sent)
{
    struct ahoy_buf buf = ahoy_buf_over(world->vias[target], sizeof world->vias[target]);
    const struct ahoy_field *field = ahoy_message_first(sent, AHOY_HEADER_VIA);
    MUST(field != NULL && memmem(field->row.at, field->row.size, OUR_VIA, sizeof OUR_VIA - 1));
    for (; field != NULL; field = ahoy_message_next(sent, field))
        ahoy_buf_put(&buf, field->row);
    MUST(!buf.overflow);
    if (sent->method != AHOY_METHOD_ACK && sent->method != AHOY_METHOD_CANCEL)
        world->via_size[target] = buf.size;
}

static void see_sending(struct world *world, const struct ahoy_sending *sending)
{
    struct ahoy_message *sent = &world->sent;
    struct ahoy_err err;
    uint8_t host = sending->hop.remote.bytes[3];
    /* What we add may make a message too large, or give it a row too many; no more than that. */
    bool sound = ahoy_message_parse(sending->bytes, sent, &err);
    MUST(sound || sending->bytes.size > AHOY_MESSAGE_LIMIT ||
         sent->field_count == AHOY_HEADERS_LIMIT || err.at - sent->bytes.at > AHOY_LINE_LIMIT);
    if (!sound)
        return;
    /* A target may ask as well, and is answered then. */
    MUST(host >= FIRST_TARGET || !sent->is_request);
    if (sent->is_request)
        see_request(world, host - FIRST_TARGET, sent);
}

static void take_wishes(struct world *world)
{
    const struct ahoy_proxy_found nothing = { .status = 503 };
    struct ahoy_proxy_wish wish;
    while (ahoy_proxy_poll(world->proxy, &wish)) {
        if (wish.kind == AHOY_WISH_REST)
            continue;
        MUST(wish.uri.size > 0);
        if (world->wished_count < WISHES)
            world->wished[world->wished_count++] = wish.user;
        else
            ahoy_proxy_located(world->proxy, wish.user, &nothing, world->now_ms);
    }
}

/* What was wished for in an earlier turn is found: two targets, of which the second rests. */
static void find_targets(struct world *world)
{
    for (size_t count = world->wished_count; count > 0; count--) {
        uint64_t user = world->wished[0];
        const struct ahoy_hop hops[] = { world->targets[count % TARGETS].hop,
                                         world->targets[(count + 1) % TARGETS].hop };
        const struct ahoy_proxy_found found = { .hops = hops, .count = 2, .fresh = 1 };
        world->wished_count--;
        memmove(&world->wished[0], &world->wished[1], world->wished_count * sizeof user);
        ahoy_proxy_located(world->proxy, user, &found, world->now_ms);
        take_wishes(world);
    }
}

/* Each Contact leads to one of the targets. */
static void follow(struct world *world, const struct ahoy_event *event,
                   struct ahoy_proxy_redirection *redirection)
{
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_CONTACT);
    struct span text;
    MUST(redirection->request->message->is_request);
    struct ahoy_address contact;
    for (unsigned i = 0; ahoy_values_next(&values, &text, NULL); i++) {
        if (!ahoy_address_parse(text, &contact, NULL))
            continue;
        const struct ahoy_proxy_target target = { .uri = contact.uri.text,
                                                  .hop = world->targets[i % TARGETS].hop,
                                                  .q = (uint16_t)(i % 2) };
        ahoy_proxy_add(world->proxy, event, redirection, i, &target, 1);
    }
    ahoy_proxy_follow(world->proxy, event, redirection, world->now_ms);
}

static void take_event(struct world *world, const struct ahoy_event *event)
{
    struct ahoy_proxy_redirection redirection;
    if (ahoy_proxy_redirects(world->proxy, event, &redirection, world->now_ms))
        follow(world, event, &redirection);
    else if (event->kind == AHOY_EVENT_REQUEST)
        ahoy_proxy_start(world->proxy, event, &world->plan, world->now_ms);
    else if (event->kind == AHOY_EVENT_ACK)
        ahoy_proxy_forward(world->proxy, event, &world->plan);
    else if (event->user != 0)
        ahoy_proxy_step(world->proxy, event, world->now_ms);
}

static void turn(struct world *world)
{
    struct ahoy_event event;
    struct ahoy_sending sending;
    find_targets(world);
    while (ahoy_transactions_event(world->transactions, &event)) {
        take_event(world, &event);
        take_wishes(world);
    }
    while (ahoy_transactions_poll(world->transactions, &sending))
        see_sending(world, &sending);
    ahoy_transactions_settle(world->transactions);
}

static void hear(struct world *world, struct ahoy_hop hop, struct span text)
{
    if (!ahoy_message_parse(text, &world->message, NULL) ||
        !ahoy_message_routing(&world->message, &world->routing, NULL))
        return;
    struct ahoy_expected expected;
    ahoy_transactions_expect(world->transactions, &world->message, &world->routing, &expected);
    ahoy_transactions_message(world->transactions, &expected, &hop, &hop, world->now_ms);
    turn(world);
}

static void ask(struct world *world, unsigned how, bool in_order, struct span text)
{
    static const struct span ways[] = { SPAN_INIT("sip:one.example"),
                                        SPAN_INIT("sip:two.example") };
    world->plan = (struct ahoy_proxy_plan){ .targets = world->targets,
                                            .count = 1 + (how & 3),
                                            .own_routes = how >> 2 & 3,
                                            .restore_uri = how >> 4 & 1,
                                            .follows = in_order,
                                            .tier_ms = in_order ? 10000 : 0,
                                            .record_route = how >> 5 & 1 };
    for (uint8_t i = 0; i < TARGETS; i++)
        world->targets[i] =
            (struct ahoy_proxy_target){ .uri = SPAN("sip:target;method=x;lr?a=b"),
                                        .hop = hop_to((uint8_t)(FIRST_TARGET + i), how >> 6 & 1),
                                        .q = in_order ? (uint16_t)(TARGETS - i / 2) : 0,
                                        .ways = ways,
                                        .way_count = how >> 7 & 1 ? 2 : 0 };
    hear(world, hop_to(CALLER, 0), text);
}

static void answer(struct world *world, size_t target, struct span text)
{
    static char room[2 * AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(room, sizeof room);
    size_t line = ahoy_span_find(text, '\n');
    if (line == text.size)
        return;
    ahoy_buf_put(&buf, (struct span){ text.at, line + 1 });
    ahoy_buf_put(&buf, (struct span){ world->vias[target], world->via_size[target] });
    ahoy_buf_put(&buf, ahoy_span_after(text, line + 1));
    if (!buf.overflow)
        hear(world, world->targets[target].hop, ahoy_buf_text(&buf));
}

static void pass(struct world *world, uint64_t span_ms)
{
    uint64_t end = world->now_ms + span_ms;
    while (world->now_ms < end) {
        uint64_t below = ahoy_timers_deadline(&world->timers);
        uint64_t own = ahoy_proxy_deadline(world->proxy);
        uint64_t next = below < own ? below : own;
        if (next > world->now_ms)
            world->now_ms = next < end ? next : end;
        struct ahoy_timer *timer = ahoy_timers_expire(&world->timers, world->now_ms);
        if (timer != NULL)
            ahoy_transactions_timer(world->transactions, timer, world->now_ms);
        ahoy_proxy_expire(world->proxy, world->now_ms);
        turn(world);
    }
}

static void begin(struct world *world)
{
    const struct ahoy_flows_options flows = {
        .listeners = listeners, .listener_count = 2, .limit = 1, .timers = &world->timers
    };
    const struct ahoy_transactions_options below = { .clocks = AHOY_DEFAULT_CLOCKS,
                                                     .limit = 100,
                                                     .memory_limit = 1 << 24 };
    const struct ahoy_proxy_options options = { .limit = 20, .timer_c_ms = TIMER_C_MS };
    world->now_ms = 1;
    ahoy_timers_init(&world->timers, world->now_ms);
    ahoy_flows_init(&world->flows, &flows);
    world->transactions = ahoy_transactions_new(&below, &world->flows, &world->timers);
    MUST(world->transactions != NULL);
    world->proxy = ahoy_proxy_new(&options, world->transactions, world->now_ms);
    MUST(world->proxy != NULL);
    memset(world->via_size, 0, sizeof world->via_size);
    world->wished_count = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    begin(&world);
    ask(&world, 0, false, SPAN("")); /* A plan and targets, whatever comes first. */
    while (size >= 4) {
        unsigned kind = data[0] % 4;
        unsigned how = data[1];
        size_t count = (size_t)data[2] << 8 | data[3];
        data += 4;
        size -= 4;
        if (count > size)
            count = size;
        struct span text = { (const char *)data, count };
        if (kind == 0 || kind == 3)
            ask(&world, how, kind == 3, text);
        else if (kind == 1)
            answer(&world, how % TARGETS, text);
        else
            pass(&world, (uint64_t)how * 15000);
        data += count;
        size -= count;
    }
    /* What is found at the end of one may be tried in the next. */
    for (unsigned i = 0; i < 4; i++)
        pass(&world, 4 * TIMER_C_MS);
    MUST(ahoy_proxy_count(world.proxy) == 0);
    MUST(ahoy_transactions_count(world.transactions) == 0);
    ahoy_proxy_free(world.proxy);
    ahoy_transactions_free(world.transactions);
    ahoy_flows_fini(&world.flows);
    return 0;
}
