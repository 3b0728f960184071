/* Plays the lines of the parties, and compares what the servers sent with theirs. */
#include "sim/ladder.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/ladder_inside.h"

enum { TEXT_LIMIT = 128 };

void sim_ladder_fail(struct ladder *ladder, unsigned number, const char *what, const char *detail)
{
    fprintf(stderr, "%s:%u: %s%s\n", ladder->path, number, what, detail);
    ladder->failed = true;
}

/* "INVITE", "200 BYE", "INVITE sdp": what a ladder calls a message. */
static void describe(const struct ahoy_message *message, char text[TEXT_LIMIT])
{
    struct ahoy_cseq cseq;
    bool is_sdp = ahoy_span_equal_nocase(ahoy_message_value(message, AHOY_HEADER_CONTENT_TYPE),
                                         SPAN("application/sdp"));
    const char *body = message->body.size > 0 && is_sdp ? " sdp" : "";
    if (message->is_request)
        snprintf(text, TEXT_LIMIT, "%.*s%s", (int)message->method_text.size,
                 message->method_text.at, body);
    else if (ahoy_cseq_parse(ahoy_message_value(message, AHOY_HEADER_CSEQ), &cseq, NULL))
        snprintf(text, TEXT_LIMIT, "%u %.*s%s", message->status, (int)cseq.method_text.size,
                 cseq.method_text.at, body);
}

static void describe_line(const struct ladder_line *line, char text[TEXT_LIMIT])
{
    const char *body = line->flaws & SIM_SDP ? " sdp" : "";
    if (line->kind != LINE_MESSAGE)
        snprintf(text, TEXT_LIMIT, "%s", sim_ladder_deed(line->kind));
    else if (line->status == 0)
        snprintf(text, TEXT_LIMIT, "%s%s", line->method, body);
    else
        snprintf(text, TEXT_LIMIT, "%u %s%s", line->status, line->method, body);
}

static uint64_t hash(struct span bytes)
{
    static const struct ahoy_hash_key key = { { 1, 2 } };
    return ahoy_siphash(&key, bytes);
}

static uint64_t now(const struct ladder *ladder)
{
    return sim_world_now(ladder->world) - sim_world_epoch();
}

/* Whether |name| does by itself what the ladder has it do: its lines are compared, not played. */
static bool acts(struct ladder *ladder, const char *name)
{
    const struct ladder_party *party = sim_ladder_party(ladder, name);
    return sim_ladder_server(ladder, name) < ladder->server_count ||
           (party != NULL && party->phone != NULL);
}

static bool has_rows(struct ladder *ladder, const struct ladder_line *line,
                     const struct ahoy_message *message)
{
    for (size_t i = 0; i < line->row_count; i++) {
        if (sim_rows_has(message, &line->rows[i]))
            continue;
        sim_ladder_fail(ladder, line->number + 1 + (unsigned)i,
                        "this is not so: ", line->rows[i].text);
        return false;
    }
    return true;
}

/* Whether |line| has, where it is to have them, the bytes of the last one like it. */
static bool has_bytes_again(struct ladder *ladder, const struct ladder_line *line)
{
    char text[TEXT_LIMIT], other[TEXT_LIMIT];
    const struct ladder_line *before = line;
    describe_line(line, text);
    while (line->again && before-- > ladder->lines) {
        describe_line(before, other);
        if (strcmp(before->from, line->from) == 0 && strcmp(before->to, line->to) == 0 &&
            strcmp(other, text) == 0)
            break;
    }
    if (!line->again || (before >= ladder->lines && before->sent == line->sent))
        return true;
    sim_ladder_fail(ladder, line->number, "it is not what was sent before", "");
    return false;
}

/* Whether |line| foresees the message |text| from |name| to |to| now. */
static bool is_foreseen(const struct ladder *ladder, const struct ladder_line *line,
                        const char *name, const char *to, const char *text)
{
    char wanted[TEXT_LIMIT];
    describe_line(line, wanted);
    return line->kind == LINE_MESSAGE && line->at_ms == now(ladder) &&
           strcmp(line->from, name) == 0 && strcmp(line->to, to) == 0 && strcmp(wanted, text) == 0;
}

