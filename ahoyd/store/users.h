/* The users and what their passwords were hashed to, in memory. */
#pragma once

#include <pthread.h>

#include "ahoyd/store/store.h"

struct known_user;

struct users {
    pthread_rwlock_t lock;
    struct ahoy_hash_key key;
    struct known_user **buckets;
    size_t capacity, count;
};

/* False where memory is refused; users_fini is then still right. */
bool users_init(struct users *users, struct ahoy_hash_key key);
void users_fini(struct users *users);

/* A user ready to be put, so that putting cannot fail; NULL where memory is refused. */
struct known_user *users_prepare(struct span user, struct span realm,
                                 const struct ahoyd_user *credentials);
void users_discard(struct known_user *user);
/* Owns |user| from now on; replaces one of the same name and realm. */
void users_put(struct users *users, struct known_user *user);
/* False where there was none. */
bool users_remove(struct users *users, struct span user, struct span realm);
bool users_find(struct users *users, struct span user, struct span realm,
                struct ahoyd_user *credentials);
void users_each(struct users *users,
                bool (*visit)(void *context, struct span user, struct span realm), void *context);
