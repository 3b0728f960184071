/* What is compared is the text that ahoyd --route prints. */
#include "ahoyd/expect.h"

#include <stdlib.h>

#include <lauxlib.h>

#include "ahoyd/expect_inside.h"

enum { TEXTS_SIZE = 4096, TEXTS_MEMORY = 16 << 20 };

struct session *expect_session_of(lua_State *lua)
{
    return (struct session *)(void *)config_reader_of(lua);
}

static const char usage[] = "expect(\"INVITE sip:sales@atlanta.example\", "
                            "{ user = \"carol@atlanta.example\" }, \"alice@atlanta.example\")";

void expect_put_rows(const struct ahoyd_texts *texts, struct ahoy_buf *rows)
{
    for (size_t i = 0; i < texts->count; i++) {
        ahoy_buf_put(rows, texts->at[i]);
        ahoy_buf_put(rows, SPAN("\r\n"));
    }
}

static void compare(struct session *session, int line, struct span expected)
{
    const struct ahoyd_route *route = session->outcome.route;
    struct span got = session->outcome.text;
    char where[64] = "by no route";
    if (ahoy_span_equal(expected, got))
        return;
    if (route != NULL)
        snprintf(where, sizeof where, "by the route in line %d", route->line);
    config_fault(&session->reader, line, "expected %.*s; got %.*s, %s", (int)expected.size,
                 expected.at, (int)got.size, got.at, where);
}

/* expect(REQUEST, OPTIONS, OUTCOME), or without options. */
static int word_expect(lua_State *lua)
{
    enum { FROM, USER, SOURCE, TRANSPORT, AT, HEADERS, OPTIONS };
    struct option options[OPTIONS] = { [FROM] = { .name = "from", .type = OPTION_TEXT },
                                       [USER] = { .name = "user", .type = OPTION_TEXT },
                                       [SOURCE] = { .name = "source", .type = OPTION_TEXT },
                                       [TRANSPORT] = { .name = "transport", .type = OPTION_TEXT },
                                       [AT] = { .name = "at", .type = OPTION_TEXT },
                                       [HEADERS] = { .name = "headers", .type = OPTION_LIST } };
    struct session *session = expect_session_of(lua);
    int line = config_line(lua), last = lua_gettop(lua) < 3 ? 2 : 3;
    char space[ROWS_SIZE];
    struct ahoy_buf rows = ahoy_buf_over(space, sizeof space);
    struct ahoyd_trial trial = *session->trial;
    struct ahoyd_texts headers = { NULL, 0 };
    struct span expected;
    session->count++;
    if (!config_text(lua, 1, "expect", usage, &trial.request) ||
        !config_text(lua, last, "expect", usage, &expected) ||
        (last == 3 && !config_options(lua, 2, "expect", options, OPTIONS)) ||
        !config_texts(lua, 2, "expect", &options[HEADERS], &headers))
        return 0;
    expect_put_rows(&headers, &rows);
    trial.rows = ahoy_buf_text(&rows);
    trial.from = options[FROM].text;
    trial.user = options[USER].text;
    trial.source = options[SOURCE].text;
    trial.transport = options[TRANSPORT].text;
    trial.at = options[AT].text;
    const char *fault = ahoyd_trial_run(session->names, &trial, NULL, &session->outcome);
    if (fault != NULL)
        config_fault(&session->reader, line, "expect does not understand %s", fault);
    else
        compare(session, line, expected);
    return 0;
}

static void define(lua_State *lua)
{
    lua_register(lua, "expect", word_expect);
    lua_register(lua, "call", expect_word_call);
}

static const char *const *list_names(size_t *count)
{
    static const char *const names[] = { "expect", "call" };
    *count = 2;
    return names;
}

unsigned ahoyd_expect_run(const struct ahoyd_names *names, const char *path,
                          const struct ahoyd_trial *trial, json_t *calls,
                          struct ahoyd_config_faults *faults)
{
    static const struct vocabulary vocabulary = { define, list_names };
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
    size_t size;
    unsigned count = 0;
    char *text = config_read_file(path, faults, &size);
    struct session *session = calloc(1, sizeof *session);
    ahoy_chunks_init(&chunks, TEXTS_SIZE, TEXTS_MEMORY);
    ahoy_arena_init(&arena, &chunks);
    if (text == NULL || session == NULL)
        goto out;
    session->reader = (struct reader){
        .vocabulary = &vocabulary, .path = ahoy_span(path), .faults = faults, .texts = &arena
    };
    session->names = names;
    session->trial = trial;
    session->calls = calls;
    config_run(&session->reader, (struct span){ text, size });
    count = session->count;
    if (count == 0 && faults->count == 0)
        config_fault(&session->reader, 0, "expects nothing; add %s", usage);
out:
    ahoy_arena_release(&arena);
    ahoy_chunks_fini(&chunks);
    free(session);
    free(text);
    return count;
}
