/* Numbers are little-endian, texts have their sizes before them, and what a version added stands at
 * the end of a binding. */
#include "ahoyd/store/record_old.h"

enum {
    FIRST_VERSION = 1,
    WITH_FLOWS = 2, /* RFC 5626, Path. */
    WITH_GRUUS = 3,
};

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
    if (hop->transport >= AHOY_TRANSPORT_COUNT || hop->remote.family > AHOY_IPV6)
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

bool record_decode_old(struct span state, struct ahoy_bindings *bindings)
{
    struct reader reader = { .rest = state };
    ahoy_bindings_init(bindings);
    uint64_t version = take(&reader, 1);
    uint64_t count = take(&reader, 1);
    if (version < FIRST_VERSION || version > WITH_GRUUS || count > AHOY_BINDINGS_LIMIT)
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
        if (version >= WITH_GRUUS)
            binding.era_ms = take(&reader, 8);
        bool lives = binding.expires_ms > 0;
        if (!reader.damaged && lives && !ahoy_bindings_add(bindings, &binding))
            reader.damaged = true;
    }
    return !reader.damaged && reader.rest.size == 0;
}
