/* The configuration as a whole: its file is read, run in a small Lua, checked, and kept as a plain
 * table.  The words that it may use are in config_words.c. */
#include "ahoyd/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "ahoyd/config_reader.h"

enum {
    FILE_LIMIT = 1 << 20,          /* Bytes of a configuration file. */
    INSTRUCTION_LIMIT = 100000000, /* Of Lua, after which a configuration is taken for endless. */
    MEMORY_LIMIT = 256 << 20,      /* Bytes that it may use while it runs. */
    PADDING = 128,                 /* Where the file says nothing. */
    OVERLOAD_MS = 100,             /* The same. */
    RING_MB = 16                   /* The same. */
};

/* What config->memory points to. */
struct texts {
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
};

void config_fault(struct reader *reader, int line, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    reader->faults->count++;
    if (reader->faults->told != NULL)
        reader->faults->told(reader->faults->context, reader->config->path.at, line, what);
}

struct span config_keep(struct reader *reader, struct span text)
{
    char *copy = ahoy_arena_take(reader->texts, text.size + 1);
    if (copy == NULL) {
        reader->out_of_memory = true;
        return SPAN("");
    }
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return (struct span){ copy, text.size };
}

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

/* How many single changes make |a| of |b|, counted up to |most|. */
static size_t distance(struct span a, struct span b, size_t most)
{
    enum { WIDTH = 32 };
    size_t row[WIDTH + 1];
    if (a.size > WIDTH || b.size > WIDTH)
        return most;
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[b.size] < most ? row[b.size] : most;
}

const char *config_nearest(struct span word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < count; i++) {
        size_t changes = distance(word, ahoy_span(names[i]), least);
        if (changes < least && changes < word.size) {
            least = changes;
            nearest = names[i];
        }
    }
    return nearest;
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
    const char *const *words = config_words_names(&count);
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
    lua_pushfstring(lua, "lua:%d: the configuration does not come to an end", debug->currentline);
    lua_error(lua);
}

struct budget {
    size_t used;
};

/* Lua's allocator, with a limit. */
static void *allocate(void *context, void *old, size_t old_size, size_t size)
{
    struct budget *budget = context;
    size_t before = old == NULL ? 0 : old_size;
    if (size == 0) {
        free(old);
        budget->used -= before;
        return NULL;
    }
    if (size > before && size - before > MEMORY_LIMIT - budget->used)
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
    lua_pop(lua, 1);
}

static int prepare(lua_State *lua)
{
    luaL_requiref(lua, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(lua, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(lua, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(lua, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_settop(lua, 0);
    remove_dangers(lua);
    config_words_define(lua);
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
    lua_sethook(lua, too_long, LUA_MASKCOUNT, INSTRUCTION_LIMIT);
    lua_call(lua, 0, 0);
    return 0;
}

/* Tells what Lua itself says: "lua:3: unexpected symbol near '='" loses its place, which is
 * told as such. */
static void tell_lua_error(struct reader *reader, lua_State *lua)
{
    const char *text = lua_tostring(lua, -1);
    int line = 0;
    int skip = 0;
    if (text != NULL && sscanf(text, "%*[^:]:%d: %n", &line, &skip) == 1 && skip > 0)
        text += skip;
    config_fault(reader, line, "%s", text == NULL ? "Lua stopped without a reason" : text);
}

static void run(struct reader *reader, struct span text)
{
    struct budget budget = { 0 };
    lua_State *lua = lua_newstate(allocate, &budget);
    if (lua == NULL) {
        reader->out_of_memory = true;
        return;
    }
    memcpy(lua_getextraspace(lua), &reader, sizeof(void *));
    lua_pushcfunction(lua, prepare);
    if (lua_pcall(lua, 0, 0, 0) != LUA_OK) {
        tell_lua_error(reader, lua);
    } else {
        lua_pushcfunction(lua, load_and_run);
        lua_pushlightuserdata(lua, &text);
        if (lua_pcall(lua, 1, 0, 0) != LUA_OK)
            tell_lua_error(reader, lua);
    }
    lua_close(lua);
}

static struct texts *texts_new(void)
{
    struct texts *texts = malloc(sizeof *texts);
    if (texts == NULL)
        return NULL;
    ahoy_chunks_init(&texts->chunks, 4096, MEMORY_LIMIT);
    ahoy_arena_init(&texts->arena, &texts->chunks);
    return texts;
}

/* The folder of |path| with its last slash, or "" for the current one. */
static struct span folder_of(struct span path)
{
    size_t size = path.size;
    while (size > 0 && path.at[size - 1] != '/')
        size--;
    return (struct span){ path.at, size };
}

static void defaults(struct reader *reader)
{
    struct ahoyd_config *config = reader->config;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    config->workers = cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
    config->padding = PADDING;
    config->overload_ms = OVERLOAD_MS;
    config->ring_size = (size_t)RING_MB << 20;
    config->store = AHOYD_STORE_SQLITE;
}

static bool read_all(struct reader *reader, struct span text)
{
    defaults(reader);
    run(reader, text);
    if (!reader->out_of_memory)
        config_finish(reader);
    if (reader->out_of_memory)
        config_fault(reader, 0, "memory ran out while the configuration was read");
    return reader->faults->count == 0;
}

struct ahoyd_config *ahoyd_config_parse(const char *text, size_t size, const char *path,
                                        struct ahoyd_config_faults *faults)
{
    faults->count = 0;
    struct ahoyd_config *config = calloc(1, sizeof *config);
    struct texts *texts = texts_new();
    if (config == NULL || texts == NULL) {
        free(config);
        free(texts);
        return NULL;
    }
    config->memory = texts;
    struct reader reader = { .config = config, .faults = faults, .texts = &texts->arena };
    config->path = config_keep(&reader, ahoy_span(path));
    reader.folder = folder_of(config->path);
    bool sound = read_all(&reader, (struct span){ text, size });
    free(reader.promises);
    free(reader.insecure);
    if (!sound) {
        ahoyd_config_free(config);
        return NULL;
    }
    return config;
}

static void tell(struct ahoyd_config_faults *faults, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct ahoyd_config_faults *faults, const char *path, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    faults->count = 1;
    if (faults->told != NULL)
        faults->told(faults->context, path, 0, what);
}

struct ahoyd_config *ahoyd_config_load(const char *path, struct ahoyd_config_faults *faults)
{
    struct ahoyd_config *config = NULL;
    char *text = malloc(FILE_LIMIT + 1);
    FILE *file = fopen(path, "r");
    if (file == NULL || text == NULL) {
        tell(faults, path, "cannot be opened: %s; name the file with --config", strerror(errno));
        goto out;
    }
    size_t size = fread(text, 1, FILE_LIMIT + 1, file);
    if (ferror(file) != 0)
        tell(faults, path, "cannot be read: %s", strerror(errno));
    else if (size > FILE_LIMIT)
        tell(faults, path, "is larger than %d bytes; is it a configuration?", FILE_LIMIT);
    else
        config = ahoyd_config_parse(text, size, path, faults);
out:
    if (file != NULL)
        fclose(file);
    free(text);
    return config;
}

void ahoyd_config_free(struct ahoyd_config *config)
{
    if (config == NULL)
        return;
    struct texts *texts = config->memory;
    ahoy_arena_release(&texts->arena);
    ahoy_chunks_fini(&texts->chunks);
    free(texts);
    free(config->listens);
    free(config->domains);
    free(config->trunks);
    free(config->routes);
    free(config);
}
