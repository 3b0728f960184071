/* All files of one reading make a set, which lives until the last connection that may still ask it
 * for a certificate has shaken hands: each SSL_CTX of it holds a share. */
#include "libahoy/io/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "libahoy/io/credential.h"

/* One of its entries as read. */
struct member {
    struct ahoy_credential credential;
    SSL_CTX *ssl; /* NULL for a domain. */
    char *domain; /* NULL for all others.  The entry may be gone before the set is. */
};

struct ahoy_tls_set {
    atomic_uint shares;
    struct ahoy_sessions sessions; /* Of connections outward: whom others trusted is asked anew. */
    const struct ahoy_tls_entry *entries; /* While it is in use, or may be. */
    size_t count;
    struct member members[];
};

struct ahoy_tls_context {
    pthread_mutex_t lock; /* Of |set|: taken for a moment, by new connections only. */
    struct ahoy_tls_set *set;
    struct ahoy_tickets tickets;
};

static void drop(struct ahoy_tls_set *set)
{
    if (atomic_fetch_sub(&set->shares, 1) != 1)
        return;
    for (size_t i = 0; i < set->count; i++) {
        ahoy_credential_fini(&set->members[i].credential);
        free(set->members[i].domain);
    }
    ahoy_sessions_fini(&set->sessions);
    free(set);
}

/* An SSL_CTX of the set is freed. */
static void drop_share(void *parent, void *set, CRYPTO_EX_DATA *data, int index, long argument,
                       void *pointer)
{
    (void)parent, (void)data, (void)index, (void)argument, (void)pointer; /* OpenSSL's. */
    if (set != NULL)
        drop(set);
}

static int share_index;
static pthread_once_t share_once = PTHREAD_ONCE_INIT;

static void make_share_index(void)
{
    share_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, drop_share);
}

struct ahoy_sessions *ahoy_tls_context_sessions(const SSL *ssl)
{
    struct ahoy_tls_set *set = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), share_index);
    return &set->sessions;
}

void ahoy_tls_set_free(struct ahoy_tls_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        SSL_CTX_free(set->members[i].ssl);
    drop(set);
}

/* Whoever asks for a domain gets its certificate, whatever listener he came to (RFC 6066 3). */
static int choose_certificate(SSL *ssl, void *argument)
{
    const struct ahoy_tls_set *set = argument;
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (asked == NULL)
        return 1;
    for (size_t i = 0; i < set->count; i++) {
        const char *domain = set->members[i].domain;
        const struct ahoy_credential *credential = &set->members[i].credential;
        if (domain != NULL && ahoy_span_equal_nocase(ahoy_span(domain), ahoy_span(asked)))
            return SSL_use_cert_and_key(ssl, credential->certificate, credential->key,
                                        credential->chain, 1);
    }
    return 1;
}

/* What holds for both directions. */
static bool set_rules(SSL_CTX *ssl)
{
    /* Of TLS 1.2; those of 1.3 are all good.  DEPARTS: R3261-26.2.1-1 asks for RSA with AES-CBC,
     * which should not be used any more (RFC 9325 4.1). */
    static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(ssl, AHOY_CERTIFICATES_LIMIT);
    SSL_CTX_set_security_level(ssl, 2);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, ciphers) == 1 &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256:P-384") == 1;
}

/* A peer lets its session be resumed, which tls.c has named once the peer was believed.  True: it
 * has been taken. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    const char *name = SSL_get_app_data(ssl);
    if (name == NULL)
        return 0;
    ahoy_sessions_put(ahoy_tls_context_sessions(ssl), name, session);
    return 1;
}

/* How sessions are resumed: by tickets, which need no cache of OpenSSL's.  Clients that must prove
 * who they are do so each time: a ticket could outlive the trust in them. */
static bool set_tickets(struct ahoy_tls_context *context, const struct ahoy_tls_entry *entry,
                        SSL_CTX *ssl)
{
    unsigned char id[] = { 'a', 'h', 'o', 'y', entry->listener };
    if (entry->use == AHOY_TLS_OUTWARD) {
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ssl, keep_session);
        return true;
    }
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    if (entry->verify != AHOY_TLS_VERIFY_NONE) {
        SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(ssl, 0) == 1;
    }
    return ahoy_tickets_serve(&context->tickets, ssl) && SSL_CTX_set_num_tickets(ssl, 1) == 1 &&
           SSL_CTX_set_session_id_context(ssl, id, sizeof id) == 1;
}

