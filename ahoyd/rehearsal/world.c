/* A list of what is on its way, in the order of time: nothing is lost here, and nothing takes any
 * time but what a party takes. */
#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/follower.h"
#include "ahoyd/records/ledger.h"
#include "ahoyd/rehearsal/inside.h"

enum {
    BEFORE_MS = 60000,         /* The server's time before the call: trunks that are asked whether
                                * they are there have not answered by then, or have. */
    LONGEST_MS = 24 * 3600000, /* Of a call. */
    TIMER_C_MS = 181000,       /* As main.c has it. */
    RING_SIZE = 1 << 20,
    PIECE_SIZE = 65536
};

void world_schedule(struct world *world, const struct happening *happening, struct span bytes,
                    uint64_t after_ms)
{
    struct happening *copy = NULL;
    if (world->happening_count < AHOYD_REHEARSAL_EVENTS_LIMIT)
        copy = malloc(sizeof *copy + bytes.size);
    if (copy == NULL) {
        world->is_broken = true;
        return;
    }
    *copy = *happening;
    copy->due_ms = after_ms == UINT64_MAX ? UINT64_MAX : world->now_ms + after_ms;
    copy->size = bytes.size;
    if (bytes.size > 0)
        memcpy(copy->bytes, bytes.at, bytes.size);
    copy->wire.bytes = (struct span){ copy->bytes, bytes.size };
    struct happening **place = &world->first;
    while (*place != NULL && (*place)->due_ms <= copy->due_ms)
        place = &(*place)->next;
    copy->next = *place;
    *place = copy;
    world->happening_count++;
}

void world_send(struct world *world, const struct ahoy_hop *hop, struct span bytes)
{
    const struct happening happening = {
        .kind = TO_SERVER,
        .wire = { .kind = hop->transport == AHOY_UDP ? AHOY_WIRE_DATAGRAM : AHOY_WIRE_BYTES,
                  .hop = *hop }
    };
    world_schedule(world, &happening, bytes, 0);
}

static struct happening *take_off(struct world *world, struct happening **place)
{
    struct happening *happening = *place;
    *place = happening->next;
    world->happening_count--;
    return happening;
}

struct happening *world_take(struct world *world, int place, struct span branch)
{
    for (struct happening **at = &world->first; *at != NULL; at = &(*at)->next) {
        struct ahoy_via via;
        if ((*at)->kind != OF_PARTY || (*at)->place != place)
            continue;
        (void)ahoy_message_parse((*at)->wire.bytes, &world->invite, NULL); /* It was, before. */
        if (ahoy_via_first(ahoy_message_value(&world->invite, AHOY_HEADER_VIA), &via) &&
            ahoy_span_equal(via.branch, branch))
            return take_off(world, at);
    }
    return NULL;
}

/* "20.5" */
static void put_seconds(uint64_t ms, struct ahoy_buf *buf)
{
    uint64_t rest = ms % 1000;
    ahoy_buf_put_number(buf, ms / 1000);
    for (uint64_t unit = 100; rest > 0; unit /= 10) {
        if (unit == 100)
            ahoy_buf_put_byte(buf, '.');
        ahoy_buf_put_byte(buf, (char)('0' + rest / unit));
        rest %= unit;
    }
}

void world_tell(struct world *world, const struct span *pieces, size_t count)
{
    struct ahoyd_rehearsal *rehearsal = world->rehearsal;
    char space[AHOYD_REHEARSAL_TEXT_LIMIT * 4];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    if (rehearsal->count == AHOYD_REHEARSAL_LINES_LIMIT) {
        world->is_broken = true;
        return;
    }
    struct ahoyd_rehearsal_line *line = &rehearsal->lines[rehearsal->count++];
    line->at_ms = world->now_ms - world->plan->now_ms;
    put_seconds(line->at_ms, &text);
    ahoy_buf_put(&text, SPAN(" s: "));
    for (size_t i = 0; i < count; i++)
        ahoy_buf_put_escaped(&text, pieces[i]);
    line->size = text.size < sizeof line->text ? text.size : sizeof line->text;
    memcpy(line->text, space, line->size);
}

