/* What the files of the PostgreSQL engine share. */
#pragma once

#include "ahoyd/store/pgsql_link.h"
#include "ahoyd/store/shared_requests.h"

enum {
    PGSQL_WRITERS = 8,       /* Connections that change rows, one row at a time each. */
    PGSQL_PAGE = 1000,       /* Rows that are read at once. */
    PGSQL_LOOKS_LIMIT = 4096 /* Rows that are asked for; above that all are read again. */
};

/* Makes the tables where they are missing, and brings older ones up to date.  Any number of nodes
 * may run it at once. */
extern const char pgsql_schema[];
/* Gives the version of the schema that is there; PGSQL_VERSION is what we know. */
extern const char pgsql_version_query[];
enum { PGSQL_VERSION = 1 };

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
    PGSQL_PREPARING, /* The schema is asked for. */
    PGSQL_COMPARING, /* Its version is. */
    PGSQL_LISTENING,
    PGSQL_READING,
    PGSQL_WATCHING
};

struct pgsql {
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
        bool is_prepared; /* The tables are there: rows can be changed, whatever else befalls. */
        bool is_overrun;  /* More has changed than can be asked for: all is to be read again. */
        bool is_new;      /* READING is to be told. */
        bool has_all;     /* READ is, after |page|. */
        bool asks_page;   /* The page after |key| is under way. */
        PGresult *page;   /* Rows to be told, ... */
        int row;          /* ... from this one on. */
        size_t key_size;  /* The last key that was read. */
        char key[SHARED_KEY_LIMIT];
        struct shared_requests looks;
        size_t look_count;
        struct pgsql_job *look; /* Under way. */
        uint64_t tidy_ms;       /* When it last forgot rows; also shows that it is alive. */
    } watcher;
    bool is_away; /* Said in the log once. */
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
/* The row at |row| of a result with the columns key (or without, |key| then), version, bytes. */
struct span pgsql_span_of(const PGresult *result, int row, int column);
