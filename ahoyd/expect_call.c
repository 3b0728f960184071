/* A whole call of a test: what its parties do, and what is to come of it. */
#include <stdio.h>

#include <lauxlib.h>

#include "ahoyd/expect_inside.h"
#include "ahoyd/records/row.h"
#include "ahoyd/rehearsal/rehearsal.h"

enum { LASTS_S = 10, LONGEST_S = 3600, WHOLE_SIZE = 320, FAULT_SIZE = 256, NUMBER_SIZE = 24 };

static const char usage[] = "call { to = \"sip:sales@atlanta.example\", parties = { "
                            "[\"bob@atlanta.example\"] = \"busy\" }, expect = { ... } }";

/* A test, while it is read and played. */
struct play {
    struct ahoyd_plan plan;
    struct ahoyd_party parties[AHOYD_REHEARSAL_PARTIES_LIMIT];
    struct ahoyd_rehearsal rehearsal;
    struct ahoyd_texts expected;
    char rows[ROWS_SIZE];
};

/* What a party does, in a word. */
static const struct {
    const char *word;
    enum ahoyd_manner manner;
    unsigned status;
} manners[] = {
    { "answers", AHOYD_MANNER_ANSWERS, 200 },  { "busy", AHOYD_MANNER_ANSWERS, 486 },
    { "declines", AHOYD_MANNER_ANSWERS, 603 }, { "rings", AHOYD_MANNER_RINGS, 0 },
    { "gone", AHOYD_MANNER_GONE, 0 },          { "down", AHOYD_MANNER_DOWN, 0 },
};

enum { MANNERS = sizeof manners / sizeof *manners };

static void fault_party(lua_State *lua, const struct ahoyd_party *party)
{
    config_fault(config_reader_of(lua), config_line(lua),
                 "call: the party \"%.*s\" answers, rings, is busy, declines, is gone or down; "
                 "write \"busy\", { answers = 5 } or { status = 480, after = 5 }",
                 (int)party->name.size, party->name.at);
}

/* { answers = 5 }, { status = 302, after = 1, contact = "sip:bob@biloxi.example" } */
static bool read_party_table(lua_State *lua, struct ahoyd_party *party)
{
    enum { ANSWERS, STATUS, AFTER, CONTACT, OPTIONS };
    struct option options[OPTIONS] = {
        [ANSWERS] = { .name = "answers", .type = OPTION_NUMBER, .most = LONGEST_S },
        [STATUS] = { .name = "status", .type = OPTION_NUMBER, .least = 300, .most = 699 },
        [AFTER] = { .name = "after", .type = OPTION_NUMBER, .most = LONGEST_S },
        [CONTACT] = { .name = "contact", .type = OPTION_TEXT }
    };
    if (!config_options(lua, lua_gettop(lua), "call", options, OPTIONS))
        return false;
    if (options[ANSWERS].given == options[STATUS].given ||
        (options[ANSWERS].given && (options[AFTER].given || options[CONTACT].given))) {
        fault_party(lua, party);
        return false;
    }
    party->manner = AHOYD_MANNER_ANSWERS;
    party->status = options[STATUS].given ? (unsigned)options[STATUS].number : 200;
    party->after_s = (uint32_t)options[options[STATUS].given ? AFTER : ANSWERS].number;
    party->contact = options[CONTACT].text;
    return true;
}

/* The value on top of the stack. */
static bool read_party(lua_State *lua, struct ahoyd_party *party)
{
    if (lua_istable(lua, -1))
        return read_party_table(lua, party);
    const char *word = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    for (size_t i = 0; i < MANNERS; i++) {
        if (strcmp(manners[i].word, word) != 0)
            continue;
        party->manner = manners[i].manner;
        party->status = manners[i].status;
        return true;
    }
    fault_party(lua, party);
    return false;
}

static bool read_parties(lua_State *lua, struct play *play)
{
    bool sound = true;
    play->plan.parties = play->parties;
    lua_getfield(lua, 1, "parties");
    int table = lua_gettop(lua);
    bool has_any = lua_istable(lua, table);
    if (has_any)
        lua_pushnil(lua);
    while (has_any && sound && lua_next(lua, table) != 0) {
        struct ahoyd_party party = { .name = SPAN("") };
        sound = play->plan.party_count < AHOYD_REHEARSAL_PARTIES_LIMIT &&
                lua_type(lua, -2) == LUA_TSTRING;
        if (!sound) {
            config_fault(config_reader_of(lua), config_line(lua),
                         "call: 'parties' has up to %d names, each with what that one does: { "
                         "[\"bob@atlanta.example\"] = \"busy\" }",
                         AHOYD_REHEARSAL_PARTIES_LIMIT);
            break;
        }
        party.name.at = lua_tolstring(lua, -2, &party.name.size);
        sound = read_party(lua, &party);
        play->parties[play->plan.party_count++] = party;
        lua_pop(lua, 1);
    }
    lua_settop(lua, table - 1);
    return sound;
}

