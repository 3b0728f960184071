/* The store's face: which backend, and what all of them share. */
#include "ahoyd/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "ahoyd/store/shared.h"

static const struct backend *const backends[] = { &memory_backend, &sqlite_backend, &redis_backend,
                                                  &pgsql_backend };

bool store_random(void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t count = getrandom(at, size, 0);
        if (count < 0 && errno != EINTR)
            return false;
        at += count > 0 ? count : 0;
        size -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

bool store_put(struct ahoyd_store *store, struct record *record, uint64_t hash)
{
    bool replaced = index_put(&store->index, record, hash);
    /* Whoever begins to watch from here on finds it. */
    if (atomic_load(&store->watches.count) > 0)
        watches_tell(&store->watches, hash);
    return replaced;
}

static const struct backend *backend_of(enum ahoyd_store_kind kind)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (backends[i]->kind == kind)
            return backends[i];
    }
    return NULL;
}

static void free_parts(struct ahoyd_store *store)
{
    index_fini(&store->index);
    users_fini(&store->users);
    watches_fini(&store->watches);
    pthread_mutex_destroy(&store->memory_lock);
    explicit_bzero(store->secret, sizeof store->secret);
    free(store);
}

static bool open_users(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       char *fault, size_t fault_size)
{
    return options->users == AHOYD_STORE_SQLITE
               ? sqlite_open_users(store, options, fault, fault_size)
               : pgsql_open_users(store, options, fault, fault_size);
}

/* First the users, where they are elsewhere: the backend then keeps none. */
static bool open_parts(struct ahoyd_store *store, const struct ahoyd_store_options *options,
                       char *fault, size_t fault_size)
{
    if (options->users_path != NULL && !open_users(store, options, fault, fault_size))
        return false;
    if (store->backend->open(store, options, fault, fault_size))
        return true;
    if (store->names != NULL)
        shared_close_users(store);
    return false;
}

struct ahoyd_store *ahoyd_store_open(const struct ahoyd_store_options *options, char *fault,
                                     size_t fault_size)
{
    struct ahoy_hash_key keys[3];
    struct ahoyd_store *store = calloc(1, sizeof *store);
    if (store == NULL || !store_random(keys, sizeof keys)) {
        snprintf(fault, fault_size, "the store cannot be opened: no memory or no random device");
        free(store);
        return NULL;
    }
    store->log = options->log;
    store->backend = backend_of(options->kind);
    pthread_mutex_init(&store->memory_lock, NULL);
    bool sound = index_init(&store->index, keys[0]);
    sound = users_init(&store->users, keys[1], options->finds_hashes) && sound;
    sound = watches_init(&store->watches, keys[2]) && sound;
    if (!sound)
        snprintf(fault, fault_size, "the store cannot be opened: memory ran out");
    if (!sound || !open_parts(store, options, fault, fault_size)) {
        free_parts(store);
        return NULL;
    }
    return store;
}

void ahoyd_store_close(struct ahoyd_store *store)
{
    if (store == NULL)
        return;
    store->backend->close(store);
    if (store->names != NULL)
        shared_close_users(store);
    free_parts(store);
}

bool ahoyd_store_find(struct ahoyd_store *store, struct span aor, uint64_t now_ms,
                      struct ahoy_bindings *bindings)
{
    return index_find(&store->index, aor, now_ms, bindings);
}

uint64_t ahoyd_store_expect(const struct ahoyd_store *store, struct span user, struct span domain)
{
    return index_expect(&store->index, user, domain);
}

void ahoyd_store_expect_more(struct ahoyd_store *store, uint64_t expected)
{
    index_expect_record(&store->index, expected);
}

bool ahoyd_store_user(struct ahoyd_store *store, struct span user, struct span realm,
                      struct ahoyd_user *credentials)
{
    return users_find(&store->users, user, realm, credentials);
}

bool ahoyd_store_alias(struct ahoyd_store *store, struct span alias, struct span realm,
                       struct ahoy_buf *user)
{
    return users_alias(&store->users, alias, realm, user);
}

bool ahoyd_store_unhash(struct ahoyd_store *store, enum ahoy_digest_algorithm algorithm,
                        struct span hash, struct span realm, struct ahoy_buf *user)
{
    return users_unhash(&store->users, algorithm, hash, realm, user);
}

bool ahoyd_store_lacks(struct ahoyd_store *store, struct span realm,
                       enum ahoy_digest_algorithm algorithm)
{
    return users_lack(&store->users, realm, algorithm);
}

void ahoyd_store_secret(const struct ahoyd_store *store, unsigned char secret[AHOYD_SECRET_SIZE])
{
    memcpy(secret, store->secret, AHOYD_SECRET_SIZE);
}

static bool is_within_limits(const struct ahoyd_change *change)
{
    if (change->kind == AHOYD_CHANGE_BINDINGS)
        return change->aor.size > 0 && change->aor.size <= AHOYD_AOR_LIMIT;
    if (change->kind == AHOYD_CHANGE_ALIAS_PUT &&
        (change->means.size == 0 || change->means.size > AHOYD_NAME_LIMIT))
        return false;
    return change->user.size > 0 && change->user.size <= AHOYD_NAME_LIMIT &&
           change->realm.size > 0 && change->realm.size <= AHOYD_NAME_LIMIT;
}

bool ahoyd_store_submit(struct ahoyd_store *store, struct ahoyd_change *change)
{
    if (!is_within_limits(change)) {
        struct staged staged = { .change = change };
        store_refuse(store, &staged, 403, "a name that is longer than the store's limit");
        return true;
    }
    if (store->names != NULL && change->kind != AHOYD_CHANGE_BINDINGS)
        return shared_submit_user(store, change);
    return store->backend->submit(store, change);
}

void ahoyd_store_each_user(struct ahoyd_store *store,
                           bool (*visit)(void *context, struct span user, struct span realm,
                                         const struct ahoyd_user *credentials),
                           void *context)
{
    users_each(&store->users, visit, context);
}

void ahoyd_store_each_alias(struct ahoyd_store *store,
                            bool (*visit)(void *context, struct span alias, struct span realm,
                                          struct span user),
                            void *context)
{
    users_each_alias(&store->users, visit, context);
}

void ahoyd_store_each_aor(struct ahoyd_store *store, uint64_t now_ms,
                          bool (*visit)(void *context, struct span aor,
                                        const struct ahoy_bindings *bindings),
                          void *context)
{
    index_each(&store->index, now_ms, visit, context);
}