bool sim_ladder_sent(struct ladder *ladder, const char *name, const struct ahoy_ip *to,
                     struct span bytes)
{
    char text[TEXT_LIMIT] = "something unreadable", what[3 * TEXT_LIMIT];
    struct ahoy_message message;
    const struct sim_node *node = sim_world_node(ladder->world, to);
    const char *peer = node == NULL ? "nobody" : node->name;
    if (ahoy_message_parse(bytes, &message, NULL))
        describe(&message, text);
    if (ladder->verbose)
        printf("[%4llu] %-6s > %-6s %s\n", (unsigned long long)now(ladder), name, peer, text);
    struct ladder_line *line =
        ladder->next < ladder->line_count ? &ladder->lines[ladder->next] : NULL;
    if (line != NULL && is_foreseen(ladder, line, name, peer, text)) {
        ladder->next++;
        line->sent = hash(bytes);
        return has_bytes_again(ladder, line) && has_rows(ladder, line, &message) &&
               (line->flaws & SIM_LOST) != 0;
    }
    if (!ladder->failed) {
        snprintf(what, sizeof what, "[%4llu] %s > %s  %s", (unsigned long long)now(ladder), name,
                 peer, text);
        sim_ladder_fail(ladder, line == NULL ? 0 : line->number, "instead of this, there was ",
                        what);
    }
    return false;
}

static bool play_message(struct ladder *ladder, const struct ladder_line *line,
                         struct ladder_party *party)
{
    const struct sim_saying saying = { .method = line->method,
                                       .status = line->status,
                                       .callee = line->callee[0] == '\0' ? NULL : line->callee,
                                       .flaws = line->flaws,
                                       .rows = line->rows,
                                       .row_count = line->row_count };
    struct ahoy_ip ip;
    const struct ahoy_ip *asker = sim_party_asker(party->party, line->method);
    if (!sim_ladder_address(ladder, party, line->to, &ip) ||
        (line->status != 0 && (asker == NULL || !ahoy_ip_equal_host(asker, &ip))))
        return false;
    if (line->status == 0)
        sim_party_go_to(party->party, &ip);
    return line->again ? sim_party_say_again(party->party, &saying)
                       : sim_party_say(party->party, &saying);
}

/* What whoever uses a phone does; false where that is nothing that he can. */
static bool use_phone(const struct ladder_line *line, struct sim_phone *phone)
{
    if (line->kind == LINE_CALLS)
        sim_phone_call(phone, line->callee);
    else if (line->kind == LINE_ANSWERS)
        sim_phone_answer(phone, 200);
    else if (line->kind == LINE_REJECTS)
        sim_phone_answer(phone, (unsigned)strtoul(line->callee, NULL, 10));
    else if (line->kind == LINE_PROGRESSES)
        sim_phone_progress(phone);
    else if (line->kind == LINE_PAUSES)
        sim_phone_hold(phone);
    else if (line->kind == LINE_RESUMES)
        sim_phone_resume(phone);
    else if (line->kind == LINE_TRANSFERS)
        sim_phone_transfer(phone, line->callee);
    else if (line->kind == LINE_REFERS)
        sim_phone_refer(phone, line->callee, line->second);
    else if (line->kind == LINE_JOINS)
        sim_phone_join(phone);
    else if (line->kind == LINE_ENDS)
        sim_phone_hangup(phone);
    else if (line->kind == LINE_REGISTERS)
        sim_phone_register(phone);
    return line->kind >= LINE_CALLS;
}

static bool play_party(struct ladder *ladder, const struct ladder_line *line,
                       struct ladder_party *party)
{
    if (line->kind == LINE_MESSAGE)
        return play_message(ladder, line, party);
    if (line->kind == LINE_CONNECTS)
        sim_party_connect(party->party);
    else if (line->kind == LINE_UNREACHABLE)
        sim_party_unreachable(party->party);
    else if (line->kind == LINE_CLOSES)
        return sim_party_close(party->party);
    return line->kind < LINE_CALLS;
}

