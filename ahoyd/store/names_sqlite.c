/* Users in a file of SQLite as an engine of shared.c: what others change in it is looked for some
 * times a second.  On that thread a disk may be waited for, but nobody who has the file locked: it
 * is tried again a moment later, so changes are refused in time, and known users are served. */
#include "ahoyd/store/names_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ahoyd/store/backend.h"
#include "ahoyd/store/shared.h"
#include "ahoyd/store/shared_requests.h"

enum {
    POLL_MS = 200,     /* How often it is looked whether others have changed anything. */
    AGAIN_MS = 20,     /* When a file that others have locked is tried again, ... */
    LOCKED_MS = 1000,  /* ... and after how long that is said. */
    REOPEN_MS = 1000,  /* When a file that could not be used is opened again. */
    PAGE = 1000,       /* Rows, or changes, that are read at once. */
    GROUP = 1000,      /* Changes that are written at once. */
    LOOKS_LIMIT = 4096 /* Rows that are asked for. */
};

/* A swap or a look on its way, and its answer on the way back. */
struct job {
    struct shared_request base;
    enum shared_event_kind told;
    const char *why;
    struct shared_row row; /* That is there now; it points into |space|. */
    struct name_space space;
};

struct names {
    struct names_file file;
    char *path;
    const struct ahoy_log *log;
    uint64_t now_ms;
    uint64_t again_ms;  /* Nothing is tried before: others have the file, or it is not there. */
    uint64_t locked_ms; /* Since when others have it; 0: they do not. */
    uint64_t poll_ms;
    bool is_away, is_refusing; /* Said in the log once. */
    int64_t state;             /* Of the file, when its changes were last looked at, ... */
    int64_t last_change;       /* ... and up to which one. */
    bool is_behind;            /* There are more of them. */
    bool must_read;            /* All, as soon as it can be. */
    struct shared_requests swaps, looks, done;
    size_t look_count;
    struct job *told; /* Whose spans are the caller's until the next event. */
    struct reading {
        bool is_new;  /* READING is to be told, ... */
        bool runs;    /* ... then all rows, ... */
        bool has_all; /* ... and READ. */
        int64_t last_id;
        int rows; /* Of this page. */
    } reading;
    struct name_faults faults;
    struct name_space space; /* What the last row of a page points into. */
};

static void free_job(struct job *job)
{
    if (job == NULL)
        return;
    explicit_bzero(&job->space, sizeof job->space);
    shared_request_free(&job->base);
}

static void free_jobs(struct shared_requests *jobs)
{
    struct job *job;
    while ((job = shared_requests_take(jobs)) != NULL)
        free_job(job);
}

static void tell_away(struct names *names, const char *why)
{
    if (!names->is_away)
        ahoy_log_line(names->log, AHOY_LOG_WARNING, "%s; known users are served as they were", why);
    names->is_away = true;
}

static void tell_back(struct names *names)
{
    if (names->is_away)
        ahoy_log_line(names->log, AHOY_LOG_NOTICE, "the users' file %s is used again", names->path);
    names->is_away = false;
    names->locked_ms = 0;
}

/* The file is closed, and all is read once it can be opened again. */
static void give_up(struct names *names, const char *why)
{
    char text[512];
    if (why == NULL)
        snprintf(text, sizeof text, "the users' file %s cannot be read: %s", names->path,
                 sqlite3_errmsg(names->file.database));
    tell_away(names, why != NULL ? why : text);
    names_file_close(&names->file);
    free_jobs(&names->looks);
    names->look_count = 0;
    names->reading = (struct reading){ 0 };
    names->is_behind = false;
    names->again_ms = names->now_ms + REOPEN_MS;
}

