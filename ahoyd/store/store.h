/* Users and bindings: read from memory by every worker, changed by one writer at a time, and
 * answered only when a change would survive loss of power.  The writer orders all changes, so
 * two REGISTERs of one address-of-record never race. */
#pragma once

#include "ahoyd/config.h"
#include "libahoy/auth/digest.h"
#include "libahoy/base/log.h"
#include "libahoy/tu/registrar.h"

struct ahoyd_store;

enum {
    AHOYD_SECRET_SIZE = 32,
    AHOYD_NAME_LIMIT = 255,    /* Bytes of a user's name, and of a realm. */
    AHOYD_AOR_LIMIT = 512,     /* Bytes of an address-of-record. */
    AHOYD_CHANGES_LIMIT = 4096 /* Waiting for the writer; then 503. */
};

/* What is known of a user; HA1 only, never a password. */
struct ahoyd_user {
    struct ahoy_digest_hex ha1[AHOY_DIGEST_COUNT]; /* By algorithm; empty where it is not known. */
};

struct ahoyd_change;

/* Whoever makes changes has one of these as its first member. */
struct ahoyd_change_owner {
    /* Takes a committed or refused change back, and with it its memory.  Called on the writer's
     * thread (the memory store: inside submit), so it queues and returns. */
    void (*done)(struct ahoyd_change_owner *owner, struct ahoyd_change *change);
    /* What it watches (watch.h) has changed: the server is to be stepped.  Called under a lock, on
     * the thread of whoever changed it, so it wakes and returns.  NULL where that is no other. */
    void (*wake)(struct ahoyd_change_owner *owner);
};

enum ahoyd_change_kind {
    AHOYD_CHANGE_BINDINGS,
    AHOYD_CHANGE_USER_PUT,
    AHOYD_CHANGE_USER_REMOVE, /* With all of his aliases. */
    AHOYD_CHANGE_ALIAS_PUT,
    AHOYD_CHANGE_ALIAS_REMOVE
};

/* A change on its way through the writer, and its outcome on the way back: one allocation, owned
 * by whoever holds it. */
struct ahoyd_change {
    struct ahoyd_change *next;        /* For queues. */
    struct ahoyd_change_owner *owner; /* Who gets it back; set before it is submitted. */
    uint64_t ticket;                  /* The owner's. */
    uint64_t now_ms;
    enum ahoyd_change_kind kind;
    unsigned status;               /* Outcome: 200, or what answers it best. */
    const char *why;               /* Where status is not 200; a literal. */
    struct span aor;               /* "user@domain"; of BINDINGS. */
    struct span user, realm;       /* Of USER_*; of ALIAS_* the alias. */
    struct span means;             /* Of ALIAS_PUT: the user. */
    struct ahoyd_user credentials; /* Of USER_PUT. */
    char *outcome;                 /* Of BINDINGS: a state; see ahoyd_change_tell. */
    size_t outcome_size;
    struct ahoy_registration registration; /* Of BINDINGS; else not set.  Behind what is asked an
                                            * outcome may stand. */
    char text[];                           /* What the spans point into. */
};

/* Copies all texts.  NULL where memory is refused. */
struct ahoyd_change *ahoyd_change_bindings(struct span aor,
                                           const struct ahoy_registration *registration,
                                           uint64_t now_ms);
/* |credentials| may be NULL for AHOYD_CHANGE_USER_REMOVE. */
struct ahoyd_change *ahoyd_change_user(enum ahoyd_change_kind kind, struct span user,
                                       struct span realm, const struct ahoyd_user *credentials);
/* |means| is empty for AHOYD_CHANGE_ALIAS_REMOVE. */
struct ahoyd_change *ahoyd_change_alias(enum ahoyd_change_kind kind, struct span alias,
                                        struct span realm, struct span means);
/* The bindings that a change of BINDINGS with the status 200 has made. */
void ahoyd_change_outcome(const struct ahoyd_change *change, struct ahoy_bindings *bindings);
/* For the store: |state|, as a record has it, is copied, in place of an earlier one.  False where
 * memory is refused. */
bool ahoyd_change_tell(struct ahoyd_change *change, struct span state);
void ahoyd_change_free(struct ahoyd_change *change);

