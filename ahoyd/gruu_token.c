/* Words of 64 bits: one that no other token has; the name, filled up with zeros and hidden by a
 * stream that depends on it; and a keyed hash of both and of what else the token stands for.  So
 * all tokens are equally long, and nobody without the key can tell whether two are of one user. */
#include "ahoyd/gruu_token.h"

enum { NAME_WORDS = AHOYD_GRUU_NAME_LIMIT / 8, UNIQUE = 0, NAME = 1, HASH = NAME + NAME_WORDS };

/* Hides the name, or shows it again. */
static void mask(const struct ahoy_hash_key *key, uint64_t words[AHOYD_GRUU_WORDS])
{
    static const struct span label = SPAN_INIT("name");
    uint64_t stream[NAME_WORDS];
    char text[4 + sizeof *words];
    memcpy(text, label.at, label.size);
    memcpy(text + label.size, &words[UNIQUE], sizeof *words);
    ahoy_siphash_counted(key, (struct span){ text, sizeof text }, stream, NAME_WORDS);
    for (size_t i = 0; i < NAME_WORDS; i++)
        words[NAME + i] ^= stream[i];
}

/* |words| hold the hidden name. */
static uint64_t hash_of(const struct ahoy_hash_key *key, const uint64_t words[AHOYD_GRUU_WORDS],
                        const struct ahoyd_gruu_target *target)
{
    const uint64_t sizes[] = { target->domain.size, target->era_ms };
    const struct span parts[] = { SPAN("hash"),
                                  { (const char *)words, HASH * sizeof *words },
                                  { (const char *)sizes, sizeof sizes },
                                  target->domain,
                                  target->instance };
    return ahoy_siphash_parts(key, parts, sizeof parts / sizeof parts[0]);
}

static bool read_words(struct span token, uint64_t words[AHOYD_GRUU_WORDS])
{
    if (token.size != AHOYD_GRUU_TOKEN_SIZE)
        return false;
    for (size_t i = 0; i < AHOYD_GRUU_WORDS; i++) {
        struct span word = { token.at + i * AHOY_TOKEN_SIZE, AHOY_TOKEN_SIZE };
        if (!ahoy_token_parse(word, &words[i]))
            return false;
    }
    return true;
}

bool ahoyd_gruu_token_print(const struct ahoy_hash_key *key, uint64_t unique,
                            const struct ahoyd_gruu_target *target, struct ahoy_buf *buf)
{
    uint64_t words[AHOYD_GRUU_WORDS] = { unique };
    if (target->name.size == 0 || target->name.size > AHOYD_GRUU_NAME_LIMIT)
        return false;
    memcpy(&words[NAME], target->name.at, target->name.size);
    mask(key, words);
    words[HASH] = hash_of(key, words, target);
    char text[AHOYD_GRUU_TOKEN_SIZE];
    for (size_t i = 0; i < AHOYD_GRUU_WORDS; i++)
        ahoy_token_print(words[i], text + i * AHOY_TOKEN_SIZE);
    ahoy_buf_put(buf, (struct span){ text, sizeof text });
    return true;
}

bool ahoyd_gruu_token_open(const struct ahoy_hash_key *key, struct span token,
                           struct ahoy_buf *name)
{
    uint64_t words[AHOYD_GRUU_WORDS];
    if (!read_words(token, words))
        return false;
    mask(key, words);
    struct span hidden = { (const char *)&words[NAME], AHOYD_GRUU_NAME_LIMIT };
    hidden.size = ahoy_span_find(hidden, '\0');
    ahoy_buf_put(name, hidden);
    return hidden.size > 0 && !name->overflow;
}

bool ahoyd_gruu_token_fits(const struct ahoy_hash_key *key, struct span token,
                           const struct ahoyd_gruu_target *target)
{
    char space[AHOYD_GRUU_NAME_LIMIT];
    struct ahoy_buf name = ahoy_buf_over(space, sizeof space);
    uint64_t words[AHOYD_GRUU_WORDS];
    return ahoyd_gruu_token_open(key, token, &name) &&
           ahoy_span_equal(ahoy_buf_text(&name), target->name) && read_words(token, words) &&
           words[HASH] == hash_of(key, words, target);
}