/* A datagram, or bytes on a connection, that the server sends. */
static void deliver(struct world *world, const struct ahoy_wire_effect *effect)
{
    if (!ahoy_message_parse(effect->bytes, &world->message, NULL))
        return; /* It only keeps a flow alive. */
    int place = stage_find(world, &effect->hop.remote);
    if (!world->message.is_request)
        caller_receive(world);
    else if (place == NO_PLACE || world->places[place].party.manner < AHOYD_MANNER_GONE)
        party_receive(world, place, effect);
    else if (world->places[place].party.manner == AHOYD_MANNER_DOWN)
        world_schedule(
            world,
            &(struct happening){ .kind = TO_SERVER,
                                 .wire = { .kind = AHOY_WIRE_UNREACHABLE, .hop = effect->hop } },
            SPAN(""), 0);
}

/* What it opens stands at once, and proves what it has to; where nobody is, it is refused. */
static void open_connection(struct world *world, const struct ahoy_wire_effect *effect)
{
    int place = stage_find(world, &effect->hop.remote);
    struct happening happening = { .kind = TO_SERVER,
                                   .wire = { .kind = AHOY_WIRE_CONNECTED, .hop = effect->hop } };
    if (place == NO_PLACE || world->places[place].party.manner == AHOYD_MANNER_DOWN) {
        happening.wire.kind = AHOY_WIRE_CLOSED;
        happening.wire.fate = AHOY_FATE_REFUSED;
    }
    if (place == NO_PLACE || world->places[place].party.manner != AHOYD_MANNER_GONE)
        world_schedule(world, &happening, SPAN(""), 0);
}

static void carry(struct world *world)
{
    struct ahoy_wire_effect effect;
    while (ahoyd_server_poll(world->server, &effect)) {
        if (effect.kind == AHOY_WIRE_SEND)
            deliver(world, &effect);
        else if (effect.kind == AHOY_WIRE_CONNECT)
            open_connection(world, &effect);
        else if (effect.kind == AHOY_WIRE_LOOKUP)
            stage_look_up(world, &effect);
    }
}

void world_step(struct world *world, struct ahoy_wire_event *event)
{
    ahoyd_server_step(world->server, event, world->now_ms);
    carry(world);
    while (world->changes != NULL) {
        struct ahoyd_change *change = world->changes;
        world->changes = change->next;
        ahoyd_server_stored(world->server, change, world->now_ms);
        carry(world);
    }
}

static void happen(struct world *world, struct happening *happening)
{
    if (happening->kind == TO_SERVER)
        world_step(world, &happening->wire);
    else if (happening->kind == OF_PARTY)
        party_answer(world, happening);
    else if (happening->kind == CALLER_TIRES)
        caller_tire(world);
    else
        caller_end(world);
}

/* What comes next, up to |end_ms|; false where nothing does. */
static bool turn(struct world *world, uint64_t end_ms)
{
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    uint64_t deadline_ms = ahoyd_server_deadline(world->server);
    uint64_t due_ms = world->first != NULL ? world->first->due_ms : UINT64_MAX;
    uint64_t next_ms = due_ms <= deadline_ms ? due_ms : deadline_ms;
    if (next_ms == UINT64_MAX || next_ms > end_ms || world->is_broken)
        return false;
    if (next_ms > world->now_ms)
        world->now_ms = next_ms;
    if (due_ms > deadline_ms) {
        world_step(world, &event);
        return true;
    }
    struct happening *happening = take_off(world, &world->first);
    happen(world, happening);
    free(happening);
    return true;
}

/* Runs until |end_ms|, or until the call is over and all that follows has been done. */
static void run(struct world *world, uint64_t end_ms)
{
    unsigned turns = 0;
    while (turn(world, world->caller.is_done ? world->now_ms : end_ms)) {
        if (++turns == AHOYD_REHEARSAL_TURNS_LIMIT)
            world->is_broken = true;
    }
}

/* Those of a test are often on loopback alone, and would not reach a trunk elsewhere. */
static void copy_listeners(struct world *world)
{
    for (size_t i = 0; i < world->names->listener_count; i++) {
        struct ahoy_listener *listener = &world->listeners[i];
        *listener = world->names->listeners[i];
        memset(listener->local.bytes, 0, sizeof listener->local.bytes);
    }
}