struct ahoyd_store_options {
    enum ahoyd_store_kind kind;
    const char *path;       /* SQLite's; of a store that nodes share its URL. */
    enum ahoyd_store_kind users; /* Where users and aliases are kept, PGSQL or SQLITE, ... */
    const char *users_path;      /* ... and the URL or the file; NULL: in the store. */
    uint64_t now_ms;        /* Bindings that have expired by then are not loaded. */
    bool finds_hashes;      /* Users are found by hashes of their names too (RFC 7616 3.4.4). */
    const unsigned char *secret; /* The memory store's, AHOYD_SECRET_SIZE bytes; NULL: random. */
    const struct ahoy_log *log;  /* May be NULL. */
};

/* NULL where it cannot be opened; |fault| then says what and how to mend it. */
struct ahoyd_store *ahoyd_store_open(const struct ahoyd_store_options *options, char *fault,
                                     size_t fault_size);
/* Commits what is queued, gives every change back, closes. */
void ahoyd_store_close(struct ahoyd_store *store);

/* From any thread: the bindings that live at |now_ms|; false where there are none. */
bool ahoyd_store_find(struct ahoyd_store *store, struct span aor, uint64_t now_ms,
                      struct ahoy_bindings *bindings);
/* From any thread, for who knows early that he will look up the bindings of "|user|@|domain|": has
 * what that waits for first fetched from memory, and returns what names it, or 0 where there is
 * nothing more to do.  Given that, some hundred nanoseconds later, the second has the rest fetched.
 * Neither waits, nor changes what a look-up finds. */
uint64_t ahoyd_store_expect(const struct ahoyd_store *store, struct span user, struct span domain);
void ahoyd_store_expect_more(struct ahoyd_store *store, uint64_t expected);
/* From any thread; false where there is no such user. */
bool ahoyd_store_user(struct ahoyd_store *store, struct span user, struct span realm,
                      struct ahoyd_user *credentials);
/* From any thread: prints the name of the user whom |alias|, another name in |realm|, means; false
 * where it is none. */
bool ahoyd_store_alias(struct ahoyd_store *store, struct span alias, struct span realm,
                       struct ahoy_buf *user);
/* From any thread: prints the name of the user whose hash by |algorithm|, in lower-case hex, |hash|
 * is.  False where there is none, or hashes are not looked for; the time it takes does not tell. */
bool ahoyd_store_unhash(struct ahoyd_store *store, enum ahoy_digest_algorithm algorithm,
                        struct span hash, struct span realm, struct ahoy_buf *user);
/* From any thread: whether a user of |realm| has no HA1 by |algorithm|, having been added by an
 * Ahoy that did not make one. */
bool ahoyd_store_lacks(struct ahoyd_store *store, struct span realm,
                       enum ahoy_digest_algorithm algorithm);
/* Random bytes that stay the same over restarts, from which the server derives its keys. */
void ahoyd_store_secret(const struct ahoyd_store *store, unsigned char secret[AHOYD_SECRET_SIZE]);

/* Hands |change| to the writer, which owns it until it gives it back to its owner.  False when its
 * queue is full: the caller still owns it. */
bool ahoyd_store_submit(struct ahoyd_store *store, struct ahoyd_change *change);

/* For the memory store alone, so that a simulated one can be slow, full, and fail: from now on
 * changes wait until they are settled, at most |limit| at once; above that submit refuses. */
void ahoyd_store_hold(struct ahoyd_store *store, size_t limit);
/* Commits the oldest change that waits, or where it |fails| refuses it with 503.  False where none
 * waits. */
bool ahoyd_store_settle(struct ahoyd_store *store, bool fails);

/* Walks all users, all aliases, or all registrations that live at |now_ms|, in no order, until
 * |visit| returns false.  Locks are held meanwhile: |visit| must be quick and must not call the
 * store. */
void ahoyd_store_each_user(struct ahoyd_store *store,
                           bool (*visit)(void *context, struct span user, struct span realm,
                                         const struct ahoyd_user *credentials),
                           void *context);
void ahoyd_store_each_alias(struct ahoyd_store *store,
                            bool (*visit)(void *context, struct span alias, struct span realm,
                                          struct span user),
                            void *context);
void ahoyd_store_each_aor(struct ahoyd_store *store, uint64_t now_ms,
                          bool (*visit)(void *context, struct span aor,
                                        const struct ahoy_bindings *bindings),
                          void *context);
