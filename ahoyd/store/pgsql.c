/* PostgreSQL as the engine of a shared store, or of the users of whichever.  Rows are changed by
 * functions of its own (pgsql_schema.c) over a few connections, as each change waits for a disk;
 * who is told that a row is changed can be sure that it outlives the database's loss of power. */
#include "ahoyd/store/pgsql_inside.h"
#include "ahoyd/store/shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pgsql_job_free(struct pgsql_job *job)
{
    if (job == NULL)
        return;
    PQclear(job->result);
    shared_request_free(&job->base);
}

void pgsql_jobs_free(struct shared_requests *jobs)
{
    struct pgsql_job *job;
    while ((job = shared_requests_take(jobs)) != NULL)
        pgsql_job_free(job);
}

void pgsql_tell_away(struct pgsql *pgsql, const char *why)
{
    if (!pgsql->is_away)
        ahoy_log_line(pgsql->log, AHOY_LOG_WARNING, "PostgreSQL is away: %.*s",
                      (int)strcspn(why, "\n"), why);
    pgsql->is_away = true;
}

void pgsql_tell_back(struct pgsql *pgsql)
{
    if (pgsql->is_away)
        ahoy_log_line(pgsql->log, AHOY_LOG_NOTICE, "PostgreSQL is back");
    pgsql->is_away = false;
}

void pgsql_take_row(struct pgsql *pgsql, const PGresult *result, int row, struct shared_row *taken)
{
    struct span values[NAME_ROW_COLUMNS];
    _Static_assert((int)PGSQL_ROW_COLUMNS <= (int)NAME_ROW_COLUMNS, "either fits");
    for (int i = 0; i < pgsql->table->columns; i++)
        values[i] = pgsql_value_of(result, row, i);
    const char *why = pgsql->table->read(values, &pgsql->space, taken);
    if (why != NULL)
        name_faults_tell(&pgsql->faults, values[0], taken->version, why);
}

static void *new_pgsql(const struct pgsql_table *table, const char *url,
                       const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    struct pgsql *pgsql = calloc(1, sizeof *pgsql);
    if (pgsql != NULL)
        pgsql->url = strdup(url);
    if (pgsql == NULL || pgsql->url == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        free(pgsql);
        return NULL;
    }
    pgsql->table = table;
    pgsql->log = options->log;
    pgsql->faults = (struct name_faults){ .log = options->log, .place = "PostgreSQL" };
    shared_requests_init(&pgsql->swaps);
    shared_requests_init(&pgsql->done);
    shared_requests_init(&pgsql->watcher.looks);
    return pgsql;
}

static void *new_rows(const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    return new_pgsql(&pgsql_rows, options->path, options, fault, fault_size);
}

static void *new_users(const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    return new_pgsql(&pgsql_users, options->users_path, options, fault, fault_size);
}

static void free_pgsql(void *engine)
{
    struct pgsql *pgsql = engine;
    for (size_t i = 0; i < PGSQL_WRITERS; i++) {
        pgsql_link_close(&pgsql->writers[i].link);
        pgsql_job_free(pgsql->writers[i].job);
    }
    pgsql_watch_fini(pgsql);
    pgsql_jobs_free(&pgsql->swaps);
    pgsql_jobs_free(&pgsql->done);
    pgsql_job_free(pgsql->told);
    explicit_bzero(pgsql->url, strlen(pgsql->url));
    explicit_bzero(&pgsql->space, sizeof pgsql->space);
    free(pgsql->url);
    free(pgsql);
}

static size_t watch_pgsql(void *engine, struct pollfd fds[SHARED_FDS_LIMIT])
{
    struct pgsql *pgsql = engine;
    _Static_assert(PGSQL_WRITERS + 1 <= SHARED_FDS_LIMIT, "all are polled");
    const size_t count = pgsql->table->writers;
    for (size_t i = 0; i < count; i++)
        pgsql_link_watch(&pgsql->writers[i].link, &fds[i]);
    pgsql_link_watch(&pgsql->watcher.link, &fds[count]);
    return count + 1;
}

