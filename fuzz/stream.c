/* A stack that is fed chunks on two connections and a WebSocket, and datagrams.  How a stream is
 * cut into chunks must not matter: the same input is given again byte by byte, and the same must
 * come of it.
 *
 * The input is a list of pieces: a byte that says where it goes (0 and 1: a connection; 2: a
 * datagram; 3: time passes, as many seconds; 4: the WebSocket; 8 more: as a frame of text), one
 * that says how many bytes follow, and these. */
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/stack/stack.h"
#include "libahoy/syntax/compose.h"
#include "sim/frames.h"

enum { WEBSOCKET = 2, STREAMS, DATAGRAMS = STREAMS, WIRES };
enum { TIME = 3, TO_WEBSOCKET = 4, FRAMED = 8 }; /* In the first byte of a piece. */

static const uint8_t transports[WIRES] = { AHOY_TCP, AHOY_TCP, AHOY_WS, AHOY_UDP };

/* What came of one wire. */
struct outcome {
    uint64_t messages; /* A hash of all that came up, in order. */
    uint64_t count;
    bool closed;
};

struct world {
    struct ahoy_stack *stack;
    uint64_t now_ms;
    struct ahoy_handle connections[WIRES];
    struct outcome outcomes[WIRES];
    bool byte_by_byte;
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
    { .transport = AHOY_WS,
      .local = { .family = AHOY_IPV4, .port = 80, .bytes = { 192, 0, 2, 1 } },
      .sent_by = { "192.0.2.1:80", 12 },
      .uri = { "sip:192.0.2.1:80;transport=ws", 29 } },
};

static int wire_of(const struct world *world, const struct ahoy_hop *hop)
{
    for (int i = 0; i < STREAMS; i++) {
        if (ahoy_handle_equal(world->connections[i], hop->connection))
            return i;
    }
    return DATAGRAMS;
}

/* Every other request becomes a transaction, so that retransmissions, CANCEL and ACK meet one. */
static void answer(struct world *world, const struct ahoy_event *event)
{
    static char space[2 * AHOY_MESSAGE_LIMIT];
    struct ahoy_transactions *transactions = ahoy_stack_transactions(world->stack);
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    const struct ahoy_response response = { .status = 486,
                                            .to_tag = SPAN("fuzz"),
                                            .received = &event->hop->remote };
    ahoy_compose_response(&buf, event->message, &response);
    const struct span text = ahoy_buf_text(&buf);
    MUST(text.size > 0);
    struct ahoy_handle transaction = { 0, 0 };
    if (event->routing->call_id.size % 2 == 1)
        transaction = ahoy_transaction_accept(transactions, event, 1, world->now_ms);
    if (transaction.generation != 0)
        MUST(ahoy_transaction_respond(transactions, transaction, 486, &text, 1, world->now_ms));
    else
        ahoy_transaction_answer(transactions, event, &text, 1);
}

static void take_events(struct world *world)
{
    static const struct ahoy_hash_key key = { { 1, 2 } };
    struct ahoy_event event;
    while (ahoy_stack_event(world->stack, &event)) {
        if (event.message == NULL)
            continue;
        struct outcome *outcome = &world->outcomes[wire_of(world, event.hop)];
        const struct span parts[] = { { (const char *)&outcome->messages, 8 },
                                      event.message->bytes };
        outcome->messages = ahoy_siphash_parts(&key, parts, 2);
        outcome->count++;
        if (event.kind == AHOY_EVENT_REQUEST || event.kind == AHOY_EVENT_CANCEL)
            answer(world, &event);
    }
}

static void take_effects(struct world *world)
{
    struct ahoy_wire_effect effect;
    while (ahoy_stack_poll(world->stack, &effect)) {
        int wire = wire_of(world, &effect.hop);
        switch (effect.kind) {
        case AHOY_WIRE_SEND:
            MUST(effect.bytes.size > 0);
            if (effect.hop.transport != AHOY_UDP)
                MUST(wire < STREAMS && !world->outcomes[wire].closed);
            break;
        case AHOY_WIRE_CLOSE:
            if (wire < STREAMS) {
                MUST(!world->outcomes[wire].closed);
                world->outcomes[wire].closed = true;
            }
            break;
        case AHOY_WIRE_CONNECT:
            break;
        case AHOY_WIRE_HANDOFF:
        case AHOY_WIRE_LOOKUP:
            MUST(false); /* There is one worker, who locates nothing. */
        }
    }
}

static void step(struct world *world, struct ahoy_wire_event *event)
{
    ahoy_stack_step(world->stack, event, world->now_ms);
    take_events(world);
    take_effects(world);
    MUST(ahoy_stack_deadline(world->stack) > world->now_ms);
}

