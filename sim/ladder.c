/* Reads a ladder, plays its parties, and compares what the proxy sent. */
#include "sim/ladder.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/host.h"
#include "sim/party.h"

enum { PARTIES_LIMIT = 8, LINES_LIMIT = 256, WORDS_LIMIT = 12, TEXT_LIMIT = 128 };
enum { PROVING_PORT = 5071 }; /* Where the server wants certificates. */

/* What a line says. */
enum line_kind {
    LINE_MESSAGE,
    LINE_HOLDS,
    LINE_CONNECTS,
    LINE_CLOSES,
    LINE_UNREACHABLE,
    LINE_KINDS
};

/* What stands in place of a message. */
static const char *const deeds[LINE_KINDS] = {
    [LINE_MESSAGE] = "",
    [LINE_HOLDS] = "holds",
    [LINE_CONNECTS] = "connects",
    [LINE_CLOSES] = "closes",
    [LINE_UNREACHABLE] = "unreachable",
};

/* A line of the script: at a time, from one to another, a message. */
struct line {
    enum line_kind kind;
    unsigned number;
    uint64_t at_ms;
    char from[16], to[16];
    char method[16];
    unsigned status; /* 0: a request. */
    char callee[32];
    bool again;
    unsigned flaws; /* enum sim_flaw */
    unsigned held;  /* "proxy holds N" */
};

struct ladder {
    const char *path;
    struct sim_world *world;
    struct sim_host *host;
    struct sim_party *parties[PARTIES_LIMIT];
    char names[PARTIES_LIMIT][16];
    char proved[PARTIES_LIMIT][32];        /* Names in their certificates. */
    struct ahoy_peer peers[PARTIES_LIMIT]; /* These, as TLS tells them. */
    size_t party_count;
    char hosts[PARTIES_LIMIT][64]; /* What they call themselves. */
    struct sim_link link;
    bool v6, all;           /* "world" */
    char trunk[TEXT_LIMIT]; /* Its targets, as the configuration has them. */
    struct sim_zone *zone;
    struct line lines[LINES_LIMIT];
    size_t line_count;
    size_t next; /* The first line that has not come true. */
    bool verbose, failed;
};

static void fail(struct ladder *ladder, unsigned number, const char *what, const char *detail)
{
    fprintf(stderr, "%s:%u: %s%s\n", ladder->path, number, what, detail);
    ladder->failed = true;
}

static const char *const addresses[] = { "192.0.2.1", "[2001:db8::1]" }; /* Of the server. */

static struct sim_party *party_named(const struct ladder *ladder, const char *name)
{
    for (size_t i = 0; i < ladder->party_count; i++) {
        if (strcmp(ladder->names[i], name) == 0)
            return ladder->parties[i];
    }
    return NULL;
}

/* "INVITE", "200 BYE": what a ladder calls a message. */
static void describe(struct span bytes, char text[TEXT_LIMIT])
{
    struct ahoy_message message;
    struct ahoy_cseq cseq;
    if (!ahoy_message_parse(bytes, &message, NULL) ||
        !ahoy_cseq_parse(ahoy_message_value(&message, AHOY_HEADER_CSEQ), &cseq, NULL))
        snprintf(text, TEXT_LIMIT, "something unreadable");
    else if (message.is_request)
        snprintf(text, TEXT_LIMIT, "%.*s", (int)message.method_text.size, message.method_text.at);
    else
        snprintf(text, TEXT_LIMIT, "%u %.*s", message.status, (int)cseq.method_text.size,
                 cseq.method_text.at);
}

static void describe_line(const struct line *line, char text[TEXT_LIMIT])
{
    if (line->kind != LINE_MESSAGE)
        snprintf(text, TEXT_LIMIT, "%s", deeds[line->kind]);
    else if (line->status == 0)
        snprintf(text, TEXT_LIMIT, "%s", line->method);
    else
        snprintf(text, TEXT_LIMIT, "%u %s", line->status, line->method);
}

static uint64_t now(const struct ladder *ladder)
{
    return sim_world_now(ladder->world) - sim_world_epoch();
}

