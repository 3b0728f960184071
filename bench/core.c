/* What a call costs the server's core alone, without a kernel: INVITE, 180, 200, ACK, BYE and 200
 * go in as a driver would bring them, in batches, by a clock of its own.  So it can be told what a
 * change of some hundredths brings, on a machine that others use too.
 *
 * Usage: bench-core [CALLS [USERS]], after as many that fill the tables, to a trunk or to so many
 * users who are registered; prints ns a call: of the quickest tenth of the batches, the quarter,
 * and the half. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ahoyd/config.h"
#include "ahoyd/server.h"
#include "bench/load_call.h"

enum {
    CALLS_AT_ONCE = 32,
    INPUTS = 128,
    STEP_MS = 2,
    BLOCK = 16, /* Batches that are timed together. */
    BLOCKS_LIMIT = 100000,
    SERVER_PORT = 5060,
    TEXT_SIZE = 192,
    LIFE_S = 1000000
};

static const char text[] = "listen(\"udp:127.0.0.1:5060\")\nstore \"memory:\"\n"
                           "trunk(\"callee\", { \"sip:127.0.0.1:15080;transport=udp\" })\n"
                           "route { domain = \"bench.example\", to = \"callee\", "
                           "from = \"anyone\" }\n"
                           "overload { target = 0 }\n";
static const char text_of_users[] = "listen(\"udp:127.0.0.1:5060\")\nstore \"memory:\"\n"
                                    "domain(\"bench.example\", { auth = \"none\" })\n"
                                    "overload { target = 0 }\n";

struct letter {
    enum side side;
    size_t size;
    char bytes[MESSAGE_SIZE];
};

static struct {
    struct call_maker maker;
    struct ahoyd_server *server;
    struct ahoy_ip peers[SIDES];
    struct letter inputs[2 * INPUTS], outputs[2 * INPUTS];
    size_t input_count, output_count;
    unsigned begun, completed, calls;
    uint64_t now_ms;
    bool is_over[CALLS_AT_ONCE];
} bench;

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void say(void *context, const char *file, int line, const char *what)
{
    (void)context; /* There is none. */
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
}

static struct letter *next_input(enum side side)
{
    struct letter *letter = &bench.inputs[bench.input_count++];
    letter->side = side;
    return letter;
}

static void invite(size_t place)
{
    if (bench.begun == bench.calls)
        return;
    struct letter *letter = next_input(CALLER);
    letter->size = (size_t)print_invite(&bench.maker, bench.begun++, place, letter->bytes);
}

static void reply(const char *request, const char *status, bool with_body)
{
    struct letter *letter = next_input(CALLEE);
    letter->size = (size_t)print_reply(&bench.maker, request, status, with_body, letter->bytes);
}

static void hear(const struct letter *letter)
{
    const char *message = letter->bytes;
    unsigned number, place;
    const char *end;
    if (letter->side == CALLEE) {
        if (strncmp(message, "INVITE ", 7) == 0) {
            reply(message, "180 Ringing", false);
            reply(message, "200 OK", true);
        } else if (strncmp(message, "BYE ", 4) == 0) {
            reply(message, "200 OK", false);
        }
        return;
    }
    if (strncmp(message, "SIP/2.0 200", 11) != 0 || !read_call(message, &number, &place))
        return;
    const char *cseq = find_row(message, "CSeq", &end);
    if (cseq != NULL && strstr(cseq, " INVITE\r\n") != NULL) {
        static const char *const methods[] = { "ACK", "BYE" };
        for (unsigned i = 0; i < 2; i++) {
            struct letter *letter_in = next_input(CALLER);
            letter_in->size = (size_t)print_in_dialog(&bench.maker, number, message, methods[i],
                                                      i + 1, letter_in->bytes);
        }
        return;
    }
    bench.completed++;
    invite(place);
}

static void poll(void)
{
    struct ahoy_wire_effect effect;
    while (ahoyd_server_poll(bench.server, &effect)) {
        if (effect.kind != AHOY_WIRE_SEND)
            continue;
        struct letter *letter = &bench.outputs[bench.output_count++];
        letter->side = effect.hop.remote.port == bench.peers[CALLER].port ? CALLER : CALLEE;
        letter->size = effect.bytes.size;
        memcpy(letter->bytes, effect.bytes.at, effect.bytes.size);
    }
}

/* As a driver does, of those in its batch. */
static void tell_coming(size_t at, struct ahoy_wire_event *event)
{
    static struct span coming[AHOY_COMING_LIMIT];
    if (at % (1 + AHOY_COMING_LIMIT) != 0)
        return;
    event->coming = coming;
    while (event->coming_count < AHOY_COMING_LIMIT && ++at < bench.input_count) {
        const struct letter *letter = &bench.inputs[at];
        coming[event->coming_count++] = (struct span){ letter->bytes, letter->size };
    }
}

/* What a worker does in a turn; returns the time that it takes. */
static uint64_t turn(void)
{
    uint64_t begin_ns = now_ns();
    bench.output_count = 0;
    for (size_t i = 0; i < bench.input_count; i++) {
        const struct letter *letter = &bench.inputs[i];
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_DATAGRAM,
                                         .hop = { .transport = AHOY_UDP,
                                                  .remote = bench.peers[letter->side] },
                                         .bytes = { letter->bytes, letter->size } };
        tell_coming(i, &event);
        ahoyd_server_step(bench.server, &event, bench.now_ms);
        poll();
    }
    if (ahoyd_server_deadline(bench.server) <= bench.now_ms) {
        struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
        ahoyd_server_step(bench.server, &event, bench.now_ms);
        poll();
    }
    return now_ns() - begin_ns;
}

