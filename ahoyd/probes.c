/* Each worker asks for itself, as each has connections and a memory of who rests of its own. */
#include "ahoyd/probes.h"

#include <stdlib.h>

#include "libahoy/base/log.h"

/* The names of transactions are packed handles.  Those of others have fewer slots. */
enum { PROBE_GENERATION = 2 };
static const uint32_t first_slot = 1u << 31;

static uint64_t name_of(const struct ahoyd_probe *probe)
{
    return ahoy_handle_pack(
        (struct ahoy_handle){ .slot = first_slot + probe->number, .generation = PROBE_GENERATION });
}

bool ahoyd_probes_new(const struct ahoyd_config *config, struct ahoyd_probe **probes)
{
    size_t count = 0;
    *probes = NULL;
    if (config->probe_count == 0)
        return true;
    *probes = calloc(config->probe_count, sizeof **probes);
    for (size_t i = 0; *probes != NULL && i < config->trunk_count; i++) {
        const struct ahoyd_trunk *trunk = &config->trunks[i];
        for (size_t j = 0; trunk->probe_s > 0 && j < trunk->count; j++) {
            if (trunk->targets[j].ip.family == AHOY_NO_FAMILY)
                continue;
            (*probes)[count] =
                (struct ahoyd_probe){ .timer.what = count, .trunk = trunk, .target = j };
            count++;
        }
    }
    return *probes != NULL;
}

/* It is asked for the first time. */
static void start(struct ahoyd_server *server, struct ahoyd_probe *probe, uint64_t now_ms)
{
    server->probe_number = server->probe_number % (first_slot - 1) + 1;
    probe->number = server->probe_number;
    ahoy_timers_set(&server->probe_timers, &probe->timer, now_ms);
}

bool ahoyd_probes_init(struct ahoyd_server *server, uint64_t now_ms)
{
    ahoy_timers_init(&server->probe_timers, now_ms);
    if (!ahoyd_probes_new(server->options.config, &server->probes))
        return false;
    for (size_t i = 0; i < server->options.config->probe_count; i++)
        start(server, &server->probes[i], now_ms);
    return true;
}

static bool is_same(const struct ahoyd_probe *a, const struct ahoyd_probe *b)
{
    return ahoy_span_equal(a->trunk->name, b->trunk->name) &&
           ahoy_span_equal(a->trunk->uris[a->target], b->trunk->uris[b->target]);
}

/* |probe| goes on where |before| is. */
static void go_on(struct ahoyd_server *server, struct ahoyd_probe *probe,
                  const struct ahoyd_probe *before, uint64_t now_ms)
{
    probe->number = before->number;
    probe->is_asked = before->is_asked;
    probe->is_down = before->is_down;
    uint64_t due_ms = before->timer.deadline_ms;
    uint64_t latest_ms = now_ms + probe->trunk->probe_s * 1000ull;
    if (!probe->is_asked && due_ms > latest_ms)
        due_ms = latest_ms;
    ahoy_timers_set(&server->probe_timers, &probe->timer, due_ms);
}

struct ahoyd_probe *ahoyd_probes_renew(struct ahoyd_server *server, struct ahoyd_probe *probes,
                                       const struct ahoyd_config *config, uint64_t now_ms)
{
    struct ahoyd_probe *before = server->probes;
    size_t before_count = server->options.config->probe_count;
    for (size_t i = 0; i < before_count; i++)
        ahoy_timers_cancel(&server->probe_timers, &before[i].timer);
    for (size_t i = 0; i < config->probe_count; i++) {
        size_t at = 0;
        while (at < before_count && !is_same(&before[at], &probes[i]))
            at++;
        if (at < before_count)
            go_on(server, &probes[i], &before[at], now_ms);
        else
            start(server, &probes[i], now_ms);
    }
    server->probes = probes;
    return before;
}

void ahoyd_probes_fini(struct ahoyd_server *server)
{
    free(server->probes);
}

bool ahoyd_probes_is_down(const struct ahoyd_server *server, const struct ahoyd_trunk *trunk)
{
    for (size_t i = 0; trunk->probe_s > 0 && i < trunk->count; i++) {
        if (!server->probes[trunk->first_probe + i].is_down)
            return false;
    }
    return trunk->probe_s > 0;
}

static struct ahoy_hop hop_of(const struct ahoyd_server *server, const struct ahoyd_probe *probe)
{
    const struct ahoyd_trunk_target *target = &probe->trunk->targets[probe->target];
    struct ahoy_hop hop = { .transport = (uint8_t)target->transport,
                            .listener = AHOY_ANY_LISTENER,
                            .remote = target->ip };
    hop.domain = ahoy_stack_domain(server->stack, target->transport, target->domain);
    return hop;
}

/* Tells what has changed.  What is down rests until it is up again: it is asked more often than
 * that lasts. */