/* The host is about to send: it must be the next line. */
static bool proxy_sends(void *context, const struct ahoy_ip *to, struct span bytes)
{
    struct ladder *ladder = context;
    char text[TEXT_LIMIT], wanted[TEXT_LIMIT] = "", what[3 * TEXT_LIMIT];
    const struct sim_node *node = sim_world_node(ladder->world, to);
    const char *name = node == NULL ? "nobody" : node->name;
    describe(bytes, text);
    if (ladder->verbose)
        printf("[%4llu] proxy > %-6s %s\n", (unsigned long long)now(ladder), name, text);
    const struct line *line =
        ladder->next < ladder->line_count ? &ladder->lines[ladder->next] : NULL;
    if (line != NULL)
        describe_line(line, wanted);
    if (line != NULL && strcmp(line->from, "proxy") == 0 && line->kind == LINE_MESSAGE &&
        line->at_ms == now(ladder) && strcmp(line->to, name) == 0 && strcmp(wanted, text) == 0) {
        ladder->next++;
        return (line->flaws & SIM_LOST) != 0;
    }
    if (!ladder->failed) {
        snprintf(what, sizeof what, "[%4llu] proxy > %s  %s", (unsigned long long)now(ladder), name,
                 text);
        fail(ladder, line == NULL ? 0 : line->number, "instead of this, the proxy sent ", what);
    }
    return false;
}

static void party_receives(void *context, struct sim_party *party, struct span bytes)
{
    (void)context; /* What a party does is written in the ladder. */
    (void)party;
    (void)bytes;
}

/* Splits a line into words; a remark in parentheses ends it. */
static size_t split(char *text, char *words[WORDS_LIMIT])
{
    size_t count = 0;
    char *remark = strpbrk(text, "(#\n");
    if (remark != NULL)
        *remark = '\0';
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t", &rest); word != NULL && count < WORDS_LIMIT;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    return count;
}

/* Adds to the configuration how the server listens at |address|. */
static int put_listeners(const struct ladder *ladder, const char *address, char *text, size_t size)
{
    static const char plain[] = "listen 'udp:%s' listen 'tcp:%s'\n";
    static const char others[] =
        "listen 'ws:%s' listen('wss:%s', { certificate = 'c', key = 'k' })\n"
        "listen('tls:%s', { certificate = 'c', key = 'k' })\n"
        "listen('tls:%s:%d', { certificate = 'c', key = 'k', verify = 'required',\n"
        "    authorities = 'a' })\n";
    int used = snprintf(text, size, plain, address, address);
    if (ladder->all)
        used += snprintf(text + used, size - (size_t)used, others, address, address, address,
                         address, PROVING_PORT);
    return used;
}

/* Makes the world and the server in it, when the first party enters it. */
static void open_world(struct ladder *ladder)
{
    static const char domain[] = "store 'memory:'\n"
                                 "domain('atlanta.example', { auth = 'none', insecure = true })\n";
    static const char trunk[] = "trunk('carrier', { %s })\n"
                                "route { domain = 'carrier.example', to = 'carrier' }";
    char text[1024];
    size_t used = 0;
    if (ladder->world != NULL)
        return;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        if (ladder->all || ladder->v6 == (v6 == 1))
            used += (size_t)put_listeners(ladder, addresses[v6], text + used, sizeof text - used);
    }
    used += (size_t)snprintf(text + used, sizeof text - used, domain);
    if (ladder->trunk[0] != '\0')
        snprintf(text + used, sizeof text - used, trunk, ladder->trunk);
    ladder->world = sim_world_new(1, &ladder->link);
    assert(ladder->world != NULL);
    ladder->host = sim_host_new(ladder->world, "proxy", text, proxy_sends, ladder);
    assert(ladder->host != NULL);
    sim_host_resolve(ladder->host, ladder->zone);
}

/* What a party's transport is called. */
static bool read_transport(const char *word, struct sim_party_kind *kind)
{
    for (unsigned i = AHOY_UDP; i < AHOY_TRANSPORT_COUNT; i++) {
        if (!ahoy_span_equal(ahoy_span(word), ahoy_transport_uri_name((enum ahoy_transport)i)))
            continue;
        kind->transport = (enum ahoy_transport)i;
        return true;
    }
    return false;
}