/* What is understood without the configuration; false after a fault. */
static bool read_plan(lua_State *lua, struct session *session, struct play *play)
{
    enum {
        TO,
        FROM,
        USER,
        SOURCE,
        TRANSPORT,
        AT,
        HEADERS,
        LASTS,
        CANCELS,
        PARTIES,
        EXPECT,
        RECORD,
        OPTIONS
    };
    struct option options[OPTIONS] = {
        [TO] = { .name = "to", .type = OPTION_TEXT },
        [FROM] = { .name = "from", .type = OPTION_TEXT },
        [USER] = { .name = "user", .type = OPTION_TEXT },
        [SOURCE] = { .name = "source", .type = OPTION_TEXT },
        [TRANSPORT] = { .name = "transport", .type = OPTION_TEXT },
        [AT] = { .name = "at", .type = OPTION_TEXT },
        [HEADERS] = { .name = "headers", .type = OPTION_LIST },
        [LASTS] = { .name = "lasts", .type = OPTION_NUMBER, .most = LONGEST_S },
        [CANCELS] = { .name = "cancels", .type = OPTION_NUMBER, .least = 1, .most = LONGEST_S },
        [PARTIES] = { .name = "parties", .type = OPTION_MAP },
        [EXPECT] = { .name = "expect", .type = OPTION_LIST },
        [RECORD] = { .name = "record", .type = OPTION_MAP }
    };
    struct ahoyd_plan *plan = &play->plan;
    struct ahoyd_texts headers = { NULL, 0 };
    struct ahoy_buf rows = ahoy_buf_over(play->rows, sizeof play->rows);
    int line = config_line(lua);
    if (lua_istable(lua, 1) && !config_options(lua, 1, "call", options, OPTIONS))
        return false;
    if (!options[TO].given || (!options[EXPECT].given && !options[RECORD].given)) {
        config_fault(&session->reader, line, "call takes a table; write %s", usage);
        return false;
    }
    if (!config_texts(lua, 1, "call", &options[HEADERS], &headers) ||
        !config_texts(lua, 1, "call", &options[EXPECT], &play->expected) ||
        !read_parties(lua, play))
        return false;
    expect_put_rows(&headers, &rows);
    *plan = (struct ahoyd_plan){ .to = options[TO].text,
                                 .from = options[FROM].text,
                                 .user = options[USER].text,
                                 .transport = options[TRANSPORT].text,
                                 .rows = ahoy_buf_text(&rows),
                                 .now_ms = session->trial->now_ms,
                                 .lasts_s = LASTS_S,
                                 .cancels_s = (uint32_t)options[CANCELS].number,
                                 .parties = plan->parties,
                                 .party_count = plan->party_count };
    if (options[LASTS].given)
        plan->lasts_s = (uint32_t)options[LASTS].number;
    struct span source = options[SOURCE].given ? options[SOURCE].text : SPAN("192.0.2.1");
    const char *fault = NULL;
    if (rows.overflow)
        fault = "the headers: they are too long";
    else if (!ahoyd_trial_read_source(source, &plan->source))
        fault = ahoyd_trial_source_fault;
    else if (options[AT].given && !ahoyd_trial_read_time(options[AT].text, &plan->now_ms))
        fault = ahoyd_trial_time_fault;
    if (fault != NULL)
        config_fault(&session->reader, line, "call does not understand %s", fault);
    return fault == NULL;
}

static struct span line_of(const struct ahoyd_rehearsal *rehearsal, size_t number)
{
    if (number >= rehearsal->count)
        return SPAN("nothing more");
    return (struct span){ rehearsal->lines[number].text, rehearsal->lines[number].size };
}

