/* Digest authentication: the arithmetic (RFC 7616 3.4, RFC 8760 2.6, RFC 3261 22.4).
 *
 * A session (3.4.2) begins with the nonce and the cnonce of its first credentials; we take those
 * at hand: our nonces are not kept, and a client that goes on with one keeps its cnonce. */
#include "libahoy/auth/digest.h"

#include <stdatomic.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "libahoy/base/buf.h"

/* What is fetched once for each algorithm, and one context that lies ready: looking a digest up
 * by its name costs as much as using it.  Threads share this without a lock: whoever takes the
 * context leaves NULL behind, and whoever then finds none makes one. */
struct engine {
    const char *name;
    _Atomic(EVP_MD *) digest;
    _Atomic(EVP_MD_CTX *) spare;
};

static struct engine engines[] = {
    [AHOY_DIGEST_MD5] = { .name = "MD5" },
    [AHOY_DIGEST_SHA256] = { .name = "SHA2-256" },
    [AHOY_DIGEST_SHA512_256] = { .name = "SHA2-512/256" },
};

_Static_assert(sizeof engines / sizeof *engines == AHOY_DIGEST_COUNT, "one for each algorithm");

static struct engine *engine_for(enum ahoy_digest_algorithm algorithm)
{
    return algorithm == AHOY_DIGEST_OTHER ? NULL : &engines[algorithm];
}

static const EVP_MD *engine_digest(struct engine *engine)
{
    EVP_MD *digest = atomic_load(&engine->digest);
    if (digest != NULL)
        return digest;
    EVP_MD *fetched = EVP_MD_fetch(NULL, engine->name, NULL);
    if (fetched == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(&engine->digest, &digest, fetched))
        return fetched;
    EVP_MD_free(fetched);
    return digest;
}

static EVP_MD_CTX *take_context(struct engine *engine)
{
    EVP_MD_CTX *context = atomic_exchange(&engine->spare, NULL);
    return context != NULL ? context : EVP_MD_CTX_new();
}

static void give_context(struct engine *engine, EVP_MD_CTX *context)
{
    EVP_MD_CTX_free(atomic_exchange(&engine->spare, context));
}

/* What is digested; the contents of a quoted string are without their backslashes (3.3, unq). */
struct part {
    struct span text;
    bool is_quoted;
};

static bool update(EVP_MD_CTX *context, struct part part)
{
    struct span rest = part.text;
    while (rest.size > 0) {
        size_t size = part.is_quoted ? ahoy_span_find(rest, '\\') : rest.size;
        if (size > 0 && EVP_DigestUpdate(context, rest.at, size) != 1)
            return false;
        rest = ahoy_span_after(rest, size);
        if (rest.size == 0)
            break;
        /* Behind a backslash stands one byte that is taken as it is. */
        if (rest.size > 1 && EVP_DigestUpdate(context, rest.at + 1, 1) != 1)
            return false;
        rest = ahoy_span_after(rest, rest.size > 1 ? 2 : 1);
    }
    return true;
}

/* The digest of |parts| with a colon between each two. */
static bool hash_into(EVP_MD_CTX *context, const EVP_MD *digest, const struct part *parts,
                      size_t count, struct ahoy_digest_hex *hex)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestInit_ex2(context, digest, NULL) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && EVP_DigestUpdate(context, ":", 1) != 1)
            return false;
        if (!update(context, parts[i]))
            return false;
    }
    if (EVP_DigestFinal_ex(context, bytes, &size) != 1)
        return false;
    struct ahoy_buf buf = ahoy_buf_over(hex->text, sizeof hex->text);
    ahoy_buf_put_hex(&buf, bytes, size);
    hex->size = buf.size;
    return !buf.overflow;
}