static void read_party(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    if (count < 2 || ladder->party_count == PARTIES_LIMIT) {
        fail(ladder, number, "write: party NAME udp", "");
        return;
    }
    open_world(ladder);
    struct sim_party_kind kind = { .transport = AHOY_UDP };
    size_t index = ladder->party_count;
    bool v6 = ladder->v6, deaf = false;
    for (size_t i = 2; i < count; i++) {
        if (strcmp(words[i], "2543") == 0)
            kind.old = true;
        else if (strcmp(words[i], "deaf") == 0)
            deaf = true;
        else if (strcmp(words[i], "4") == 0 || strcmp(words[i], "6") == 0)
            v6 = words[i][0] == '6';
        else if (strcmp(words[i], "mtls") == 0)
            kind.proves = &ladder->peers[index];
        else if (!read_transport(words[i], &kind))
            fail(ladder, number, "a party cannot be ", words[i]);
    }
    if (kind.proves != NULL)
        kind.transport = AHOY_TLS;
    ahoy_ip_parse(ahoy_span(addresses[v6]), &kind.proxy);
    struct ahoy_ip ip = kind.proxy;
    ip.bytes[v6 ? 15 : 3] = (uint8_t)(11 + index);
    bool is_tls = kind.transport == AHOY_TLS;
    ip.port = deaf ? 9 : is_tls ? 5061 : 5060; /* Nobody listens at 9. */
    kind.proxy.port = kind.proves != NULL ? PROVING_PORT : ahoy_transport_port(kind.transport);
    snprintf(ladder->names[index], sizeof ladder->names[index], "%s", words[1]);
    snprintf(ladder->proved[index], sizeof ladder->proved[index], "%s.example", words[1]);
    ladder->peers[index] = (struct ahoy_peer){ 1, { ahoy_span(ladder->proved[index]) } };
    ladder->party_count++;
    ladder->parties[index] =
        sim_party_new(ladder->world, ladder->names[index], &ip, &kind, party_receives, ladder);
}

/* "register bob bob carol"; "flows bob bob carol": one instance with several flows, to be tried in
 * this order. */
static void read_register(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    bool flows = strcmp(words[0], "flows") == 0;
    for (size_t i = 2; i < count; i++) {
        char aor[64], host[64], contact[128];
        const struct sim_party *party = party_named(ladder, words[i]);
        if (party == NULL) {
            fail(ladder, number, "there is no party ", words[i]);
            return;
        }
        struct ahoy_buf buf = ahoy_buf_over(host, sizeof host);
        ahoy_ip_print_host(sim_party_ip(party), &buf);
        snprintf(aor, sizeof aor, "%s@atlanta.example", words[1]);
        snprintf(contact, sizeof contact, "sip:%s@%.*s%s", words[i], (int)ahoy_buf_text(&buf).size,
                 host, sim_party_parameter(party));
        sim_host_register_flow(ladder->host, aor, contact, flows ? sim_party_ip(party) : NULL,
                               flows ? (uint32_t)i - 1 : 0);
    }
}

/* "contact bob sip:bob@phone.example" */
static void read_contact(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    char aor[64];
    if (count != 3 || ladder->host == NULL) {
        fail(ladder, number, "write, behind a party: contact NAME URI", "");
        return;
    }
    snprintf(aor, sizeof aor, "%s@atlanta.example", words[1]);
    sim_host_register(ladder->host, aor, words[2]);
}

/* "named bob phone.example" */
static void read_named(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    struct sim_party *party = count == 3 ? party_named(ladder, words[1]) : NULL;
    if (party == NULL) {
        fail(ladder, number, "write, behind the party: named NAME HOST", "");
        return;
    }
    for (size_t i = 0; i < ladder->party_count; i++) {
        if (ladder->parties[i] != party)
            continue;
        snprintf(ladder->hosts[i], sizeof ladder->hosts[i], "%s", words[2]);
        sim_party_call_itself(party, ladder->hosts[i]);
    }
}

/* "dns phone.example A 192.0.2.12" */
static void read_dns(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    char line[2 * TEXT_LIMIT] = "";
    for (size_t i = 1; i < count; i++) {
        size_t size = strlen(line);
        snprintf(line + size, sizeof line - size, "%s ", words[i]);
    }
    if (!sim_zone_add(ladder->zone, line))
        fail(ladder, number, "this is no record: ", line);
}

/* "trunk sip:one.example sip:192.0.2.12" */
static void read_trunk(struct ladder *ladder, char **words, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t size = strlen(ladder->trunk);
        snprintf(ladder->trunk + size, sizeof ladder->trunk - size, "'%s', ", words[i]);
    }
}

