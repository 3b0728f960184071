/* OpenSSL speaks to two buffers, and never to a socket. */
#include "libahoy/io/dtls.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/time.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

enum {
    MTU = 1200, /* What passes everywhere, with room for heads. */
    DAY_S = 86400,
    VALID_DAYS = 30,
    RECORD_HEAD_SIZE = 13, /* RFC 6347 4.1: two bytes of its size stand last. */
    KEY_SIZE = 16,
    SALT_SIZE = AHOY_DTLS_MASTER_SIZE - KEY_SIZE
};

struct ahoy_dtls {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out; /* The ssl's. */
    bool is_active;
    enum ahoy_dtls_state state;
    uint8_t print[AHOY_DTLS_PRINT_SIZE]; /* The peer's. */
    uint8_t material[2 * AHOY_DTLS_MASTER_SIZE];
    char datagram[AHOY_DTLS_DATAGRAM_LIMIT];
};

/* It names nobody: R5763-6.1-1. */
static bool fill(X509 *certificate, EVP_PKEY *key)
{
    uint64_t serial;
    X509_NAME *name = X509_get_subject_name(certificate);
    return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
           X509_set_version(certificate, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_DAYS * DAY_S) != NULL &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"ahoy", -1,
                                      -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static bool print_of(const X509 *certificate, uint8_t print[AHOY_DTLS_PRINT_SIZE])
{
    unsigned size = AHOY_DTLS_PRINT_SIZE;
    return certificate != NULL && X509_digest(certificate, EVP_sha256(), print, &size) == 1;
}

/* Makes who we are, and shows it. */
static bool make_identity(SSL_CTX *context, uint8_t print[AHOY_DTLS_PRINT_SIZE])
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    bool is_made = key != NULL && certificate != NULL && fill(certificate, key) &&
                   print_of(certificate, print) &&
                   SSL_CTX_use_certificate(context, certificate) == 1 &&
                   SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(certificate);
    EVP_PKEY_free(key);
    return is_made;
}

/* Who signed it does not matter; its fingerprint is looked at in the end. */
static int accept_any(int is_good, X509_STORE_CTX *store)
{
    (void)is_good; /* It cannot be: nobody has signed it. */
    (void)store;   /* OpenSSL's, and not asked. */
    return 1;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_max_cert_list(context, AHOY_DTLS_CERTIFICATES_LIMIT);
    /* This one function returns 0 for success. */
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) == 1 &&
           SSL_CTX_set_tlsext_use_srtp(context, "SRTP_AES128_CM_SHA1_80") == 0;
}

static bool open_ssl(struct ahoy_dtls *dtls)
{
    SSL_free(dtls->ssl); /* Of a handshake before. */
    dtls->ssl = SSL_new(dtls->context);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    if (dtls->ssl == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    dtls->in = in;
    dtls->out = out;
    SSL_set_bio(dtls->ssl, in, out);
    SSL_set_options(dtls->ssl, SSL_OP_NO_QUERY_MTU);
    return SSL_set_mtu(dtls->ssl, MTU) > 0;
}

struct ahoy_dtls *ahoy_dtls_new(uint8_t print[AHOY_DTLS_PRINT_SIZE])
{
    struct ahoy_dtls *dtls = calloc(1, sizeof *dtls);
    if (dtls == NULL)
        return NULL;
    dtls->context = SSL_CTX_new(DTLS_method());
    if (dtls->context != NULL && set_rules(dtls->context) && make_identity(dtls->context, print) &&
        open_ssl(dtls))
        return dtls;
    ERR_clear_error();
    ahoy_dtls_free(dtls);
    return NULL;
}

void ahoy_dtls_free(struct ahoy_dtls *dtls)
{
    if (dtls == NULL)
        return;
    SSL_free(dtls->ssl);
    SSL_CTX_free(dtls->context);
    explicit_bzero(dtls, sizeof *dtls);
    free(dtls);
}

enum ahoy_dtls_state ahoy_dtls_state(const struct ahoy_dtls *dtls)
{
    return dtls->state;
}

/* Whether he is who the description says: R5763-5-8 and -9; and the keys: RFC 5764 4.2. */
static bool is_peer(struct ahoy_dtls *dtls)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t print[AHOY_DTLS_PRINT_SIZE];
    X509 *certificate = SSL_get1_peer_certificate(dtls->ssl);
    bool is_shown = print_of(certificate, print);
    X509_free(certificate);
    return is_shown && CRYPTO_memcmp(print, dtls->print, sizeof print) == 0 &&
           SSL_get_selected_srtp_profile(dtls->ssl) != NULL &&
           SSL_export_keying_material(dtls->ssl, dtls->material, sizeof dtls->material, label,
                                      sizeof label - 1, NULL, 0, 0) == 1;
}

