/* Digest authentication: the arithmetic (RFC 7616 3.4, RFC 8760 2.6, RFC 3261 22.4). */
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
};

static struct engine *engine_for(enum ahoy_digest_algorithm algorithm)
{
    if (algorithm != AHOY_DIGEST_MD5 && algorithm != AHOY_DIGEST_SHA256)
        return NULL;
    return &engines[algorithm];
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

/* The digest of |parts| with a colon between each two. */
static bool hash_into(EVP_MD_CTX *context, const EVP_MD *digest, const struct span *parts,
                      size_t count, struct ahoy_digest_hex *hex)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestInit_ex2(context, digest, NULL) != 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && EVP_DigestUpdate(context, ":", 1) != 1)
            return false;
        if (parts[i].size > 0 && EVP_DigestUpdate(context, parts[i].at, parts[i].size) != 1)
            return false;
    }
    if (EVP_DigestFinal_ex(context, bytes, &size) != 1)
        return false;
    struct ahoy_buf buf = ahoy_buf_over(hex->text, sizeof hex->text);
    ahoy_buf_put_hex(&buf, bytes, size);
    hex->size = buf.size;
    return !buf.overflow;
}

static bool hash(enum ahoy_digest_algorithm algorithm, const struct span *parts, size_t count,
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

static struct span hex_text(const struct ahoy_digest_hex *hex)
{
    return (struct span){ hex->text, hex->size };
}

bool ahoy_digest_ha1(enum ahoy_digest_algorithm algorithm, struct span user, struct span realm,
                     struct span password, struct ahoy_digest_hex *ha1)
{
    const struct span parts[] = { user, realm, password };
    return hash(algorithm, parts, 3, ha1);
}

bool ahoy_digest_response(const struct ahoy_challenge *credentials,
                          const struct ahoy_digest_hex *ha1, struct span method,
                          struct ahoy_digest_hex *response)
{
    struct ahoy_digest_hex ha2;
    const struct span asked[] = { method, credentials->uri };
    if (!hash(credentials->algorithm, asked, 2, &ha2))
        return false;
    /* Clients of RFC 2069 know no qop: R3261-22.4-1. */
    if (credentials->qop.size == 0) {
        const struct span parts[] = { hex_text(ha1), credentials->nonce, hex_text(&ha2) };
        return hash(credentials->algorithm, parts, 3, response);
    }
    if (!ahoy_span_equal_nocase(credentials->qop, SPAN("auth")))
        return false;
    const struct span parts[] = { hex_text(ha1),       credentials->nonce, credentials->nc,
                                  credentials->cnonce, credentials->qop,   hex_text(&ha2) };
    return hash(credentials->algorithm, parts, 6, response);
}

bool ahoy_digest_verify(const struct ahoy_challenge *credentials, const struct ahoy_digest_hex *ha1,
                        struct span method)
{
    struct ahoy_digest_hex right;
    if (!ahoy_digest_response(credentials, ha1, method, &right))
        return false;
    return credentials->response.size == right.size &&
           CRYPTO_memcmp(credentials->response.at, right.text, right.size) == 0;
}
