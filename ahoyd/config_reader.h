/* What the files of the configuration reader share; nobody else includes it. */
#pragma once

#include <lua.h>

#include "ahoyd/config.h"
#include "libahoy/base/arena.h"

enum {
    CONFIG_DOMAINS_LIMIT = 1024,
    CONFIG_USERS_LIMIT = 4096,
    CONFIG_TRUNKS_LIMIT = 1024,
    CONFIG_GROUPS_LIMIT = 1024,
    CONFIG_ROUTES_LIMIT = 4096,
    CONFIG_ITEMS_LIMIT = 16384, /* All uses of words. */
    CONFIG_TEXTS_LIMIT = 64     /* Of one option. */
};

/* The names that a file may use. */
struct vocabulary {
    void (*define)(lua_State *lua);
    const char *const *(*names)(size_t *count); /* For suggestions. */
};

struct reader {
    const struct vocabulary *vocabulary;
    struct span path; /* Of the file. */
    struct span text; /* What is run. */
    struct ahoyd_config *config;
    struct ahoyd_config_faults *faults;
    struct ahoy_arena *texts;
    struct span folder; /* Of the configuration file: relative paths begin here. */
    bool *insecure;     /* As many as config->domains: "insecure = true" was said. */
    struct zones {      /* Those that were read, the last one first. */
        struct ahoyd_zone zone;
        struct zones *next;
    } * zones;
    /* 0: not said yet. */
    int store_line, users_line, node_line, control_line, trace_line, workers_line, dns_line,
        udp_line, overload_line, push_line, observe_line, records_line, log_line, hep_line,
        api_line;
    bool out_of_memory;
};

/* The reader that a Lua state works for. */
struct reader *config_reader_of(lua_State *lua);

