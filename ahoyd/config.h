/* The configuration: a Lua file that runs once and leaves this table behind.  Immutable
 * afterwards; workers share it. */
#pragma once

#include "ahoyd/route.h"
#include "libahoy/base/log.h"
#include "libahoy/syntax/challenge.h"

enum ahoyd_auth { AHOYD_AUTH_DIGEST, AHOYD_AUTH_NONE };
enum ahoyd_mode { AHOYD_MODE_PROXY, AHOYD_MODE_REDIRECT };
enum ahoyd_store_kind {
    AHOYD_STORE_MEMORY,
    AHOYD_STORE_SQLITE,
    AHOYD_STORE_REDIS,
    AHOYD_STORE_PGSQL
};

enum ahoyd_records_kind {
    AHOYD_RECORDS_NONE,
    AHOYD_RECORDS_CSV,
    AHOYD_RECORDS_SQLITE,
    AHOYD_RECORDS_PGSQL
};

enum { AHOYD_NAME_SERVERS_LIMIT = 8 };
enum { AHOYD_API_HOSTS_LIMIT = 8 };
enum { AHOYD_NODE_LIMIT = 128 }; /* Bytes of a node's URI. */
enum {
    AHOYD_PROVIDERS_LIMIT = 8, /* Push services. */
    AHOYD_HOOK_LIMIT = 1024    /* Bytes of the URL of the hook. */
};

enum ahoyd_verify { AHOYD_VERIFY_NONE, AHOYD_VERIFY_OPTIONAL, AHOYD_VERIFY_REQUIRED };

/* Files of TLS, absolute; NULL where there is none. */
struct ahoyd_pair {
    char *certificate, *key; /* Both or none. */
};

struct ahoyd_listen {
    enum ahoy_transport transport;
    struct ahoy_ip ip;
    struct span advertise; /* "host" or "host:port" for Via and Record-Route; empty: |ip|. */
    struct span origins;   /* WebSocket: as ahoy_listener has them. */
    struct ahoyd_pair pair;
    enum ahoyd_verify verify; /* Of clients' certificates ... */
    char *authorities;        /* ... which these have signed. */
    int line;                 /* Of the configuration file, for later errors. */
    uint64_t until_ms;        /* It is leaving (slots.h), and open so long; 0: it is not. */
    bool is_free;             /* It has left, and its number may be another's. */
};

/* What a user may have; 0: as much as he likes. */
struct ahoyd_limits {
    uint32_t contacts;   /* Bindings. */
    uint32_t calls;      /* That he begins in a second. */
    uint32_t unanswered; /* Of these, at once. */
};

/* A user who may have something else. */
struct ahoyd_exception {
    struct span aor; /* "user@domain", as bindings have it. */
    int line;
    struct ahoyd_limits limits;
};

struct ahoyd_domain {
    struct span name; /* Lower case. */
    enum ahoyd_auth auth;
    bool algorithms[AHOY_DIGEST_COUNT]; /* That are offered and taken. */
    bool takes_auth, takes_auth_int;    /* The qop: at least one. */
    bool userhash;                      /* Hashed names are taken. */
    bool takes_certificates;            /* Of its users, in place of a digest. */
    bool rspauth;                       /* A 200 to REGISTER proves that we know the password. */
    enum ahoyd_mode mode;
    bool in_order;             /* Contacts of a lower q ring later. */
    bool follows;              /* Redirections of its phones are followed. */
    uint32_t ring_time_s;      /* How long those of one q ring before the next do. */
    struct span service_route; /* What REGISTERs are told in it (RFC 3608), or empty. */
    uint32_t min_expires_s, max_expires_s, default_expires_s;
    struct ahoyd_limits limits;    /* Of its users. */
    struct ahoyd_pair pair;        /* For clients that ask for it by name. */
    struct ahoyd_prefixes numbers; /* From what its users dial to what routes compare. */
    size_t route;                  /* 1 + the first of its own, or 0. */
    int line;
};

/* What we show and whom we trust when we open a TLS connection. */
struct ahoyd_outward {
    struct ahoyd_pair pair;
    char *authorities; /* NULL: the system's. */
    int line;          /* 0: nothing is said. */
};

/* How phones that sleep are woken (RFC 8599). */
struct ahoyd_hook {
    char *url; /* Where that is asked for; NULL: they are not. */
    size_t provider_count;
    struct span providers[AHOYD_PROVIDERS_LIMIT]; /* The push services that it can ask. */
    uint32_t wait_s;                              /* How long a request waits for a phone. */
};

