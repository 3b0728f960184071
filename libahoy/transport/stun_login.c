/* Who we are, for a server of STUN: RFC 8489 9.2. */
#include "libahoy/transport/stun_login.h"

#include <openssl/evp.h>

#include "libahoy/transport/stun_parts.h"

enum {
    PASSWORD_ALGORITHM = 0x001d,
    USERHASH = 0x001e,
    PASSWORD_ALGORITHMS = 0x8002,
    MD5 = 0x0001, /* 18.5.1 */
    SHA256 = 0x0002,
    COOKIE_SIZE = 13
};

/* "obMatJos2" and 24 bits in base64 (9.2).  Bit 0 is the leftmost (18.1); the example of RFC 8489
 * B.1, and who follows it, counts from the right.  Which of the two it is makes no difference: no
 * other bits have a meaning. */
enum { HAS_ALGORITHMS = 0x800001, IS_ANONYMOUS = 0x400002 };

static uint32_t features_of(struct span nonce)
{
    static const struct span mark = SPAN_INIT("obMatJos2");
    uint8_t bits[3];
    if (nonce.size < COOKIE_SIZE || memcmp(nonce.at, mark.at, mark.size) != 0 ||
        EVP_DecodeBlock(bits, (const unsigned char *)nonce.at + mark.size, 4) != 3)
        return 0;
    return (uint32_t)bits[0] << 16 | (uint32_t)bits[1] << 8 | bits[2];
}

void ahoy_stun_login_init(struct ahoy_stun_login *login, struct span user, struct span password)
{
    *login = (struct ahoy_stun_login){ .user = user, .password = password };
}

/* Whether the list has |algorithm|, which takes no parameters (14.11). */
static bool is_listed(struct span list, uint32_t algorithm)
{
    size_t at = 0;
    struct ahoy_stun_attribute entry; /* They are written alike. */
    while (ahoy_stun_next(list, &at, &entry)) {
        if (entry.type == algorithm && entry.value.size == 0)
            return true;
    }
    return false;
}

/* Hashes |count| texts with a colon between each two. */
static size_t hash(const EVP_MD *digest, const struct span *texts, size_t count, uint8_t *into)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned size = 0;
    bool is_sound = context != NULL && EVP_DigestInit_ex(context, digest, NULL) == 1;
    for (size_t i = 0; is_sound && i < count; i++)
        is_sound = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
                   EVP_DigestUpdate(context, texts[i].at, texts[i].size) == 1;
    if (!is_sound || EVP_DigestFinal_ex(context, into, &size) != 1)
        size = 0;
    EVP_MD_CTX_free(context);
    return size;
}

static struct span realm_of(const struct ahoy_stun_login *login)
{
    return (struct span){ login->realm, login->realm_size };
}

bool ahoy_stun_login_is_at(const struct ahoy_stun_login *login, struct span realm)
{
    return login->is_asked && ahoy_span_equal(realm, realm_of(login));
}

/* The key of a message's proof (9.2.2, 18.5.1). */
static bool make_key(struct ahoy_stun_login *login)
{
    const struct span texts[] = { login->user, realm_of(login), login->password };
    login->key_size = hash(login->is_sha256 ? EVP_sha256() : EVP_md5(), texts, 3, login->key);
    return login->key_size > 0;
}

bool ahoy_stun_login_take(struct ahoy_stun_login *login,
                          const struct ahoy_stun_challenge *challenge)
{
    const struct span algorithms = challenge->algorithms;
    uint32_t features = features_of(challenge->nonce);
    if (login->user.size > AHOY_STUN_LOGIN_LIMIT || challenge->realm.size == 0 ||
        challenge->realm.size > sizeof login->realm || challenge->nonce.size == 0 ||
        challenge->nonce.size > sizeof login->nonce || algorithms.size > sizeof login->algorithms ||
        ((features & HAS_ALGORITHMS) != 0 && algorithms.size == 0))
        return false;
    login->is_sha256 = is_listed(algorithms, SHA256); /* RFC 8656 6 */
    if (algorithms.size > 0 && !login->is_sha256 && !is_listed(algorithms, MD5))
        return false;
    login->is_anonymous = (features & IS_ANONYMOUS) != 0;
    login->realm_size = challenge->realm.size;
    login->nonce_size = challenge->nonce.size;
    login->algorithms_size = algorithms.size;
    memcpy(login->realm, challenge->realm.at, challenge->realm.size);
    memcpy(login->nonce, challenge->nonce.at, challenge->nonce.size);
    if (algorithms.size > 0)
        memcpy(login->algorithms, algorithms.at, algorithms.size);
    login->is_asked = make_key(login);
    return login->is_asked;
}

/* Where there is a choice of algorithms, the proof is by SHA-256 whichever was chosen (9.2.5). */
static uint32_t proof_of(const struct ahoy_stun_login *login)
{
    return login->algorithms_size > 0 ? AHOY_STUN_MESSAGE_INTEGRITY_SHA256
                                      : AHOY_STUN_MESSAGE_INTEGRITY;
}

static struct span key_of(const struct ahoy_stun_login *login)
{
    return (struct span){ (const char *)login->key, login->key_size };
}

static void put_user(const struct ahoy_stun_login *login, struct ahoy_buf *request)
{
    const struct span texts[] = { login->user, realm_of(login) };
    uint8_t sum[AHOY_STUN_KEY_SIZE];
    if (!login->is_anonymous) {
        ahoy_stun_put_attribute(AHOY_STUN_USERNAME, login->user, request);
        return;
    }
    request->overflow |= hash(EVP_sha256(), texts, 2, sum) != sizeof sum;
    ahoy_stun_put_attribute(USERHASH, (struct span){ (const char *)sum, sizeof sum }, request);
}

void ahoy_stun_login_put(const struct ahoy_stun_login *login, struct ahoy_buf *request)
{
    if (!login->is_asked)
        return;
    put_user(login, request);
    ahoy_stun_put_attribute(AHOY_STUN_NONCE, (struct span){ login->nonce, login->nonce_size },
                            request);
    ahoy_stun_put_attribute(AHOY_STUN_REALM, realm_of(login), request);
    if (login->algorithms_size > 0) {
        ahoy_stun_put_attribute(PASSWORD_ALGORITHMS,
                                (struct span){ login->algorithms, login->algorithms_size },
                                request);
        ahoy_stun_put(request, PASSWORD_ALGORITHM, 2);
        ahoy_stun_put(request, 4, 2);
        ahoy_stun_put(request, login->is_sha256 ? SHA256 : MD5, 2);
        ahoy_stun_put(request, 0, 2); /* No parameters. */
    }
    ahoy_stun_prove(proof_of(login), key_of(login), request);
}

bool ahoy_stun_login_proves(const struct ahoy_stun_login *login, struct span answer)
{
    size_t at = AHOY_STUN_HEAD_SIZE;
    struct ahoy_stun_attribute attribute;
    while (login->is_asked && ahoy_stun_next(answer, &at, &attribute)) {
        if (attribute.type == proof_of(login))
            return ahoy_stun_is_whole(answer, &attribute, key_of(login));
    }
    return false;
}
