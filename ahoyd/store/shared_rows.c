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

bool shared_is_name(struct span key)
{
    return ahoy_span_starts_nocase(key, name_kind);
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

struct span shared_print_name(const struct shared_name *name, char space[SHARED_NAME_LIMIT])
{
    struct ahoy_buf buf = ahoy_buf_over(space, SHARED_NAME_LIMIT);
    ahoy_buf_put_byte(&buf, NAME_VERSION);
    put_text(&buf, name->name);
    put_text(&buf, name->realm);
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++)
        put_text(&buf, name->ha1[i]);
    put_text(&buf, name->means);
    return ahoy_buf_text(&buf);
}

static struct span print_change(const struct ahoyd_change *change, char space[SHARED_NAME_LIMIT])
{
    struct shared_name name = { .name = change->user,
                                .realm = change->realm,
                                .means = change->means };
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        const struct ahoy_digest_hex *ha1 = &change->credentials.ha1[i];
        name.ha1[i] = (struct span){ ha1->text, ha1->size };
    }
    return shared_print_name(&name, space);
}

struct span shared_bytes_of(const struct staged *staged, char space[RECORD_SEALED_LIMIT])
{
    _Static_assert((int)SHARED_NAME_LIMIT <= (int)RECORD_SEALED_LIMIT, "either fits");
    if (staged->record != NULL && staged->record->until_ms > 0)
        return record_seal(staged->record, space);
    return staged->user != NULL ? print_change(staged->change, space) : SPAN("");
}

static bool take_text(struct span *rest, struct span *text)
{
    if (rest->size == 0 || (size_t)(unsigned char)rest->at[0] >= rest->size)
        return false;
    *text = (struct span){ rest->at + 1, (unsigned char)rest->at[0] };
    *rest = ahoy_span_after(*rest, 1 + text->size);
    return true;
}

static bool take_digests(struct span *rest, struct span ha1[AHOY_DIGEST_COUNT])
{
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        if (!take_text(rest, &ha1[i]) ||
            (ha1[i].size != 0 && ha1[i].size != ahoy_digest_size((enum ahoy_digest_algorithm)i)))
            return false;
    }
    return true;
}

bool shared_read_name(struct span bytes, struct shared_name *name)
{
    struct span rest = ahoy_span_after(bytes, bytes.size > 0);
    *name = (struct shared_name){ .name = SPAN("") };
    return bytes.size > 0 && bytes.at[0] == NAME_VERSION && take_text(&rest, &name->name) &&
           take_text(&rest, &name->realm) && take_digests(&rest, name->ha1) &&
           take_text(&rest, &name->means) && rest.size == 0;
}

static struct known_user *make_user(const struct shared_name *name)
{
    struct ahoyd_user credentials = { 0 };
    for (unsigned i = 0; i < AHOY_DIGEST_COUNT; i++) {
        credentials.ha1[i].size = name->ha1[i].size;
        memcpy(credentials.ha1[i].text, name->ha1[i].at, name->ha1[i].size);
    }
    struct known_user *known = users_prepare(name->name, name->realm, &credentials);
    explicit_bzero(&credentials, sizeof credentials);
    return known;
}

/* NULL where it is damaged, is not of |key|, or memory is refused. */
static struct known_user *make_name(struct span key, struct span bytes)
{
    char space[SHARED_KEY_LIMIT];
    struct shared_name name;
    if (!shared_read_name(bytes, &name) ||
        !ahoy_span_equal(shared_key_of_name(name.name, name.realm, space), key))
        return NULL;
    return name.means.size > 0 ? users_prepare_alias(name.name, name.realm, name.means)
                               : make_user(&name);
}

/* Neither a name nor a realm has an "@" in it: the control socket takes none that has. */
bool shared_split_key(struct span key, struct span *name, struct span *realm)
{
    if (!shared_is_name(key))
        return false;
    *name = ahoy_span_after(key, KIND_SIZE);
    size_t end = name->size;
    while (end > 0 && name->at[end - 1] != '@')
        end--;
    *realm = ahoy_span_after(*name, end);
    name->size = end > 0 ? end - 1 : 0;
    return end > 0;
}

static bool take_name(struct ahoyd_store *store, const struct shared_row *row)
{
    struct span name, realm;
    if (row->bytes.size == 0) {
        if (shared_split_key(row->key, &name, &realm))
            users_remove(&store->users, name, realm);
        return true;
    }
    struct known_user *known = make_name(row->key, row->bytes);
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
    const uint64_t version = row->is_gone ? 0 : row->version;
    if (version == index_row(&store->index, aor))
        return true;
    ahoy_bindings_init(&none);
    struct slabs *slabs = &store->index.slabs;
    record = version == 0 ? record_new(slabs, aor, &none) : record_read(slabs, aor, row->bytes);
    if (record == NULL)
        return false;
    record->row = version;
    (void)store_put(store, record, index_hash(&store->index, aor));
    return true;
}

bool shared_take(struct ahoyd_store *store, const struct shared_row *row)
{
    if (row->key.size > SHARED_KEY_LIMIT)
        return false;
    if (ahoy_span_starts_nocase(row->key, bindings_kind))
        return take_bindings(store, row);
    return !shared_is_name(row->key) || take_name(store, row);
}
