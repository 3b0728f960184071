/* A chained hash table behind a lock for many readers; users change rarely. */
#include "ahoyd/store/users.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64, ANY_COUNT = INT32_MAX };

bool users_init(struct users *users, struct ahoy_hash_key key, bool finds_hashes)
{
    *users = (struct users){ .key = key, .capacity = FIRST_CAPACITY, .finds_hashes = finds_hashes };
    ahoy_map_init(&users->lacking, ANY_COUNT);
    ahoy_map_init(&users->hashes, ANY_COUNT);
    pthread_rwlock_init(&users->lock, NULL);
    users->buckets = calloc(FIRST_CAPACITY, sizeof(struct known_user *));
    return users->buckets != NULL;
}

static size_t text_size(const struct known_user *user)
{
    size_t size = (size_t)user->user_size + user->realm_size + user->means_size;
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++)
        size += user->ha1_sizes[i];
    return size;
}

static struct span means_of(const struct known_user *known)
{
    return (struct span){ known->text + text_size(known) - known->means_size, known->means_size };
}

void users_discard(struct known_user *user)
{
    if (user == NULL)
        return;
    explicit_bzero(user->text, text_size(user));
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
    ahoy_map_fini(&users->lacking);
    ahoy_map_fini(&users->hashes);
    pthread_rwlock_destroy(&users->lock);
}

static char *append(char *at, struct span text)
{
    if (text.size > 0)
        memcpy(at, text.at, text.size);
    return at + text.size;
}

static struct known_user *prepare(struct span user, struct span realm,
                                  const struct ahoyd_user *credentials, struct span means)
{
    size_t size = user.size + realm.size + means.size;
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++)
        size += credentials->ha1[i].size;
    struct known_user *known = NULL;
    if (user.size <= AHOYD_NAME_LIMIT && realm.size <= AHOYD_NAME_LIMIT &&
        means.size <= AHOYD_NAME_LIMIT)
        known = malloc(sizeof *known + size);
    if (known == NULL)
        return NULL;
    known->next = NULL;
    known->hash = 0;
    known->user_size = (uint16_t)user.size;
    known->realm_size = (uint16_t)realm.size;
    known->means_size = (uint16_t)means.size;
    char *at = append(append(known->text, user), realm);
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        const struct ahoy_digest_hex *ha1 = &credentials->ha1[i];
        known->ha1_sizes[i] = (uint8_t)ha1->size;
        at = append(at, (struct span){ ha1->text, ha1->size });
    }
    append(at, means);
    return known;
}

struct known_user *users_prepare(struct span user, struct span realm,
                                 const struct ahoyd_user *credentials)
{
    return prepare(user, realm, credentials, SPAN(""));
}

struct known_user *users_prepare_alias(struct span alias, struct span realm, struct span means)
{
    const struct ahoyd_user none = { 0 };
    return prepare(alias, realm, &none, means);
}

static void read_credentials(const struct known_user *known, struct ahoyd_user *credentials)
{
    const char *at = ahoy_span_end(known_user_realm(known));
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        struct ahoy_digest_hex *ha1 = &credentials->ha1[i];
        ha1->size = known->ha1_sizes[i];
        memcpy(ha1->text, at, ha1->size);
        at += ha1->size;
    }
}

static uint64_t lack_of(const struct users *users, struct span realm, unsigned algorithm)
{
    const char digit = (char)('0' + algorithm);
    const struct span parts[] = { { &digit, 1 }, realm };
    return ahoy_siphash_parts(&users->key, parts, 2);
}

/* One user more, or one less, lacks what |known| lacks. */
static void count_lacks(struct users *users, const struct known_user *known, bool more)
{
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        if (known->ha1_sizes[i] > 0)
            continue;
        uint64_t hash = lack_of(users, known_user_realm(known), i);
        uint64_t count = 0;
        size_t cursor = 0;
        if (ahoy_map_find(&users->lacking, hash, &cursor, &count))
            ahoy_map_remove(&users->lacking, hash, count);
        count = more ? count + 1 : count - 1;
        if (count > 0 && !ahoy_map_add(&users->lacking, hash, count))
            users->lost_count = true;
    }
}

bool users_lack(struct users *users, struct span realm, enum ahoy_digest_algorithm algorithm)
{
    uint64_t count;
    size_t cursor = 0;
    uint64_t hash = lack_of(users, realm, algorithm);
    pthread_rwlock_rdlock(&users->lock);
    bool lack = users->lost_count || ahoy_map_find(&users->lacking, hash, &cursor, &count);
    pthread_rwlock_unlock(&users->lock);
    return lack;
}

/* Under the lock: what else is known of who came or went. */
static void note(struct users *users, const struct known_user *user)
{
    if (user->means_size > 0) {
        users->alias_count++;
        return;
    }
    count_lacks(users, user, true);
    if (users->finds_hashes)
        users_note_hashes(users, user);
}

