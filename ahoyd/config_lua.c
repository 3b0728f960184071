/* The small Lua that configurations and tests of them run in: a few words, no files, no clock, and
 * limits on instructions and memory. */
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lualib.h>

#include "ahoyd/config_reader.h"

enum {
    INSTRUCTION_LIMIT = 100000000, /* After which a file is taken for endless. */
    MEMORY_LIMIT = 256 << 20       /* Bytes that it may use while it runs. */
};

struct reader *config_reader_of(lua_State *lua)
{
    struct reader *reader = NULL;
    memcpy(&reader, lua_getextraspace(lua), sizeof(void *));
    return reader;
}

int config_line(lua_State *lua)
{
    lua_Debug debug;
    for (int level = 0; lua_getstack(lua, level, &debug); level++) {
        lua_getinfo(lua, "Sl", &debug);
        if (debug.currentline > 0)
            return debug.currentline;
    }
    return 0;
}

/* Stands in for a word that does not exist, so that the rest of the file is still checked. */
static int swallow(lua_State *lua)
{
    lua_pushcfunction(lua, swallow);
    return 1;
}

/* The chunk's own table of names is empty: each name that it reads is looked up here. */
static int look_up(lua_State *lua)
{
    lua_pushglobaltable(lua);
    lua_pushvalue(lua, 2);
    if (lua_rawget(lua, -2) != LUA_TNIL)
        return 1;
    struct reader *reader = config_reader_of(lua);
    const char *name = lua_tostring(lua, 2);
    if (name == NULL)
        name = "?";
    size_t count = 0;
    const char *const *words = reader->vocabulary->names(&count);
    const char *nearest = config_nearest(ahoy_span(name), words, count);
    if (nearest != NULL)
        config_fault(reader, config_line(lua), "unknown name '%.64s'; did you mean '%s'?", name,
                     nearest);
    else
        config_fault(reader, config_line(lua),
                     "unknown name '%.64s'; remove it, or define it with 'local'", name);
    lua_pushcfunction(lua, swallow);
    return 1;
}

/* ... and each name that it sets, the words included, ends here. */
static int refuse_assignment(lua_State *lua)
{
    const char *name = lua_tostring(lua, 2);
    config_fault(config_reader_of(lua), config_line(lua),
                 "'%.64s = ...' sets nothing that Ahoy reads; write 'local %.64s' for a value of "
                 "your own",
                 name == NULL ? "?" : name, name == NULL ? "name" : name);
    return 0;
}

static void too_long(lua_State *lua, lua_Debug *debug)
{
    /* From now on every instruction fails, so that no pcall in a loop can go on. */
    lua_sethook(lua, too_long, LUA_MASKCOUNT, 1);
    lua_getinfo(lua, "l", debug);
    lua_pushfstring(lua, "lua:%d: this does not come to an end", debug->currentline);
    lua_error(lua);
}

/* Lua's allocator, with a limit. */
static void *allocate(void *context, void *old, size_t old_size, size_t size)
{
    struct config_budget *budget = context;
    size_t before = old == NULL ? 0 : old_size;
    if (size == 0) {
        free(old);
        budget->used -= before;
        return NULL;
    }
    if (size > before && budget->used + (size - before) > budget->limit)
        return NULL;
    void *bytes = realloc(old, size);
    if (bytes != NULL)
        budget->used = budget->used - before + size;
    return bytes;
}

/* What a configuration has no use for, or what runs long inside C where no hook reaches. */
static void remove_dangers(lua_State *lua)
{
    static const char *const names[] = { "collectgarbage", "dofile", "load",
                                         "loadfile",       "rawset", "require",
                                         "print",          "rawget", "setmetatable" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lua_pushnil(lua);
        lua_setglobal(lua, names[i]);
    }
    static const char *const strings[] = { "dump", "rep", "find", "match", "gmatch", "gsub" };
    lua_getglobal(lua, "string");
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        lua_pushnil(lua);
        lua_setfield(lua, -2, strings[i]);
    }
    lua_getglobal(lua, "table");
    lua_pushnil(lua);
    lua_setfield(lua, -2, "move");
    lua_pop(lua, 2);
}

static int prepare(lua_State *lua)
{
    luaL_requiref(lua, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(lua, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(lua, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(lua, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_settop(lua, 0);
    remove_dangers(lua);
    config_reader_of(lua)->vocabulary->define(lua);
    return 0;
}

/* Gives the chunk on top of the stack a table of names in which nothing can be set. */
static void seal(lua_State *lua)
{
    lua_newtable(lua);
    lua_createtable(lua, 0, 3);
    lua_pushcfunction(lua, look_up);
    lua_setfield(lua, -2, "__index");
    lua_pushcfunction(lua, refuse_assignment);
    lua_setfield(lua, -2, "__newindex");
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, "__metatable");
    lua_setmetatable(lua, -2);
    lua_setupvalue(lua, -2, 1);
}

/* Loads |text| and runs it, within the limits. */
static int load_and_run(lua_State *lua)
{
    const struct span *text = lua_touserdata(lua, 1);
    if (luaL_loadbufferx(lua, text->at, text->size, "=lua", "t") != LUA_OK)
        return lua_error(lua);
    seal(lua);
    config_lua_limit(lua, INSTRUCTION_LIMIT);
    lua_call(lua, 0, 0);
    return 0;
}

const char *config_lua_error(lua_State *lua, int *line)
{
    /* To make a text of something else might take memory. */
    const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
    int skip = 0;
    *line = 0;
    if (text != NULL && sscanf(text, "%*[^:]:%d: %n", line, &skip) == 1 && skip > 0)
        text += skip;
    return text == NULL ? "Lua stopped without a reason" : text;
}

static void tell_error(struct reader *reader, lua_State *lua)
{
    int line;
    const char *text = config_lua_error(lua, &line);
    config_fault(reader, line, "%s", text);
}

void config_lua_limit(lua_State *lua, int instructions)
{
    lua_sethook(lua, too_long, LUA_MASKCOUNT, instructions);
}

lua_State *config_lua_run(struct reader *reader, struct span text, struct config_budget *budget)
{
    *budget = (struct config_budget){ .limit = MEMORY_LIMIT };
    lua_State *lua = lua_newstate(allocate, budget);
    if (lua == NULL) {
        reader->out_of_memory = true;
        return NULL;
    }
    reader->text = text;
    memcpy(lua_getextraspace(lua), &reader, sizeof(void *));
    lua_pushcfunction(lua, prepare);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        tell_error(reader, lua);
        return lua;
    }
    lua_pushcfunction(lua, load_and_run);
    lua_pushlightuserdata(lua, &text);
    if (lua_pcall(lua, 1, 0, 0) != LUA_OK)
        tell_error(reader, lua);
    return lua;
}

void config_run(struct reader *reader, struct span text)
{
    struct config_budget budget;
    lua_State *lua = config_lua_run(reader, text, &budget);
    if (lua != NULL)
        lua_close(lua);
}