/* What may stand behind the message. */
static void read_rest(struct line *line, const char *word)
{
    if (strcmp(word, "again") == 0)
        line->again = true;
    else if (strcmp(word, "lost") == 0)
        line->flaws |= SIM_LOST;
    else if (strcmp(word, "stray") == 0)
        line->flaws |= SIM_STRAY;
    else if (strcmp(word, "hop") == 0)
        line->flaws |= SIM_HOPBYHOP;
    else if (strcmp(word, "forked") == 0)
        line->flaws |= SIM_FORKED;
    else
        snprintf(line->callee, sizeof line->callee, "%s", word);
}

/* [ TIME ] FROM > TO MESSAGE ..., the time already read. */
static void read_message(struct ladder *ladder, struct line *line, char **words, size_t count)
{
    if (count > 0)
        snprintf(line->from, sizeof line->from, "%s", words[0]);
    if (count == 3 && strcmp(words[1], "holds") == 0) {
        line->kind = LINE_HOLDS;
        line->held = (unsigned)strtoul(words[2], NULL, 10);
        return;
    }
    for (unsigned i = LINE_CONNECTS; count == 2 && i < LINE_KINDS; i++) {
        if (strcmp(words[1], deeds[i]) != 0)
            continue;
        line->kind = (enum line_kind)i;
        return;
    }
    if (count < 4 || strcmp(words[1], ">") != 0) {
        fail(ladder, line->number, "write: [TIME] FROM > TO  MESSAGE", "");
        return;
    }
    snprintf(line->to, sizeof line->to, "%s", words[2]);
    size_t at = 3;
    if (isdigit((unsigned char)words[at][0]))
        line->status = (unsigned)strtoul(words[at++], NULL, 10);
    if (at < count)
        snprintf(line->method, sizeof line->method, "%s", words[at++]);
    for (; at < count; at++)
        read_rest(line, words[at]);
}

static void read_world(struct ladder *ladder, unsigned number, const char *word)
{
    ladder->v6 = strcmp(word, "6") == 0;
    ladder->all = strcmp(word, "all") == 0;
    if (!ladder->v6 && !ladder->all)
        fail(ladder, number, "write: world 6, or world all; not ", word);
}

/* A line without a time. */
static void read_setting(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    bool is_early = count == 2 && ladder->world == NULL;
    if (strcmp(words[0], "party") == 0)
        read_party(ladder, number, words, count);
    else if (strcmp(words[0], "register") == 0 || strcmp(words[0], "flows") == 0)
        read_register(ladder, number, words, count);
    else if (strcmp(words[0], "contact") == 0)
        read_contact(ladder, number, words, count);
    else if (strcmp(words[0], "named") == 0)
        read_named(ladder, number, words, count);
    else if (strcmp(words[0], "dns") == 0)
        read_dns(ladder, number, words, count);
    else if (strcmp(words[0], "trunk") == 0 && ladder->world == NULL)
        read_trunk(ladder, words, count);
    else if (strcmp(words[0], "delay") == 0 && is_early)
        ladder->link.delay_ms = (uint32_t)strtoul(words[1], NULL, 10);
    else if (strcmp(words[0], "world") == 0 && is_early)
        read_world(ladder, number, words[1]);
    else
        fail(ladder, number, "this does not stand here: ", words[0]);
}

static void read_line(struct ladder *ladder, unsigned number, char *text)
{
    char *words[WORDS_LIMIT];
    char *close = strchr(text, ']');
    if (text[0] == '[' && close != NULL) {
        if (ladder->line_count == LINES_LIMIT) {
            fail(ladder, number, "too many lines", "");
            return;
        }
        struct line *line = &ladder->lines[ladder->line_count++];
        *line = (struct line){ .number = number, .at_ms = strtoull(text + 1, NULL, 10) };
        read_message(ladder, line, words, split(close + 1, words));
        return;
    }
    size_t count = split(text, words);
    if (count > 0)
        read_setting(ladder, number, words, count);
}