static void forget(struct users *users, const struct known_user *user)
{
    if (user == NULL)
        return;
    if (user->means_size > 0) {
        users->alias_count--;
        return;
    }
    count_lacks(users, user, false);
    if (users->finds_hashes)
        users_forget_hashes(users, user);
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
           !((*link)->hash == hash && ahoy_span_equal(known_user_name(*link), user) &&
             ahoy_span_equal(known_user_realm(*link), realm)))
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
    user->hash = hash_of(users, known_user_name(user), known_user_realm(user));
    pthread_rwlock_wrlock(&users->lock);
    struct known_user **link =
        link_of(users, user->hash, known_user_name(user), known_user_realm(user));
    struct known_user *old = *link;
    if (old == NULL) {
        grow(users);
        users->count++;
        link = link_of(users, user->hash, known_user_name(user), known_user_realm(user));
    } else {
        user->next = old->next;
    }
    *link = user;
    forget(users, old);
    note(users, user);
    pthread_rwlock_unlock(&users->lock);
    users_discard(old);
}

/* Under the lock. */
static void drop(struct users *users, struct known_user **link)
{
    struct known_user *old = *link;
    *link = old->next;
    users->count--;
    forget(users, old);
    users_discard(old);
}

/* The aliases of a user that is gone: whoever gets his name later does not get them. */
static void drop_aliases(struct users *users, struct span user, struct span realm)
{
    for (size_t i = 0; users->alias_count > 0 && i < users->capacity; i++) {
        struct known_user **link = &users->buckets[i];
        while (*link != NULL) {
            if ((*link)->means_size > 0 && ahoy_span_equal(means_of(*link), user) &&
                ahoy_span_equal(known_user_realm(*link), realm))
                drop(users, link);
            else
                link = &(*link)->next;
        }
    }
}

bool users_remove(struct users *users, struct span user, struct span realm)
{
    uint64_t hash = hash_of(users, user, realm);
    pthread_rwlock_wrlock(&users->lock);
    struct known_user **link = link_of(users, hash, user, realm);
    bool found = *link != NULL;
    if (found) {
        drop(users, link);
        drop_aliases(users, user, realm);
    }
    pthread_rwlock_unlock(&users->lock);
    return found;
}

static enum users_kind kind_of(const struct known_user *known)
{
    if (known == NULL)
        return USERS_NOBODY;
    return known->means_size > 0 ? USERS_ALIAS : USERS_USER;
}

enum users_kind users_kind(struct users *users, struct span name, struct span realm)
{
    uint64_t hash = hash_of(users, name, realm);
    pthread_rwlock_rdlock(&users->lock);
    enum users_kind kind = kind_of(*link_of(users, hash, name, realm));
    pthread_rwlock_unlock(&users->lock);
    return kind;
}

bool users_alias(struct users *users, struct span alias, struct span realm, struct ahoy_buf *user)
{
    if (users->alias_count == 0) /* As mostly: then no lock is taken. */
        return false;
    uint64_t hash = hash_of(users, alias, realm);
    pthread_rwlock_rdlock(&users->lock);
    const struct known_user *known = *link_of(users, hash, alias, realm);
    bool found = kind_of(known) == USERS_ALIAS;
    if (found)
        ahoy_buf_put(user, means_of(known));
    pthread_rwlock_unlock(&users->lock);
    return found && !user->overflow;
}

bool users_find(struct users *users, struct span user, struct span realm,
                struct ahoyd_user *credentials)
{
    uint64_t hash = hash_of(users, user, realm);
    pthread_rwlock_rdlock(&users->lock);
    const struct known_user *known = *link_of(users, hash, user, realm);
    bool found = kind_of(known) == USERS_USER;
    if (found && credentials != NULL)
        read_credentials(known, credentials);
    pthread_rwlock_unlock(&users->lock);
    return found;
}

void users_each(struct users *users,
                bool (*visit)(void *context, struct span user, struct span realm,
                              const struct ahoyd_user *credentials),
                void *context)
{
    struct ahoyd_user credentials;
    bool on = true;
    pthread_rwlock_rdlock(&users->lock);
    for (size_t i = 0; i < users->capacity; i++) {
        for (struct known_user *known = users->buckets[i]; on && known != NULL;
             known = known->next) {
            if (known->means_size > 0)
                continue;
            read_credentials(known, &credentials);
            on = visit(context, known_user_name(known), known_user_realm(known), &credentials);
        }
    }
    explicit_bzero(&credentials, sizeof credentials);
    pthread_rwlock_unlock(&users->lock);
}

void users_each_alias(struct users *users,
                      bool (*visit)(void *context, struct span alias, struct span realm,
                                    struct span user),
                      void *context)
{
    bool on = true;
    pthread_rwlock_rdlock(&users->lock);
    for (size_t i = 0; i < users->capacity; i++) {
        for (struct known_user *known = users->buckets[i]; on && known != NULL;
             known = known->next) {
            if (known->means_size > 0)
                on = visit(context, known_user_name(known), known_user_realm(known),
                           means_of(known));
        }
    }
    pthread_rwlock_unlock(&users->lock);
}