static bool open_server(struct world *world)
{
    const struct ahoyd_names *names = world->names;
    const unsigned char secret[AHOYD_SECRET_SIZE] = "one for every call of a test";
    char fault[256];
    const struct ahoyd_store_options store = { AHOYD_STORE_MEMORY, .now_ms = world->now_ms,
                                               .secret = secret };
    copy_listeners(world);
    world->store = ahoyd_store_open(&store, fault, sizeof fault);
    const struct ahoyd_server_options options = {
        .config = names->config,
        .store = world->store,
        .listeners = world->listeners,
        .listener_count = names->listener_count,
        .workers = 1,
        .seed = { 1, 2 },
        .clocks = AHOY_DEFAULT_CLOCKS,
        .timer_c_ms = TIMER_C_MS,
        .ring_size = RING_SIZE,
        .change_owner = &world->owner,
        .without_chance = true,
    };
    if (world->store != NULL)
        world->server = ahoyd_server_new(&options, world->now_ms);
    return world->server != NULL;
}

/* What the server has noted, as the records of calls are made of it. */
static void keep_record(struct world *world)
{
    const struct ahoy_hash_key key = { { 1, 2 } };
    struct ahoyd_ledger *ledger = ahoyd_ledger_new(&key, SPAN(""), world->now_ms);
    char *piece = malloc(PIECE_SIZE);
    uint64_t from = 0;
    size_t size = 1;
    while (ledger != NULL && piece != NULL && size > 0) {
        struct ahoyd_noted noted = { .message = &world->message };
        struct ahoy_note note;
        size = ahoy_ring_copy(ahoyd_server_ring(world->server), &from, piece, PIECE_SIZE);
        struct span bytes = { piece, size };
        while (ahoy_note_next(&bytes, &note, &noted.text)) {
            noted.note = &note;
            noted.call_id = ahoyd_case_of(&note, noted.text, &world->message);
            ahoyd_ledger_take(ledger, &noted);
        }
    }
    if (ledger != NULL) {
        ahoyd_ledger_finish(ledger);
        world->rehearsal->record = ahoyd_ledger_row(ledger, world->now_ms);
        json_t *other;
        while ((other = ahoyd_ledger_row(ledger, world->now_ms)) != NULL)
            json_decref(other);
    }
    ahoyd_ledger_free(ledger);
    free(piece);
}

static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct world *world = (struct world *)owner;
    change->next = world->changes;
    world->changes = change;
}

static void close_world(struct world *world)
{
    ahoyd_server_free(world->server);
    if (world->store != NULL)
        ahoyd_store_close(world->store);
    while (world->changes != NULL) {
        struct ahoyd_change *change = world->changes;
        world->changes = change->next;
        ahoyd_change_free(change);
    }
    while (world->first != NULL)
        free(take_off(world, &world->first));
    free(world->places);
    free(world);
}

/* What became of it, where that is not a call. */
static const char *judge(const struct world *world, char *fault, size_t fault_size)
{
    if (world->is_broken)
        snprintf(fault, fault_size, "a call that does so much: it was broken off");
    else if (!world->caller.is_done)
        snprintf(fault, fault_size, "a call that does not come to an end within a day");
    else
        return NULL;
    return fault;
}

const char *ahoyd_rehearse(const struct ahoyd_names *names, struct ahoyd_plan *plan,
                           struct ahoyd_rehearsal *rehearsal, char *fault, size_t fault_size)
{
    struct world *world = calloc(1, sizeof *world);
    const char *answer = fault;
    snprintf(fault, fault_size, "a call for which there is no memory");
    if (world == NULL)
        return fault;
    world->owner.done = take_back;
    world->names = names;
    world->plan = plan;
    world->rehearsal = rehearsal;
    world->now_ms = plan->now_ms - BEFORE_MS;
    ahoy_rng_init(&world->rng, (const uint64_t[2]){ 3, 4 });
    if (stage_open(world, fault, fault_size) && open_server(world) &&
        stage_register(world, fault, fault_size)) {
        run(world, plan->now_ms - 1);
        world->now_ms = plan->now_ms;
        snprintf(fault, fault_size,
                 "the call: to is as \"sip:bob@atlanta.example\", and from a URI too");
        if (caller_call(world)) {
            run(world, plan->now_ms + LONGEST_MS);
            keep_record(world);
            answer = judge(world, fault, fault_size);
        }
    }
    close_world(world);
    return answer;
}
