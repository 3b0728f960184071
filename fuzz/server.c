/* The server with its policy, to which strangers send whatever they like: nothing of a user who has
 * to prove himself changes, nothing leaves for an address that no stranger may reach, and in the
 * end nothing is left.
 *
 * The input is what happens, in its order, divided by NUL bytes; virtual time passes in between.
 * Datagrams between which nothing else happens come together, up to eight, and the server is told
 * with the first what comes.  All happens a second time without that: it must make no difference.
 * The first character of each piece says what:
 *
 *     0 to 9   this stranger sends the rest, a datagram
 *     r        the server's own requests are answered: a digit, 0 for the last that it sent, then
 *              a status, then further rows, each with its CRLF
 *     =        the last datagram comes again
 *     |        nothing: what comes behind is not known before
 *     t        seven seconds pass */
#include <stdlib.h>

#include "ahoyd/server.h"
#include "fuzz/target.h"
#include "libahoy/syntax/compose.h"

static const char text[] = "listen \"udp:192.0.2.100:5060\"\n"
                           "listen \"tcp:192.0.2.100:5060\"\n"
                           "domain(\"atlanta.example\", { auth = \"digest\" })\n"
                           "domain(\"open.example\", { auth = \"none\", insecure = true })\n"
                           "store \"memory:\"\n"
                           "trunk(\"carrier\", { \"sip:203.0.113.5:5070\" })\n"
                           "route { domain = \"routed.example\", to = \"carrier\", "
                           "from = \"anyone\" }\n"
                           "route { domain = \"closed.example\", to = \"carrier\" }\n"
                           "group(\"desk\", { \"bob@open.example\", \"1@carrier\" },\n"
                           "      { ring = \"hunt\" })\n"
                           "route { user = \"desk\", header = \"X-Any\", to = \"desk\" }\n"
                           "route { number = \"+49.\", from = \"anyone\",\n"
                           "        rewrite = { [\"+49\"] = \"0\" }, to = \"carrier\" }\n"
                           "route { number = \"+.\", redirect = \"sip:*@far.example\" }\n";

static const struct ahoy_listener listeners[] = {
    { .transport = AHOY_UDP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 100 } },
      .sent_by = { "192.0.2.100:5060", 16 },
      .uri = { "sip:192.0.2.100:5060;transport=udp", 34 } },
    { .transport = AHOY_TCP,
      .local = { .family = AHOY_IPV4, .port = 5060, .bytes = { 192, 0, 2, 100 } },
      .sent_by = { "192.0.2.100:5060", 16 },
      .uri = { "sip:192.0.2.100:5060;transport=tcp", 34 } },
};

enum {
    SENT_LIMIT = 4,
    BATCH = 1 + AHOY_COMING_LIMIT,
    LAST_MS = 8000000 /* Longer than any subscription lasts, whose end is told too. */
};

/* A request that the server sent. */
struct sent {
    struct ahoy_hop hop;
    char bytes[AHOY_MESSAGE_LIMIT];
    size_t size;
};

/* Each in memory of its own, so that the sanitizer sees who reads beyond it or keeps it. */
struct datagram {
    struct ahoy_ip remote;
    char *bytes;
    size_t size;
};

struct world {
    struct ahoyd_change_owner owner; /* First: the store gives changes back to it. */
    struct ahoyd_change *stored;
    struct ahoyd_config *config;
    struct ahoyd_store *store;
    struct ahoyd_server *server;
    uint64_t now_ms;
    struct sent sent[SENT_LIMIT]; /* The last ones, round and round. */
    size_t sent_count;
    bool tells;      /* What comes. */
    uint64_t effect; /* All that the server did, as a hash. */
    struct datagram batch[BATCH];
    size_t batch_count;
    struct span last; /* The datagram that came last, of the input. */
    uint8_t last_peer;
    struct ahoy_message message;
};

static void take_back(struct ahoyd_change_owner *owner, struct ahoyd_change *change)
{
    struct world *world = (struct world *)(void *)owner;
    change->next = world->stored;
    world->stored = change;
}

