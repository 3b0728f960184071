/* Steps the stack and the user agent with what arrives, and sends what they poll. */
#include "sim/phone.h"

#include <stdio.h>
#include <stdlib.h>

#include "libahoy/resolve/locate.h"
#include "libahoy/stack/stack.h"

enum { TEXT_LIMIT = 96, SESSIONS_KEPT = 256, SESSION_S = 90 };

struct sim_phone {
    struct sim_node node;
    struct sim_world *world;
    struct ahoy_listener listener;
    char uri[TEXT_LIMIT], sent_by[TEXT_LIMIT], contact[TEXT_LIMIT];
    struct ahoy_stack *stack;
    struct ahoy_ua *ua;
    struct line {
        struct ahoy_handle session;
        bool is_over;
    } lines[SESSIONS_KEPT]; /* The last calls. */
    size_t line_count;
    struct sim_phone_told told;
    sim_phone_watch *watch; /* NULL for none. */
    void *watch_context;
};

/* Keeps the handle, in place of one that is long over. */
static void keep_session(struct sim_phone *phone, struct ahoy_handle session)
{
    phone->lines[phone->line_count++ % SESSIONS_KEPT] = (struct line){ session, false };
}

/* The last call that goes on, or so many of those before it; null for none. */
static struct ahoy_handle find_call(const struct sim_phone *phone, size_t before)
{
    size_t count = phone->line_count;
    for (size_t i = 1; i <= count && i <= SESSIONS_KEPT; i++) {
        const struct line *line = &phone->lines[(count - i) % SESSIONS_KEPT];
        if (!line->is_over && before-- == 0)
            return line->session;
    }
    return (struct ahoy_handle){ 0, 0 };
}

static void note_end(struct sim_phone *phone, struct ahoy_handle session)
{
    for (size_t i = 0; i < SESSIONS_KEPT; i++)
        phone->lines[i].is_over |= ahoy_handle_equal(phone->lines[i].session, session);
}

/* Calls whom the peer of |session| sends us to. */
static void follow(struct sim_phone *phone, struct ahoy_handle session, uint64_t now_ms)
{
    struct ahoy_handle call = ahoy_ua_accept_transfer(phone->ua, session, &phone->node.ip, now_ms);
    if (call.generation == 0)
        return;
    phone->told.referred++;
    keep_session(phone, call);
}

static void note(struct sim_phone *phone, const struct ahoy_ua_news *news)
{
    struct sim_phone_told *told = &phone->told;
    told->registered += news->kind == AHOY_NEWS_REGISTERED;
    told->incoming += news->kind == AHOY_NEWS_INCOMING;
    told->answered += news->kind == AHOY_NEWS_ANSWERED;
    told->refused += news->kind == AHOY_NEWS_REFUSED;
    told->ended += news->kind == AHOY_NEWS_ENDED;
    told->changed += news->kind == AHOY_NEWS_CHANGED;
    told->transferred += news->kind == AHOY_NEWS_TRANSFER_ENDED;
    uint64_t now_ms = sim_world_now(phone->world);
    if (news->kind == AHOY_NEWS_REFUSED || news->kind == AHOY_NEWS_ENDED)
        note_end(phone, news->session);
    if (news->kind == AHOY_NEWS_TRANSFER_ASKED)
        follow(phone, news->session, now_ms);
    if (news->kind == AHOY_NEWS_TRANSFER_ENDED && news->status / 100 == 2) {
        told->handed++;
        ahoy_ua_hangup(phone->ua, news->session, now_ms); /* Our part is done. */
    }
    if (news->kind != AHOY_NEWS_INCOMING)
        return;
    keep_session(phone, news->session);
    if (news->replaced.generation != 0)
        ahoy_ua_answer(phone->ua, news->session, &phone->node.ip, now_ms);
    else
        ahoy_ua_ring(phone->ua, news->session, now_ms);
}

static void send(struct sim_phone *phone, const struct ahoy_wire_effect *effect)
{
    phone->told.glares += ahoy_span_starts_nocase(effect->bytes, SPAN("SIP/2.0 491 "));
    bool lost = phone->watch != NULL &&
                phone->watch(phone->watch_context, &effect->hop.remote, effect->bytes);
    sim_world_datagram(phone->world, &phone->node.ip, &effect->hop.remote, effect->bytes, lost);
}