/* The store gives a change back. */
static void forget(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    (void)owner; /* It keeps nothing. */
    if (change->status != 200)
        die("the store");
    ahoyd_change_free(change);
}

static void register_user(struct ahoyd_store *store, unsigned number)
{
    static struct ahoyd_change_owner owner = { .done = forget };
    char aor[TEXT_SIZE], contact[TEXT_SIZE], params[TEXT_SIZE], call_id[TEXT_SIZE];
    snprintf(aor, sizeof aor, "user%07u@bench.example", number);
    snprintf(contact, sizeof contact, "sip:user%07u@127.0.0.1:15080;transport=udp", number);
    snprintf(params, sizeof params,
             ";expires=3600;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-0000%08x>\"", number);
    snprintf(call_id, sizeof call_id, "%u-%u-12345-7dec11d0@127.0.0.1", number % 256, number);
    static const struct span urn = SPAN_INIT("<urn:uuid:00000000-0000-1000-8000-000000000000>");
    const struct ahoy_registration registration = {
        .count = 1,
        .call_id = ahoy_span(call_id),
        .cseq = 1,
        .contacts = 1,
        .hop = { .transport = AHOY_UDP, .remote = bench.peers[CALLEE] },
        .asked = { { .contact = ahoy_span(contact),
                     .params = ahoy_span(params),
                     .instance = { strchr(params, '<'), urn.size },
                     .expires_s = LIFE_S,
                     .q = 1000 } }
    };
    struct ahoyd_change *change =
        ahoyd_change_bindings(ahoy_span(aor), &registration, bench.now_ms);
    if (change == NULL)
        die("memory ran out");
    change->owner = &owner;
    if (!ahoyd_store_submit(store, change))
        die("the store");
}

static void open_server(void)
{
    struct ahoyd_config_faults faults = { .told = say };
    static struct ahoy_listener listener;
    const unsigned char secret[AHOYD_SECRET_SIZE] = { 1 };
    struct ahoyd_store_options store = { AHOYD_STORE_MEMORY, .now_ms = bench.now_ms,
                                         .secret = secret };
    char fault[256];
    const char *words = bench.maker.users > 0 ? text_of_users : text;
    struct ahoyd_config *config = ahoyd_config_parse(words, strlen(words), "bench", &faults);
    if (config == NULL)
        die("the configuration");
    listener = (struct ahoy_listener){ .transport = AHOY_UDP,
                                       .local = config->listens[0].ip,
                                       .sent_by = SPAN("127.0.0.1:5060"),
                                       .uri = SPAN("sip:127.0.0.1:5060;transport=udp") };
    struct ahoyd_server_options options = { .config = config,
                                            .store = ahoyd_store_open(&store, fault, sizeof fault),
                                            .listeners = &listener,
                                            .listener_count = 1,
                                            .workers = 1,
                                            .seed = { 1, 2 },
                                            .clocks = AHOY_DEFAULT_CLOCKS,
                                            .timer_c_ms = 181000,
                                            .ring_size = config->ring_size };
    if (options.store == NULL)
        die(fault);
    bench.server = ahoyd_server_new(&options, bench.now_ms);
    if (bench.server == NULL)
        die("the server");
    bench.peers[CALLER] = bench.peers[CALLEE] = config->listens[0].ip;
    bench.peers[CALLER].port = 15070;
    bench.peers[CALLEE].port = 15080;
    for (unsigned i = 0; i < bench.maker.users; i++)
        register_user(options.store, i);
}

/* Makes |calls|; leaves the times of blocks of batches in |blocks|, of a call each. */
static size_t run(unsigned calls, double *blocks)
{
    size_t count = 0, batches = 0;
    uint64_t sum_ns = 0, messages = 0;
    bench.begun = bench.completed = 0;
    bench.calls = calls;
    for (size_t place = 0; place < CALLS_AT_ONCE; place++)
        invite(place);
    while (bench.input_count > 0) {
        bench.now_ms += STEP_MS;
        sum_ns += turn();
        messages += bench.input_count;
        bench.input_count = 0;
        for (size_t i = 0; i < bench.output_count; i++) {
            bench.outputs[i].bytes[bench.outputs[i].size] = '\0';
            hear(&bench.outputs[i]);
        }
        if (++batches % BLOCK == 0 && count < BLOCKS_LIMIT) {
            blocks[count++] = 6.0 * (double)sum_ns / (double)messages;
            sum_ns = messages = 0;
        }
    }
    if (bench.completed != calls)
        die("calls were lost");
    return count;
}

static int compare(const void *a, const void *b)
{
    const double *one = a, *other = b;
    return (*one > *other) - (*one < *other);
}

int main(int argc, char **argv)
{
    static double blocks[BLOCKS_LIMIT];
    unsigned calls = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    unsigned users = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    bench.now_ms = 1000000;
    bench.maker = (struct call_maker){ .domain = "bench.example",
                                       .transport = "udp",
                                       .via = "UDP",
                                       .hosts = { "127.0.0.1", "127.0.0.1" },
                                       .ports = { 15070, 15080 },
                                       .run = 1,
                                       .users = users };
    open_server();
    (void)run(calls, blocks);
    bench.maker.run = 2;
    size_t count = run(calls, blocks);
    if (count == 0)
        die("too few calls");
    qsort(blocks, count, sizeof *blocks, compare);
    printf("%.0f %.0f %.0f\n", blocks[count / 10], blocks[count / 4], blocks[count / 2]);
    return 0;
}