static void add_user(struct world *world, struct span user, struct span realm)
{
    struct ahoyd_user credentials = { 0 };
    struct span password = SPAN("not to be guessed by a fuzzer");
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        MUST(ahoy_digest_ha1((enum ahoy_digest_algorithm)i, user, realm, password,
                             &credentials.ha1[i]));
    struct ahoyd_change *change =
        ahoyd_change_user(AHOYD_CHANGE_USER_PUT, user, realm, &credentials);
    MUST(change != NULL);
    change->owner = &world->owner;
    MUST(ahoyd_store_submit(world->store, change));
    ahoyd_change_free(world->stored);
    world->stored = NULL;
}

static void open_world(struct world *world, bool tells)
{
    static const unsigned char secret[AHOYD_SECRET_SIZE];
    struct ahoyd_config_faults faults = { .told = NULL };
    char fault[256];
    *world = (struct world){ .owner = { .done = take_back },
                             .now_ms = 1760000000000,
                             .tells = tells };
    world->config = ahoyd_config_parse(text, sizeof text - 1, "/fuzz.lua", &faults);
    MUST(world->config != NULL);
    const struct ahoyd_store_options store = { .kind = AHOYD_STORE_MEMORY,
                                               .now_ms = world->now_ms,
                                               .secret = secret };
    world->store = ahoyd_store_open(&store, fault, sizeof fault);
    MUST(world->store != NULL);
    const struct ahoyd_server_options options = { .config = world->config,
                                                  .store = world->store,
                                                  .listeners = listeners,
                                                  .listener_count = 2,
                                                  .workers = 1,
                                                  .seed = { 1, 2 },
                                                  .clocks = AHOY_DEFAULT_CLOCKS,
                                                  .timer_c_ms = 181000,
                                                  .transaction_limit = 64,
                                                  .change_owner = &world->owner };
    world->server = ahoyd_server_new(&options, world->now_ms);
    MUST(world->server != NULL);
    add_user(world, SPAN("alice"), SPAN("atlanta.example"));
}

static void close_world(struct world *world)
{
    ahoyd_server_free(world->server);
    ahoyd_store_close(world->store);
    ahoyd_config_free(world->config);
}

static void keep_request(struct world *world, const struct ahoy_wire_effect *effect)
{
    if (!ahoy_message_parse(effect->bytes, &world->message, NULL) || !world->message.is_request ||
        world->message.method == AHOY_METHOD_ACK || effect->bytes.size > AHOY_MESSAGE_LIMIT)
        return;
    struct sent *sent = &world->sent[world->sent_count++ % SENT_LIMIT];
    sent->hop = effect->hop;
    sent->size = effect->bytes.size;
    memcpy(sent->bytes, effect->bytes.at, sent->size);
}

static void note(struct world *world, struct span bytes)
{
    const struct ahoy_hash_key key = { { world->effect, bytes.size } };
    world->effect = ahoy_siphash(&key, bytes);
}

static void note_effect(struct world *world, const struct ahoy_wire_effect *effect)
{
    const struct ahoy_ip *remote = &effect->hop.remote;
    const char way[] = { (char)effect->kind, (char)effect->hop.transport,
                         (char)(remote->port >> 8), (char)remote->port };
    note(world, (struct span){ way, sizeof way });
    note(world, (struct span){ (const char *)remote->bytes, sizeof remote->bytes });
    note(world, effect->bytes);
}

static void carry_out(struct world *world)
{
    struct ahoy_wire_effect effect;
    while (ahoyd_server_poll(world->server, &effect)) {
        note_effect(world, &effect);
        const struct ahoy_ip *remote = &effect.hop.remote;
        if (effect.kind == AHOY_WIRE_SEND) {
            MUST(effect.bytes.size > 0);
            keep_request(world, &effect);
        }
        MUST(!ahoy_ip_is_loopback(remote) && !ahoy_ip_is_link_local(remote));
        MUST(!ahoy_ip_is_multicast(remote));
    }
}

static void step(struct world *world, struct ahoy_wire_event *event)
{
    ahoyd_server_step(world->server, event, world->now_ms);
    carry_out(world);
    while (world->stored != NULL) {
        struct ahoyd_change *change = world->stored;
        world->stored = change->next;
        ahoyd_server_stored(world->server, change, world->now_ms);
        carry_out(world);
    }
}

static void pass_time(struct world *world, uint64_t ms)
{
    uint64_t end_ms = world->now_ms + ms;
    struct ahoy_wire_event event = { .kind = AHOY_WIRE_TIME };
    for (;;) {
        uint64_t deadline_ms = ahoyd_server_deadline(world->server);
        if (deadline_ms > end_ms)
            break;
        if (deadline_ms > world->now_ms)
            world->now_ms = deadline_ms;
        step(world, &event);
    }
    world->now_ms = end_ms;
}