/* Goes on as far as what has come leads. */
static void go_on(struct ahoy_dtls *dtls)
{
    char nothing[64];
    ERR_clear_error();
    int result = SSL_do_handshake(dtls->ssl);
    if (result == 1 && dtls->state == AHOY_DTLS_SHAKING)
        dtls->state = is_peer(dtls) ? AHOY_DTLS_AGREED : AHOY_DTLS_FAILED;
    else if (result != 1 && SSL_get_error(dtls->ssl, result) != SSL_ERROR_WANT_READ)
        dtls->state = AHOY_DTLS_FAILED;
    else if (dtls->state == AHOY_DTLS_AGREED) /* An end that comes again wants ours again. */
        (void)SSL_read(dtls->ssl, nothing, sizeof nothing); /* What else is said is not for us. */
    ERR_clear_error();
}

void ahoy_dtls_begin(struct ahoy_dtls *dtls, bool is_active,
                     const uint8_t print[AHOY_DTLS_PRINT_SIZE])
{
    if (dtls->state != AHOY_DTLS_WAITING && !open_ssl(dtls)) {
        dtls->state = AHOY_DTLS_FAILED;
        return;
    }
    memcpy(dtls->print, print, sizeof dtls->print);
    dtls->is_active = is_active;
    dtls->state = AHOY_DTLS_SHAKING;
    if (is_active)
        SSL_set_connect_state(dtls->ssl);
    else
        SSL_set_accept_state(dtls->ssl);
    go_on(dtls);
}

void ahoy_dtls_step(struct ahoy_dtls *dtls, struct span datagram)
{
    if (dtls->state != AHOY_DTLS_SHAKING && dtls->state != AHOY_DTLS_AGREED)
        return;
    if (BIO_write(dtls->in, datagram.at, (int)datagram.size) == (int)datagram.size)
        go_on(dtls);
    (void)BIO_reset(dtls->in); /* What it has not understood is no part of the next datagram. */
}

/* A record is a datagram: what OpenSSL writes has no other seams. */
bool ahoy_dtls_poll(struct ahoy_dtls *dtls, struct span *datagram)
{
    unsigned char *head = (unsigned char *)dtls->datagram;
    if (BIO_read(dtls->out, head, RECORD_HEAD_SIZE) != RECORD_HEAD_SIZE)
        return false;
    int size = head[RECORD_HEAD_SIZE - 2] << 8 | head[RECORD_HEAD_SIZE - 1];
    assert(size <= MTU);
    if (BIO_read(dtls->out, head + RECORD_HEAD_SIZE, size) != size)
        return false;
    *datagram = (struct span){ dtls->datagram, (size_t)(RECORD_HEAD_SIZE + size) };
    return true;
}

uint64_t ahoy_dtls_wait_us(const struct ahoy_dtls *dtls)
{
    struct timeval wait;
    if (dtls->state != AHOY_DTLS_SHAKING || DTLSv1_get_timeout(dtls->ssl, &wait) != 1)
        return UINT64_MAX;
    return (uint64_t)wait.tv_sec * 1000000 + (uint64_t)wait.tv_usec;
}

void ahoy_dtls_expire(struct ahoy_dtls *dtls)
{
    if (dtls->state == AHOY_DTLS_SHAKING && DTLSv1_handle_timeout(dtls->ssl) < 0)
        dtls->state = AHOY_DTLS_FAILED;
    ERR_clear_error();
}

/* The client's key, the server's, the client's salt, the server's: R5764-4.2-1 and -2. */
void ahoy_dtls_keys(const struct ahoy_dtls *dtls, uint8_t ours[AHOY_DTLS_MASTER_SIZE],
                    uint8_t theirs[AHOY_DTLS_MASTER_SIZE])
{
    const uint8_t *salts = dtls->material + 2 * KEY_SIZE;
    uint8_t *client = dtls->is_active ? ours : theirs;
    uint8_t *server = dtls->is_active ? theirs : ours;
    assert(dtls->state == AHOY_DTLS_AGREED);
    memcpy(client, dtls->material, KEY_SIZE);
    memcpy(server, dtls->material + KEY_SIZE, KEY_SIZE);
    memcpy(client + KEY_SIZE, salts, SALT_SIZE);
    memcpy(server + KEY_SIZE, salts + SALT_SIZE, SALT_SIZE);
}