/* What is to be done after |code|, which is no success. */
static void fail(struct names *names, int code)
{
    char text[512];
    if (!names_file_is_busy(code)) {
        give_up(names, NULL);
        return;
    }
    names->again_ms = names->now_ms + AGAIN_MS;
    if (names->locked_ms == 0)
        names->locked_ms = names->now_ms;
    if (names->now_ms - names->locked_ms < LOCKED_MS)
        return;
    snprintf(
        text, sizeof text,
        "the users' file %s is locked by another program: changes are refused until it lets go",
        names->path);
    tell_away(names, text);
}

static void bind(sqlite3_stmt *statement, int place, struct span text)
{
    if (text.size > 0)
        sqlite3_bind_text(statement, place, text.at, (int)text.size, SQLITE_STATIC);
    else
        sqlite3_bind_null(statement, place);
}

static void bind_key(sqlite3_stmt *statement, struct span key)
{
    struct span name = SPAN(""), realm = SPAN("");
    (void)shared_split_key(key, &name, &realm); /* Of what is no user's there is no row. */
    bind(statement, 1, name);
    bind(statement, 2, realm);
}

/* Reads the row of the job's key as it is now; SQLITE_OK where there is one, or none. */
static int look_at(struct names *names, struct job *job)
{
    sqlite3_stmt *look = names->file.look;
    struct name_number id;
    bind_key(look, job->base.swap.row.key);
    int code = sqlite3_step(look);
    bool is_there = code == SQLITE_ROW;
    const char *why = names_file_read(is_there ? look : NULL, &job->space, &job->row, &id);
    if (why != NULL)
        name_faults_tell(&names->faults, (struct span){ id.bytes, sizeof id.bytes },
                         job->row.version, why);
    job->row.key = job->base.swap.row.key;
    sqlite3_reset(look);
    return is_there || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Whether what a swap should do is done, perhaps by an attempt that was not heard to succeed. */
static int take_swap(struct names *names, struct job *job)
{
    const struct shared_swap *swap = &job->base.swap;
    job->told = SHARED_SWAPPED;
    if (sqlite3_changes(names->file.database) > 0)
        return SQLITE_OK;
    int code = look_at(names, job);
    bool is_removed = job->row.version == 0 && swap->row.bytes.size == 0;
    if (job->row.version != swap->row.version && !is_removed)
        job->told = SHARED_OTHER;
    return code;
}

/* Within a transaction. */
static int swap_row(struct names *names, struct job *job)
{
    const struct shared_swap *swap = &job->base.swap;
    struct shared_name name;
    sqlite3_stmt *statement = swap->expected == 0 ? names->file.insert : names->file.update;
    if (!shared_read_name(swap->row.bytes, &name)) /* We made them, if there are any. */
        statement = names->file.remove;
    bind_key(statement, swap->row.key);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)swap->expected);
    if (statement != names->file.remove) {
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)swap->row.version);
        for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
            bind(statement, 4 + (int)i - AHOY_DIGEST_OTHER, name.ha1[i]);
        bind(statement, 8, name.means);
    }
    int code = names_file_run(statement);
    sqlite3_clear_bindings(statement);
    if ((code & 0xff) == SQLITE_CONSTRAINT) {
        job->told = SHARED_REFUSED;
        job->why =
            "the users' file refuses the change: there is no such user, or a rule of its own";
        return SQLITE_OK;
    }
    return code == SQLITE_OK ? take_swap(names, job) : code;
}

/* What is told of changes that could not be written. */
static const char *hindrance_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return "there is no room for the users' file: make some";
    case SQLITE_READONLY:
        return "the users' file is read-only: let ahoyd write to it and to its folder";
    default:
        return "the users' file cannot be written: the log says why";
    }
}

