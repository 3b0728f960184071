/* The same in PostgreSQL: rows are one text of JSON, which it takes apart itself.  A row that an
 * answer was lost of, and that comes again, is left as it is. */
#include "ahoyd/records/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ahoyd/store/pgsql_link.h"

enum { STEPS = 1, LOOK_MS = 100 };

#define TYPE_TIME           "timestamptz"
#define TYPE_TEXT           "text"
#define TYPE_NUMBER         "bigint"
#define FIRST(name, type)   #name " " TYPE_##type
#define FURTHER(name, type) ", " #name " " TYPE_##type

/* Each brings the tables of the one before up to date; nodes that start together do it one after
 * the other.  The first one asks whether there are any. */
static const char *const steps[STEPS] = {
    "DO $do$ BEGIN "
    "PERFORM pg_advisory_xact_lock(5061); "
    "IF to_regclass('ahoy_calls') IS NULL THEN"
    "  CREATE TABLE ahoy_calls (" AHOYD_RECORD_COLUMNS(
        FIRST, FURTHER) "    , UNIQUE (call_id, begun, node));"
                        "  CREATE INDEX ahoy_calls_begun ON ahoy_calls (begun);"
                        "  CREATE TABLE ahoy_calls_schema (version bigint NOT NULL);"
                        "  INSERT INTO ahoy_calls_schema VALUES (1);"
                        "END IF; END $do$",
};

static const char insertion[] =
    "INSERT INTO ahoy_calls (" AHOYD_RECORD_COLUMN_LIST ") SELECT " AHOYD_RECORD_COLUMN_LIST
    " FROM json_populate_recordset(NULL::ahoy_calls, convert_from($1, 'UTF8')::json)"
    " ON CONFLICT DO NOTHING";

struct pgsql {
    const char *url;
    struct pgsql_link link;
    size_t step; /* Those that this connection has taken. */
};

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* Waits until something has come of what is under way, or the link has lost its patience. */
static enum pgsql_news await(struct pgsql *pgsql, char *fault, size_t fault_size)
{
    enum pgsql_news news = PGSQL_NOTHING;
    short happened = 0;
    uint64_t end_ms = now() + 2 * PGSQL_PATIENCE_MS;
    while (news == PGSQL_NOTHING && now() < end_ms) {
        struct pollfd fd;
        news = pgsql_link_step(&pgsql->link, pgsql->url, happened, now(), fault, fault_size);
        pgsql_link_watch(&pgsql->link, &fd);
        happened = news == PGSQL_NOTHING && poll(&fd, 1, LOOK_MS) > 0 ? fd.revents : 0;
    }
    return news;
}

/* Whether |query| was carried out. */
static bool ask(struct pgsql *pgsql, const struct pgsql_query *query, char *fault,
                size_t fault_size)
{
    if (pgsql_link_ask(&pgsql->link, query, now()) &&
        await(pgsql, fault, fault_size) == PGSQL_ANSWERED) {
        if (PQresultStatus(pgsql->link.result) == PGRES_COMMAND_OK)
            return true;
        snprintf(fault, fault_size, "%s", PQresultErrorMessage(pgsql->link.result));
    }
    return false;
}

/* Whether there is a connection, and the tables. */
static bool prepare(struct pgsql *pgsql, char *fault, size_t fault_size)
{
    char why[256];
    if (pgsql->link.state == PGSQL_IDLE &&
        pgsql_link_step(&pgsql->link, pgsql->url, POLLIN, now(), why, sizeof why) == PGSQL_LOST)
        pgsql->link.deadline_ms = 0; /* It broke while nobody used it: it is tried again at once. */
    if (pgsql->link.state == PGSQL_RESTING) {
        pgsql->step = 0;
        if (await(pgsql, fault, fault_size) != PGSQL_CONNECTED)
            return false;
    }
    for (; pgsql->step < STEPS; pgsql->step++) {
        const struct pgsql_query query = { .text = steps[pgsql->step], .is_script = true };
        if (!ask(pgsql, &query, fault, fault_size))
            return false;
    }
    return true;
}

static bool pgsql_write(void *sink, const json_t *rows, char *fault, size_t fault_size)
{
    struct pgsql *pgsql = sink;
    char *text = json_dumps(rows, JSON_COMPACT);
    snprintf(fault, fault_size, "%s", text != NULL ? "it does not answer" : "memory is refused");
    const struct pgsql_query query = { .text = insertion,
                                       .count = 1,
                                       .values = { text },
                                       .sizes = { text != NULL ? (int)strlen(text) : 0 } };
    bool done =
        text != NULL && prepare(pgsql, fault, fault_size) && ask(pgsql, &query, fault, fault_size);
    free(text);
    return done;
}

static void pgsql_close(void *sink)
{
    struct pgsql *pgsql = sink;
    pgsql_link_close(&pgsql->link);
    free(pgsql);
}

/* It may come to life later than we do. */
static void *pgsql_open(const char *place, char *fault, size_t fault_size)
{
    struct pgsql *pgsql = calloc(1, sizeof *pgsql);
    if (pgsql == NULL)
        snprintf(fault, fault_size, "memory ran out");
    else
        pgsql->url = place;
    return pgsql;
}

const struct ahoyd_sink ahoyd_sink_pgsql = { pgsql_open, pgsql_write, pgsql_close };