static void give(struct world *world, int wire, struct span bytes)
{
    /* In memory of its own, so that the sanitizer sees who reads beyond it or keeps it. */
    char *copy = malloc(bytes.size);
    MUST(copy != NULL);
    memcpy(copy, bytes.at, bytes.size);
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_BYTES,
                                     .hop = { .transport = transports[wire],
                                              .connection = world->connections[wire] },
                                     .bytes = { copy, bytes.size } };
    if (wire == DATAGRAMS) {
        event.kind = AHOY_WIRE_DATAGRAM;
        event.hop.remote =
            (struct ahoy_ip){ .family = AHOY_IPV4, .port = 40000, .bytes = { 198, 51, 100, 8 } };
    }
    step(world, &event);
    free(copy);
}

static void open_world(struct world *world, bool byte_by_byte)
{
    *world = (struct world){ .byte_by_byte = byte_by_byte, .now_ms = 1000 };
    const struct ahoy_stack_options options = { .listeners = listeners,
                                                .listener_count = 3,
                                                .workers = 1,
                                                .connection_limit = 8,
                                                .call_key = { { 1, 2 } },
                                                .transactions = { .clocks = AHOY_DEFAULT_CLOCKS,
                                                                  .limit = 1000,
                                                                  .memory_limit = 1 << 24,
                                                                  .seed = { 3, 4 } } };
    world->stack = ahoy_stack_new(&options, world->now_ms);
    MUST(world->stack != NULL);
    for (int i = 0; i < STREAMS; i++) {
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_ACCEPTED,
                                         .hop = { .transport = transports[i],
                                                  .listener = i == WEBSOCKET ? 2 : 1,
                                                  .remote = { .family = AHOY_IPV4,
                                                              .port = (uint16_t)(40000 + i),
                                                              .bytes = { 198, 51, 100, 7 } } } };
        step(world, &event);
        world->connections[i] = event.hop.connection;
        MUST(event.hop.connection.generation != 0);
    }
    give(world, WEBSOCKET, sim_frames_request());
}

static void pass_time(struct world *world, uint64_t seconds)
{
    uint64_t until_ms = world->now_ms + 1000 * seconds;
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    uint64_t deadline_ms;
    while ((deadline_ms = ahoy_stack_deadline(world->stack)) <= until_ms) {
        world->now_ms = deadline_ms;
        step(world, &event);
    }
    world->now_ms = until_ms;
}

/* Gives |piece| to a wire, cut as this world does it. */
static void give_cut(struct world *world, int wire, struct span piece)
{
    bool whole = wire == DATAGRAMS || !world->byte_by_byte;
    for (size_t i = 0; i < piece.size; i += whole ? piece.size : 1)
        give(world, wire, (struct span){ piece.at + i, whole ? piece.size : 1 });
}

static void give_to_websocket(struct world *world, struct span piece, bool framed)
{
    char space[UINT8_MAX + SIM_FRAME_HEAD_LIMIT];
    struct ahoy_buf frame = ahoy_buf_over(space, sizeof space);
    if (framed)
        sim_frames_put(&frame, SIM_FRAME_FIN | AHOY_TEXT_FRAME, piece);
    give_cut(world, WEBSOCKET, framed ? ahoy_buf_text(&frame) : piece);
}

static void play(struct world *world, struct span input)
{
    while (input.size >= 2) {
        int what = input.at[0];
        size_t size = (unsigned char)input.at[1];
        input = ahoy_span_after(input, 2);
        int where = what & 3;
        if (where == TIME) {
            pass_time(world, size);
            continue;
        }
        struct span piece = { input.at, size < input.size ? size : input.size };
        input = ahoy_span_after(input, piece.size);
        if (what & TO_WEBSOCKET)
            give_to_websocket(world, piece, (what & FRAMED) != 0);
        else
            give_cut(world, where == 2 ? DATAGRAMS : where, piece);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world worlds[2];
    for (int i = 0; i < 2; i++) {
        open_world(&worlds[i], i == 1);
        play(&worlds[i], (struct span){ (const char *)data, size });
    }
    for (int i = 0; i < WIRES; i++) {
        const struct outcome *whole = &worlds[0].outcomes[i];
        const struct outcome *bytes = &worlds[1].outcomes[i];
        MUST(whole->messages == bytes->messages && whole->count == bytes->count);
        MUST(whole->closed == bytes->closed);
    }
    for (int i = 0; i < 2; i++) {
        pass_time(&worlds[i], 3 * 7200);
        MUST(ahoy_transactions_count(ahoy_stack_transactions(worlds[i].stack)) == 0);
        ahoy_stack_free(worlds[i].stack);
    }
    return 0;
}
