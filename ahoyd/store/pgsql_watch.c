/* The watch: one connection that listens, reads all rows page by page, and then each that was said
 * to have changed.  Where it breaks, all of that begins again. */
#include "ahoyd/store/pgsql_inside.h"

#include <stdio.h>
#include <string.h>

enum { TIDY_MS = 2000 };

static void forget_page(struct pgsql_watcher *watcher)
{
    PQclear(watcher->page);
    watcher->page = NULL;
    watcher->row = 0;
}

static void forget_rows(struct pgsql_watcher *watcher)
{
    forget_page(watcher);
    pgsql_jobs_free(&watcher->looks);
    watcher->look_count = 0;
    watcher->has_all = watcher->is_overrun = false;
}

/* Whatever was found out so far may be old by the time that it listens again. */
static void begin_anew(struct pgsql_watcher *watcher)
{
    forget_rows(watcher);
    pgsql_job_free(watcher->look);
    watcher->look = NULL;
    watcher->stage = PGSQL_PREPARING;
    watcher->version = 0;
    watcher->is_new = watcher->asks_page = false;
}

void pgsql_watch_fini(struct pgsql *pgsql)
{
    begin_anew(&pgsql->watcher);
    pgsql_link_close(&pgsql->watcher.link);
}

static void give_up(struct pgsql *pgsql, const char *why)
{
    pgsql_tell_away(pgsql, why);
    begin_anew(&pgsql->watcher);
}

static void ask(struct pgsql *pgsql, const struct pgsql_query *query)
{
    /* Where it breaks, the next step tells. */
    (void)pgsql_link_ask(&pgsql->watcher.link, query, pgsql->now_ms);
}

static void ask_text(struct pgsql *pgsql, const char *text, bool is_script)
{
    ask(pgsql, &(struct pgsql_query){ .text = text, .is_script = is_script });
}

static void ask_page(struct pgsql *pgsql)
{
    struct pgsql_watcher *watcher = &pgsql->watcher;
    const struct name_number most = name_number(PGSQL_PAGE);
    watcher->asks_page = true;
    ask(pgsql, &(struct pgsql_query){ .text = pgsql->table->page,
                                      .count = 2,
                                      .values = { watcher->last, most.bytes },
                                      .sizes = { (int)watcher->last_size, sizeof most } });
}

static void ask_row(struct pgsql *pgsql, struct span key)
{
    struct pgsql_query query = { .text = pgsql->table->look };
    pgsql->table->name(key, &query);
    ask(pgsql, &query);
}

/* It listens still, so what changes from here on is heard. */
static void read_again(struct pgsql *pgsql)
{
    struct pgsql_watcher *watcher = &pgsql->watcher;
    const struct span first = pgsql->table->first;
    forget_rows(watcher);
    watcher->last_size = first.size;
    memcpy(watcher->last, first.at, first.size);
    watcher->is_new = true;
    watcher->stage = PGSQL_READING;
}

/* What the connection is to do next; nothing where it is not idle. */
static void go_on(struct pgsql *pgsql)
{
    struct pgsql_watcher *watcher = &pgsql->watcher;
    if (watcher->link.state != PGSQL_IDLE)
        return;
    if (watcher->is_overrun && watcher->stage >= PGSQL_READING)
        read_again(pgsql); /* Before it listens, all is still to be read. */
    switch (watcher->stage) {
    case PGSQL_PREPARING:
        ask_text(pgsql, pgsql_schema[watcher->version], true);
        return;
    case PGSQL_COMPARING:
        ask_text(pgsql, pgsql_version_query, false);
        return;
    case PGSQL_LISTENING:
        ask_text(pgsql, pgsql->table->listen, true);
        return;
    case PGSQL_READING:
        if (watcher->page == NULL)
            ask_page(pgsql);
        return;
    case PGSQL_WATCHING:
        break;
    }
    watcher->look = shared_requests_take(&watcher->looks);
    if (watcher->look != NULL) {
        watcher->look_count--;
        ask_row(pgsql, watcher->look->base.swap.row.key);
    } else if (pgsql->now_ms >= watcher->tidy_ms) {
        watcher->tidy_ms = pgsql->now_ms + TIDY_MS;
        ask_text(pgsql, pgsql->table->tidy, false);
    }
}

/* A page has come: its rows are told one by one, and it is asked for the next one then. */
static void take_page(struct pgsql_watcher *watcher, PGresult *result)
{
    const int count = PQntuples(result);
    struct span last = pgsql_value_of(result, count - 1, 0);
    watcher->page = result;
    watcher->row = 0;
    watcher->asks_page = false;
    if (count < PGSQL_PAGE || last.at == NULL || last.size > sizeof watcher->last) {
        watcher->has_all = true;
        watcher->stage = PGSQL_WATCHING;
        return;
    }
    memcpy(watcher->last, last.at, last.size);
    watcher->last_size = last.size;
}

