/* The form of a state: a version, a count, and each binding as numbers (seven bits a byte, the
 * lowest first, a mark on all bytes but the last) and texts with their sizes before them.  A time
 * is told by how far it lies before another, an instance by where it stands in the parameters.
 * On the disk the version has a mark, and behind it all stands a check of it and of the
 * address-of-record.  It is read as if a stranger had written it: a damaged file must not hurt. */
#include "ahoyd/store/record.h"

#include <stdlib.h>

#include "ahoyd/store/record_old.h"
#include "libahoy/base/unset.h"

enum {
    VERSION = 4,
    SEALED_MARK = 0x80, /* Of the version of a row with a check. */
    CHECK_SIZE = RECORD_SEALED_LIMIT - RECORD_STATE_LIMIT
};

_Static_assert(RECORD_STATE_LIMIT <= UINT16_MAX, "the size of a state has room in a record");

struct writer {
    char *at;
};

static void put(struct writer *writer, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *writer->at++ = (char)(value | 0x80);
    *writer->at++ = (char)value;
}

static void put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(writer->at, bytes, size);
    writer->at += size;
}

static void put_text(struct writer *writer, struct span text)
{
    put(writer, text.size);
    put_bytes(writer, text.at, text.size);
}

/* Bytes of an address of |family|. */
static size_t address_size(unsigned family)
{
    return family == AHOY_IPV4 ? 4 : family == AHOY_IPV6 ? 16 : 0;
}

static void put_hop(struct writer *writer, const struct ahoy_hop *hop)
{
    put(writer, hop->transport);
    put(writer, hop->listener);
    put(writer, hop->worker);
    put(writer, hop->connection.slot);
    put(writer, hop->connection.generation);
    put(writer, hop->remote.family);
    put(writer, hop->remote.port);
    put(writer, hop->remote.scope);
    put_bytes(writer, hop->remote.bytes, address_size(hop->remote.family));
}

/* Its size, and its place in |params| counted from one; where it does not stand there, 0 and then
 * itself. */
static void put_instance(struct writer *writer, struct span instance, struct span params)
{
    put(writer, instance.size);
    if (instance.size == 0)
        return;
    const char *at = ahoy_span_has(params, instance) ? instance.at : NULL;
    put(writer, at == NULL ? 0 : (uint64_t)(at - params.at) + 1);
    if (at == NULL)
        put_bytes(writer, instance.at, instance.size);
}

static void put_binding(struct writer *writer, const struct ahoy_binding *binding)
{
    put(writer, binding->expires_ms);
    put(writer, binding->expires_ms - binding->updated_ms);
    put(writer, binding->updated_ms - binding->era_ms);
    put(writer, binding->cseq);
    put(writer, binding->q);
    put(writer, binding->reg_id);
    put_hop(writer, &binding->hop);
    put_text(writer, binding->contact);
    put_text(writer, binding->params);
    put_instance(writer, binding->instance, binding->params);
    put_text(writer, binding->path);
    put_text(writer, binding->call_id);
}

static size_t encode(const struct ahoy_bindings *bindings, char state[RECORD_STATE_LIMIT])
{
    struct writer writer = { state };
    put(&writer, VERSION);
    put(&writer, bindings->count);
    for (size_t i = 0; i < bindings->count; i++)
        put_binding(&writer, &bindings->list[i]);
    return (size_t)(writer.at - state);
}

struct reader {
    struct span rest;
    bool damaged;
};

static struct span take_bytes(struct reader *reader, size_t size)
{
    if (reader->rest.size < size) {
        reader->damaged = true;
        return SPAN("");
    }
    struct span bytes = { reader->rest.at, size };
    reader->rest = ahoy_span_after(reader->rest, size);
    return bytes;
}

/* A number up to |most|. */
static inline uint64_t take(struct reader *reader, uint64_t most)
{
    const unsigned char *at = (const unsigned char *)reader->rest.at;
    size_t size = reader->rest.size, read = 0;
    if (size > 0 && at[0] < 0x80 && at[0] <= most) { /* Most are small. */
        reader->rest = (struct span){ reader->rest.at + 1, size - 1 };
        return at[0];
    }
    uint64_t value = 0;
    bool ends = false;
    for (unsigned bits = 0; !ends && read < size && bits < 64; bits += 7) {
        value |= (uint64_t)(at[read] & 0x7f) << bits;
        ends = at[read++] < 0x80;
    }
    reader->rest = ahoy_span_after(reader->rest, read);
    if (ends && value <= most)
        return value;
    reader->damaged = true;
    return 0;
}

static struct span take_text(struct reader *reader)
{
    return take_bytes(reader, (size_t)take(reader, UINT16_MAX));
}

static void take_hop(struct reader *reader, struct ahoy_hop *hop)
{
    hop->transport = (uint8_t)take(reader, AHOY_TRANSPORT_COUNT - 1);
    hop->listener = (uint8_t)take(reader, UINT8_MAX);
    hop->worker = (uint16_t)take(reader, UINT16_MAX);
    hop->connection.slot = (uint32_t)take(reader, UINT32_MAX);
    hop->connection.generation = (uint32_t)take(reader, UINT32_MAX);
    hop->remote.family = (uint8_t)take(reader, AHOY_IPV6);
    hop->remote.port = (uint16_t)take(reader, UINT16_MAX);
    hop->remote.scope = (uint32_t)take(reader, UINT32_MAX);
    struct span bytes = take_bytes(reader, address_size(hop->remote.family));
    if (bytes.size > 0)
        memcpy(hop->remote.bytes, bytes.at, bytes.size);
}