static bool set_trust(const struct ahoy_tls_entry *entry, SSL_CTX *ssl)
{
    int mode = SSL_VERIFY_PEER;
    if (entry->verify == AHOY_TLS_VERIFY_NONE)
        return true;
    if (entry->verify == AHOY_TLS_VERIFY_REQUIRED)
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(ssl, mode, NULL);
    if (entry->authorities == NULL)
        return SSL_CTX_set_default_verify_paths(ssl) == 1;
    if (SSL_CTX_load_verify_file(ssl, entry->authorities) != 1)
        return false;
    if (entry->use == AHOY_TLS_LISTENER) /* Which certificates it is worth to show. */
        SSL_CTX_set_client_CA_list(ssl, SSL_load_client_CA_file(entry->authorities));
    return true;
}

static bool fail(struct ahoy_tls_fault *fault, const char *what)
{
    if (fault->what[0] == '\0')
        snprintf(fault->what, sizeof fault->what, "%s", what);
    return false;
}

static bool fail_trust(const struct ahoy_tls_entry *entry, struct ahoy_tls_fault *fault)
{
    if (entry->authorities == NULL)
        return fail(fault, "the system's authorities cannot be read; install ca-certificates, or "
                           "name a file: authorities = \"ca.pem\"");
    snprintf(fault->what, sizeof fault->what,
             "authorities = \"%.200s\" holds no certificate that can be read; name a PEM file",
             entry->authorities);
    return false;
}

static bool fill(struct ahoy_tls_context *context, struct ahoy_tls_set *set, size_t index,
                 struct ahoy_tls_fault *fault)
{
    const struct ahoy_tls_entry *entry = &set->entries[index];
    struct member *member = &set->members[index];
    if (entry->certificate != NULL &&
        !ahoy_credential_read(&member->credential, entry->certificate, entry->key, fault->what,
                              sizeof fault->what))
        return false;
    if (entry->use == AHOY_TLS_DOMAIN) {
        member->domain = strndup(entry->domain.at, entry->domain.size);
        return member->domain != NULL || fail(fault, "memory ran out");
    }
    bool outward = entry->use == AHOY_TLS_OUTWARD;
    member->ssl = SSL_CTX_new(outward ? TLS_client_method() : TLS_server_method());
    if (member->ssl == NULL || !set_rules(member->ssl) || !set_tickets(context, entry, member->ssl))
        return fail(fault, "OpenSSL refuses; is its configuration file sound?");
    if (!set_trust(entry, member->ssl))
        return fail_trust(entry, fault);
    const struct ahoy_credential *credential = &member->credential;
    if (credential->certificate != NULL &&
        SSL_CTX_use_cert_and_key(member->ssl, credential->certificate, credential->key,
                                 credential->chain, 1) != 1) {
        snprintf(fault->what, sizeof fault->what,
                 "OpenSSL does not take the certificate \"%.200s\": %.100s; make one with a key of "
                 "at least 2048 bits (RSA) or of P-256",
                 entry->certificate, ERR_reason_error_string(ERR_peek_last_error()));
        return false;
    }
    if (!outward)
        SSL_CTX_set_cert_cb(member->ssl, choose_certificate, set);
    if (SSL_CTX_set_ex_data(member->ssl, share_index, set) != 1)
        return fail(fault, "memory ran out");
    atomic_fetch_add(&set->shares, 1);
    return true;
}

struct ahoy_tls_set *ahoy_tls_context_read(struct ahoy_tls_context *context,
                                           const struct ahoy_tls_entry *entries, size_t count,
                                           struct ahoy_tls_fault *fault)
{
    fault->what[0] = '\0';
    fault->entry = 0;
    struct ahoy_tls_set *set = calloc(1, sizeof *set + count * sizeof(struct member));
    if (set != NULL && !ahoy_sessions_init(&set->sessions)) {
        free(set);
        set = NULL;
    }
    if (set == NULL) {
        (void)fail(fault, "memory ran out"); /* It only says so. */
        return NULL;
    }
    set->entries = entries;
    set->count = count;
    atomic_init(&set->shares, 1);
    for (size_t i = 0; i < set->count; i++) {
        ERR_clear_error();
        fault->entry = i;
        if (!fill(context, set, i, fault)) {
            ERR_clear_error();
            ahoy_tls_set_free(set);
            return NULL;
        }
    }
    return set;
}