/* Tells a fault at |line|; |format| as printf has it. */
void config_fault(struct reader *reader, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The line of the configuration that is being run. */
int config_line(lua_State *lua);

/* A copy that lives as long as the configuration; NUL behind it, not counted. */
struct span config_keep(struct reader *reader, struct span text);

/* The nearest of |names| to |word|, or NULL where none is near enough to have been meant. */
const char *config_nearest(struct span word, const char *const *names, size_t count);

/* The bytes that a Lua state uses, and may use. */
struct config_budget {
    size_t used, limit;
};

/* config_lua.c: runs |text| in a new state, to be closed, that lives in |budget|; NULL where memory
 * is refused.  What Lua says of it is a fault. */
lua_State *config_lua_run(struct reader *reader, struct span text, struct config_budget *budget);
/* What runs from now on is stopped by an error behind so many instructions. */
void config_lua_limit(lua_State *lua, int instructions);
/* The error on top of the stack, and its line, 0 where it has none. */
const char *config_lua_error(lua_State *lua, int *line);

/* Runs |text| within the limits, with the names of its vocabulary; what Lua says of it is a
 * fault. */
void config_run(struct reader *reader, struct span text);
/* The bytes of a file that is no larger than a configuration may be, to be freed; NULL, and a
 * fault, where they cannot be had. */
char *config_read_file(const char *path, struct ahoyd_config_faults *faults, size_t *size);

/* config_items.c: notes that the file says |word|, with what is on the stack. */
void config_note(lua_State *lua, const char *word);

/* listen, domain, store ... */
extern const struct vocabulary config_words;
int config_word_tls(lua_State *lua);     /* One of them, in config_tls.c. */
int config_word_user(lua_State *lua);    /* One in config_user.c, ... */
int config_word_push(lua_State *lua);    /* ... one in config_push.c, ... */
int config_word_observe(lua_State *lua); /* ... three in config_observe.c, ... */
int config_word_log(lua_State *lua);
int config_word_hep(lua_State *lua);
int config_word_api(lua_State *lua);     /* ... one in config_api.c, ... */
int config_word_process(lua_State *lua); /* ... one in config_process.c, ... */
int config_word_dns(lua_State *lua);     /* ... one in config_dns.c, ... */
int config_word_store(lua_State *lua);   /* ... four in config_store.c. */
int config_word_records(lua_State *lua);
int config_word_users(lua_State *lua);
int config_word_node(lua_State *lua);
int config_word_trunk(lua_State *lua); /* One in config_trunks.c, ... */
int config_word_group(lua_State *lua); /* ... two in config_routes.c. */
int config_word_route(lua_State *lua);
/* What only the whole can tell: what routes lead to, domains without passwords off loopback. */
void config_finish(struct reader *reader);

/* Whether nobody but this machine reaches what listens at |ip|. */
bool config_is_local(const struct ahoy_ip *ip);
/* "192.0.2.53" or "192.0.2.53:5353", IPv6 in brackets where there is a port; else that is
 * |usual_port|. */
bool config_read_address(struct span text, uint16_t usual_port, struct ahoy_ip *ip);
/* |path| from the folder of the configuration file, where it is relative; NULL where it is too
 * long or memory is refused. */
char *config_keep_path(struct reader *reader, struct span path);
/* The text at |index|, or a fault that says what |word| takes. */
bool config_text(lua_State *lua, int index, const char *word, const char *usage, struct span *text);
/* Reads |text| as |scheme| and a path, and keeps that; NULL and a fault where it is not that. */
char *config_scheme_path(lua_State *lua, struct span text, struct span scheme, const char *usage);
/* Whether |word| is said for the first time, |line| being 0; else a fault. */
bool config_once(lua_State *lua, const char *word, int *line);

/* Room for one more in |*list| of |count|, up to |limit|; a fault where there is none. */
bool config_room(lua_State *lua, const char *word, void *list, size_t count, size_t item_size,
                 size_t limit);
/* A host name in lower case, kept; false and a fault where it is none. */
bool config_domain_name(lua_State *lua, const char *word, struct span text, struct span *kept);

/* What may stand in a table of options. */
enum option_type {
    OPTION_TEXT,
    OPTION_NUMBER,
    OPTION_FLAG,
    OPTION_TEXTS,
    OPTION_FUNCTION,
    OPTION_LIST, /* A text, or a table: of texts, where config_texts reads it. */
    OPTION_MAP   /* A table of texts by texts: config_prefixes. */
};

enum { OPTION_TEXTS_LIMIT = 8 };

struct option {
    const char *name; /* "1" is what stands first in the table, without a name. */
    enum option_type type;
    uint64_t least, most; /* OPTION_NUMBER */
    /* Filled by config_options. */
    bool given;
    struct span text; /* Lua's; keep a copy. */
    uint64_t number;  /* Of OPTION_TEXTS: how many. */
    bool flag;
    struct span texts[OPTION_TEXTS_LIMIT]; /* Lua's too. */
};

/* Reads the table at |index| (or nothing, where it is absent) into |options|; unknown names and
 * wrong types are faults, told with |word|, and false is returned. */
bool config_options(lua_State *lua, int index, const char *word, struct option *options,
                    size_t count);

/* Reads what stands on top of the stack: a text, or a table of options with it; the first of
 * |options| is "1".  False, and a fault, where there is no text. */
bool config_item(lua_State *lua, const char *word, const char *usage, struct option *options,
                 size_t count);

/* Reads |option|, an OPTION_LIST of the table at |index|, into copies of its 1 to 64 texts, where
 * it is given; false, and a fault, where it holds something else. */
bool config_texts(lua_State *lua, int index, const char *word, const struct option *option,
                  struct ahoyd_texts *texts);
/* The same of an OPTION_MAP, into prefixes of numbers. */
bool config_prefixes(lua_State *lua, int index, const char *word, const struct option *option,
                     struct ahoyd_prefixes *prefixes);

/* The number of the option's text among |names|, 0 where none was given; false, and a fault, where
 * it is none of them. */
bool config_choice(lua_State *lua, const char *word, const struct option *option,
                   const char *const *names, size_t count, unsigned *choice);

/* The options of how a domain serves its users, side by side and in this order. */
enum {
    CONFIG_MODE,
    CONFIG_RING,
    CONFIG_RING_TIME,
    CONFIG_REDIRECTIONS,
    CONFIG_SERVICE_ROUTE,
    CONFIG_SERVING_OPTIONS
};
/* config_serving.c: reads them; false, and a fault, where one is unknown. */
bool config_read_serving(lua_State *lua, const struct option *options, struct ahoyd_domain *domain);

/* The options of what a user may have, the same way. */
enum { CONFIG_CONTACTS, CONFIG_CALLS, CONFIG_UNANSWERED, CONFIG_LIMITS_OPTIONS };
#define CONFIG_CONTACTS_RANGE .type = OPTION_NUMBER, .least = 1, .most = AHOY_BINDINGS_LIMIT
#define CONFIG_CALLS_RANGE    .type = OPTION_NUMBER, .least = 1, .most = 1000
/* config_user.c: reads them; those that are not given are as in |otherwise|. */
struct ahoyd_limits config_read_limits(const struct option *options,
                                       const struct ahoyd_limits *otherwise);
/* Sorts the users; a fault for each who stands there twice. */
void config_check_users(struct reader *reader);

/* The options of how users prove who they are, the same way. */
enum {
    CONFIG_AUTH,
    CONFIG_ALGORITHMS,
    CONFIG_QOP,
    CONFIG_USERHASH,
    CONFIG_RSPAUTH,
    CONFIG_USER_CERTIFICATES,
    CONFIG_AUTH_OPTIONS
};
/* config_auth.c: reads them; false, and a fault, where one is unknown. */
bool config_read_auth(lua_State *lua, const struct option *options, struct ahoyd_domain *domain);

/* The options of TLS, side by side and in this order in the table of a word that has them. */
enum {
    CONFIG_CERTIFICATE,
    CONFIG_KEY,
    CONFIG_PAIR,
    CONFIG_AUTHORITIES = CONFIG_PAIR,
    CONFIG_VERIFY,
    CONFIG_TLS_OPTIONS
};

/* config_origins.c: the origins of a listener, with spaces between; false, and a fault, where they
 * are none, or not for its transport. */
bool config_read_origins(lua_State *lua, const struct option *option, struct ahoyd_listen *listen);

/* config_trunks.c: where the trunk of that name stands; false where there is none. */
bool config_find_trunk(const struct ahoyd_config *config, struct span name, size_t *index);
/* Whether a trunk or a group may have that name; else a fault. */
bool config_name_is_free(lua_State *lua, const char *word, struct span name);
/* config_routes.c */
bool config_find_group(const struct ahoyd_config *config, struct span name, size_t *index);
/* config_goals.c: reads where the value on top of the stack leads; false, and a fault, where it is
 * no such thing. */
bool config_read_goals(lua_State *lua, const char *word, struct ahoyd_goals *goals);
/* Whether |text| is an address of a user of ours. */
bool config_find_user(const struct ahoyd_config *config, struct span text, struct span *user,
                      size_t *domain);
/* In the end: finds what they mean, or tells a fault at |line|. */
void config_resolve_goals(struct reader *reader, const char *word, int line,
                          struct ahoyd_goals *goals);
/* config_zones.c: the zone of that name, read once; NULL for UTC.  False, and a fault, where there
 * is none. */
bool config_read_zone(lua_State *lua, struct span name, const struct ahoyd_zone **zone);

/* config_tls.c: reads certificate and key, which are there together or not at all.  False, and a
 * fault, where one is missing. */
bool config_read_pair(lua_State *lua, const char *word, const struct option *options,
                      struct ahoyd_pair *pair);
/* Reads those of a listener, for its transport. */
bool config_read_listen_tls(lua_State *lua, const struct option *options,
                            struct ahoyd_listen *listen);
/* What only the whole can tell. */
void config_check_tls(struct reader *reader);
void config_check_routes(struct reader *reader);
void config_check_store(struct reader *reader);
