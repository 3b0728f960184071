/* What the files of the PostgreSQL engine share. */
#pragma once

#include "ahoyd/store/pgsql_link.h"
#include "ahoyd/store/shared_requests.h"

enum {
    PGSQL_WRITERS = 8,       /* Connections that change rows at most, a row at a time each. */
    PGSQL_PAGE = 1000,       /* Rows that are read at once. */
    PGSQL_LOOKS_LIMIT = 4096 /* Rows that are asked for; above that all are read again. */
};

/* Each brings the tables to the next version, where they are of the one before.  Any number of
 * nodes may run them at once. */
enum { PGSQL_VERSION = 4 };
extern const char *const pgsql_schema[PGSQL_VERSION];
/* Gives the version that is there. */
extern const char pgsql_version_query[];

/* One of the two tables, and how its rows become those of a shared store. */
struct pgsql_table {
    const char *listen;
    const char *page; /* So many rows behind that whose first column is given, in that order. */
    const char *look; /* One row. */
    const char *swap;
    const char *tidy;  /* What is to be done now and then; also shows that it is alive. */
    struct span first; /* What all rows are behind. */
    int columns;       /* The second is the version. */
    size_t writers;
    void (*name)(struct span key, struct pgsql_query *query); /* Gives the arguments of look. */
    void (*fill)(const struct shared_swap *swap, struct pgsql_query *query); /* And of swap. */
    const char *(*read)(const struct span *values, struct name_space *space,
                        struct shared_row *row);
};
extern const struct pgsql_table pgsql_rows, pgsql_users;

/* A swap or a look on its way, and its answer on the way back. */
struct pgsql_job {
    struct shared_request base;
    PGresult *result;            /* The row that is there now. */
    enum shared_event_kind told; /* Once it is answered. */
    const char *why;
};

void pgsql_job_free(struct pgsql_job *job);
void pgsql_jobs_free(struct shared_requests *jobs);

/* How far the watch is. */
enum pgsql_stage {
    PGSQL_PREPARING, /* The schema is made, ... */
    PGSQL_COMPARING, /* ... and its version asked for. */
    PGSQL_LISTENING,
    PGSQL_READING,
    PGSQL_WATCHING
};

struct pgsql {
    const struct pgsql_table *table;
    char *url;
    const struct ahoy_log *log;
    uint64_t now_ms;
    struct pgsql_writer {
        struct pgsql_link link;
        struct pgsql_job *job; /* Under way. */
    } writers[PGSQL_WRITERS];
    struct shared_requests swaps; /* That no writer has yet. */
    struct shared_requests done;  /* To be told. */
    struct pgsql_job *told;       /* Whose spans are the caller's until the next event. */
    struct pgsql_watcher {
        struct pgsql_link link;
        enum pgsql_stage stage;
        size_t version;   /* That the schema has, as far as it was made. */
        bool is_prepared; /* The tables are there: rows can be changed, whatever else befalls. */
        bool is_overrun;  /* More has changed than can be asked for: all is to be read again. */
        bool is_new;      /* READING is to be told. */
        bool has_all;     /* READ is, after |page|. */
        bool asks_page;   /* The page after |last| is under way. */
        PGresult *page;   /* Rows to be told, ... */
        int row;          /* ... from this one on. */
        size_t last_size; /* The first column of the last row that was read. */
        char last[SHARED_KEY_LIMIT];
        struct shared_requests looks;
        size_t look_count;
        struct pgsql_job *look; /* Under way. */
        uint64_t tidy_ms;       /* When it last forgot rows; also shows that it is alive. */
    } watcher;
    bool is_away; /* Said in the log once. */
    struct name_faults faults;
    struct name_space space; /* What the last row that was told points into. */
};

/* pgsql_watch.c */
void pgsql_watch_step(struct pgsql *pgsql, short happened);
uint64_t pgsql_watch_deadline(const struct pgsql *pgsql);
bool pgsql_watch_event(struct pgsql *pgsql, struct shared_event *event);
bool pgsql_watch_look(struct pgsql *pgsql, struct span key);
void pgsql_watch_fini(struct pgsql *pgsql);

/* Says in the log that a connection was lost, or that all is well again: once each. */
void pgsql_tell_away(struct pgsql *pgsql, const char *why);
void pgsql_tell_back(struct pgsql *pgsql);
/* Reads row |row| of a result that fits.  What cannot be served is named, and has no bytes. */
void pgsql_take_row(struct pgsql *pgsql, const PGresult *result, int row, struct shared_row *taken);