static void judge(struct ahoyd_server *server, struct ahoyd_probe *probe, bool is_down)
{
    const struct ahoyd_trunk *trunk = probe->trunk;
    const struct ahoy_hop hop = hop_of(server, probe);
    uint64_t rest_ms = is_down ? 2 * trunk->probe_s * 1000ull + AHOY_PROXY_REST_MS : 0;
    if (is_down || probe->is_down)
        ahoy_stack_rest(server->stack, &hop, rest_ms);
    if (is_down != probe->is_down)
        ahoy_log_line(server->options.log, AHOY_LOG_NOTICE, "trunk \"%s\": %s is %s",
                      trunk->name.at, trunk->uris[probe->target].at,
                      is_down ? "down: no answer to OPTIONS" : "up again");
    probe->is_down = is_down;
}

/* RFC 3261 11.1; its From is the address that we have there. */
static void print(struct ahoyd_server *server, const struct ahoyd_probe *probe,
                  const struct ahoy_listener *listener, struct ahoy_buf *line,
                  struct ahoy_buf *rows)
{
    char tag[AHOY_TOKEN_SIZE], call[AHOY_TOKEN_SIZE];
    struct span uri = probe->trunk->uris[probe->target];
    ahoy_rng_token(&server->rng, tag);
    ahoy_rng_token(&server->rng, call);
    const struct span pieces[] = { SPAN("Max-Forwards: 70\r\nFrom: <"),
                                   listener->uri,
                                   SPAN(">;tag="),
                                   { tag, sizeof tag },
                                   SPAN("\r\nTo: <"),
                                   uri,
                                   SPAN(">\r\nCall-ID: "),
                                   { call, sizeof call },
                                   SPAN("\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\n"
                                        "Content-Length: 0\r\n\r\n") };
    ahoy_buf_put(line, SPAN("OPTIONS "));
    ahoy_buf_put(line, uri);
    ahoy_buf_put(line, SPAN(" SIP/2.0\r\n"));
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        ahoy_buf_put(rows, pieces[i]);
}

static void ask(struct ahoyd_server *server, struct ahoyd_probe *probe, uint64_t now_ms)
{
    const struct ahoy_hop hop = hop_of(server, probe);
    const struct ahoy_listener *listener = ahoy_transaction_listener(server->transactions, &hop);
    struct ahoy_handle transaction = { 0, 0 };
    char space[AHOY_URI_LIMIT + 32];
    struct ahoy_buf line = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf rows = ahoy_buf_over(server->rows, sizeof server->rows);
    if (listener != NULL) {
        print(server, probe, listener, &line, &rows);
        const struct span piece = ahoy_buf_text(&rows);
        const struct ahoy_outgoing request = { .method = AHOY_METHOD_OPTIONS,
                                               .request_line = ahoy_buf_text(&line),
                                               .pieces = &piece,
                                               .count = 1,
                                               .hop = hop,
                                               .user = name_of(probe) };
        transaction = ahoy_transaction_request(server->transactions, &request, now_ms);
    }
    probe->is_asked = transaction.generation != 0;
    uint64_t wait_ms = probe->is_asked ? AHOYD_PROBE_PATIENCE_MS : probe->trunk->probe_s * 1000ull;
    ahoy_timers_set(&server->probe_timers, &probe->timer, now_ms + wait_ms);
}

/* The one whose OPTIONS bears |number|, or NULL: its trunk is gone. */
static struct ahoyd_probe *find(const struct ahoyd_server *server, uint32_t number)
{
    for (size_t i = 0; i < server->options.config->probe_count; i++) {
        if (server->probes[i].number == number)
            return &server->probes[i];
    }
    return NULL;
}

bool ahoyd_probes_step(struct ahoyd_server *server, const struct ahoy_event *event, uint64_t now_ms)
{
    struct ahoy_handle name = ahoy_handle_unpack(event->user);
    if (name.slot < first_slot || name.generation != PROBE_GENERATION)
        return false;
    struct ahoyd_probe *probe = find(server, name.slot - first_slot);
    bool is_answer = event->kind == AHOY_EVENT_RESPONSE && event->message->status >= 200;
    bool is_failure = event->kind == AHOY_EVENT_TIMEOUT || event->kind == AHOY_EVENT_UNREACHABLE;
    if (probe == NULL || (!is_answer && !is_failure))
        return true;
    /* Whatever it says, it is there; but for 503, which says that it would rather not be. */
    judge(server, probe, is_failure || event->message->status == 503);
    probe->is_asked = false;
    ahoy_timers_set(&server->probe_timers, &probe->timer, now_ms + probe->trunk->probe_s * 1000ull);
    return true;
}

void ahoyd_probes_expire(struct ahoyd_server *server, uint64_t now_ms)
{
    struct ahoy_timer *timer;
    if (server->probes == NULL)
        return;
    while ((timer = ahoy_timers_expire(&server->probe_timers, now_ms)) != NULL) {
        struct ahoyd_probe *probe = &server->probes[timer->what];
        if (probe->is_asked) /* Its transaction goes on, and has the last word. */
            judge(server, probe, true);
        else
            ask(server, probe, now_ms);
    }
}

uint64_t ahoyd_probes_deadline(const struct ahoyd_server *server)
{
    return server->probes == NULL ? UINT64_MAX : ahoy_timers_deadline(&server->probe_timers);
}
