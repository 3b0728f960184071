/* What the store's own files share. */
#pragma once

#include "ahoyd/store/index.h"
#include "ahoyd/store/users.h"
#include "ahoyd/store/watch.h"

struct sqlite_writer;
struct shared;

/* Where changes are kept: one const struct each, all in one array (store.c). */
struct backend {
    enum ahoyd_store_kind kind;
    /* Fills the index, the users and the secret.  False with a fault. */
    bool (*open)(struct ahoyd_store *store, const struct ahoyd_store_options *options, char *fault,
                 size_t fault_size);
    bool (*submit)(struct ahoyd_store *store, struct ahoyd_change *change);
    void (*close)(struct ahoyd_store *store);
};

/* Where users and aliases are kept instead, if options->users_path names such a place.  False with
 * a fault. */
bool pgsql_open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                      char *fault, size_t fault_size);
bool sqlite_open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       char *fault, size_t fault_size);

extern const struct backend memory_backend, sqlite_backend, redis_backend, pgsql_backend;

struct ahoyd_store {
    const struct backend *backend;
    struct index index;
    struct users users;
    struct watches watches;
    unsigned char secret[AHOYD_SECRET_SIZE];
    const struct ahoy_log *log;
    pthread_mutex_t memory_lock;             /* The memory store's: one writer at a time. */
    uint64_t forgotten_s;                    /* Likewise: the last second when it forgot. */
    bool holds;                              /* Likewise: changes wait to be settled, ... */
    size_t held_count, held_limit;           /* ... so many of so many. */
    struct ahoyd_change *held, *newest_held; /* Oldest first. */
    struct sqlite_writer *writer;            /* The SQLite store's. */
    struct shared *shared;                   /* That of one which nodes share. */
    struct shared *names;                    /* Users and aliases; NULL: the backend has them. */
};

/* A change and what it will publish once it is committed. */
struct staged {
    struct ahoyd_change *change;
    struct record *record;   /* BINDINGS */
    uint64_t hash;           /* Of its address-of-record, the index's. */
    struct known_user *user; /* USER_PUT, ALIAS_PUT */
};

/* Works out what staged->change does, given |earlier| of |count| that are not published yet,
 * newest last.  Sets change->status; where that is 200 there is something to commit. */
void store_stage(struct ahoyd_store *store, struct staged *staged, const struct staged *earlier,
                 size_t count);
/* As index_put, and tells those who watch: each change of bindings that is to be seen from now on
 * passes here, whoever has made it. */
bool store_put(struct ahoyd_store *store, struct record *record, uint64_t hash);
/* Makes a committed change seen, and gives it back. Returns how many rows of a log nothing
 * stands on any more: the one replaced, and its own where it holds no bindings. */
unsigned store_publish(struct ahoyd_store *store, struct staged *staged);
/* Drops a change that could not be committed, and gives it back with |status| and |why|. */
void store_refuse(struct ahoyd_store *store, struct staged *staged, unsigned status,
                  const char *why);

/* Fills |bytes| from the kernel's random device. */
bool store_random(void *bytes, size_t size);
