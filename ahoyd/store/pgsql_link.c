/* libpq, asked in ways that do not block (its manual, 34.4 "Asynchronous Command Processing").  A
 * host's name is the exception: libpq looks it up while everything else of the store waits. */
#include "ahoyd/store/pgsql_link.h"

#include <stdio.h>
#include <string.h>

enum { REST_MS = 250, REST_MOST_MS = 2000 };

bool pgsql_result_fits(const PGresult *result, int columns)
{
    bool fits = PQresultStatus(result) == PGRES_TUPLES_OK && PQnfields(result) == columns;
    for (int i = 0; fits && i < columns; i++)
        fits = PQfformat(result, i) == 1;
    return fits;
}

struct span pgsql_value_of(const PGresult *result, int row, int column)
{
    if (PQgetisnull(result, row, column))
        return (struct span){ NULL, 0 };
    return (struct span){ PQgetvalue(result, row, column),
                          (size_t)PQgetlength(result, row, column) };
}

void pgsql_link_watch(const struct pgsql_link *link, struct pollfd *fd)
{
    fd->fd = link->connection != NULL ? PQsocket(link->connection) : -1;
    fd->events = link->events;
    fd->revents = 0;
}

void pgsql_link_close(struct pgsql_link *link)
{
    PQclear(link->result);
    PQfinish(link->connection);
    *link = (struct pgsql_link){ .rest_ms = link->rest_ms };
}

static enum pgsql_news lose(struct pgsql_link *link, uint64_t now_ms)
{
    unsigned rest_ms = link->rest_ms == 0 ? REST_MS : link->rest_ms * 2;
    pgsql_link_close(link);
    link->rest_ms = rest_ms < REST_MOST_MS ? rest_ms : REST_MOST_MS;
    link->deadline_ms = now_ms + link->rest_ms;
    return PGSQL_LOST;
}

/* Notices would go to our standard error. */
static void hear_nothing(void *context, const PGresult *notice)
{
    (void)context;
    (void)notice;
}

static void connect_anew(struct pgsql_link *link, const char *url, uint64_t now_ms)
{
    static const char *const names[] = { "dbname", "target_session_attrs",
                                         "fallback_application_name", "client_encoding", NULL };
    const char *const values[] = { url, "read-write", "ahoyd", "UTF8", NULL };
    link->connection = PQconnectStartParams(names, values, 1);
    link->state = PGSQL_CONNECTING;
    link->events = POLLOUT;
    link->deadline_ms = now_ms + PGSQL_PATIENCE_MS;
}

static enum pgsql_news go_on_connecting(struct pgsql_link *link)
{
    switch (PQconnectPoll(link->connection)) {
    case PGRES_POLLING_READING:
        link->events = POLLIN;
        return PGSQL_NOTHING;
    case PGRES_POLLING_WRITING:
        link->events = POLLOUT;
        return PGSQL_NOTHING;
    case PGRES_POLLING_OK:
        PQsetNoticeReceiver(link->connection, hear_nothing, NULL);
        link->state = PGSQL_IDLE;
        link->events = POLLIN;
        link->rest_ms = 0;
        return PQsetnonblocking(link->connection, 1) == 0 ? PGSQL_CONNECTED : PGSQL_LOST;
    default:
        return PGSQL_LOST;
    }
}

/* Of several statements the first that fails is the answer, or else the last. */
static void keep(struct pgsql_link *link, PGresult *result)
{
    if (link->result != NULL && PQresultStatus(link->result) == PGRES_FATAL_ERROR) {
        PQclear(result);
        return;
    }
    PQclear(link->result);
    link->result = result;
}

static enum pgsql_news go_on(struct pgsql_link *link)
{
    if (PQconsumeInput(link->connection) == 0)
        return PGSQL_LOST;
    int unsent = PQflush(link->connection);
    if (unsent < 0)
        return PGSQL_LOST;
    link->events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0));
    while (link->state == PGSQL_BUSY && !PQisBusy(link->connection)) {
        PGresult *result = PQgetResult(link->connection);
        if (result == NULL) {
            link->state = PGSQL_IDLE;
            return link->result != NULL ? PGSQL_ANSWERED : PGSQL_LOST;
        }
        keep(link, result);
    }
    return PQstatus(link->connection) == CONNECTION_OK ? PGSQL_NOTHING : PGSQL_LOST;
}

/* What has come of what is under way. */
static enum pgsql_news look(struct pgsql_link *link, short happened, uint64_t now_ms)
{
    if (link->state == PGSQL_CONNECTING && PQstatus(link->connection) == CONNECTION_BAD)
        return PGSQL_LOST;
    enum pgsql_news news = PGSQL_NOTHING;
    if (happened != 0)
        news = link->state == PGSQL_CONNECTING ? go_on_connecting(link) : go_on(link);
    bool is_late = link->state != PGSQL_IDLE && now_ms >= link->deadline_ms;
    return news == PGSQL_NOTHING && is_late ? PGSQL_LOST : news;
}

enum pgsql_news pgsql_link_step(struct pgsql_link *link, const char *url, short happened,
                                uint64_t now_ms, char *why, size_t why_size)
{
    if (link->state == PGSQL_RESTING) {
        if (now_ms >= link->deadline_ms)
            connect_anew(link, url, now_ms);
        return PGSQL_NOTHING;
    }
    enum pgsql_news news = look(link, happened, now_ms);
    if (news != PGSQL_LOST)
        return news;
    const char *message = PQerrorMessage(link->connection);
    snprintf(why, why_size, "%s", message[0] != '\0' ? message : "it does not answer");
    return lose(link, now_ms);
}

bool pgsql_link_ask(struct pgsql_link *link, const struct pgsql_query *query, uint64_t now_ms)
{
    static const int binary[PGSQL_ARGUMENTS] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    PQclear(link->result);
    link->result = NULL;
    int sent = query->is_script ? PQsendQuery(link->connection, query->text)
                                : PQsendQueryParams(link->connection, query->text, query->count,
                                                    NULL, query->values, query->sizes, binary, 1);
    link->state = PGSQL_BUSY;
    link->events = POLLIN | POLLOUT;
    link->deadline_ms = sent != 0 ? now_ms + PGSQL_PATIENCE_MS : now_ms;
    return sent != 0;
}