struct ahoy_tls_context *ahoy_tls_context_new(const struct ahoy_tls_entry *entries, size_t count,
                                              struct ahoy_tls_fault *fault)
{
    struct ahoy_tls_context *context = calloc(1, sizeof *context);
    *fault = (struct ahoy_tls_fault){ .what = "memory ran out" };
    if (context == NULL)
        return NULL;
    if (pthread_once(&share_once, make_share_index) != 0 || share_index < 0 ||
        !ahoy_tickets_init(&context->tickets)) {
        free(context);
        return NULL;
    }
    if (pthread_mutex_init(&context->lock, NULL) != 0) {
        ahoy_tickets_fini(&context->tickets);
        free(context);
        return NULL;
    }
    context->set = ahoy_tls_context_read(context, entries, count, fault);
    if (context->set != NULL)
        return context;
    ahoy_tls_context_free(context);
    return NULL;
}

void ahoy_tls_context_free(struct ahoy_tls_context *context)
{
    if (context == NULL)
        return;
    ahoy_tls_set_free(context->set);
    pthread_mutex_destroy(&context->lock);
    ahoy_tickets_fini(&context->tickets);
    free(context);
}

struct ahoy_tls_set *ahoy_tls_context_use(struct ahoy_tls_context *context,
                                          struct ahoy_tls_set *set)
{
    pthread_mutex_lock(&context->lock);
    struct ahoy_tls_set *before = context->set;
    context->set = set;
    pthread_mutex_unlock(&context->lock);
    return before;
}

bool ahoy_tls_context_reread(struct ahoy_tls_context *context, struct ahoy_tls_fault *fault)
{
    struct ahoy_tls_set *set =
        ahoy_tls_context_read(context, context->set->entries, context->set->count, fault);
    if (set == NULL)
        return false;
    ahoy_tls_set_free(ahoy_tls_context_use(context, set));
    return true;
}

bool ahoy_tls_context_rotate(struct ahoy_tls_context *context)
{
    return ahoy_tickets_rotate(&context->tickets);
}

static bool unix_time(const ASN1_TIME *time, int64_t *unix_s)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *unix_s = timegm(&parts);
    return true;
}

bool ahoy_tls_context_validity(const struct ahoy_tls_context *context, size_t entry, int64_t *from,
                               int64_t *until)
{
    const X509 *certificate = context->set->members[entry].credential.certificate;
    return certificate != NULL && unix_time(X509_get0_notBefore(certificate), from) &&
           unix_time(X509_get0_notAfter(certificate), until);
}

bool ahoy_tls_context_listens(const struct ahoy_tls_context *context, uint8_t listener)
{
    for (size_t i = 0; i < context->set->count; i++) {
        const struct ahoy_tls_entry *entry = &context->set->entries[i];
        if (entry->use == AHOY_TLS_LISTENER && entry->listener == listener)
            return true;
    }
    return false;
}

static SSL *make(struct ahoy_tls_context *context, enum ahoy_tls_use use, uint8_t listener)
{
    SSL *ssl = NULL;
    pthread_mutex_lock(&context->lock);
    for (size_t i = 0; i < context->set->count && ssl == NULL; i++) {
        const struct ahoy_tls_entry *entry = &context->set->entries[i];
        if (entry->use == use && (use == AHOY_TLS_OUTWARD || entry->listener == listener))
            ssl = SSL_new(context->set->members[i].ssl); /* It holds the SSL_CTX. */
    }
    pthread_mutex_unlock(&context->lock);
    return ssl;
}

SSL *ahoy_tls_context_accept(struct ahoy_tls_context *context, uint8_t listener)
{
    return make(context, AHOY_TLS_LISTENER, listener);
}

SSL *ahoy_tls_context_connect(struct ahoy_tls_context *context)
{
    return make(context, AHOY_TLS_OUTWARD, 0);
}