/* Lets all that is due come about: events up, news, datagrams out. */
static void settle(struct sim_phone *phone)
{
    uint64_t now_ms = sim_world_now(phone->world);
    struct ahoy_event event;
    struct ahoy_ua_news news;
    struct ahoy_wire_effect effect;
    while (ahoy_stack_event(phone->stack, &event))
        ahoy_ua_step(phone->ua, &event, now_ms);
    if (ahoy_ua_deadline(phone->ua) <= now_ms)
        ahoy_ua_expire(phone->ua, now_ms);
    while (ahoy_ua_poll(phone->ua, &news))
        note(phone, &news);
    while (ahoy_stack_event(phone->stack, &event))
        ahoy_ua_step(phone->ua, &event, now_ms);
    while (ahoy_stack_poll(phone->stack, &effect)) {
        if (effect.kind == AHOY_WIRE_SEND)
            send(phone, &effect);
    }
}

static void step(struct sim_phone *phone, struct ahoy_wire_event *event)
{
    ahoy_stack_step(phone->stack, event, sim_world_now(phone->world));
    settle(phone);
}

static void receive(void *self, const struct sim_packet *packet)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_DATAGRAM,
                                     .hop = { .transport = AHOY_UDP, .remote = packet->from },
                                     .bytes = packet->bytes };
    if (packet->kind == SIM_DATAGRAM)
        step(self, &event);
}

static void wake(void *self)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    step(self, &event);
}

static uint64_t deadline(const void *self)
{
    const struct sim_phone *phone = self;
    uint64_t stack_ms = ahoy_stack_deadline(phone->stack);
    uint64_t ua_ms = ahoy_ua_deadline(phone->ua);
    return stack_ms < ua_ms ? stack_ms : ua_ms;
}

static void name_all(struct sim_phone *phone, const struct ahoy_ip *ip)
{
    struct ahoy_buf sent_by = ahoy_buf_over(phone->sent_by, TEXT_LIMIT);
    ahoy_ip_print(ip, &sent_by);
    int size = (int)sent_by.size;
    snprintf(phone->uri, TEXT_LIMIT, "sip:%s@atlanta.example", phone->node.name);
    snprintf(phone->contact, TEXT_LIMIT, "sip:%.*s;transport=udp", size, phone->sent_by);
    phone->listener = (struct ahoy_listener){ .transport = AHOY_UDP,
                                              .local = *ip,
                                              .sent_by = ahoy_buf_text(&sent_by),
                                              .uri = ahoy_span(phone->contact) };
}

static bool open_layers(struct sim_phone *phone, const char *password, const struct ahoy_ip *server)
{
    struct ahoy_rng *rng = sim_world_rng(phone->world);
    const struct ahoy_stack_options stack = {
        .listeners = &phone->listener,
        .listener_count = 1,
        .workers = 1,
        .connection_limit = 1,
        .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                          .limit = 256,
                          .memory_limit = 1 << 20,
                          .seed = { ahoy_rng_next(rng), ahoy_rng_next(rng) } },
    };
    phone->stack = ahoy_stack_new(&stack, sim_world_now(phone->world));
    if (phone->stack == NULL)
        return false;
    const struct ahoy_ua_options ua = {
        .transactions = ahoy_stack_transactions(phone->stack),
        .account = { .uri = ahoy_span(phone->uri),
                     .user = ahoy_span(phone->node.name),
                     .domain = SPAN("atlanta.example"),
                     .realm = SPAN("atlanta.example"),
                     .password = ahoy_span(password == NULL ? "" : password) },
        .server = { .transport = AHOY_UDP, .listener = AHOY_ANY_LISTENER, .remote = *server },
        .locate = ahoy_locate,
        .t1_ms = 500,
        .t2_ms = 4000,
        .session_s = SESSION_S,
        .takes_transfers = true,
        .takes_referrals = true,
        .seed = { ahoy_rng_next(rng), ahoy_rng_next(rng) },
    };
    phone->ua = ahoy_ua_new(&ua);
    return phone->ua != NULL;
}

