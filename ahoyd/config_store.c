/* Where bindings, users and records of calls are kept, and by which name the nodes that share them
 * reach this one. */
#include "ahoyd/config_reader.h"
#include "ahoyd/store/pgsql_url.h"
#include "ahoyd/store/redis_url.h"

/* What the URL of a store says may be a secret: no fault repeats it. */
static char *read_pgsql(lua_State *lua, const char *word, struct span text)
{
    struct reader *reader = config_reader_of(lua);
    if (!ahoy_span_starts_nocase(text, SPAN("postgres")) || !pgsql_url_is_sound(text.at))
        config_fault(reader, config_line(lua),
                     "%s: libpq does not understand the URL; write "
                     "\"postgresql://ahoy:PASSWORD@10.0.0.9/ahoy\"",
                     word);
    return (char *)(uintptr_t)config_keep(reader, text).at;
}

static void read_store_pgsql(lua_State *lua, struct span text)
{
    struct ahoyd_config *config = config_reader_of(lua)->config;
    config->store = AHOYD_STORE_PGSQL;
    config->store_path = read_pgsql(lua, "store", text);
}

static void read_redis(lua_State *lua, struct span text)
{
    struct reader *reader = config_reader_of(lua);
    struct redis_url url;
    const char *why;
    if (redis_url_parse(text, &url, &why)) {
        reader->config->store = AHOYD_STORE_REDIS;
        reader->config->store_path = (char *)(uintptr_t)config_keep(reader, text).at;
    } else {
        config_fault(reader, config_line(lua),
                     "store: the URL is not understood: %s; write "
                     "\"redis-cluster://10.0.0.1:6379,10.0.0.2:6379\"",
                     why);
    }
    explicit_bzero(&url, sizeof url);
}

int config_word_store(lua_State *lua)
{
    static const char usage[] = "store \"sqlite:ahoy.db\" or store \"memory:\"";
    struct reader *reader = config_reader_of(lua);
    struct span text;
    if (!config_once(lua, "store", &reader->store_line) ||
        !config_text(lua, 1, "store", usage, &text))
        return 0;
    if (ahoy_span_equal(text, SPAN("memory:")))
        reader->config->store = AHOYD_STORE_MEMORY;
    else if (ahoy_span_starts_nocase(text, SPAN("redis")))
        read_redis(lua, text);
    else if (ahoy_span_starts_nocase(text, SPAN("postgres")))
        read_store_pgsql(lua, text);
    else
        reader->config->store_path = config_scheme_path(lua, text, SPAN("sqlite:"), usage);
    return 0;
}

int config_word_users(lua_State *lua)
{
    static const char usage[] = "users \"sqlite:users.db\" or "
                                "users \"postgresql://ahoy:PASSWORD@10.0.0.9/ahoy\"";
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct span text;
    if (!config_once(lua, "users", &reader->users_line) ||
        !config_text(lua, 1, "users", usage, &text))
        return 0;
    if (ahoy_span_starts_nocase(text, SPAN("postgres"))) {
        config->users = AHOYD_STORE_PGSQL;
        config->users_path = read_pgsql(lua, "users", text);
    } else {
        config->users = AHOYD_STORE_SQLITE;
        config->users_path = config_scheme_path(lua, text, SPAN("sqlite:"), usage);
    }
    return 0;
}

int config_word_records(lua_State *lua)
{
    static const char usage[] = "records \"csv:calls.csv\", records \"sqlite:calls.db\", or "
                                "records \"postgresql://ahoy:PASSWORD@10.0.0.9/ahoy\"";
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct span text;
    if (!config_once(lua, "records", &reader->records_line) ||
        !config_text(lua, 1, "records", usage, &text))
        return 0;
    if (ahoy_span_starts_nocase(text, SPAN("postgres"))) {
        config->records = AHOYD_RECORDS_PGSQL;
        config->records_place = read_pgsql(lua, "records", text);
    } else if (ahoy_span_starts_nocase(text, SPAN("sqlite:"))) {
        config->records = AHOYD_RECORDS_SQLITE;
        config->records_place = config_scheme_path(lua, text, SPAN("sqlite:"), usage);
    } else {
        config->records = AHOYD_RECORDS_CSV;
        config->records_place = config_scheme_path(lua, text, SPAN("csv:"), usage);
    }
    return 0;
}

/* Whether |text| names a host, a port and a transport at most, as a Route to this node does. */
static bool is_node(struct span text)
{
    struct ahoy_uri uri;
    return text.size <= AHOYD_NODE_LIMIT && ahoy_uri_parse(text, &uri, NULL) &&
           uri.scheme != AHOY_SCHEME_OTHER && !uri.has_user && uri.headers.size == 0;
}

int config_word_node(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    struct span text;
    if (!config_once(lua, "node", &reader->node_line) ||
        !config_text(lua, 1, "node", "node \"sip:10.0.0.1:5060\"", &text))
        return 0;
    if (is_node(text))
        reader->config->node = config_keep(reader, text);
    else
        config_fault(reader, config_line(lua),
                     "node \"%.100s\" is no SIP URI of this server; write "
                     "\"sip:10.0.0.1:5060\", or \"sip:10.0.0.1:5060;transport=tcp\"",
                     text.at);
    return 0;
}

void config_check_store(struct reader *reader)
{
    struct ahoyd_config *config = reader->config;
    bool is_shared = config->store == AHOYD_STORE_REDIS || config->store == AHOYD_STORE_PGSQL;
    if (is_shared && config->node.size == 0)
        config_fault(reader, reader->store_line,
                     "a store that nodes share needs to know how they reach this one: add "
                     "node \"sip:ADDRESS:PORT\", with an address on which it listens");
    if ((reader->records_line != 0 || reader->hep_line != 0) && config->ring_size == 0)
        config_fault(reader, reader->observe_line,
                     "records and hep are made of what observe remembers: give it memory");
    if (config->store == AHOYD_STORE_PGSQL && reader->users_line == 0) {
        config->users = AHOYD_STORE_PGSQL;
        config->users_path = config->store_path;
    }
    if (reader->store_line == 0)
        config->store_path = config_keep_path(reader, SPAN("ahoy.db"));
    if (config->users_path != NULL && config->store_path != NULL &&
        config->store == AHOYD_STORE_SQLITE && config->users == AHOYD_STORE_SQLITE &&
        strcmp(config->users_path, config->store_path) == 0)
        config_fault(
            reader, reader->users_line,
            "users has the file of the store, which keeps users anyway: name another file, "
            "or leave the word out");
}
