/* A connection to PostgreSQL that does one thing at a time, and waits for none. */
#pragma once

#include <libpq-fe.h>
#include <poll.h>

#include "ahoyd/store/pgsql_row.h"

enum {
    PGSQL_PATIENCE_MS = 5000, /* For a connection, and for an answer. */
    PGSQL_ARGUMENTS = 8       /* Of a query, at most. */
};

enum pgsql_state { PGSQL_RESTING, PGSQL_CONNECTING, PGSQL_IDLE, PGSQL_BUSY };

/* Zeroed: it connects with the next step. */
struct pgsql_link {
    enum pgsql_state state;
    PGconn *connection;   /* NULL while it rests. */
    PGresult *result;     /* Of what is under way, as far as it has come. */
    uint64_t deadline_ms; /* When it is given up, or, resting, tried again. */
    unsigned rest_ms;     /* How long it rested last. */
    short events;         /* That poll(2) is to wait for. */
};

enum pgsql_news { PGSQL_NOTHING, PGSQL_CONNECTED, PGSQL_ANSWERED, PGSQL_LOST };

/* Arguments and results are binary. */
struct pgsql_query {
    const char *text;
    bool is_script;                      /* It may be several statements, and has no arguments. */
    int count;                           /* Of arguments. */
    const char *values[PGSQL_ARGUMENTS]; /* NULL for SQL's. */
    int sizes[PGSQL_ARGUMENTS];
    struct name_number numbers[PGSQL_ARGUMENTS]; /* Where values may point to. */
};

/* Whether |result| is rows of |columns| binary values: what was asked for. */
bool pgsql_result_fits(const PGresult *result, int columns);
/* A value, which lives as long as |result|; span.at is NULL where it is, or is not there. */
struct span pgsql_value_of(const PGresult *result, int row, int column);

/* Fills |fd|; fd->fd is -1 where there is nothing to wait for. */
void pgsql_link_watch(const struct pgsql_link *link, struct pollfd *fd);
/* Goes on with what is under way.  After PGSQL_ANSWERED link->result is the answer, which the
 * caller may take; PGSQL_LOST tells why in |why|, as far as it is known. */
enum pgsql_news pgsql_link_step(struct pgsql_link *link, const char *url, short happened,
                                uint64_t now_ms, char *why, size_t why_size);
/* Of one that is PGSQL_IDLE.  False where it broke: PGSQL_LOST comes with the next step. */
bool pgsql_link_ask(struct pgsql_link *link, const struct pgsql_query *query, uint64_t now_ms);
void pgsql_link_close(struct pgsql_link *link);
