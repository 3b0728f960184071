/* The form of a state: a version, a count, and each binding as numbers (little-endian) and texts
 * with their sizes before them; what a version adds stands at the end of a binding.  On the disk
 * the version has a mark, and behind it all stands a check of it and of the address-of-record.
 * It is read as if a stranger had written it: a damaged file must not hurt. */
#include "ahoyd/store/record.h"

#include <stdlib.h>

#include "libahoy/base/unset.h"

enum {
    FIRST_VERSION = 1,
    WITH_FLOWS = 2,     /* RFC 5626, Path. */
    VERSION = 3,        /* GRUUs. */
    SEALED_MARK = 0x80, /* Of the version of a row with a check. */
    CHECK_SIZE = RECORD_SEALED_LIMIT - RECORD_STATE_LIMIT
};

struct writer {
    char *at;
};

static void put(struct writer *writer, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *writer->at++ = (char)(value >> (8 * i) & 0xff);
}

static void put_text(struct writer *writer, struct span text)
{
    put(writer, text.size, 2);
    if (text.size > 0)
        memcpy(writer->at, text.at, text.size);
    writer->at += text.size;
}

static void put_hop(struct writer *writer, const struct ahoy_hop *hop)
{
    put(writer, hop->transport, 1);
    put(writer, hop->listener, 1);
    put(writer, hop->worker, 2);
    put(writer, ahoy_handle_pack(hop->connection), 8);
    put(writer, hop->remote.family, 1);
    put(writer, hop->remote.port, 2);
    put(writer, hop->remote.scope, 4);
    put_text(writer, (struct span){ (const char *)hop->remote.bytes, sizeof hop->remote.bytes });
}

static size_t encode(const struct ahoy_bindings *bindings, char state[RECORD_STATE_LIMIT])
{
    struct writer writer = { state };
    put(&writer, VERSION, 1);
    put(&writer, bindings->count, 1);
    for (size_t i = 0; i < bindings->count; i++) {
        const struct ahoy_binding *binding = &bindings->list[i];
        put(&writer, binding->expires_ms, 8);
        put(&writer, binding->cseq, 4);
        put(&writer, binding->q, 2);
        put_hop(&writer, &binding->hop);
        put_text(&writer, binding->contact);
        put_text(&writer, binding->call_id);
        put(&writer, binding->updated_ms, 8);
        put(&writer, binding->reg_id, 4);
        put_text(&writer, binding->params);
        put_text(&writer, binding->instance);
        put_text(&writer, binding->path);
        put(&writer, binding->era_ms, 8);
    }
    return (size_t)(writer.at - state);
}

struct reader {
    struct span rest;
    bool damaged;
};

static uint64_t take(struct reader *reader, size_t bytes)
{
    uint64_t value = 0;
    if (reader->rest.size < bytes) {
        reader->damaged = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)(unsigned char)reader->rest.at[i] << (8 * i);
    reader->rest = ahoy_span_after(reader->rest, bytes);
    return value;
}

static struct span take_text(struct reader *reader)
{
    size_t size = (size_t)take(reader, 2);
    if (reader->rest.size < size) {
        reader->damaged = true;
        return SPAN("");
    }
    struct span text = { reader->rest.at, size };
    reader->rest = ahoy_span_after(reader->rest, size);
    return text;
}

static void take_hop(struct reader *reader, struct ahoy_hop *hop)
{
    hop->transport = (uint8_t)take(reader, 1);
    hop->listener = (uint8_t)take(reader, 1);
    hop->worker = (uint16_t)take(reader, 2);
    hop->connection = ahoy_handle_unpack(take(reader, 8));
    hop->remote.family = (uint8_t)take(reader, 1);
    hop->remote.port = (uint16_t)take(reader, 2);
    hop->remote.scope = (uint32_t)take(reader, 4);
    struct span bytes = take_text(reader);
    if (bytes.size == sizeof hop->remote.bytes)
        memcpy(hop->remote.bytes, bytes.at, bytes.size);
    else
        reader->damaged = true;
    if (hop->transport >= AHOY_TRANSPORT_COUNT)
        reader->damaged = true;
}