/* A word that the file uses. */
struct ahoyd_item {
    const char *word;
    struct span name; /* The text that it is given first, or empty. */
    int line;
    uint64_t sum; /* Of all that it is given. */
};

struct ahoyd_config_log {
    enum ahoy_log_level level; /* Lines above it are not written. */
    bool json, to_stdout;
};

/* What the process is allowed. */
struct ahoyd_process {
    const char *user; /* Who it becomes; NULL: it stays who it is. */
    bool filters;     /* System calls that it does not need are refused. */
    int line;         /* 0: nothing is said. */
};

/* The API and the console. */
struct ahoyd_api_door {
    struct ahoy_ip ip; /* Without a family: there is none. */
    char *token_path;
    bool writes; /* Things can be changed there. */
    size_t host_count;
    struct span hosts[AHOYD_API_HOSTS_LIMIT]; /* By which it may be called, beside addresses. */
};

struct ahoyd_config {
    struct span path;         /* The file. */
    struct ahoyd_item *items; /* All that it says, in its order. */
    size_t item_count;
    struct ahoyd_listen *listens;
    size_t listen_count;
    struct ahoyd_domain *domains;
    size_t domain_count;
    struct ahoyd_exception *exceptions; /* In the order of their names. */
    size_t exception_count;
    struct ahoyd_trunk *trunks;
    size_t trunk_count;
    size_t probe_count; /* Targets of trunks that are asked whether they are there. */
    struct ahoyd_group *groups;
    size_t group_count;
    struct ahoyd_route *routes;
    size_t route_count;
    size_t when_count;   /* Routes that ask a function. */
    struct span script;  /* The file, where there are any. */
    size_t common_route; /* 1 + the first for all of our domains, or 0. */
    struct ahoyd_outward outward;
    struct ahoyd_hook push;
    struct ahoyd_api_door api;
    enum ahoyd_store_kind store;
    char *store_path;            /* SQLite's; absolute.  Of a store that nodes share its URL. */
    enum ahoyd_store_kind users; /* Where users are kept, PGSQL or SQLITE, ... */
    char *users_path;            /* ... and the URL or the file; NULL: in the store. */
    struct span node; /* The SIP URI by which other nodes reach this one; empty: there are none. */
    enum ahoyd_records_kind records;
    char *records_place; /* Where they are kept: an absolute path, or PostgreSQL's URL. */
    char *control_path;  /* The Unix socket; absolute. */
    char *trace_path;    /* Where every message is noted as a line of JSON; NULL for nowhere. */
    struct ahoyd_config_log log;
    struct ahoyd_process process;
    struct ahoy_ip hep;   /* The Homer server; without a family: none. */
    uint32_t hep_id;      /* Which of its agents this is. */
    struct ahoy_ip http;  /* Where metrics are had by HTTP; without a family: nowhere. */
    size_t ring_size;     /* Bytes a worker for what happened last (docs/why.md); 0: nothing. */
    unsigned workers;     /* At least 1. */
    unsigned padding;     /* Bytes that a datagram may grow by. */
    uint32_t overload_ms; /* How long messages may wait before new requests are refused; 0: for
                           * ever. */
    struct ahoy_ip name_servers[AHOYD_NAME_SERVERS_LIMIT]; /* In place of resolv.conf's. */
    size_t name_server_count;
    char *anchor_path; /* Of DNSSEC's trust anchors; NULL: nothing is validated. */
    void *memory;      /* All texts. */
};

/* Told once for each fault: the line is 0 where the whole file is meant.  |what| says what is
 * wrong and how to mend it. */
struct ahoyd_config_faults {
    void (*told)(void *context, const char *file, int line, const char *what);
    void *context;
    unsigned count;
};

/* Runs |path| and checks all that can be checked without opening anything.  NULL where there was
 * a fault; every one has been told. */
struct ahoyd_config *ahoyd_config_load(const char *path, struct ahoyd_config_faults *faults);
/* The same from text, for tests; |path| names it and gives the folder for relative paths. */
struct ahoyd_config *ahoyd_config_parse(const char *text, size_t size, const char *path,
                                        struct ahoyd_config_faults *faults);
void ahoyd_config_free(struct ahoyd_config *config);
/* A copy that lives as long as the configuration, NUL behind it; without |at| where memory is
 * refused. */
struct span ahoyd_config_keep(struct ahoyd_config *config, struct span text);
/* What |user| of |domain| may have. */
const struct ahoyd_limits *ahoyd_config_limits(const struct ahoyd_config *config,
                                               const struct ahoyd_domain *domain, struct span user);
/* Whether a domain takes hashes of names, so that users must be found by those. */
bool ahoyd_config_hashes(const struct ahoyd_config *config);
