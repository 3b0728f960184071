/* A name's bytes are a version and texts, each behind its size: name, realm, the HA1s in the order
 * of their algorithms, and whom it means, which only an alias has. */
#include "ahoyd/store/shared_rows.h"

#include "libahoy/base/unset.h"

enum { NAME_VERSION = 1, KIND_SIZE = 2 /* "b:" */ };

static const struct span bindings_kind = SPAN_INIT("b:");
static const struct span name_kind = SPAN_INIT("u:");

struct span shared_key_of_aor(struct span aor, char space[SHARED_KEY_LIMIT])
{
    struct ahoy_buf key = ahoy_buf_over(space, SHARED_KEY_LIMIT);
    ahoy_buf_put(&key, bindings_kind);
    ahoy_buf_put(&key, aor);
    return ahoy_buf_text(&key);
}

struct span shared_key_of_name(struct span name, struct span realm, char space[SHARED_KEY_LIMIT])
{
    struct ahoy_buf key = ahoy_buf_over(space, SHARED_KEY_LIMIT);
    ahoy_buf_put(&key, name_kind);
    ahoy_buf_put(&key, name);
    ahoy_buf_put_byte(&key, '@');
    ahoy_buf_put(&key, realm);
    return ahoy_buf_text(&key);
}

struct span shared_key_of(const struct ahoyd_change *change, char space[SHARED_KEY_LIMIT])
{
    return change->kind == AHOYD_CHANGE_BINDINGS
               ? shared_key_of_aor(change->aor, space)
               : shared_key_of_name(change->user, change->realm, space);
}

static void put_text(struct ahoy_buf *buf, struct span text)
{
    ahoy_buf_put_byte(buf, (char)text.size); /* No text of a name is longer than 255. */
    ahoy_buf_put(buf, text);
}

static void put_name(const struct ahoyd_change *change, struct ahoy_buf *buf)
{
    ahoy_buf_put_byte(buf, NAME_VERSION);
    put_text(buf, change->user);
    put_text(buf, change->realm);
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        const struct ahoy_digest_hex *ha1 = &change->credentials.ha1[i];
        put_text(buf, (struct span){ ha1->text, ha1->size });
    }
    put_text(buf, change->means);
}

struct span shared_bytes_of(const struct staged *staged, char space[RECORD_SEALED_LIMIT])
{
    struct ahoy_buf buf = ahoy_buf_over(space, RECORD_SEALED_LIMIT);
    if (staged->record != NULL && staged->record->until_ms > 0)
        return record_seal(staged->record, space);
    if (staged->user != NULL)
        put_name(staged->change, &buf);
    return ahoy_buf_text(&buf);
}

static bool take_text(struct span *rest, struct span *text)
{
    if (rest->size == 0 || (size_t)(unsigned char)rest->at[0] >= rest->size)
        return false;
    *text = (struct span){ rest->at + 1, (unsigned char)rest->at[0] };
    *rest = ahoy_span_after(*rest, 1 + text->size);
    return true;
}

static bool take_digests(struct span *rest, struct ahoyd_user *credentials)
{
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        struct ahoy_digest_hex *ha1 = &credentials->ha1[i];
        struct span text;
        if (!take_text(rest, &text) ||
            (text.size != 0 && text.size != ahoy_digest_size((enum ahoy_digest_algorithm)i)))
            return false;
        memcpy(ha1->text, text.at, text.size);
        ha1->size = text.size;
    }
    return true;
}

/* NULL where it is damaged, is not of |key|, or memory is refused. */
static struct known_user *read_name(struct span key, struct span bytes)
{
    char space[SHARED_KEY_LIMIT];
    struct ahoyd_user credentials = { 0 };
    struct span rest = ahoy_span_after(bytes, 1);
    struct span name, realm, means;
    struct known_user *known = NULL;
    bool sound = bytes.at[0] == NAME_VERSION && take_text(&rest, &name) &&
                 take_text(&rest, &realm) && take_digests(&rest, &credentials) &&
                 take_text(&rest, &means) && rest.size == 0 &&
                 ahoy_span_equal(shared_key_of_name(name, realm, space), key);
    if (sound)
        known = means.size > 0 ? users_prepare_alias(name, realm, means)
                               : users_prepare(name, realm, &credentials);
    explicit_bzero(&credentials, sizeof credentials);
    return known;
}

/* Neither a name nor a realm has an "@" in it: the control socket takes none that has. */
static void remove_name(struct ahoyd_store *store, struct span key)
{
    struct span name = ahoy_span_after(key, KIND_SIZE);
    size_t end = name.size;
    while (end > 0 && name.at[end - 1] != '@')
        end--;
    if (end > 0)
        users_remove(&store->users, (struct span){ name.at, end - 1 }, ahoy_span_after(name, end));
}

static bool take_name(struct ahoyd_store *store, const struct shared_row *row)
{
    if (row->version == 0) {
        remove_name(store, row->key);
        return true;
    }
    struct known_user *known = row->bytes.size > 0 ? read_name(row->key, row->bytes) : NULL;
    if (known != NULL)
        users_put(&store->users, known);
    return known != NULL;
}

/* What is there already stays as it is: it knows the connections of this process. */
static bool take_bindings(struct ahoyd_store *store, const struct shared_row *row)
{
    AHOY_UNSET struct ahoy_bindings none;
    struct span aor = ahoy_span_after(row->key, KIND_SIZE);
    struct record *record = NULL;
    if (row->version == index_row(&store->index, aor))
        return true;
    ahoy_bindings_init(&none);
    record = row->version == 0 ? record_new(aor, &none) : record_read(aor, row->bytes);
    if (record == NULL)
        return false;
    record->row = row->version;
    index_put(&store->index, record);
    return true;
}

bool shared_take(struct ahoyd_store *store, const struct shared_row *row)
{
    if (row->key.size > SHARED_KEY_LIMIT)
        return false;
    if (ahoy_span_starts_nocase(row->key, bindings_kind))
        return take_bindings(store, row);
    return !ahoy_span_starts_nocase(row->key, name_kind) || take_name(store, row);
}