static void take_outbound(struct reader *reader, struct ahoy_binding *binding)
{
    binding->updated_ms = take(reader, 8);
    binding->reg_id = (uint32_t)take(reader, 4);
    binding->params = take_text(reader);
    binding->instance = take_text(reader);
    binding->path = take_text(reader);
}

bool record_decode(struct span state, uint64_t now_ms, struct ahoy_bindings *bindings)
{
    struct reader reader = { .rest = state };
    ahoy_bindings_init(bindings);
    uint64_t version = take(&reader, 1);
    uint64_t count = take(&reader, 1);
    if (version < FIRST_VERSION || version > VERSION || count > AHOY_BINDINGS_LIMIT)
        return false;
    for (uint64_t i = 0; i < count && !reader.damaged; i++) {
        struct ahoy_binding binding = { 0 };
        binding.expires_ms = take(&reader, 8);
        binding.cseq = (uint32_t)take(&reader, 4);
        binding.q = (uint16_t)take(&reader, 2);
        take_hop(&reader, &binding.hop);
        binding.contact = take_text(&reader);
        binding.call_id = take_text(&reader);
        if (version >= WITH_FLOWS)
            take_outbound(&reader, &binding);
        if (version >= VERSION)
            binding.era_ms = take(&reader, 8);
        bool lives = binding.expires_ms > now_ms;
        if (!reader.damaged && lives && !ahoy_bindings_add(bindings, &binding))
            reader.damaged = true;
    }
    return !reader.damaged && reader.rest.size == 0;
}

static struct record *make(struct span aor, struct span state, const struct ahoy_bindings *bindings)
{
    struct record *record = malloc(sizeof *record + aor.size + state.size);
    if (record == NULL)
        return NULL;
    record->next = NULL;
    record->hash = 0;
    record->row = 0;
    record->until_ms = 0;
    record->aor_size = (uint16_t)aor.size;
    record->state_size = (uint32_t)state.size;
    if (aor.size > 0)
        memcpy(record->bytes, aor.at, aor.size);
    memcpy(record->bytes + aor.size, state.at, state.size);
    for (size_t i = 0; i < bindings->count; i++) {
        if (bindings->list[i].expires_ms > record->until_ms)
            record->until_ms = bindings->list[i].expires_ms;
    }
    return record;
}

struct record *record_new(struct span aor, const struct ahoy_bindings *bindings)
{
    AHOY_UNSET char state[RECORD_STATE_LIMIT];
    return make(aor, (struct span){ state, encode(bindings, state) }, bindings);
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
    struct writer writer = { row + state.size };
    put(&writer, check_of(record_aor(record), state), CHECK_SIZE);
    return (struct span){ row, state.size + CHECK_SIZE };
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
    struct reader reader = { .rest = ahoy_span_after(row, state.size) };
    return take(&reader, CHECK_SIZE) == check_of(aor, state) && record_decode(state, 0, bindings);
}

/* Older rows have no seal. */
static bool decode_row(struct span aor, struct span row, struct ahoy_bindings *bindings)
{
    if (row.size > 0 && (row.at[0] & SEALED_MARK) != 0)
        return decode_sealed(aor, row, bindings);
    return record_decode(row, 0, bindings);
}

struct record *record_read(struct span aor, struct span row)
{
    AHOY_UNSET struct ahoy_bindings bindings;
    if (aor.size > UINT16_MAX || !decode_row(aor, row, &bindings))
        return NULL;
    for (size_t i = 0; i < bindings.count; i++)
        bindings.list[i].hop.connection = (struct ahoy_handle){ 0 };
    return record_new(aor, &bindings);
}