static uint64_t deadline_pgsql(void *engine)
{
    const struct pgsql *pgsql = engine;
    uint64_t deadline_ms = pgsql_watch_deadline(pgsql);
    for (size_t i = 0; pgsql->watcher.is_prepared && i < pgsql->table->writers; i++) {
        const struct pgsql_link *link = &pgsql->writers[i].link;
        if (link->state != PGSQL_IDLE && link->deadline_ms < deadline_ms)
            deadline_ms = link->deadline_ms;
        else if (link->state == PGSQL_IDLE && pgsql->swaps.first != NULL)
            deadline_ms = 0;
    }
    return deadline_ms;
}

static void tell(struct pgsql *pgsql, struct pgsql_job *job, enum shared_event_kind kind)
{
    job->told = kind;
    shared_requests_put(&pgsql->done, &job->base);
}

/* Whether the same attempt may succeed: what another transaction was in the way of, or a server
 * that is going down or has no room just now (its manual, appendix A: classes 40, 53, 57). */
static bool is_worth_another(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (PQresultStatus(result) != PGRES_FATAL_ERROR)
        return false;
    return state == NULL || strncmp(state, "40", 2) == 0 || strncmp(state, "53", 2) == 0 ||
           strncmp(state, "57", 2) == 0;
}

static void take_answer(struct pgsql *pgsql, struct pgsql_writer *writer)
{
    struct pgsql_job *job = writer->job;
    PGresult *result = writer->link.result;
    writer->link.result = NULL;
    writer->job = NULL;
    job->result = result;
    const int columns = pgsql->table->columns;
    if (pgsql_result_fits(result, columns + 1) && PQntuples(result) == 1) {
        const struct span done = pgsql_value_of(result, 0, columns);
        const bool is_done = done.size == 1 && done.at[0] != 0;
        tell(pgsql, job, is_done ? SHARED_SWAPPED : SHARED_OTHER);
        pgsql_tell_back(pgsql);
    } else if (is_worth_another(result)) {
        PQclear(result);
        job->result = NULL;
        shared_requests_put(&pgsql->swaps, &job->base);
    } else {
        const char *why = PQresultErrorMessage(result);
        ahoy_log_line(pgsql->log, AHOY_LOG_ERROR, "PostgreSQL refuses a change: %.*s",
                      (int)strcspn(why, "\n"), why);
        job->why = "PostgreSQL refuses the change";
        tell(pgsql, job, SHARED_REFUSED);
    }
}

static void send_swap(struct pgsql *pgsql, struct pgsql_writer *writer)
{
    struct pgsql_query query = { .text = pgsql->table->swap };
    pgsql->table->fill(&writer->job->base.swap, &query);
    /* Where it breaks, the next step tells, and another writer takes it. */
    (void)pgsql_link_ask(&writer->link, &query, pgsql->now_ms);
}

/* The oldest swap that somebody still waits for. */
static struct pgsql_job *next_swap(struct pgsql *pgsql)
{
    struct pgsql_job *job;
    while ((job = shared_requests_take(&pgsql->swaps)) != NULL && job->base.is_dropped)
        pgsql_job_free(job);
    return job;
}

static void step_writer(struct pgsql *pgsql, struct pgsql_writer *writer, short happened)
{
    char why[256];
    switch (pgsql_link_step(&writer->link, pgsql->url, happened, pgsql->now_ms, why, sizeof why)) {
    case PGSQL_LOST:
        pgsql_tell_away(pgsql, why);
        if (writer->job != NULL)
            shared_requests_put(&pgsql->swaps, &writer->job->base);
        writer->job = NULL;
        break;
    case PGSQL_ANSWERED:
        take_answer(pgsql, writer);
        break;
    case PGSQL_CONNECTED:
    case PGSQL_NOTHING:
        break;
    }
    if (writer->link.state == PGSQL_IDLE && (writer->job = next_swap(pgsql)) != NULL)
        send_swap(pgsql, writer);
}