/* The first line that is another one than was expected, and the whole of what happened. */
static void compare_lines(struct session *session, int line, const struct play *play)
{
    const struct ahoyd_texts *expected = &play->expected;
    const struct ahoyd_rehearsal *rehearsal = &play->rehearsal;
    size_t i = 0;
    while (i < expected->count && i < rehearsal->count &&
           ahoy_span_equal(expected->at[i], line_of(rehearsal, i)))
        i++;
    if (expected->count == 0 || (i == expected->count && i == rehearsal->count))
        return;
    struct span wanted = i < expected->count ? expected->at[i] : SPAN("nothing more");
    struct span got = line_of(rehearsal, i);
    char space[WHOLE_SIZE];
    struct ahoy_buf whole = ahoy_buf_over(space, sizeof space);
    for (size_t j = 0; j < rehearsal->count; j++) {
        struct span text = line_of(rehearsal, j);
        if (whole.size + text.size + 4 > whole.capacity)
            break;
        ahoy_buf_put(&whole, j == 0 ? SPAN("") : SPAN(", "));
        ahoy_buf_put(&whole, text);
    }
    struct span all = ahoy_buf_text(&whole);
    config_fault(&session->reader, line, "expected %.*s; got %.*s; the call: %.*s",
                 (int)wanted.size, wanted.at, (int)got.size, got.at, (int)all.size, all.at);
}

/* A column of the record, as text; empty where it has none. */
static struct span column_of(const json_t *record, const char *name, char space[NUMBER_SIZE])
{
    const json_t *value = json_object_get(record, name);
    if (json_is_string(value))
        return (struct span){ json_string_value(value), json_string_length(value) };
    if (!json_is_integer(value))
        return SPAN("");
    snprintf(space, NUMBER_SIZE, "%lld", (long long)json_integer_value(value));
    return ahoy_span(space);
}

static bool is_column(struct session *session, int line, struct span name)
{
    for (size_t i = 0; i < AHOYD_COLUMN_COUNT; i++) {
        if (ahoy_span_equal(ahoy_span(ahoyd_record_columns[i]), name))
            return true;
    }
    const char *nearest = config_nearest(name, ahoyd_record_columns, AHOYD_COLUMN_COUNT);
    config_fault(&session->reader, line, "call: a record has no column '%.*s'; %s%s%s",
                 (int)name.size, name.at, nearest != NULL ? "did you mean '" : "remove it",
                 nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return false;
}

/* Each column that the test names, and its value: a text or a whole number. */
static void compare_record(lua_State *lua, struct session *session, int line,
                           const struct play *play)
{
    char space[NUMBER_SIZE];
    lua_getfield(lua, 1, "record");
    int table = lua_gettop(lua);
    if (lua_isnil(lua, table))
        return;
    lua_pushnil(lua);
    while (lua_next(lua, table) != 0) {
        struct span name = SPAN("?"), wanted = SPAN("");
        lua_pushvalue(lua, -1); /* Of a number, Lua makes a text in its place. */
        if (lua_type(lua, -3) == LUA_TSTRING)
            name.at = lua_tolstring(lua, -3, &name.size);
        if (lua_type(lua, -1) == LUA_TSTRING || lua_isinteger(lua, -1))
            wanted.at = lua_tolstring(lua, -1, &wanted.size);
        struct span got = SPAN("");
        if (is_column(session, line, name))
            got = column_of(play->rehearsal.record, name.at, space);
        else
            wanted = got;
        if (!ahoy_span_equal(wanted, got))
            config_fault(&session->reader, line, "the record: expected %.*s = %.*s; got %.*s",
                         (int)name.size, name.at, (int)wanted.size, wanted.at,
                         got.size > 0 ? (int)got.size : 7, got.size > 0 ? got.at : "nothing");
        lua_pop(lua, 2);
    }
}

/* For programs. */
static void keep(struct session *session, int line, const struct play *play)
{
    if (session->calls == NULL)
        return;
    json_t *lines = json_array();
    for (size_t i = 0; i < play->rehearsal.count; i++) {
        struct span text = line_of(&play->rehearsal, i);
        json_array_append_new(lines, json_stringn(text.at, text.size));
    }
    json_array_append_new(session->calls,
                          json_pack("{s:i, s:s%, s:o, s:O*}", "line", line, "to", play->plan.to.at,
                                    play->plan.to.size, "happened", lines, "record",
                                    play->rehearsal.record));
}

int expect_word_call(lua_State *lua)
{
    struct session *session = expect_session_of(lua);
    int line = config_line(lua);
    char space[FAULT_SIZE];
    struct play *play = lua_newuserdatauv(lua, sizeof *play, 0); /* Whatever fails, it is freed. */
    memset(play, 0, sizeof *play);
    session->count++;
    if (read_plan(lua, session, play)) {
        const char *fault =
            ahoyd_rehearse(session->names, &play->plan, &play->rehearsal, space, sizeof space);
        keep(session, line, play);
        if (fault != NULL) {
            config_fault(&session->reader, line, "call does not understand %s", fault);
        } else {
            compare_lines(session, line, play);
            compare_record(lua, session, line, play);
        }
    }
    json_decref(play->rehearsal.record);
    return 0;
}