struct sim_phone *sim_phone_new(struct sim_world *world, const char *name, const char *password,
                                const struct ahoy_ip *ip, const struct ahoy_ip *server)
{
    struct sim_phone *phone = calloc(1, sizeof *phone);
    if (phone == NULL)
        return NULL;
    phone->world = world;
    phone->node = (struct sim_node){ name, *ip, phone, receive, wake, deadline, NULL };
    name_all(phone, ip);
    if (!open_layers(phone, password, server)) {
        sim_phone_free(phone);
        return NULL;
    }
    sim_world_add(world, &phone->node);
    return phone;
}

void sim_phone_free(struct sim_phone *phone)
{
    if (phone == NULL)
        return;
    if (phone->ua != NULL)
        ahoy_ua_free(phone->ua);
    if (phone->stack != NULL)
        ahoy_stack_free(phone->stack);
    free(phone);
}

void sim_phone_register(struct sim_phone *phone)
{
    ahoy_ua_register(phone->ua, 7200, sim_world_now(phone->world));
    settle(phone);
}

bool sim_phone_call(struct sim_phone *phone, const char *uri)
{
    struct ahoy_handle session =
        ahoy_ua_call(phone->ua, ahoy_span(uri), &phone->node.ip, sim_world_now(phone->world));
    if (session.generation == 0)
        return false;
    keep_session(phone, session);
    settle(phone);
    return true;
}

void sim_phone_answer(struct sim_phone *phone, unsigned status)
{
    uint64_t now_ms = sim_world_now(phone->world);
    if (status == 200)
        ahoy_ua_answer(phone->ua, find_call(phone, 0), &phone->node.ip, now_ms);
    else
        ahoy_ua_reject(phone->ua, find_call(phone, 0), status, now_ms);
    settle(phone);
}

void sim_phone_progress(struct sim_phone *phone)
{
    ahoy_ua_progress(phone->ua, find_call(phone, 0), &phone->node.ip, sim_world_now(phone->world));
    settle(phone);
}

void sim_phone_hold(struct sim_phone *phone)
{
    ahoy_ua_hold(phone->ua, find_call(phone, 0), sim_world_now(phone->world));
    settle(phone);
}

void sim_phone_resume(struct sim_phone *phone)
{
    ahoy_ua_resume(phone->ua, find_call(phone, 0), sim_world_now(phone->world));
    settle(phone);
}

void sim_phone_transfer(struct sim_phone *phone, const char *uri)
{
    phone->told.asked += ahoy_ua_transfer(phone->ua, find_call(phone, 0), ahoy_span(uri),
                                          sim_world_now(phone->world));
    settle(phone);
}

void sim_phone_join(struct sim_phone *phone)
{
    phone->told.asked += ahoy_ua_transfer_to(phone->ua, find_call(phone, 1), find_call(phone, 0),
                                             sim_world_now(phone->world));
    settle(phone);
}

void sim_phone_refer(struct sim_phone *phone, const char *whom, const char *uri)
{
    struct ahoy_handle session =
        ahoy_ua_refer(phone->ua, ahoy_span(whom), ahoy_span(uri), sim_world_now(phone->world));
    phone->told.asked += session.generation != 0;
    settle(phone);
}

void sim_phone_hangup(struct sim_phone *phone)
{
    ahoy_ua_hangup(phone->ua, find_call(phone, 0), sim_world_now(phone->world));
    settle(phone);
}

void sim_phone_hangup_all(struct sim_phone *phone)
{
    for (size_t i = 0; i < SESSIONS_KEPT; i++)
        ahoy_ua_hangup(phone->ua, phone->lines[i].session, sim_world_now(phone->world));
    settle(phone);
}

const struct ahoy_ip *sim_phone_ip(const struct sim_phone *phone)
{
    return &phone->node.ip;
}

void sim_phone_observe(struct sim_phone *phone, sim_phone_watch *watch, void *context)
{
    phone->watch = watch;
    phone->watch_context = context;
}

const struct sim_phone_told *sim_phone_told(const struct sim_phone *phone)
{
    return &phone->told;
}

void sim_phone_told_add(struct sim_phone_told *sum, const struct sim_phone_told *told)
{
#define SIM_PHONE_COUNTER(name) sum->name += told->name;
    SIM_PHONE_TOLD(SIM_PHONE_COUNTER)
#undef SIM_PHONE_COUNTER
}

uint32_t sim_phone_held(const struct sim_phone *phone)
{
    return ahoy_ua_sessions(phone->ua) +
           ahoy_transactions_count(ahoy_stack_transactions(phone->stack));
}