/* Plays a party's line. */
static void play(struct ladder *ladder, const struct ladder_line *line)
{
    struct ladder_party *party = sim_ladder_party(ladder, line->from);
    char text[TEXT_LIMIT];
    bool sound = true;
    describe_line(line, text);
    if (party == NULL) {
        sim_ladder_fail(ladder, line->number, "there is no party ", line->from);
        return;
    }
    if (ladder->verbose)
        printf("[%4llu] %-6s %s %-6s %s%s\n", (unsigned long long)now(ladder), line->from,
               line->kind == LINE_MESSAGE ? ">" : " ", line->to, text,
               line->flaws & SIM_LOST ? "  lost" : "");
    ladder->next++; /* What a phone does now is the next line. */
    sound = party->phone != NULL ? use_phone(line, party->phone) : play_party(ladder, line, party);
    if (!sound && !ladder->failed)
        sim_ladder_fail(ladder, line->number, line->from,
                        " has nothing to make this from, or not for that peer");
}

static void check_held(struct ladder *ladder, const struct ladder_line *line)
{
    char text[TEXT_LIMIT];
    size_t server = sim_ladder_server(ladder, line->from);
    if (server == ladder->server_count) {
        sim_ladder_fail(ladder, line->number, "there is no server ", line->from);
        return;
    }
    uint32_t held = sim_host_transactions(ladder->servers[server].host);
    if (ladder->verbose)
        printf("[%4llu] %s holds %u\n", (unsigned long long)now(ladder), line->from, held);
    snprintf(text, sizeof text, "%s holds %u transactions", line->from, held);
    if (held != strtoul(line->callee, NULL, 10))
        sim_ladder_fail(ladder, line->number, text, "");
}

/* Lets the world run to |at_ms|, or to where a line came true; false there, and at a fault. */
static bool run_to(struct ladder *ladder, uint64_t at_ms)
{
    size_t before = ladder->next;
    sim_world_run(ladder->world, sim_world_epoch() + at_ms);
    return ladder->next == before && !ladder->failed;
}

/* The next line is played when all that happens earlier has. */
static void run_played(struct ladder *ladder, const struct ladder_line *line)
{
    if (line->at_ms < now(ladder)) {
        sim_ladder_fail(ladder, line->number, "the lines are not in the order of time", "");
        return;
    }
    if (!run_to(ladder, line->at_ms - (line->at_ms > 0)) || !run_to(ladder, line->at_ms))
        return;
    if (line->kind != LINE_HOLDS) {
        play(ladder, line);
        return;
    }
    ladder->next++;
    check_held(ladder, line);
}

static void check_rest(struct ladder *ladder)
{
    if (!ladder->failed)
        sim_world_run(ladder->world, sim_world_now(ladder->world) + 300000);
    for (size_t i = 0; i < ladder->server_count && !ladder->failed; i++) {
        const struct ladder_server *server = &ladder->servers[i];
        if (sim_host_transactions(server->host) != 0)
            sim_ladder_fail(ladder, 0, "transactions are left when all is over: ", server->name);
    }
    for (size_t i = 0; i < ladder->party_count && !ladder->failed; i++) {
        const struct ladder_party *party = &ladder->parties[i];
        if (party->phone != NULL && sim_phone_held(party->phone) != 0)
            sim_ladder_fail(ladder, 0, "something is left when all is over: ", party->name);
    }
}

/* Lets the world run to each line of a party, and beyond the last line to see that nothing
 * follows. */
static void run(struct ladder *ladder)
{
    while (!ladder->failed && ladder->next < ladder->line_count) {
        const struct ladder_line *line = &ladder->lines[ladder->next];
        if (line->kind != LINE_MESSAGE || !acts(ladder, line->from))
            run_played(ladder, line);
        else if (run_to(ladder, line->at_ms))
            sim_ladder_fail(ladder, line->number, line->from, " did not send this");
    }
    check_rest(ladder);
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
    if (sim_ladder_read(ladder, text))
        run(ladder);
    bool sound = !ladder->failed;
    for (size_t i = 0; i < ladder->server_count; i++)
        sim_host_free(ladder->servers[i].host);
    for (size_t i = 0; i < ladder->party_count; i++) {
        sim_party_free(ladder->parties[i].party);
        sim_phone_free(ladder->parties[i].phone);
    }
    if (ladder->world != NULL)
        sim_world_free(ladder->world);
    sim_zone_free(ladder->zone);
    free(ladder);
    return sound;
}
