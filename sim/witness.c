/* From bytes to messages, each of which is noted and judged. */
#include "sim/witness.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/laws.h"
#include "sim/notes.h"

uint64_t sim_hash(struct span text)
{
    static const struct ahoy_hash_key key = { { 3, 4 } };
    return ahoy_siphash(&key, text);
}

uint64_t sim_witness_now(const struct sim_witness *witness)
{
    return sim_host_now(witness->host);
}

void sim_witness_break(struct sim_witness *witness, unsigned law, const char *format, ...)
{
    va_list arguments;
    if (witness->law != 0)
        return;
    witness->law = law;
    witness->broken_ms = sim_world_now(witness->world) - sim_world_epoch();
    va_start(arguments, format);
    vsnprintf(witness->what, sizeof witness->what, format, arguments);
    va_end(arguments);
}

const struct ahoy_message *sim_witness_request(struct sim_witness *witness, const char *bytes,
                                               size_t size)
{
    (void)ahoy_message_parse((struct span){ bytes, size }, &witness->other, NULL); /* It was. */
    return &witness->other;
}

/* Reads a message; false where it cannot be followed. */
static bool read(struct sim_witness *witness, struct span bytes)
{
    return ahoy_message_parse(bytes, &witness->message, NULL) &&
           ahoy_message_routing(&witness->message, &witness->routing, NULL);
}

static void excuse_uppers(struct sim_witness *witness)
{
    for (size_t i = witness->first_upper; i < witness->upper_count; i++)
        witness->uppers[i].is_excused = true;
}

static bool says_unreadable(unsigned status)
{
    return status == 400 || status == 413 || status == 414 || status == 505;
}

static void take(struct sim_witness *witness, uint64_t stream, const struct ahoy_ip *peer,
                 struct span bytes, bool comes)
{
    struct sim_news news = {
        .message = &witness->message, .routing = &witness->routing, .peer = *peer, .stream = stream
    };
    if (!read(witness, bytes)) {
        witness->blurred_ms = sim_witness_now(witness);
        witness->blurred_turn = witness->turn;
        if (!comes)
            excuse_uppers(witness); /* One of them has been answered, and nobody can tell which. */
        return;
    }
    /* What answers something unreadable looks like an answer to what that was made from. */
    if (!comes && !witness->message.is_request && witness->blurred_turn == witness->turn &&
        says_unreadable(witness->message.status)) {
        struct sim_upper *upper = sim_notes_find(witness, &witness->routing);
        if (upper != NULL)
            upper->is_excused = true;
        return;
    }
    sim_notes_take(witness, &news, comes);
    for (size_t i = 0; i < sim_law_count && !witness->is_full; i++) {
        sim_law_of_news *law = comes ? sim_laws[i].comes : sim_laws[i].leaves;
        if (law != NULL)
            law(witness, &news);
    }
}

bool sim_witness_has_stream(struct sim_witness *witness, uint64_t stream)
{
    const struct sim_inlet *inlet = sim_inlets_find(&witness->inlets, stream);
    return inlet != NULL && !inlet->is_lost;
}

/* Cuts what has come on a stream into messages. */
static void take_bytes(struct sim_witness *witness, uint64_t stream, const struct ahoy_ip *from,
                       struct span bytes)
{
    struct sim_inlet *inlet = sim_inlets_need(&witness->inlets, stream);
    struct span message;
    sim_inlet_put(inlet, bytes);
    while (sim_inlet_next(inlet, &message))
        take(witness, stream, from, message, true);
    if (!inlet->is_lost)
        return;
    witness->blurred_ms = sim_witness_now(witness);
    witness->blurred_turn = witness->turn;
}

static void receives(void *context, uint64_t stream, const struct ahoy_ip *from, struct span bytes)
{
    if (stream == 0)
        take(context, 0, from, bytes, true);
    else
        take_bytes(context, stream, from, bytes);
}

static void sends(void *context, uint64_t stream, const struct ahoy_ip *to, struct span bytes)
{
    struct sim_witness *witness = context;
    if (stream != 0)
        (void)sim_inlets_need(&witness->inlets, stream); /* It stands, though nothing came on it. */
    take(context, stream, to, bytes, false);
}

/* Nothing is owed over a connection that is gone. */
static void loses(void *context, uint64_t stream)
{
    struct sim_witness *witness = context;
    sim_inlets_drop(&witness->inlets, stream);
    for (size_t i = witness->first_upper; i < witness->upper_count; i++)
        witness->uppers[i].is_excused |= witness->uppers[i].stream == stream;
    for (size_t i = witness->first_lower; i < witness->lower_count; i++)
        witness->lowers[i].is_excused |= witness->lowers[i].stream == stream;
}

