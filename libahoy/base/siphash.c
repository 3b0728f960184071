/* SipHash-2-4: two rounds a word of eight bytes, four at the end (Aumasson and Bernstein, 2012,
 * section 2). */
#include "libahoy/base/siphash.h"

#include "libahoy/base/load.h"

struct state {
    uint64_t v0, v1, v2, v3;
    uint64_t pending; /* Bytes that do not make a word yet, the first of them lowest. */
    unsigned bits;    /* How many bits of |pending| there are: 0, 8, ... 56. */
    size_t size;      /* Bytes taken in all. */
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void round_once(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void compress(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    round_once(s);
    round_once(s);
    s->v0 ^= word;
}

static inline struct state begin(const struct ahoy_hash_key *key)
{
    return (struct state){
        .v0 = key->half[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->half[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->half[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->half[1] ^ UINT64_C(0x7465646279746573),
    };
}

/* Takes |bits| more, of one to seven bytes, which |word| holds lowest. */
static inline void take(struct state *s, uint64_t word, unsigned bits)
{
    s->pending |= word << s->bits;
    if (s->bits + bits < 64) {
        s->bits += bits;
        return;
    }
    compress(s, s->pending);
    s->pending = word >> (63 - s->bits) >> 1;
    s->bits = s->bits + bits - 64;
}

static inline void absorb(struct state *s, struct span text)
{
    const char *at = text.at;
    size_t left = text.size;
    s->size += text.size;
    /* As many bytes are pending behind a whole word as before it.  It is shifted in two steps,
     * because nothing may be shifted by 64 at once. */
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = ahoy_load_eight(at);
        compress(s, s->pending | word << s->bits);
        s->pending = word >> (63 - s->bits) >> 1;
    }
    if (left > 0)
        take(s, ahoy_load_tail(at, left), (unsigned)left * 8);
}

static inline uint64_t end(struct state *s)
{
    compress(s, s->pending | (uint64_t)s->size << 56);
    s->v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        round_once(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Of one text no bytes are pending but the last. */
uint64_t ahoy_siphash(const struct ahoy_hash_key *key, struct span text)
{
    struct state state = begin(key);
    const char *at = text.at;
    size_t left = text.size;
    for (; left >= 8; left -= 8, at += 8)
        compress(&state, ahoy_load_eight(at));
    state.pending = left > 0 ? ahoy_load_tail(at, left) : 0;
    state.size = text.size;
    return end(&state);
}

uint64_t ahoy_siphash_parts(const struct ahoy_hash_key *key, const struct span *parts, size_t count)
{
    struct state state = begin(key);
    for (size_t i = 0; i < count; i++)
        absorb(&state, parts[i]);
    return end(&state);
}

static inline uint64_t fold_if(bool folds, uint64_t word)
{
    return folds ? ahoy_fold_case(word) : word;
}

/* Each part is padded to whole words, the last of which has its size on top. */
__attribute__((always_inline)) static inline uint64_t
hash_apart(const struct ahoy_hash_key *key, const struct span *parts, size_t count, uint64_t number,
           bool folds)
{
    struct state state = begin(key);
    for (size_t i = 0; i < count; i++) {
        const char *at = parts[i].at;
        size_t left = parts[i].size;
        for (; left >= 8; left -= 8, at += 8)
            compress(&state, fold_if(folds, ahoy_load_eight(at)));
        compress(&state,
                 fold_if(folds, ahoy_load_tail(at, left)) | (uint64_t)parts[i].size << 56);
    }
    state.pending = number;
    return end(&state);
}

uint64_t ahoy_siphash_apart(const struct ahoy_hash_key *key, const struct span *parts,
                            size_t count, uint64_t number)
{
    return hash_apart(key, parts, count, number, false);
}

uint64_t ahoy_siphash_nocase(const struct ahoy_hash_key *key, const struct span *parts,
                             size_t count, uint64_t number)
{
    return hash_apart(key, parts, count, number, true);
}

/* What all of them begin with is taken once. */
void ahoy_siphash_counted(const struct ahoy_hash_key *key, struct span text, uint64_t *hashes,
                          size_t count)
{
    struct state begun = begin(key);
    absorb(&begun, text);
    for (uint64_t i = 0; i < count; i++) {
        struct state state = begun;
        absorb(&state, (struct span){ (const char *)&i, sizeof i });
        hashes[i] = end(&state);
    }
}