static bool read_text(struct ladder *ladder, const char *text)
{
    unsigned number = 0;
    while (*text != '\0') {
        char line[256];
        size_t size = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)size, text);
        read_line(ladder, ++number, line);
        text += size + (text[size] == '\n');
    }
    if (ladder->line_count == 0 || ladder->world == NULL)
        fail(ladder, number, "shows nothing", "");
    return !ladder->failed;
}

static bool play_message(const struct line *line, struct sim_party *party)
{
    if (line->again)
        return sim_party_again(party, line->status, line->method, line->flaws);
    if (line->status != 0)
        return sim_party_respond(party, line->status, line->method, line->flaws);
    return sim_party_request(party, line->method, line->callee[0] == '\0' ? NULL : line->callee,
                             line->flaws);
}

/* Plays a party's line. */
static void play(struct ladder *ladder, const struct line *line)
{
    struct sim_party *party = party_named(ladder, line->from);
    char text[TEXT_LIMIT];
    bool sound = true;
    describe_line(line, text);
    if (party == NULL) {
        fail(ladder, line->number, "there is no party ", line->from);
        return;
    }
    if (ladder->verbose)
        printf("[%4llu] %-5s > %-6s %s%s\n", (unsigned long long)now(ladder), line->from, "proxy",
               text, line->flaws & SIM_LOST ? "  lost" : "");
    if (line->kind == LINE_MESSAGE)
        sound = play_message(line, party);
    else if (line->kind == LINE_CONNECTS)
        sim_party_connect(party);
    else if (line->kind == LINE_CLOSES)
        sound = sim_party_close(party);
    else
        sim_party_unreachable(party);
    if (!sound && !ladder->failed)
        fail(ladder, line->number, line->from, " has nothing to make this from");
}

static void check_held(struct ladder *ladder, const struct line *line)
{
    char text[TEXT_LIMIT];
    uint32_t held = sim_host_transactions(ladder->host);
    if (ladder->verbose)
        printf("[%4llu] proxy holds %u\n", (unsigned long long)now(ladder), held);
    snprintf(text, sizeof text, "the proxy holds %u transactions", held);
    if (held != line->held)
        fail(ladder, line->number, text, "");
}

/* Lets the world run to each line of a party, and beyond the last line to see that nothing
 * follows. */
static void run(struct ladder *ladder)
{
    while (!ladder->failed && ladder->next < ladder->line_count) {
        const struct line *line = &ladder->lines[ladder->next];
        bool played = strcmp(line->from, "proxy") != 0 || line->kind != LINE_MESSAGE;
        if (played && line->at_ms < now(ladder)) {
            fail(ladder, line->number, "the lines are not in the order of time", "");
        } else if (played) {
            size_t before = ladder->next;
            sim_world_run(ladder->world, sim_world_epoch() + line->at_ms - (line->at_ms > 0));
            if (ladder->next != before || ladder->failed)
                continue;
            sim_world_run(ladder->world, sim_world_epoch() + line->at_ms);
            if (ladder->next != before || ladder->failed)
                continue;
            ladder->next++;
            if (line->kind == LINE_HOLDS)
                check_held(ladder, line);
            else
                play(ladder, line);
        } else {
            size_t before = ladder->next;
            sim_world_run(ladder->world, sim_world_epoch() + line->at_ms);
            if (ladder->next == before && !ladder->failed)
                fail(ladder, line->number, "the proxy did not send this", "");
        }
    }
    if (!ladder->failed)
        sim_world_run(ladder->world, sim_world_now(ladder->world) + 300000);
    if (!ladder->failed && sim_host_transactions(ladder->host) != 0)
        fail(ladder, 0, "transactions are left when all is over", "");
}

bool sim_ladder_run(const char *path, const char *text, bool verbose)
{
    struct ladder *ladder = calloc(1, sizeof *ladder);
    if (ladder == NULL)
        return false;
    ladder->path = path;
    ladder->verbose = verbose;
    ladder->link.delay_ms = 10;
    ladder->zone = sim_zone_new();
    assert(ladder->zone != NULL);
    if (read_text(ladder, text))
        run(ladder);
    bool sound = !ladder->failed;
    sim_host_free(ladder->host);
    for (size_t i = 0; i < ladder->party_count; i++)
        sim_party_free(ladder->parties[i]);
    if (ladder->world != NULL)
        sim_world_free(ladder->world);
    sim_zone_free(ladder->zone);
    free(ladder);
    return sound;
}