/* Puts the jobs back in front of those that wait, or where they will not be done, refuses them. */
static void undo(struct names *names, struct shared_requests *group, int code)
{
    const char *what = sqlite3_errmsg(names->file.database);
    struct job *job;
    if (!names_file_is_busy(code) && !names->is_refusing)
        ahoy_log_line(names->log, AHOY_LOG_ERROR, "the users' file %s takes no changes: %s",
                      names->path, what);
    names->is_refusing |= !names_file_is_busy(code);
    if (sqlite3_get_autocommit(names->file.database) == 0)
        (void)names_file_run(names->file.rollback); /* It was left as it is. */
    if (names_file_is_busy(code)) {
        shared_requests_move(group, &names->swaps);
        shared_requests_move(&names->swaps, group);
        fail(names, code);
        return;
    }
    while ((job = shared_requests_take(group)) != NULL) {
        job->told = SHARED_REFUSED;
        job->why = hindrance_of(code);
        shared_requests_put(&names->done, &job->base);
    }
}

/* Takes up to GROUP swaps that somebody waits for and does them. */
static int write_group(struct names *names, struct shared_requests *group)
{
    struct job *job = NULL;
    int code = SQLITE_OK;
    for (size_t i = 0; i < GROUP && code == SQLITE_OK; i++) {
        if ((job = shared_requests_take(&names->swaps)) == NULL)
            break;
        shared_requests_put(group, &job->base);
        if (!job->base.is_dropped)
            code = swap_row(names, job);
    }
    return code;
}

static void write_swaps(struct names *names)
{
    struct shared_requests group;
    int64_t state = 0, newest = 0;
    shared_requests_init(&group);
    if (names->swaps.first == NULL)
        return;
    int code = names_file_run(names->file.begin);
    if (code == SQLITE_OK)
        code = names_file_ask(names->file.state, &state);
    if (code == SQLITE_OK)
        code = write_group(names, &group);
    else
        shared_requests_move(&group, &names->swaps); /* None of them can be done. */
    if (code == SQLITE_OK)
        code = names_file_ask(names->file.newest, &newest);
    if (code == SQLITE_OK)
        code = names_file_run(names->file.commit);
    if (code != SQLITE_OK) {
        undo(names, &group, code);
        return;
    }
    /* Where only our own changes came after those that were looked at, they need not be. */
    if (state == names->state && !names->is_behind)
        names->last_change = newest;
    names->is_refusing = false;
    tell_back(names);
    shared_requests_move(&names->done, &group);
}

static bool queue_look(struct names *names, struct span key)
{
    struct job *job = NULL;
    if (names->look_count < LOOKS_LIMIT)
        job = shared_request_new(sizeof *job, false, &(struct shared_swap){ .row.key = key });
    if (job == NULL)
        return false;
    job->told = SHARED_ROW;
    shared_requests_put(&names->looks, &job->base);
    names->look_count++;
    return true;
}

static void serve_looks(struct names *names)
{
    struct job *job;
    int code = SQLITE_OK;
    while (code == SQLITE_OK && (job = (struct job *)names->looks.first) != NULL) {
        code = look_at(names, job);
        if (code != SQLITE_OK)
            break;
        shared_requests_put(&names->done, shared_requests_take(&names->looks));
        names->look_count--;
    }
    if (code != SQLITE_OK)
        fail(names, code);
}

/* Whatever changes from here on is found behind the newest change. */
static void read_all(struct names *names)
{
    int code = names_file_ask(names->file.state, &names->state);
    if (code == SQLITE_OK)
        code = names_file_ask(names->file.newest, &names->last_change);
    names->must_read = code != SQLITE_OK;
    if (names->must_read) {
        fail(names, code);
        return;
    }
    free_jobs(&names->looks);
    names->look_count = 0;
    names->is_behind = false;
    names->reading = (struct reading){ .is_new = true, .runs = true, .last_id = INT64_MIN };
}