/* Passes over those at the front that nothing more can be said about. */
static void pass_over(struct sim_witness *witness)
{
    uint64_t now_ms = sim_witness_now(witness);
    const uint64_t long_ms = 4 * SIM_TIMER_C_MS;
    while (witness->first_upper < witness->upper_count &&
           now_ms > witness->uppers[witness->first_upper].began_ms + long_ms)
        witness->first_upper++;
    while (witness->first_lower < witness->lower_count &&
           now_ms > witness->lowers[witness->first_lower].began_ms + long_ms)
        witness->first_lower++;
}

static void rests(void *context)
{
    struct sim_witness *witness = context;
    for (size_t i = 0; i < sim_law_count && !witness->is_full; i++) {
        if (sim_laws[i].rests != NULL)
            sim_laws[i].rests(witness);
    }
    pass_over(witness);
    witness->turn++;
    witness->last_ms = sim_witness_now(witness);
}

void sim_witness_excuse(struct sim_witness *witness)
{
    uint64_t now_ms = sim_witness_now(witness);
    witness->short_ms = now_ms;
    excuse_uppers(witness);
    for (size_t i = witness->first_lower; i < witness->lower_count; i++) {
        struct sim_lower *lower = &witness->lowers[i];
        lower->is_excused = true;
        lower->is_unheard |= lower->final != 0 && lower->final_turn == witness->turn;
    }
    sim_notes_excuse_registers(witness, SIM_64T1_MS);
}

void sim_witness_jumps(struct sim_witness *witness, uint64_t ms)
{
    uint64_t now_ms = sim_witness_now(witness);
    for (size_t i = witness->first_upper; i < witness->upper_count; i++) {
        struct sim_upper *upper = &witness->uppers[i];
        uint64_t due_ms = upper->stirred_ms + SIM_TIMER_C_MS;
        upper->is_excused |= upper->method == AHOY_METHOD_REGISTER && upper->final == 0;
        if (now_ms < due_ms && due_ms < now_ms + ms)
            upper->stirred_ms = now_ms + ms - SIM_TIMER_C_MS;
    }
    sim_notes_excuse_registers(witness, SIM_STORE_MS);
}

struct sim_shelf *sim_witness_shelf(struct sim_witness *witness, struct span aor)
{
    for (size_t i = 0; i < witness->shelf_count; i++) {
        if (ahoy_span_equal(ahoy_span(witness->shelves[i].aor), aor))
            return &witness->shelves[i];
    }
    return NULL;
}

void sim_witness_look(struct sim_witness *witness, const struct sim_shelf *shelf,
                      struct sim_shelf *now)
{
    struct ahoy_bindings *bindings = &witness->bindings;
    *now = *shelf;
    (void)ahoyd_store_find(sim_host_store(witness->host), ahoy_span(shelf->aor),
                           sim_witness_now(witness), bindings); /* None is a finding too. */
    now->count = bindings->count;
    for (size_t i = 0; i < bindings->count; i++) {
        const struct ahoy_binding *binding = &bindings->list[i];
        now->list[i] = (struct sim_shelved){ sim_hash(binding->contact), sim_hash(binding->call_id),
                                             binding->expires_ms, binding->cseq };
    }
}

void sim_witness_init(struct sim_witness *witness, struct sim_world *world, struct sim_host *host,
                      const char *const *users)
{
    witness->eyes = (struct sim_host_eyes){
        .context = witness, .receives = receives, .sends = sends, .loses = loses, .rests = rests
    };
    witness->world = world;
    witness->host = host;
    witness->turn = 1;
    for (; *users != NULL; users++) {
        assert(witness->shelf_count < SIM_AORS_LIMIT);
        struct sim_shelf *shelf = &witness->shelves[witness->shelf_count++];
        snprintf(shelf->aor, sizeof shelf->aor, "%s", *users);
    }
    sim_host_observe(host, &witness->eyes);
}

static void drop_notes(struct sim_witness *witness)
{
    for (size_t i = 0; i < witness->upper_count; i++)
        free(witness->uppers[i].bytes);
    for (size_t i = 0; i < witness->lower_count; i++)
        free(witness->lowers[i].bytes);
    witness->upper_count = witness->first_upper = 0;
    witness->lower_count = witness->first_lower = 0;
    sim_inlets_fini(&witness->inlets);
}

void sim_witness_forget(struct sim_witness *witness)
{
    drop_notes(witness);
}

void sim_witness_revived(struct sim_witness *witness)
{
    sim_law_bindings_revived(witness);
}

void sim_witness_end(struct sim_witness *witness)
{
    for (size_t i = 0; i < sim_law_count; i++) {
        if (sim_laws[i].ends != NULL)
            sim_laws[i].ends(witness);
    }
}

void sim_witness_fini(struct sim_witness *witness)
{
    drop_notes(witness);
}
