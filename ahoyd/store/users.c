/* A chained hash table behind a lock for many readers; users change rarely. */
#include "ahoyd/store/users.h"

#include <stdlib.h>

struct known_user {
    struct known_user *next;
    uint64_t hash;
    struct ahoyd_user credentials;
    size_t user_size, realm_size;
    char text[]; /* User, then realm. */
};

enum { FIRST_CAPACITY = 64 };

static struct span user_of(const struct known_user *known)
{
    return (struct span){ known->text, known->user_size };
}

static struct span realm_of(const struct known_user *known)
{
    return (struct span){ known->text + known->user_size, known->realm_size };
}

bool users_init(struct users *users, struct ahoy_hash_key key)
{
    *users = (struct users){ .key = key, .capacity = FIRST_CAPACITY };
    pthread_rwlock_init(&users->lock, NULL);
    users->buckets = calloc(FIRST_CAPACITY, sizeof(struct known_user *));
    return users->buckets != NULL;
}

void users_discard(struct known_user *user)
{
    if (user == NULL)
        return;
    explicit_bzero(&user->credentials, sizeof user->credentials);
    free(user);
}

void users_fini(struct users *users)
{
    for (size_t i = 0; users->buckets != NULL && i < users->capacity; i++) {
        while (users->buckets[i] != NULL) {
            struct known_user *known = users->buckets[i];
            users->buckets[i] = known->next;
            users_discard(known);
        }
    }
    free(users->buckets);
    pthread_rwlock_destroy(&users->lock);
}

struct known_user *users_prepare(struct span user, struct span realm,
                                 const struct ahoyd_user *credentials)
{
    struct known_user *known = malloc(sizeof *known + user.size + realm.size);
    if (known == NULL)
        return NULL;
    known->next = NULL;
    known->hash = 0;
    known->credentials = *credentials;
    known->user_size = user.size;
    known->realm_size = realm.size;
    if (user.size > 0)
        memcpy(known->text, user.at, user.size);
    if (realm.size > 0)
        memcpy(known->text + user.size, realm.at, realm.size);
    return known;
}

static uint64_t hash_of(const struct users *users, struct span user, struct span realm)
{
    struct span parts[] = { user, SPAN("@"), realm };
    return ahoy_siphash_parts(&users->key, parts, 3);
}

static struct known_user **link_of(const struct users *users, uint64_t hash, struct span user,
                                   struct span realm)
{
    struct known_user **link = &users->buckets[hash & (users->capacity - 1)];
    while (*link != NULL &&
           !((*link)->hash == hash && ahoy_span_equal(user_of(*link), user) &&
             ahoy_span_equal(realm_of(*link), realm)))
        link = &(*link)->next;
    return link;
}

/* Doubles the buckets where they are full; without memory the chains grow longer instead. */
static void grow(struct users *users)
{
    if (users->count < users->capacity)
        return;
    size_t capacity = 2 * users->capacity;
    struct known_user **buckets = calloc(capacity, sizeof(struct known_user *));
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < users->capacity; i++) {
        while (users->buckets[i] != NULL) {
            struct known_user *known = users->buckets[i];
            users->buckets[i] = known->next;
            known->next = buckets[known->hash & (capacity - 1)];
            buckets[known->hash & (capacity - 1)] = known;
        }
    }
    free(users->buckets);
    users->buckets = buckets;
    users->capacity = capacity;
}

void users_put(struct users *users, struct known_user *user)
{
    user->hash = hash_of(users, user_of(user), realm_of(user));
    pthread_rwlock_wrlock(&users->lock);
    struct known_user **link = link_of(users, user->hash, user_of(user), realm_of(user));
    struct known_user *old = *link;
    if (old == NULL) {
        grow(users);
        users->count++;
        link = link_of(users, user->hash, user_of(user), realm_of(user));
    } else {
        user->next = old->next;
    }
    *link = user;
    pthread_rwlock_unlock(&users->lock);
    users_discard(old);
}

bool users_remove(struct users *users, struct span user, struct span realm)
{
    uint64_t hash = hash_of(users, user, realm);
    pthread_rwlock_wrlock(&users->lock);
    struct known_user **link = link_of(users, hash, user, realm);
    struct known_user *old = *link;
    if (old != NULL) {
        *link = old->next;
        users->count--;
    }
    pthread_rwlock_unlock(&users->lock);
    users_discard(old);
    return old != NULL;
}

bool users_find(struct users *users, struct span user, struct span realm,
                struct ahoyd_user *credentials)
{
    uint64_t hash = hash_of(users, user, realm);
    pthread_rwlock_rdlock(&users->lock);
    const struct known_user *known = *link_of(users, hash, user, realm);
    if (known != NULL && credentials != NULL)
        *credentials = known->credentials;
    pthread_rwlock_unlock(&users->lock);
    return known != NULL;
}

void users_each(struct users *users,
                bool (*visit)(void *context, struct span user, struct span realm), void *context)
{
    bool on = true;
    pthread_rwlock_rdlock(&users->lock);
    for (size_t i = 0; i < users->capacity; i++) {
        for (struct known_user *known = users->buckets[i]; on && known != NULL; known = known->next)
            on = visit(context, user_of(known), realm_of(known));
    }
    pthread_rwlock_unlock(&users->lock);
}
