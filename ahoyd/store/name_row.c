/* Nothing is left to the schema: whoever owns the database may have changed that as well. */
#include "ahoyd/store/name_row.h"

#include <endian.h>
#include <inttypes.h>

#include "ahoyd/store/spelling.h"

struct name_number name_number(uint64_t value)
{
    struct name_number number;
    uint64_t sent = htobe64(value);
    memcpy(number.bytes, &sent, sizeof sent);
    return number;
}

uint64_t name_number_of(struct span value)
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
        name->ha1[i] = text_of(values[NAME_ROW_MD5 + i - AHOY_DIGEST_MD5]);
        has_digests |= name->ha1[i].size > 0;
        if (name->ha1[i].size > 0 && !ahoyd_is_ha1(name->ha1[i], (enum ahoy_digest_algorithm)i))
            return "md5, sha256 or sha512_256 is no HA1 in lower-case hex";
    }
    if (values[NAME_ROW_ALIAS_OF].at == NULL)
        return has_digests ? NULL : "it has neither an HA1 nor alias_of";
    name->means = values[NAME_ROW_ALIAS_OF];
    if (has_digests)
        return "an alias has no HA1";
    return ahoyd_is_name(name->means) ? NULL : "alias_of is no user's name";
}

const char *name_row_read(const struct span values[NAME_ROW_COLUMNS], struct name_space *space,
                          struct shared_row *row)
{
    struct shared_name name = { .name = text_of(values[NAME_ROW_NAME]),
                                .realm = text_of(values[NAME_ROW_REALM]) };
    *row = (struct shared_row){ .version = name_number_of(values[NAME_ROW_VERSION]) };
    if (values[NAME_ROW_VERSION].at == NULL)
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

void name_faults_tell(struct name_faults *faults, struct span id, uint64_t version, const char *why)
{
    for (size_t i = 0; i < faults->count; i++) {
        if (faults->versions[i] == version)
            return;
    }
    if (faults->count == NAME_FAULTS_LIMIT)
        return;
    faults->versions[faults->count++] = version;
    ahoy_log_line(faults->log, AHOY_LOG_WARNING,
                  "%s: the row of ahoy_users with the id %" PRId64 " is not served: %s",
                  faults->place, (int64_t)name_number_of(id), why);
    if (faults->count == NAME_FAULTS_LIMIT)
        ahoy_log_line(faults->log, AHOY_LOG_WARNING,
                      "%s: further rows that are not served are not named", faults->place);
}
