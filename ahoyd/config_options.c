/* Tables of options: `{ auth = "digest", min_expires = 60 }`, each name known, each value of its
 * type. */
#include "ahoyd/config_reader.h"

#include <lauxlib.h>

enum { OPTIONS_LIMIT = 32 };

static const char *const type_words[] = {
    [OPTION_TEXT] = "a text",         [OPTION_NUMBER] = "a whole number",
    [OPTION_FLAG] = "true or false",  [OPTION_TEXTS] = "a table of 1 to 8 texts",
    [OPTION_FUNCTION] = "a function", [OPTION_LIST] = "a text or a table",
    [OPTION_MAP] = "a table"
};

static struct option *find(struct option *options, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++) {
        if (ahoy_span_equal(ahoy_span(options[i].name), name))
            return &options[i];
    }
    return NULL;
}

static bool fault_unknown(lua_State *lua, const char *word, struct span name,
                          const struct option *options, size_t count)
{
    const char *names[OPTIONS_LIMIT];
    for (size_t i = 0; i < count && i < OPTIONS_LIMIT; i++)
        names[i] = options[i].name;
    size_t named = count < OPTIONS_LIMIT ? count : OPTIONS_LIMIT;
    const char *nearest = config_nearest(name, names, named);
    struct reader *reader = config_reader_of(lua);
    if (nearest != NULL)
        config_fault(reader, config_line(lua), "%s has no option '%.*s'; did you mean '%s'?", word,
                     (int)name.size, name.at, nearest);
    else
        config_fault(reader, config_line(lua), "%s has no option '%.*s'; remove it", word,
                     (int)name.size, name.at);
    return false;
}

/* Takes the table on top of the stack; the texts in it stay Lua's. */
static bool read_texts(lua_State *lua, struct option *option)
{
    lua_Unsigned count = lua_istable(lua, -1) ? lua_rawlen(lua, -1) : 0;
    if (count == 0 || count > OPTION_TEXTS_LIMIT)
        return false;
    for (lua_Unsigned i = 0; i < count; i++) {
        lua_rawgeti(lua, -1, (lua_Integer)i + 1);
        if (lua_type(lua, -1) == LUA_TSTRING)
            option->texts[i].at = lua_tolstring(lua, -1, &option->texts[i].size);
        lua_pop(lua, 1);
        if (option->texts[i].at == NULL)
            return false;
    }
    option->number = count;
    return true;
}

/* Whether the value on top of the stack is what |option| takes. */
static bool fits(lua_State *lua, struct option *option)
{
    int is_whole = 0;
    switch (option->type) {
    case OPTION_TEXT:
        return lua_type(lua, -1) == LUA_TSTRING;
    case OPTION_NUMBER:
        option->number = (uint64_t)lua_tointegerx(lua, -1, &is_whole);
        return lua_type(lua, -1) == LUA_TNUMBER && is_whole;
    case OPTION_FLAG:
        return lua_isboolean(lua, -1);
    case OPTION_TEXTS:
        return read_texts(lua, option);
    case OPTION_FUNCTION:
        return lua_isfunction(lua, -1);
    case OPTION_LIST:
        return lua_type(lua, -1) == LUA_TSTRING || lua_istable(lua, -1);
    case OPTION_MAP:
        return lua_istable(lua, -1);
    }
    return false;
}

/* Takes the value on top of the stack. */
static bool read_value(lua_State *lua, const char *word, struct option *option)
{
    struct reader *reader = config_reader_of(lua);
    if (!fits(lua, option)) {
        config_fault(reader, config_line(lua), "%s: '%s' must be %s, not %s", word, option->name,
                     type_words[option->type], luaL_typename(lua, -1));
        return false;
    }
    if (option->type == OPTION_NUMBER &&
        (option->number < option->least || option->number > option->most)) {
        config_fault(reader, config_line(lua), "%s: '%s' must be between %llu and %llu", word,
                     option->name, (unsigned long long)option->least,
                     (unsigned long long)option->most);
        return false;
    }
    option->given = true;
    option->flag = lua_toboolean(lua, -1) != 0;
    if (option->type == OPTION_TEXT)
        option->text.at = lua_tolstring(lua, -1, &option->text.size);
    return true;
}

bool config_options(lua_State *lua, int index, const char *word, struct option *options,
                    size_t count)
{
    if (lua_isnoneornil(lua, index))
        return true;
    if (!lua_istable(lua, index)) {
        config_fault(config_reader_of(lua), config_line(lua),
                     "%s takes its options in a table: %s(..., { name = value })", word, word);
        return false;
    }
    bool sound = true;
    lua_pushnil(lua);
    while (lua_next(lua, index) != 0) {
        struct span name = SPAN("?");
        struct option *option = NULL;
        if (lua_type(lua, -2) == LUA_TSTRING) {
            name.at = lua_tolstring(lua, -2, &name.size);
            option = find(options, count, name);
        } else if (lua_isinteger(lua, -2) && lua_tointeger(lua, -2) == 1) {
            option = find(options, count, SPAN("1"));
        }
        if (option == NULL)
            sound = fault_unknown(lua, word, name, options, count);
        else if (!read_value(lua, word, option))
            sound = false;
        lua_pop(lua, 1);
    }
    return sound;
}

bool config_item(lua_State *lua, const char *word, const char *usage, struct option *options,
                 size_t count)
{
    struct span *text = &options[0].text;
    if (lua_type(lua, -1) == LUA_TSTRING)
        text->at = lua_tolstring(lua, -1, &text->size);
    else if (!config_options(lua, lua_gettop(lua), word, options, count))
        return false;
    if (text->size > 0 && memchr(text->at, '\0', text->size) == NULL)
        return true;
    config_fault(config_reader_of(lua), config_line(lua), "%s: a text is missing; write %s", word,
                 usage);
    return false;
}
