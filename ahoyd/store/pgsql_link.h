/* A connection to PostgreSQL that does one thing at a time, and waits for none. */
#pragma once

#include <libpq-fe.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { PGSQL_PATIENCE_MS = 5000 }; /* For a connection, and for an answer. */

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
    bool is_script; /* It may be several statements, and has no arguments. */
    int count;      /* Of arguments. */
    const char *values[5];
    int sizes[5];
};

/* A value of type bigint. */
struct pgsql_number {
    char bytes[8];
};
struct pgsql_number pgsql_number(uint64_t value);
/* 0 where it is null, or no bigint. */
uint64_t pgsql_number_of(const PGresult *result, int row, int column);

/* Fills |fd|; fd->fd is -1 where there is nothing to wait for. */
void pgsql_link_watch(const struct pgsql_link *link, struct pollfd *fd);
/* Goes on with what is under way.  After PGSQL_ANSWERED link->result is the answer, which the
 * caller may take; PGSQL_LOST tells why in |why|, as far as it is known. */
enum pgsql_news pgsql_link_step(struct pgsql_link *link, const char *url, short happened,
                                uint64_t now_ms, char *why, size_t why_size);
/* Of one that is PGSQL_IDLE.  False where it broke: PGSQL_LOST comes with the next step. */
bool pgsql_link_ask(struct pgsql_link *link, const struct pgsql_query *query, uint64_t now_ms);
void pgsql_link_close(struct pgsql_link *link);
