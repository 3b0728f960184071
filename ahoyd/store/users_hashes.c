/* Users by the hashes of their names (RFC 7616 3.4.4): one by each algorithm.  The table holds the
 * first 64 bits of a hash, all of it is made again for whomever these point to. */
#include "ahoyd/store/users.h"

/* The first 64 bits of |hex|; false where it is none. */
static bool first_bits(struct span hex, uint64_t *bits)
{
    *bits = 0;
    if (hex.size < 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = hex.at[i] != '\0' ? strchr(digits, hex.at[i]) : NULL;
        if (digit == NULL)
            return false;
        *bits = *bits << 4 | (uint64_t)(digit - digits);
    }
    return true;
}

static uint64_t hash_of(const struct known_user *user, unsigned algorithm)
{
    struct ahoy_digest_hex hex = { .size = 0 };
    uint64_t bits;
    if (!ahoy_digest_userhash((enum ahoy_digest_algorithm)algorithm, known_user_name(user),
                              known_user_realm(user), &hex) ||
        !first_bits((struct span){ hex.text, hex.size }, &bits))
        return 0; /* Nobody looks for that. */
    return bits;
}

void users_note_hashes(struct users *users, const struct known_user *user)
{
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        (void)ahoy_map_add(&users->hashes, hash_of(user, i), (uintptr_t)user); /* Or not found. */
}

void users_forget_hashes(struct users *users, const struct known_user *user)
{
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        ahoy_map_remove(&users->hashes, hash_of(user, i), (uintptr_t)user);
}

/* The name at hand, or one as good where there is none: hashing it takes as long. */
static bool has_hash(const struct known_user *user, enum ahoy_digest_algorithm algorithm,
                     struct span hash, struct span realm)
{
    struct ahoy_digest_hex hex;
    struct span name = user != NULL ? known_user_name(user) : SPAN("nobody");
    return ahoy_digest_userhash(algorithm, name, realm, &hex) && user != NULL &&
           ahoy_span_equal(known_user_realm(user), realm) &&
           ahoy_span_equal((struct span){ hex.text, hex.size }, hash);
}

bool users_unhash(struct users *users, enum ahoy_digest_algorithm algorithm, struct span hash,
                  struct span realm, struct ahoy_buf *user)
{
    uint64_t bits;
    uint64_t value = 0;
    size_t cursor = 0;
    if (!users->finds_hashes || !first_bits(hash, &bits))
        return false;
    pthread_rwlock_rdlock(&users->lock);
    (void)ahoy_map_find(&users->hashes, bits, &cursor, &value); /* Else it stays NULL. */
    const struct known_user *known = (const struct known_user *)(uintptr_t)value;
    bool found = has_hash(known, algorithm, hash, realm);
    if (found)
        ahoy_buf_put(user, known_user_name(known));
    pthread_rwlock_unlock(&users->lock);
    return found && !user->overflow;
}