static bool is_fine(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

/* Nothing can be done here but to try again after a while. */
static void break_off(struct pgsql *pgsql, const char *why)
{
    give_up(pgsql, why);
    pgsql_link_close(&pgsql->watcher.link);
    pgsql->watcher.link.deadline_ms = pgsql->now_ms + PGSQL_PATIENCE_MS;
}

static void take_answer(struct pgsql *pgsql)
{
    struct pgsql_watcher *watcher = &pgsql->watcher;
    PGresult *result = watcher->link.result;
    watcher->link.result = NULL;
    if (!is_fine(result)) {
        break_off(pgsql, PQresultErrorMessage(result));
    } else if ((watcher->asks_page || watcher->look != NULL) &&
               !pgsql_result_fits(result, pgsql->table->columns)) {
        break_off(pgsql, "it answers otherwise than it was asked");
    } else if (watcher->stage == PGSQL_PREPARING) {
        if (++watcher->version == PGSQL_VERSION)
            watcher->stage = PGSQL_COMPARING;
    } else if (watcher->stage == PGSQL_COMPARING) {
        watcher->is_prepared = name_number_of(pgsql_value_of(result, 0, 0)) == PGSQL_VERSION;
        watcher->stage = PGSQL_LISTENING;
        if (!watcher->is_prepared)
            break_off(pgsql, "its tables are of a later ahoyd");
    } else if (watcher->stage == PGSQL_LISTENING) {
        read_again(pgsql);
        pgsql_tell_back(pgsql);
    } else if (watcher->asks_page) {
        take_page(watcher, result);
        return;
    } else if (watcher->look != NULL) {
        watcher->look->result = result;
        watcher->look->told = SHARED_ROW;
        shared_requests_put(&pgsql->done, &watcher->look->base);
        watcher->look = NULL;
        return;
    }
    PQclear(result);
}

static int hex_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The key that a notification names; false where it names none, so that any row may be meant. */
static bool read_key(const char *text, char key[SHARED_KEY_LIMIT], size_t *size)
{
    for (*size = 0; *text != '\0'; text += 2) {
        int high = hex_of(text[0]), low = high < 0 ? -1 : hex_of(text[1]);
        if (low < 0 || *size == SHARED_KEY_LIMIT)
            return false;
        key[(*size)++] = (char)(high << 4 | low);
    }
    return *size > 0;
}

bool pgsql_watch_look(struct pgsql *pgsql, struct span key)
{
    struct pgsql_watcher *watcher = &pgsql->watcher;
    struct pgsql_job *job = NULL;
    if (watcher->look_count < PGSQL_LOOKS_LIMIT)
        job = shared_request_new(sizeof *job, false, &(struct shared_swap){ .row.key = key });
    if (job == NULL)
        return false;
    shared_requests_put(&watcher->looks, &job->base);
    watcher->look_count++;
    return true;
}

static void take_notifications(struct pgsql *pgsql)
{
    PGnotify *notify;
    char key[SHARED_KEY_LIMIT];
    size_t size;
    if (pgsql->watcher.link.connection == NULL)
        return;
    while ((notify = PQnotifies(pgsql->watcher.link.connection)) != NULL) {
        if (!read_key(notify->extra, key, &size) ||
            !pgsql_watch_look(pgsql, (struct span){ key, size }))
            pgsql->watcher.is_overrun = true;
        PQfreemem(notify);
    }
}

void pgsql_watch_step(struct pgsql *pgsql, short happened)
{
    char why[256];
    struct pgsql_link *link = &pgsql->watcher.link;
    switch (pgsql_link_step(link, pgsql->url, happened, pgsql->now_ms, why, sizeof why)) {
    case PGSQL_LOST:
        give_up(pgsql, why);
        return;
    case PGSQL_ANSWERED:
        take_answer(pgsql);
        break;
    case PGSQL_CONNECTED:
    case PGSQL_NOTHING:
        break;
    }
    take_notifications(pgsql);
    go_on(pgsql);
}

uint64_t pgsql_watch_deadline(const struct pgsql *pgsql)
{
    const struct pgsql_watcher *watcher = &pgsql->watcher;
    if (watcher->link.state != PGSQL_IDLE)
        return watcher->link.deadline_ms;
    if (watcher->page != NULL || watcher->stage == PGSQL_WATCHING)
        return watcher->looks.first != NULL ? 0 : watcher->tidy_ms;
    return 0;
}

bool pgsql_watch_event(struct pgsql *pgsql, struct shared_event *event)
{
    struct pgsql_watcher *watcher = &pgsql->watcher;
    *event = (struct shared_event){ .kind = SHARED_READING };
    if (watcher->is_new) {
        watcher->is_new = false;
        return true;
    }
    if (watcher->page != NULL && watcher->row < PQntuples(watcher->page)) {
        event->kind = SHARED_ROW;
        pgsql_take_row(pgsql, watcher->page, watcher->row++, &event->row);
        return true;
    }
    forget_page(watcher);
    event->kind = SHARED_READ;
    bool is_read = watcher->has_all;
    watcher->has_all = false;
    return is_read;
}
