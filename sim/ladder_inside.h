/* What the ladder's files share: ladder_read.c reads it, ladder_world.c and ladder_parties.c build
 * the world that it wants, ladder.c plays it and compares. */
#pragma once

#include "sim/host.h"
#include "sim/ladder.h"
#include "sim/party.h"
#include "sim/phone.h"

enum {
    SERVERS_LIMIT = 4,
    ANY_SERVER = SERVERS_LIMIT,
    PARTIES_FIRST = 10,
    DOMAINS_LIMIT = 8,
    PARTIES_LIMIT = 8,
    LINES_LIMIT = 256,
    NAME_LIMIT = 16,
    HOST_LIMIT = 64,
    SETTING_LIMIT = 256
};

/* What a line says. */
enum line_kind {
    LINE_MESSAGE,
    LINE_HOLDS,
    LINE_CONNECTS,
    LINE_CLOSES,
    LINE_UNREACHABLE,
    LINE_CALLS, /* From here on: phones. */
    LINE_ANSWERS,
    LINE_REJECTS,
    LINE_PROGRESSES, /* With early media. */
    LINE_PAUSES,     /* The call is held. */
    LINE_RESUMES,
    LINE_TRANSFERS, /* The call goes to somebody else, ... */
    LINE_REFERS,    /* Somebody's phone is to call somebody. */
    LINE_JOINS,     /* ... or the one before it to its peer. */
    LINE_ENDS,
    LINE_REGISTERS,
    LINE_KINDS
};

/* A line of the script: at a time, from one to another, a message. */
struct ladder_line {
    enum line_kind kind;
    unsigned number;
    uint64_t at_ms;
    char from[NAME_LIMIT], to[NAME_LIMIT];
    char method[NAME_LIMIT];
    unsigned status;         /* 0: a request. */
    char callee[HOST_LIMIT]; /* Or whatever else follows a deed, ... */
    char second[HOST_LIMIT]; /* ... and what follows that. */
    bool again;
    unsigned flaws; /* enum sim_flaw */
    uint64_t sent;  /* A hash of the bytes that came true of it. */
    struct sim_row rows[SIM_ROWS_LIMIT];
    size_t row_count;
};

/* A domain, as the configuration of its server has it. */
struct ladder_domain {
    char name[HOST_LIMIT];
    size_t server;
    bool is_digest; /* Its users have a password. */
    char words[HOST_LIMIT];
};

struct ladder;

struct ladder_server {
    struct ladder *ladder;
    char name[NAME_LIMIT];
    struct sim_host *host;
};

/* A scripted party, or a real phone. */
struct ladder_party {
    struct ladder *ladder;
    struct sim_party *party;
    struct sim_phone *phone;
    struct ahoy_ip ip;
    char name[NAME_LIMIT];
    size_t server;               /* Where it is at home. */
    char host[HOST_LIMIT];       /* What it calls itself. */
    char proved[2 * NAME_LIMIT]; /* The name in its certificate. */
    struct ahoy_peer peer;       /* This, as TLS tells it. */
    bool v6;
    struct sim_party_kind kind;
};

struct ladder {
    const char *path;
    struct sim_world *world;
    struct ladder_server servers[SERVERS_LIMIT];
    size_t server_count;
    struct ladder_domain domains[DOMAINS_LIMIT];
    size_t domain_count;
    struct ladder_party parties[PARTIES_LIMIT];
    size_t party_count;
    struct sim_link link;
    bool v6, all, direct;      /* "world" */
    char trunk[SETTING_LIMIT]; /* Its targets, as the configuration has them. */
    bool is_stateless;         /* The route to it (16.11). */
    struct sim_zone *zone;
    struct ladder_line lines[LINES_LIMIT];
    size_t line_count;
    size_t next; /* The first line that has not come true. */
    bool verbose, failed;
};

/* Says what is wrong with line |number|, or with what happened there. */
void sim_ladder_fail(struct ladder *ladder, unsigned number, const char *what, const char *detail);
/* "closes"; "" for a message. */
const char *sim_ladder_deed(enum line_kind kind);

/* ladder.c: |name| sends this: it must be the next line.  Returns whether the link loses it. */
bool sim_ladder_sent(struct ladder *ladder, const char *name, const struct ahoy_ip *to,
                     struct span bytes);

/* ladder_read.c: false where something cannot be read. */
bool sim_ladder_read(struct ladder *ladder, const char *text);

/* ladder_world.c: the number of the server, or of the domain |name| of |server|, which may be
 * ANY_SERVER; their count for none. */
size_t sim_ladder_server(const struct ladder *ladder, const char *name);
size_t sim_ladder_domain(const struct ladder *ladder, const char *name, size_t server);
/* The first domain of |server|. */
const struct ladder_domain *sim_ladder_home(const struct ladder *ladder, size_t server);
/* The address of server |number|, or of party |number| - PARTIES_FIRST. */
struct ahoy_ip sim_ladder_ip(bool v6, size_t number);
/* Where the requests of |party| to |name| go; false where nobody has that name. */
bool sim_ladder_address(struct ladder *ladder, const struct ladder_party *party, const char *name,
                        struct ahoy_ip *ip);
/* Makes the world and the servers in it, unless that has been done. */
void sim_ladder_open(struct ladder *ladder);

/* ladder_parties.c: NULL for none. */
struct ladder_party *sim_ladder_party(struct ladder *ladder, const char *name);

/* The settings, in either of the two, by their first word.  |words| are those of the line, this
 * among them. */
#define LADDER_SETTINGS(SETTING)                                                                   \
    SETTING(world)                                                                                 \
    SETTING(delay)                                                                                 \
    SETTING(server)                                                                                \
    SETTING(domain)                                                                                \
    SETTING(trunk)                                                                                 \
    SETTING(dns)                                                                                   \
    SETTING(party)                                                                                 \
    SETTING(phone)                                                                                 \
    SETTING(register)                                                                              \
    SETTING(flows)                                                                                 \
    SETTING(contact)                                                                               \
    SETTING(named)

#define LADDER_SETTER(word)                                                                        \
    void sim_ladder_set_##word(struct ladder *ladder, unsigned number, char **words, size_t count);
LADDER_SETTINGS(LADDER_SETTER)
#undef LADDER_SETTER