static bool hash(enum ahoy_digest_algorithm algorithm, const struct part *parts, size_t count,
                 struct ahoy_digest_hex *hex)
{
    struct engine *engine = engine_for(algorithm);
    if (engine == NULL)
        return false;
    const EVP_MD *digest = engine_digest(engine);
    EVP_MD_CTX *context = digest != NULL ? take_context(engine) : NULL;
    if (context == NULL)
        return false;
    bool done = hash_into(context, digest, parts, count, hex);
    if (done)
        give_context(engine, context);
    else
        EVP_MD_CTX_free(context);
    return done;
}

static struct part plain(struct span text)
{
    return (struct part){ text, false };
}

static struct part quoted(struct span text)
{
    return (struct part){ text, true };
}

static struct part digits(const struct ahoy_digest_hex *hex)
{
    return plain((struct span){ hex->text, hex->size });
}

bool ahoy_digest_ha1(enum ahoy_digest_algorithm algorithm, struct span user, struct span realm,
                     struct span password, struct ahoy_digest_hex *ha1)
{
    const struct part parts[] = { plain(user), plain(realm), plain(password) };
    return hash(algorithm, parts, 3, ha1);
}

bool ahoy_digest_userhash(enum ahoy_digest_algorithm algorithm, struct span user, struct span realm,
                          struct ahoy_digest_hex *userhash)
{
    const struct part parts[] = { plain(user), plain(realm) };
    return hash(algorithm, parts, 2, userhash);
}

/* 3.4.3; the hash of a body that is not there is that of no bytes (RFC 8760 2.6). */
static bool hash_a2(const struct ahoy_challenge *credentials, const struct ahoy_digested *digested,
                    struct ahoy_digest_hex *ha2)
{
    struct ahoy_digest_hex body;
    struct part parts[3] = { plain(digested->method), plain(credentials->uri) };
    size_t count = 2;
    if (ahoy_span_equal_nocase(credentials->qop, SPAN("auth-int"))) {
        const struct part whole = plain(digested->body);
        if (!hash(credentials->algorithm, &whole, 1, &body))
            return false;
        parts[count++] = digits(&body);
    }
    return hash(credentials->algorithm, parts, count, ha2);
}

/* 3.4.2 */
static bool hash_a1(const struct ahoy_challenge *credentials, const struct ahoy_digest_hex *kept,
                    struct ahoy_digest_hex *ha1)
{
    *ha1 = *kept;
    if (!credentials->is_session)
        return true;
    const struct part parts[] = { digits(kept), quoted(credentials->nonce),
                                  quoted(credentials->cnonce) };
    return hash(credentials->algorithm, parts, 3, ha1);
}

static bool is_known_qop(struct span qop)
{
    return qop.size == 0 || ahoy_span_equal_nocase(qop, SPAN("auth")) ||
           ahoy_span_equal_nocase(qop, SPAN("auth-int"));
}

bool ahoy_digest_response(const struct ahoy_challenge *credentials,
                          const struct ahoy_digest_hex *ha1, const struct ahoy_digested *digested,
                          struct ahoy_digest_hex *response)
{
    struct ahoy_digest_hex first, second;
    if (!is_known_qop(credentials->qop) || !hash_a1(credentials, ha1, &first) ||
        !hash_a2(credentials, digested, &second))
        return false;
    /* Clients of RFC 2069 know no qop: R3261-22.4-1. */
    if (credentials->qop.size == 0) {
        const struct part parts[] = { digits(&first), quoted(credentials->nonce), digits(&second) };
        return hash(credentials->algorithm, parts, 3, response);
    }
    const struct part parts[] = { digits(&first),          quoted(credentials->nonce),
                                  plain(credentials->nc),  quoted(credentials->cnonce),
                                  plain(credentials->qop), digits(&second) };
    return hash(credentials->algorithm, parts, 6, response);
}

bool ahoy_digest_verify(const struct ahoy_challenge *credentials, const struct ahoy_digest_hex *ha1,
                        const struct ahoy_digested *digested)
{
    struct ahoy_digest_hex right;
    if (!ahoy_digest_response(credentials, ha1, digested, &right))
        return false;
    return credentials->response.size == right.size &&
           CRYPTO_memcmp(credentials->response.at, right.text, right.size) == 0;
}
