/* What a file says, so that two files can be compared: each use of a word with a sum of all that it
 * was given.  Tables count by what they hold, functions by their lines and what they keep, neither
 * by where it stands.  So a word that is added later is compared too. */
#include <lauxlib.h>

#include "ahoyd/config_reader.h"
#include "libahoy/base/siphash.h"

enum { DEPTH = 6 /* Of tables within tables. */ };

static uint64_t add(uint64_t sum, struct span bytes)
{
    const struct ahoy_hash_key key = { { sum, sizeof sum } };
    return ahoy_siphash(&key, bytes);
}

static uint64_t add_number(uint64_t sum, uint64_t number)
{
    return add(sum, (struct span){ (const char *)&number, sizeof number });
}

static uint64_t add_value(lua_State *lua, int index, unsigned depth, uint64_t sum);

/* In whatever order Lua has it. */
static uint64_t add_table(lua_State *lua, int index, unsigned depth, uint64_t sum)
{
    uint64_t all = 0;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        int top = lua_gettop(lua);
        all += add_value(lua, top, depth, add_value(lua, top - 1, depth, 1));
        lua_pop(lua, 1);
    }
    return add_number(sum, all);
}

/* The lines of the file from |first| to |last|, from 1 on. */
static struct span lines_of(struct span text, int first, int last)
{
    const char *at = text.at, *end = ahoy_span_end(text);
    struct span lines = { at, 0 };
    for (int line = 1; line <= last && at < end; line++) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (line == first)
            lines.at = at;
        at = next != NULL ? next + 1 : end;
    }
    lines.size = (size_t)(at - lines.at);
    return first > 0 ? lines : SPAN("");
}

/* By the lines that it is written in, and by what it keeps. */
static uint64_t add_function(lua_State *lua, int index, unsigned depth, uint64_t sum)
{
    const char *name;
    lua_Debug about;
    lua_pushvalue(lua, index);
    (void)lua_getinfo(lua, ">S", &about); /* There is nothing that it could refuse. */
    sum = add(sum, lines_of(config_reader_of(lua)->text, about.linedefined, about.lastlinedefined));
    for (int i = 1; (name = lua_getupvalue(lua, index, i)) != NULL; i++) {
        if (strcmp(name, "_ENV") != 0)
            sum = add_value(lua, lua_gettop(lua), depth, sum);
        lua_pop(lua, 1);
    }
    return sum;
}

/* A number counts by its text, of a copy: lua_next must find its key as it was. */
static uint64_t add_text(lua_State *lua, int index, uint64_t sum)
{
    struct span text;
    lua_pushvalue(lua, index);
    text.at = lua_tolstring(lua, -1, &text.size);
    sum = add(sum, text);
    lua_pop(lua, 1);
    return sum;
}

static uint64_t add_value(lua_State *lua, int index, unsigned depth, uint64_t sum)
{
    int type = lua_type(lua, index);
    sum = add_number(sum, (uint64_t)type);
    if (type == LUA_TBOOLEAN)
        return add_number(sum, (uint64_t)lua_toboolean(lua, index));
    if (type == LUA_TSTRING || type == LUA_TNUMBER)
        return add_text(lua, index, sum);
    if (depth == 0 || !lua_checkstack(lua, LUA_MINSTACK))
        return sum;
    if (type == LUA_TTABLE)
        return add_table(lua, index, depth - 1, sum);
    if (type == LUA_TFUNCTION)
        return add_function(lua, index, depth - 1, sum);
    return sum;
}

void config_note(lua_State *lua, const char *word)
{
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct ahoyd_item item = { .word = word, .name = SPAN(""), .line = config_line(lua) };
    int count = lua_gettop(lua);
    for (int i = 1; i <= count; i++)
        item.sum = add_value(lua, i, DEPTH, item.sum);
    if (lua_type(lua, 1) == LUA_TSTRING) {
        struct span name;
        name.at = lua_tolstring(lua, 1, &name.size);
        item.name = config_keep(reader, name);
    }
    if (config_room(lua, word, &config->items, config->item_count, sizeof item, CONFIG_ITEMS_LIMIT))
        config->items[config->item_count++] = item;
}
