/* What the files of the configuration reader share; nobody else includes it. */
#pragma once

#include <lua.h>

#include "ahoyd/config.h"
#include "libahoy/base/arena.h"

enum { CONFIG_DOMAINS_LIMIT = 1024, CONFIG_TRUNKS_LIMIT = 1024, CONFIG_ROUTES_LIMIT = 4096 };

/* Where a name that must exist in the end was used; its faults are told when all has been read. */
struct promise {
    struct span trunk;
    int line;
};

struct reader {
    struct ahoyd_config *config;
    struct ahoyd_config_faults *faults;
    struct ahoy_arena *texts;
    struct span folder;       /* Of the configuration file: relative paths begin here. */
    struct promise *promises; /* As many as config->routes, in their order. */
    bool *insecure;           /* As many as config->domains: "insecure = true" was said. */
    /* 0: not said yet. */
    int store_line, node_line, control_line, trace_line, workers_line, dns_line, udp_line,
        overload_line, observe_line;
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

/* Defines listen, domain, store ... in |lua|. */
void config_words_define(lua_State *lua);
int config_word_tls(lua_State *lua); /* One of them, in config_tls.c. */
int config_word_dns(lua_State *lua); /* One in config_dns.c, ... */
int config_word_observe(lua_State *lua);
int config_word_store(lua_State *lua); /* ... two in config_store.c. */
int config_word_node(lua_State *lua);
/* The names of all words, for suggestions. */
const char *const *config_words_names(size_t *count);

/* What only the whole can tell: trunks that routes name, domains without passwords off loopback. */
void config_finish(struct reader *reader);

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

/* What may stand in a table of options. */
enum option_type { OPTION_TEXT, OPTION_NUMBER, OPTION_FLAG, OPTION_TEXTS };

enum { OPTION_TEXTS_LIMIT = 8 };

struct option {
    const char *name;
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

/* config_tls.c: reads certificate and key, which are there together or not at all.  False, and a
 * fault, where one is missing. */
bool config_read_pair(lua_State *lua, const char *word, const struct option *options,
                      struct ahoyd_pair *pair);
/* Reads those of a listener, for its transport. */
bool config_read_listen_tls(lua_State *lua, const struct option *options,
                            struct ahoyd_listen *listen);
/* What only the whole can tell. */
void config_check_tls(struct reader *reader);
void config_check_store(struct reader *reader);