/* Looks at a page of what others have changed; false where that cannot be told any more. */
static bool follow_page(struct names *names, int *code)
{
    sqlite3_stmt *changes = names->file.changes;
    char key[SHARED_KEY_LIMIT];
    int count = 0;
    bool sound = true;
    sqlite3_bind_int64(changes, 1, names->last_change);
    sqlite3_bind_int(changes, 2, PAGE);
    while (sound && (*code = sqlite3_step(changes)) == SQLITE_ROW) {
        struct span parts[2];
        for (int i = 0; i < 2; i++)
            parts[i] = (struct span){ (const char *)sqlite3_column_text(changes, 1 + i),
                                      (size_t)sqlite3_column_bytes(changes, 1 + i) };
        sound = sqlite3_column_int64(changes, 0) == names->last_change + 1;
        names->last_change++;
        count++;
        /* A longer one is not served, but named. */
        sound = sound && parts[0].size <= AHOYD_NAME_LIMIT && parts[1].size <= AHOYD_NAME_LIMIT &&
                queue_look(names, shared_key_of_name(parts[0], parts[1], key));
    }
    sqlite3_reset(changes);
    names->is_behind = count == PAGE;
    return sound;
}

/* Whether others have changed anything, and what. */
static void follow(struct names *names)
{
    int64_t state = 0, newest = 0;
    bool is_due = names->now_ms >= names->poll_ms;
    if (is_due && !names_file_is_there(&names->file)) {
        char text[512];
        snprintf(text, sizeof text, "the users' file %s has gone, or another took its place",
                 names->path);
        give_up(names, text);
        names->again_ms = 0;
        return;
    }
    if (names->must_read)
        read_all(names);
    if ((!is_due && !names->is_behind) || names->looks.first != NULL || names->must_read)
        return;
    names->poll_ms = names->now_ms + POLL_MS;
    int code = names_file_ask(names->file.state, &state);
    if (code == SQLITE_OK && state == names->state && !names->is_behind) {
        if (names->swaps.first == NULL) /* Others may let us read, but not write. */
            tell_back(names);
        return;
    }
    if (code == SQLITE_OK)
        code = names_file_ask(names->file.newest, &newest);
    if (code != SQLITE_OK) {
        fail(names, code);
        return;
    }
    names->state = state; /* What comes from here on is seen the next time, or twice. */
    if (newest < names->last_change || !follow_page(names, &code))
        read_all(names);
    else if (code != SQLITE_DONE)
        fail(names, code);
    else if (names->swaps.first == NULL)
        tell_back(names);
}

static void open_again(struct names *names)
{
    char fault[512];
    if (!names_file_open(&names->file, names->path, false, fault, sizeof fault)) {
        tell_away(names, fault);
        names->again_ms = names->now_ms + REOPEN_MS;
        return;
    }
    read_all(names);
    tell_back(names);
}

static void step_names(void *engine, const struct pollfd *fds, size_t count, uint64_t now_ms)
{
    struct names *names = engine;
    (void)fds; /* There are none: */
    (void)count;
    names->now_ms = now_ms;
    if (now_ms < names->again_ms)
        return;
    if (names->file.database == NULL)
        open_again(names);
    if (names->file.database != NULL)
        follow(names);
    if (names->file.database != NULL)
        write_swaps(names);
    if (names->file.database != NULL)
        serve_looks(names);
}

static size_t watch_names(void *engine, struct pollfd fds[SHARED_FDS_LIMIT])
{
    (void)engine;
    (void)fds; /* A file says nothing by itself. */
    return 0;
}

static uint64_t deadline_names(void *engine)
{
    const struct names *names = engine;
    bool has_work = names->file.database == NULL || names->reading.runs || names->is_behind ||
                    names->must_read || names->looks.first != NULL || names->swaps.first != NULL;
    uint64_t due_ms = has_work ? 0 : names->poll_ms;
    return due_ms > names->again_ms ? due_ms : names->again_ms;
}