/* All of the batch come, one after the other. */
static void receive_all(struct world *world)
{
    struct span coming[BATCH];
    for (size_t i = 0; i < world->batch_count; i++)
        coming[i] = (struct span){ world->batch[i].bytes, world->batch[i].size };
    for (size_t i = 0; i < world->batch_count; i++) {
        const bool tells = world->tells && i == 0;
        struct ahoy_wire_event event = {
            .kind = AHOY_WIRE_DATAGRAM,
            .hop = { .transport = AHOY_UDP, .remote = world->batch[i].remote },
            .bytes = coming[i],
            .coming = tells ? coming + 1 : NULL,
            .coming_count = (uint8_t)(tells ? world->batch_count - 1 : 0),
        };
        step(world, &event);
        free(world->batch[i].bytes);
    }
    world->batch_count = 0;
}

/* |bytes| come from |remote| with the next batch. */
static void receive(struct world *world, const struct ahoy_ip *remote, struct span bytes)
{
    struct datagram *datagram = &world->batch[world->batch_count++];
    *datagram = (struct datagram){ *remote, malloc(bytes.size + 1), bytes.size };
    MUST(datagram->bytes != NULL);
    if (bytes.size > 0)
        memcpy(datagram->bytes, bytes.at, bytes.size);
    if (world->batch_count == BATCH)
        receive_all(world);
}

static void receive_last(struct world *world)
{
    const struct ahoy_ip remote = { .family = AHOY_IPV4,
                                    .port = 5060,
                                    .bytes = { 198, 51, 100, world->last_peer } };
    receive(world, &remote, world->last);
}

/* |asked| is which of the server's requests, a status, and rows. */
static void answer(struct world *world, struct span asked)
{
    char space[AHOY_MESSAGE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    uint64_t which = 0, status = 0;
    if (asked.size < 4 || !ahoy_span_number((struct span){ asked.at, 1 }, 9, &which) ||
        !ahoy_span_number((struct span){ asked.at + 1, 3 }, 699, &status) || status < 100 ||
        which >= SENT_LIMIT || which >= world->sent_count)
        return;
    const struct sent *sent = &world->sent[(world->sent_count - 1 - which) % SENT_LIMIT];
    const struct ahoy_response response = { .status = (unsigned)status,
                                            .to_tag = SPAN("answered"),
                                            .headers = ahoy_span_after(asked, 4) };
    MUST(ahoy_message_parse((struct span){ sent->bytes, sent->size }, &world->message, NULL));
    ahoy_compose_response(&buf, &world->message, &response);
    if (!buf.overflow)
        receive(world, &sent->hop.remote, ahoy_buf_text(&buf));
}

static void take(struct world *world, struct span piece)
{
    if (piece.size == 0)
        return;
    switch (piece.at[0]) {
    case 't':
        receive_all(world);
        pass_time(world, 7000);
        return;
    case '|':
        receive_all(world);
        return;
    case 'r':
        receive_all(world); /* It may be what is answered. */
        answer(world, ahoy_span_after(piece, 1));
        return;
    case '=':
        receive_last(world);
        return;
    default:
        world->last_peer = (uint8_t)(piece.at[0] & 15);
        world->last = ahoy_span_after(piece, 1);
        receive_last(world);
        return;
    }
}

/* All that is in |rest| happens to a server of its own.  A hash of what that did. */
static uint64_t happen(struct span rest, bool tells)
{
    static struct world world;
    static struct ahoy_bindings bindings;
    open_world(&world, tells);
    while (rest.size > 0) {
        size_t end = ahoy_span_find(rest, '\0');
        take(&world, (struct span){ rest.at, end });
        rest = ahoy_span_after(rest, end < rest.size ? end + 1 : end);
    }
    receive_all(&world);
    MUST(!ahoyd_store_find(world.store, SPAN("alice@atlanta.example"), world.now_ms, &bindings));
    pass_time(&world, LAST_MS);
    MUST(ahoyd_server_transactions(world.server) == 0 && ahoyd_server_busy(world.server) == 0);
    close_world(&world);
    return world.effect;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span input = { (const char *)data, size };
    MUST(happen(input, true) == happen(input, false));
    return 0;
}
