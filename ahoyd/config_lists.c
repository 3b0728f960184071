/* Lists of the configuration: those that grow as it is read, and those that options hold. */
#include <ctype.h>
#include <stdlib.h>

#include "ahoyd/config_reader.h"

bool config_room(lua_State *lua, const char *word, void *list, size_t count, size_t item_size,
                 size_t limit)
{
    struct reader *reader = config_reader_of(lua);
    if (count >= limit) {
        config_fault(reader, config_line(lua), "more than %zu uses of %s", limit, word);
        return false;
    }
    if ((count & (count - 1)) != 0)
        return true;
    void *old = NULL;
    memcpy(&old, list, sizeof old);
    void *more = realloc(old, (count == 0 ? 1 : 2 * count) * item_size);
    if (more == NULL) {
        reader->out_of_memory = true;
        return false;
    }
    memcpy(list, &more, sizeof more);
    return true;
}

bool config_domain_name(lua_State *lua, const char *word, struct span text, struct span *kept)
{
    bool sound = text.size > 0 && text.size <= 253;
    for (size_t i = 0; sound && i < text.size; i++)
        sound = isalnum((unsigned char)text.at[i]) || strchr("-.", text.at[i]) != NULL;
    if (!sound) {
        config_fault(config_reader_of(lua), config_line(lua),
                     "%s \"%.100s\" is no domain name; write \"atlanta.example\"", word, text.at);
        return false;
    }
    *kept = config_keep(config_reader_of(lua), text);
    char *letter = (char *)(uintptr_t)kept->at;
    for (size_t i = 0; i < kept->size; i++)
        letter[i] = (char)tolower((unsigned char)letter[i]);
    return true;
}

/* Memory for |count| items of a list that lives as long as the configuration. */
static void *take(struct reader *reader, size_t count, size_t item_size)
{
    void *items = ahoy_arena_take(reader->texts, count * item_size);
    if (items == NULL)
        reader->out_of_memory = true;
    return items;
}

/* Keeps the text on top of the stack, and takes it off; false where it is none. */
static bool keep_top(lua_State *lua, struct span *kept)
{
    struct span text = SPAN("");
    bool is_text = lua_type(lua, -1) == LUA_TSTRING;
    if (is_text)
        text.at = lua_tolstring(lua, -1, &text.size);
    is_text = is_text && memchr(text.at, '\0', text.size) == NULL;
    if (is_text)
        *kept = config_keep(config_reader_of(lua), text);
    lua_pop(lua, 1);
    return is_text;
}

bool config_texts(lua_State *lua, int index, const char *word, const struct option *option,
                  struct ahoyd_texts *texts)
{
    struct reader *reader = config_reader_of(lua);
    if (!option->given)
        return true;
    lua_getfield(lua, index, option->name);
    bool is_table = lua_istable(lua, -1);
    lua_Unsigned count = is_table ? lua_rawlen(lua, -1) : 1;
    bool sound = count > 0 && count <= CONFIG_TEXTS_LIMIT;
    struct span *list = sound ? take(reader, count, sizeof *list) : NULL;
    for (lua_Unsigned i = 0; sound && list != NULL && i < count; i++) {
        if (is_table)
            lua_rawgeti(lua, -1, (lua_Integer)i + 1);
        else
            lua_pushvalue(lua, -1);
        sound = keep_top(lua, &list[i]);
    }
    lua_pop(lua, 1);
    if (!sound)
        config_fault(reader, config_line(lua), "%s: '%s' must be a text, or a table of 1 to %d",
                     word, option->name, CONFIG_TEXTS_LIMIT);
    *texts = (struct ahoyd_texts){ list, list == NULL ? 0 : count };
    return sound && list != NULL;
}

static bool is_prefix(struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (strchr("0123456789*#+", text.at[i]) == NULL)
            return false;
    }
    return text.size <= AHOYD_NUMBER_LIMIT;
}

/* Puts |prefix| behind those that are as long. */
static void insert(struct ahoyd_prefix *list, size_t count, const struct ahoyd_prefix *prefix)
{
    for (; count > 0 && list[count - 1].from.size < prefix->from.size; count--)
        list[count] = list[count - 1];
    list[count] = *prefix;
}

bool config_prefixes(lua_State *lua, int index, const char *word, const struct option *option,
                     struct ahoyd_prefixes *prefixes)
{
    struct reader *reader = config_reader_of(lua);
    if (!option->given)
        return true;
    struct ahoyd_prefix *list = take(reader, CONFIG_TEXTS_LIMIT, sizeof *list);
    size_t count = 0;
    bool sound = list != NULL;
    lua_getfield(lua, index, option->name);
    int table = lua_gettop(lua);
    lua_pushnil(lua);
    while (sound && lua_next(lua, table) != 0) {
        struct ahoyd_prefix prefix;
        sound = count < CONFIG_TEXTS_LIMIT && keep_top(lua, &prefix.to) && is_prefix(prefix.to);
        lua_pushvalue(lua, -1); /* The key goes on. */
        sound = keep_top(lua, &prefix.from) && sound && is_prefix(prefix.from);
        if (sound)
            insert(list, count++, &prefix);
    }
    lua_settop(lua, table - 1);
    if (!sound && !reader->out_of_memory)
        config_fault(reader, config_line(lua),
                     "%s: '%s' must be a table of 1 to %d beginnings of numbers: "
                     "write { [\"00\"] = \"+\", [\"0\"] = \"+49\" }",
                     word, option->name, CONFIG_TEXTS_LIMIT);
    *prefixes = (struct ahoyd_prefixes){ count, list };
    return sound;
}
