/* Words of 64 bits: the connection; what else there is but the address; the address, for IPv6 in
 * two words and its scope in a third; and a keyed hash of all that and, where the token is for one
 * call only, the Call-ID.  Nothing has to be kept, and every worker can read it. */
#include "ahoyd/flow_token.h"

enum { V4_WORDS = 4, V6_WORDS = AHOYD_FLOW_WORDS_LIMIT };

/* In the second word, each at its bit. */
enum {
    KIND_AT = 0,
    FAMILY_AT = 8,
    PORT_AT = 16,
    WORKER_AT = 32,
    LISTENER_AT = 48,
    TRANSPORT_AT = 56
};

static uint64_t pack_bytes(const uint8_t *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word = word << 8 | bytes[i];
    return word;
}

static void unpack_bytes(uint64_t word, uint8_t *bytes, size_t size)
{
    for (size_t i = size; i > 0; i--, word >>= 8)
        bytes[i - 1] = word & 0xff;
}

/* Returns how many words there are, the hash not among them. */
static size_t pack(enum ahoyd_flow_kind kind, const struct ahoy_hop *hop,
                   uint64_t words[AHOYD_FLOW_WORDS_LIMIT])
{
    const struct ahoy_ip *ip = &hop->remote;
    words[0] = ahoy_handle_pack(hop->connection);
    words[1] = (uint64_t)kind << KIND_AT | (uint64_t)ip->family << FAMILY_AT |
               (uint64_t)ip->port << PORT_AT | (uint64_t)hop->worker << WORKER_AT |
               (uint64_t)hop->listener << LISTENER_AT | (uint64_t)hop->transport << TRANSPORT_AT;
    if (ip->family == AHOY_IPV4) {
        words[2] = pack_bytes(ip->bytes, 4);
        return V4_WORDS - 1;
    }
    words[2] = pack_bytes(ip->bytes, 8);
    words[3] = pack_bytes(ip->bytes + 8, 8);
    words[4] = ip->scope;
    return V6_WORDS - 1;
}

static void unpack(const uint64_t *words, enum ahoyd_flow_kind *kind, struct ahoy_hop *hop)
{
    struct ahoy_ip *ip = &hop->remote;
    *kind = (enum ahoyd_flow_kind)(words[1] >> KIND_AT & 0xff);
    *hop = (struct ahoy_hop){ .transport = (uint8_t)(words[1] >> TRANSPORT_AT),
                              .listener = (uint8_t)(words[1] >> LISTENER_AT),
                              .worker = (uint16_t)(words[1] >> WORKER_AT),
                              .connection = ahoy_handle_unpack(words[0]) };
    ip->family = (uint8_t)(words[1] >> FAMILY_AT);
    ip->port = (uint16_t)(words[1] >> PORT_AT);
    if (ip->family == AHOY_IPV4) {
        unpack_bytes(words[2], ip->bytes, 4);
        return;
    }
    unpack_bytes(words[2], ip->bytes, 8);
    unpack_bytes(words[3], ip->bytes + 8, 8);
    ip->scope = (uint32_t)words[4];
}

static uint64_t hash_of(const struct ahoy_hash_key *key, const uint64_t *words, size_t count,
                        struct span call_id)
{
    bool of_call = (words[1] >> KIND_AT & 0xff) != AHOYD_FLOW_OF_PHONE;
    const struct span parts[] = { { (const char *)words, count * sizeof *words }, call_id };
    return ahoy_siphash_parts(key, parts, of_call ? 2 : 1);
}

void ahoyd_flow_print(const struct ahoy_hash_key *key, enum ahoyd_flow_kind kind,
                      const struct ahoy_hop *hop, struct span call_id, struct ahoy_buf *buf)
{
    uint64_t words[AHOYD_FLOW_WORDS_LIMIT];
    size_t count = pack(kind, hop, words);
    words[count] = hash_of(key, words, count, call_id);
    for (size_t i = 0; i <= count; i++) {
        char token[AHOY_TOKEN_SIZE];
        ahoy_token_print(words[i], token);
        ahoy_buf_put(buf, (struct span){ token, sizeof token });
    }
}

enum ahoyd_flow_verdict ahoyd_flow_read(const struct ahoy_hash_key *key, struct span text,
                                        struct span call_id, enum ahoyd_flow_kind *kind,
                                        struct ahoy_hop *hop)
{
    uint64_t words[AHOYD_FLOW_WORDS_LIMIT];
    size_t count = text.size / AHOY_TOKEN_SIZE;
    if (text.size % AHOY_TOKEN_SIZE != 0 || (count != V4_WORDS && count != V6_WORDS))
        return AHOYD_FLOW_NONE;
    for (size_t i = 0; i < count; i++) {
        struct span token = { text.at + i * AHOY_TOKEN_SIZE, AHOY_TOKEN_SIZE };
        if (!ahoy_token_parse(token, &words[i]))
            return AHOYD_FLOW_NONE;
    }
    if (words[count - 1] != hash_of(key, words, count - 1, call_id))
        return AHOYD_FLOW_FORGED;
    unpack(words, kind, hop);
    return AHOYD_FLOW_SOUND;
}
