/* A function sees a table with what is known of the call, and may ask for header fields; it can
 * keep what it likes in locals of the file, for this worker alone. */
#include "ahoyd/script.h"

#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "ahoyd/config_reader.h"
#include "ahoyd/routing.h"

/* The reader first: what Lua's words find is that. */
struct ahoyd_script {
    struct reader reader;
    struct ahoyd_config_faults faults;
    struct config_budget budget;
    lua_State *lua;
    struct ahoyd_call *call; /* The one that is asked about. */
    size_t count;            /* Functions that have been found. */
    int functions[CONFIG_ROUTES_LIMIT];
};

static struct ahoyd_script *script_of(lua_State *lua)
{
    return (struct ahoyd_script *)(void *)config_reader_of(lua);
}

static int ignore(lua_State *lua)
{
    (void)lua; /* It was heard when the file was loaded. */
    return 0;
}

static int take_route(lua_State *lua)
{
    struct ahoyd_script *script = script_of(lua);
    if (!lua_istable(lua, 1) || script->count == CONFIG_ROUTES_LIMIT)
        return 0;
    lua_getfield(lua, 1, "when");
    if (lua_isfunction(lua, -1))
        script->functions[script->count++] = luaL_ref(lua, LUA_REGISTRYINDEX);
    return 0;
}

static const char *const *list_names(size_t *count)
{
    return config_words.names(count);
}

static void define(lua_State *lua)
{
    size_t count;
    const char *const *names = list_names(&count);
    for (size_t i = 0; i < count; i++)
        lua_register(lua, names[i], ignore);
    lua_register(lua, "route", take_route);
}

void ahoyd_script_free(struct ahoyd_script *script)
{
    if (script == NULL)
        return;
    if (script->lua != NULL)
        lua_close(script->lua);
    free(script);
}

struct ahoyd_script *ahoyd_script_new(const struct ahoyd_config *config)
{
    static const struct vocabulary vocabulary = { define, list_names };
    struct ahoyd_script *script = calloc(1, sizeof *script);
    if (script == NULL)
        return NULL;
    script->reader = (struct reader){ .vocabulary = &vocabulary,
                                      .path = config->path,
                                      .faults = &script->faults };
    script->lua = config_lua_run(&script->reader, config->script, &script->budget);
    if (script->lua == NULL || script->faults.count > 0 || script->count != config->when_count) {
        ahoyd_script_free(script);
        return NULL;
    }
    script->budget.limit = script->budget.used + AHOYD_SCRIPT_MEMORY_LIMIT;
    return script;
}

/* call.header("Subject"): the value of the first row of that name, or nil. */
static int get_header(lua_State *lua)
{
    const struct ahoyd_call *call = script_of(lua)->call;
    struct span name;
    name.at = luaL_checklstring(lua, 1, &name.size);
    for (size_t i = 0; i < call->message->field_count; i++) {
        const struct ahoy_field *field = &call->message->fields[i];
        bool is_known = field->header != AHOY_HEADER_OTHER;
        if (is_known ? field->header == ahoy_header_parse(name)
                     : ahoy_span_equal_nocase(field->name, name)) {
            lua_pushlstring(lua, field->value.at, field->value.size);
            return 1;
        }
    }
    return 0;
}

static void set_text(lua_State *lua, const char *name, struct span text)
{
    lua_pushlstring(lua, text.size > 0 ? text.at : "", text.size);
    lua_setfield(lua, -2, name);
}

static void push_call(lua_State *lua, struct ahoyd_call *call)
{
    static const char *const callers[] = { "stranger", "user", "trunk" };
    char space[80];
    struct ahoy_buf source = ahoy_buf_over(space, sizeof space);
    ahoy_ip_print_bare(&call->hop->remote, &source);
    ahoyd_routing_read(call);
    lua_createtable(lua, 0, 12);
    set_text(lua, "method", call->message->method_text);
    set_text(lua, "user", call->user);
    set_text(lua, "number", call->number);
    set_text(lua, "host", call->uri->host);
    set_text(lua, "transport", ahoy_transport_uri_name((enum ahoy_transport)call->hop->transport));
    set_text(lua, "source", ahoy_buf_text(&source));
    set_text(lua, "from", ahoy_span(callers[call->caller]));
    if (call->caller == AHOYD_CALLER_TRUNK)
        set_text(lua, "trunk", call->trunk->name);
    if (call->caller_domain != NULL) {
        set_text(lua, "caller", call->caller_user);
        set_text(lua, "caller_domain", call->caller_domain->name);
    }
    lua_pushinteger(lua, (lua_Integer)(call->now_ms / 1000));
    lua_setfield(lua, -2, "time");
    lua_pushcfunction(lua, get_header);
    lua_setfield(lua, -2, "header");
}

/* Within a protected call, as memory may be refused anywhere. */
static int ask(lua_State *lua)
{
    struct ahoyd_script *script = script_of(lua);
    lua_rawgeti(lua, LUA_REGISTRYINDEX, lua_tointeger(lua, 1));
    push_call(lua, script->call);
    lua_call(lua, 1, 1);
    return 1;
}

bool ahoyd_script_ask(struct ahoyd_script *script, struct ahoyd_call *call, size_t number,
                      struct ahoyd_script_fault *fault)
{
    lua_State *lua = script->lua;
    script->call = call;
    config_lua_limit(lua, AHOYD_SCRIPT_INSTRUCTIONS_LIMIT);
    lua_pushcfunction(lua, ask);
    lua_pushinteger(lua, script->functions[number]);
    bool answers = lua_pcall(lua, 1, 1, 0) == LUA_OK;
    bool holds = answers && lua_toboolean(lua, -1) != 0;
    if (!answers) {
        fault->is_told = true;
        snprintf(fault->text, sizeof fault->text, "%s", config_lua_error(lua, &fault->line));
    }
    lua_settop(lua, 0);
    return holds;
}