static void step_pgsql(void *engine, const struct pollfd *fds, size_t count, uint64_t now_ms)
{
    struct pgsql *pgsql = engine;
    pgsql->now_ms = now_ms;
    const size_t writers = pgsql->table->writers;
    if (count != writers + 1)
        return;
    pgsql_watch_step(pgsql, fds[writers].revents);
    if (!pgsql->watcher.is_prepared)
        return; /* A change would only fail. */
    for (size_t i = 0; i < writers; i++)
        step_writer(pgsql, &pgsql->writers[i], fds[i].revents);
}

static void fill(struct pgsql *pgsql, const struct pgsql_job *job, struct shared_event *event)
{
    *event = (struct shared_event){ .kind = job->told,
                                    .ticket = job->base.swap.ticket,
                                    .row = { .key = job->base.swap.row.key },
                                    .why = job->why };
    if (job->told == SHARED_SWAPPED || job->told == SHARED_REFUSED)
        event->row = job->base.swap.row;
    else if (PQntuples(job->result) > 0)
        pgsql_take_row(pgsql, job->result, 0, &event->row);
    if (event->row.key.size == 0)
        event->row.key = job->base.swap.row.key;
}

static bool event_of_pgsql(void *engine, struct shared_event *event)
{
    struct pgsql *pgsql = engine;
    pgsql_job_free(pgsql->told);
    while ((pgsql->told = shared_requests_take(&pgsql->done)) != NULL) {
        if (!pgsql->told->base.is_dropped) {
            fill(pgsql, pgsql->told, event);
            return true;
        }
        pgsql_job_free(pgsql->told);
    }
    return pgsql_watch_event(pgsql, event);
}

static bool swap_pgsql(void *engine, const struct shared_swap *swap)
{
    struct pgsql *pgsql = engine;
    struct pgsql_job *job = shared_request_new(sizeof *job, true, swap);
    if (job != NULL)
        shared_requests_put(&pgsql->swaps, &job->base);
    return job != NULL;
}

static void drop_pgsql(void *engine, uint64_t ticket)
{
    struct pgsql *pgsql = engine;
    shared_requests_drop(&pgsql->swaps, ticket);
    shared_requests_drop(&pgsql->done, ticket);
    for (size_t i = 0; i < PGSQL_WRITERS; i++) {
        struct pgsql_job *job = pgsql->writers[i].job;
        if (job != NULL)
            job->base.is_dropped |= job->base.swap.ticket == ticket;
    }
}

static bool look_pgsql(void *engine, struct span key)
{
    return pgsql_watch_look(engine, key);
}

static void look_or_read_pgsql(void *engine, struct span key)
{
    struct pgsql *pgsql = engine;
    if (!pgsql_watch_look(pgsql, key))
        pgsql->watcher.is_overrun = true;
}

/* All rows are read at once. */
static bool has_read_pgsql(void *engine, struct span key)
{
    (void)engine;
    (void)key;
    return true;
}

/* clang-format off */
#define ENGINE(maker)                                                                              \
    { .new = maker, .free = free_pgsql, .watch = watch_pgsql, .deadline = deadline_pgsql,          \
      .step = step_pgsql, .event = event_of_pgsql, .swap = swap_pgsql, .drop = drop_pgsql,         \
      .look = look_pgsql, .look_or_read = look_or_read_pgsql, .has_read = has_read_pgsql }
/* clang-format on */

static const struct shared_engine rows_engine = ENGINE(new_rows);
static const struct shared_engine users_engine = ENGINE(new_users);

static bool open_pgsql(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       char *fault, size_t fault_size)
{
    return shared_open(store, options, &rows_engine, fault, fault_size);
}

bool pgsql_open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                      char *fault, size_t fault_size)
{
    return shared_open_users(store, options, &users_engine, fault, fault_size);
}

const struct backend pgsql_backend = {
    .kind = AHOYD_STORE_PGSQL,
    .open = open_pgsql,
    .submit = shared_submit,
    .close = shared_close,
};