static struct span take_instance(struct reader *reader, struct span params)
{
    size_t size = (size_t)take(reader, AHOY_INSTANCE_LIMIT);
    size_t place = size == 0 ? 0 : (size_t)take(reader, params.size);
    if (place == 0)
        return take_bytes(reader, size);
    struct reader within = { .rest = ahoy_span_after(params, place - 1) };
    struct span instance = take_bytes(&within, size);
    reader->damaged |= within.damaged;
    return instance;
}

static void take_binding(struct reader *reader, struct ahoy_binding *binding)
{
    binding->expires_ms = take(reader, UINT64_MAX);
    binding->updated_ms = binding->expires_ms - take(reader, UINT64_MAX);
    binding->era_ms = binding->updated_ms - take(reader, UINT64_MAX);
    binding->cseq = (uint32_t)take(reader, UINT32_MAX);
    binding->q = (uint16_t)take(reader, UINT16_MAX);
    binding->reg_id = (uint32_t)take(reader, UINT32_MAX);
    take_hop(reader, &binding->hop);
    binding->contact = take_text(reader);
    binding->params = take_text(reader);
    binding->instance = take_instance(reader, binding->params);
    binding->path = take_text(reader);
    binding->call_id = take_text(reader);
}

bool record_decode(struct span state, uint64_t now_ms, struct ahoy_bindings *bindings)
{
    struct reader reader = { .rest = state };
    ahoy_bindings_init(bindings);
    uint64_t version = take(&reader, UINT8_MAX);
    uint64_t count = take(&reader, AHOY_BINDINGS_LIMIT);
    if (version != VERSION)
        return false;
    for (uint64_t i = 0; i < count && !reader.damaged; i++) {
        struct ahoy_binding binding = { 0 };
        take_binding(&reader, &binding);
        bool lives = binding.expires_ms > now_ms;
        if (!reader.damaged && lives && !ahoy_bindings_add(bindings, &binding))
            reader.damaged = true;
    }
    return !reader.damaged && reader.rest.size == 0;
}

static struct record *make(struct slabs *slabs, struct span aor, struct span state,
                           const struct ahoy_bindings *bindings)
{
    size_t size = sizeof(struct record) + aor.size + state.size;
    struct record *record = slabs != NULL ? slabs_take(slabs, size) : malloc(size);
    if (record == NULL)
        return NULL;
    record->next = 0;
    record->row = 0;
    record->until_ms = 0;
    record->aor_size = (uint16_t)aor.size;
    record->state_size = (uint16_t)state.size;
    if (aor.size > 0)
        memcpy(record->bytes, aor.at, aor.size);
    memcpy(record->bytes + aor.size, state.at, state.size);
    for (size_t i = 0; i < bindings->count; i++) {
        if (bindings->list[i].expires_ms > record->until_ms)
            record->until_ms = bindings->list[i].expires_ms;
    }
    return record;
}

struct record *record_new(struct slabs *slabs, struct span aor,
                          const struct ahoy_bindings *bindings)
{
    AHOY_UNSET char state[RECORD_STATE_LIMIT];
    return make(slabs, aor, (struct span){ state, encode(bindings, state) }, bindings);
}

void record_free(struct slabs *slabs, struct record *record)
{
    if (slabs != NULL)
        slabs_give(slabs, record);
    else
        free(record);
}

/* Finds damage, not malice: whoever can write the file needs no forgery. */
static uint32_t check_of(struct span aor, struct span state)
{
    const struct ahoy_hash_key open = { { 0, 0 } };
    const struct span parts[] = { aor, state };
    return (uint32_t)ahoy_siphash_parts(&open, parts, 2);
}

struct span record_seal(const struct record *record, char row[RECORD_SEALED_LIMIT])
{
    struct span state = record_state(record);
    memcpy(row, state.at, state.size);
    row[0] = (char)(SEALED_MARK | VERSION);
    uint32_t check = check_of(record_aor(record), state);
    for (size_t i = 0; i < CHECK_SIZE; i++)
        row[state.size + i] = (char)(check >> (8 * i) & 0xff);
    return (struct span){ row, state.size + CHECK_SIZE };
}

static bool decode_any(struct span state, struct ahoy_bindings *bindings)
{
    return state.size > 0 && state.at[0] < VERSION ? record_decode_old(state, bindings)
                                                   : record_decode(state, 0, bindings);
}

/* Reads a row that was sealed; false where the check says that something has changed. */
static bool decode_sealed(struct span aor, struct span row, struct ahoy_bindings *bindings)
{
    AHOY_UNSET char space[RECORD_STATE_LIMIT];
    if (row.size <= CHECK_SIZE || row.size > RECORD_SEALED_LIMIT)
        return false;
    struct span state = { space, row.size - CHECK_SIZE };
    memcpy(space, row.at, state.size);
    space[0] = (char)(space[0] & ~SEALED_MARK);
    uint32_t check = 0;
    for (size_t i = 0; i < CHECK_SIZE; i++)
        check |= (uint32_t)(unsigned char)row.at[state.size + i] << (8 * i);
    return check == check_of(aor, state) && decode_any(state, bindings);
}

/* Older rows have no seal. */
static bool decode_row(struct span aor, struct span row, struct ahoy_bindings *bindings)
{
    if (row.size > 0 && (row.at[0] & SEALED_MARK) != 0)
        return decode_sealed(aor, row, bindings);
    return record_decode_old(row, bindings);
}

struct record *record_read(struct slabs *slabs, struct span aor, struct span row)
{
    AHOY_UNSET struct ahoy_bindings bindings;
    if (aor.size > UINT16_MAX || !decode_row(aor, row, &bindings))
        return NULL;
    for (size_t i = 0; i < bindings.count; i++)
        bindings.list[i].hop.connection = (struct ahoy_handle){ 0 };
    return record_new(slabs, aor, &bindings);
}
