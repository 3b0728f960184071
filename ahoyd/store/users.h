/* The users and what their passwords were hashed to, and other names that they have, in memory. */
#pragma once

#include <pthread.h>

#include "ahoyd/store/store.h"
#include "libahoy/base/map.h"

/* A user, or an alias: the name of one.  One allocation; his HA1s, where they are known, behind his
 * name and his realm; behind an alias whose it is. */
struct known_user {
    struct known_user *next;
    uint64_t hash;
    uint16_t user_size, realm_size;
    uint16_t means_size; /* 0 for a user. */
    uint8_t ha1_sizes[AHOY_DIGEST_COUNT];
    char text[]; /* User, realm, HA1s in the order of their algorithms, whom an alias means. */
};

struct users {
    pthread_rwlock_t lock;
    struct ahoy_hash_key key;
    struct known_user **buckets;
    size_t capacity, count;
    struct ahoy_map lacking; /* How many users of a realm lack an algorithm's HA1, where some do. */
    bool lost_count;         /* For want of memory: then all lack everything. */
    _Atomic size_t alias_count; /* Of |count|. */
    bool finds_hashes;
    struct ahoy_map hashes; /* Users by the hashes of their names. */
};

/* False where memory is refused; users_fini is then still right. */
bool users_init(struct users *users, struct ahoy_hash_key key, bool finds_hashes);
void users_fini(struct users *users);

static inline struct span known_user_name(const struct known_user *known)
{
    return (struct span){ known->text, known->user_size };
}

static inline struct span known_user_realm(const struct known_user *known)
{
    return (struct span){ known->text + known->user_size, known->realm_size };
}

/* A user ready to be put, so that putting cannot fail; NULL where memory is refused. */
struct known_user *users_prepare(struct span user, struct span realm,
                                 const struct ahoyd_user *credentials);
/* The same for an alias of the user |means|. */
struct known_user *users_prepare_alias(struct span alias, struct span realm, struct span means);
void users_discard(struct known_user *user);
/* Owns |user| from now on; replaces one of the same name and realm. */
void users_put(struct users *users, struct known_user *user);
/* Removes a user with all of his aliases, or an alias.  False where there was none. */
bool users_remove(struct users *users, struct span user, struct span realm);
/* What a name is. */
enum users_kind { USERS_NOBODY, USERS_USER, USERS_ALIAS };
enum users_kind users_kind(struct users *users, struct span name, struct span realm);
bool users_find(struct users *users, struct span user, struct span realm,
                struct ahoyd_user *credentials);
/* As ahoyd_store_alias, ahoyd_store_each_alias, ahoyd_store_unhash, ahoyd_store_lacks and
 * ahoyd_store_each_user. */
bool users_alias(struct users *users, struct span alias, struct span realm, struct ahoy_buf *user);
void users_each_alias(struct users *users,
                      bool (*visit)(void *context, struct span alias, struct span realm,
                                    struct span user),
                      void *context);
bool users_unhash(struct users *users, enum ahoy_digest_algorithm algorithm, struct span hash,
                  struct span realm, struct ahoy_buf *user);
bool users_lack(struct users *users, struct span realm, enum ahoy_digest_algorithm algorithm);
void users_each(struct users *users,
                bool (*visit)(void *context, struct span user, struct span realm,
                              const struct ahoyd_user *credentials),
                void *context);

/* users_hashes.c, under the writer's lock: notes and forgets the hashes of a name.  What memory is
 * refused for is not found. */
void users_note_hashes(struct users *users, const struct known_user *user);
void users_forget_hashes(struct users *users, const struct known_user *user);