/* The next row of a page; false at its end. */
static bool read_row(struct names *names, struct shared_event *event)
{
    struct reading *reading = &names->reading;
    sqlite3_stmt *page = names->file.page;
    struct name_number id;
    if (reading->rows == 0) {
        sqlite3_bind_int64(page, 1, reading->last_id);
        sqlite3_bind_int(page, 2, PAGE);
    }
    int code = sqlite3_step(page);
    if (code == SQLITE_ROW) {
        const char *why = names_file_read(page, &names->space, &event->row, &id);
        const struct span number = { id.bytes, sizeof id.bytes };
        if (why != NULL)
            name_faults_tell(&names->faults, number, event->row.version, why);
        reading->last_id = (int64_t)name_number_of(number);
        reading->rows++;
        return true;
    }
    sqlite3_reset(page);
    reading->has_all = code == SQLITE_DONE && reading->rows < PAGE;
    reading->runs = !reading->has_all;
    reading->rows = 0;
    if (code != SQLITE_DONE)
        fail(names, code);
    return false;
}

static bool event_of_reading(struct names *names, struct shared_event *event)
{
    struct reading *reading = &names->reading;
    *event = (struct shared_event){ .kind = SHARED_READING };
    if (reading->is_new) {
        reading->is_new = false;
        return true;
    }
    event->kind = SHARED_ROW;
    if (reading->runs && names->now_ms >= names->again_ms && read_row(names, event))
        return true;
    event->kind = SHARED_READ;
    bool is_read = reading->has_all;
    reading->has_all = false;
    return is_read;
}

static bool event_of_names(void *engine, struct shared_event *event)
{
    struct names *names = engine;
    free_job(names->told);
    while ((names->told = shared_requests_take(&names->done)) != NULL) {
        const struct job *job = names->told;
        if (!job->base.is_dropped) {
            *event = (struct shared_event){
                .kind = job->told, .ticket = job->base.swap.ticket, .row = job->row, .why = job->why
            };
            if (job->told == SHARED_SWAPPED || job->told == SHARED_REFUSED)
                event->row = job->base.swap.row;
            return true;
        }
        free_job(names->told);
    }
    return event_of_reading(names, event);
}

static bool swap_names(void *engine, const struct shared_swap *swap)
{
    struct names *names = engine;
    struct job *job = shared_request_new(sizeof *job, true, swap);
    if (job != NULL)
        shared_requests_put(&names->swaps, &job->base);
    return job != NULL;
}

static void drop_names(void *engine, uint64_t ticket)
{
    struct names *names = engine;
    shared_requests_drop(&names->swaps, ticket);
    shared_requests_drop(&names->done, ticket);
}

static bool look_names(void *engine, struct span key)
{
    return queue_look(engine, key);
}

/* All rows are read at once. */
static bool has_read_names(void *engine, struct span key)
{
    (void)engine;
    (void)key;
    return true;
}

static void free_names(void *engine)
{
    struct names *names = engine;
    names_file_close(&names->file);
    free_jobs(&names->swaps);
    free_jobs(&names->looks);
    free_jobs(&names->done);
    free_job(names->told);
    explicit_bzero(&names->space, sizeof names->space);
    free(names->path);
    free(names);
}

/* The file is opened at once, before anything is served: what is wrong with it is a fault. */
static void *new_names(const struct ahoyd_store_options *options, char *fault, size_t fault_size)
{
    struct names *names = calloc(1, sizeof *names);
    if (names != NULL)
        names->path = strdup(options->users_path);
    if (names == NULL || names->path == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        free(names);
        return NULL;
    }
    names->log = options->log;
    names->faults = (struct name_faults){ .log = options->log, .place = names->path };
    shared_requests_init(&names->swaps);
    shared_requests_init(&names->looks);
    shared_requests_init(&names->done);
    if (names_file_open(&names->file, names->path, true, fault, fault_size)) {
        read_all(names);
        return names;
    }
    free_names(names);
    return NULL;
}

static const struct shared_engine engine = { .new = new_names,
                                             .free = free_names,
                                             .watch = watch_names,
                                             .deadline = deadline_names,
                                             .step = step_names,
                                             .event = event_of_names,
                                             .swap = swap_names,
                                             .drop = drop_names,
                                             .look = look_names,
                                             .has_read = has_read_names };

bool sqlite_open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       char *fault, size_t fault_size)
{
    return shared_open_users(store, options, &engine, fault, fault_size);
}
