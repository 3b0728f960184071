/* Nothing is left to the schema: whoever owns the database may have changed that as well. */
#include "ahoyd/store/pgsql_row.h"

#include <endian.h>

#include "ahoyd/store/spelling.h"

struct pgsql_number pgsql_number(uint64_t value)
{
    struct pgsql_number number;
    uint64_t sent = htobe64(value);
    memcpy(number.bytes, &sent, sizeof sent);
    return number;
}

uint64_t pgsql_number_of(struct span value)
{
    uint64_t sent = 0;
    if (value.at != NULL && value.size == sizeof sent)
        memcpy(&sent, value.at, sizeof sent);
    return be64toh(sent);
}

static struct span text_of(struct span value)
{
    return value.at != NULL ? value : SPAN("");
}

const char *pgsql_row_read(const struct span values[PGSQL_ROW_COLUMNS], struct pgsql_space *space,
                           struct shared_row *row)
{
    (void)space; /* Nothing is made up. */
    *row = (struct shared_row){ .key = text_of(values[PGSQL_ROW_KEY]),
                                .version = pgsql_number_of(values[PGSQL_ROW_VERSION]),
                                .bytes = text_of(values[PGSQL_ROW_BYTES]) };
    return NULL;
}

/* The configuration keeps domains in lower case, so any other realm would be nobody's. */
static bool is_realm(struct span realm)
{
    for (size_t i = 0; i < realm.size; i++) {
        if (realm.at[i] >= 'A' && realm.at[i] <= 'Z')
            return false;
    }
    return ahoyd_is_name(realm);
}

/* What is wrong with what a user has, or an alias; NULL for nothing. */
static const char *read_name(const struct span *values, struct shared_name *name)
{
    bool has_digests = false;
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        name->ha1[i] = text_of(values[PGSQL_USER_MD5 + i - AHOY_DIGEST_MD5]);
        has_digests |= name->ha1[i].size > 0;
        if (name->ha1[i].size > 0 && !ahoyd_is_ha1(name->ha1[i], (enum ahoy_digest_algorithm)i))
            return "md5, sha256 or sha512_256 is no HA1 in lower-case hex";
    }
    if (values[PGSQL_USER_ALIAS_OF].at == NULL)
        return has_digests ? NULL : "it has neither an HA1 nor alias_of";
    name->means = values[PGSQL_USER_ALIAS_OF];
    if (has_digests)
        return "an alias has no HA1";
    return ahoyd_is_name(name->means) ? NULL : "alias_of is no user's name";
}

const char *pgsql_user_read(const struct span values[PGSQL_USER_COLUMNS], struct pgsql_space *space,
                            struct shared_row *row)
{
    struct shared_name name = { .name = text_of(values[PGSQL_USER_NAME]),
                                .realm = text_of(values[PGSQL_USER_REALM]) };
    *row = (struct shared_row){ .version = pgsql_number_of(values[PGSQL_USER_VERSION]) };
    if (values[PGSQL_USER_VERSION].at == NULL)
        return NULL;
    if (row->version == 0)
        return "it has no version";
    if (!ahoyd_is_name(name.name))
        return "its name is none: 1 to 255 characters, without spaces and @ : \" \\ < >";
    if (!is_realm(name.realm))
        return "its realm is none: a domain, in lower case";
    row->key = shared_key_of_name(name.name, name.realm, space->key);
    const char *why = read_name(values, &name);
    if (why == NULL)
        row->bytes = shared_print_name(&name, space->bytes);
    return why;
}
