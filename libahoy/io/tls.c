/* OpenSSL sees a BIO that has bytes only during a call: it reads those at hand and writes to the
 * queue of what leaves.  So nothing is kept twice, and an idle connection keeps nothing. */
#include "libahoy/io/tls.h"

#include <assert.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

enum { HEADER_SIZE = 5 };

struct ahoy_tls {
    SSL *ssl;
    BIO *bio;           /* The SSL's, whose data is the passage of the call under way. */
    size_t header_size; /* How much of the record at hand's header has come; 0 between two. */
    size_t body_left;   /* Of its body, once the header is whole. */
    unsigned char header[HEADER_SIZE];
    enum ahoy_tls_state state;
    enum ahoy_wire_fate fate;
    size_t expected_size; /* Of the name that the peer must prove; 0: none. */
    char expected[];      /* That, or the name that it was called, with a NUL behind it. */
};

/* A call under way. */
struct passage {
    struct span sealed;
    const struct ahoy_tls_way *way;
    bool full; /* Memory was refused. */
};

static int read_sealed(BIO *bio, char *bytes, int room)
{
    struct passage *passage = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (passage->sealed.size == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t size = (size_t)room < passage->sealed.size ? (size_t)room : passage->sealed.size;
    memcpy(bytes, passage->sealed.at, size);
    passage->sealed = ahoy_span_after(passage->sealed, size);
    return (int)size;
}

static int write_sealed(BIO *bio, const char *bytes, int size)
{
    struct passage *passage = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    if (ahoy_outgoing_put(passage->way->outgoing, passage->way->pages,
                          (struct span){ bytes, (size_t)size }))
        return size;
    passage->full = true;
    return -1;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer; /* OpenSSL's. */
    return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ahoy");
    if (method == NULL)
        return;
    BIO_meth_set_read(method, read_sealed);
    BIO_meth_set_write(method, write_sealed);
    BIO_meth_set_ctrl(method, control);
}

/* |passage| is what OpenSSL reads and writes until leave. */
static void enter(struct ahoy_tls *tls, struct passage *passage)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error(); /* Of others: it would be taken for ours. */
    BIO_set_data(tls->bio, passage);
}

static void leave(struct ahoy_tls *tls)
{
    BIO_set_data(tls->bio, NULL);
}

static BIO *make_bio(void)
{
    if (pthread_once(&method_once, make_method) != 0 || method == NULL)
        return NULL;
    BIO *bio = BIO_new(method);
    if (bio != NULL)
        BIO_set_init(bio, 1);
    return bio;
}

/* Takes |ssl|, which may be NULL. */
static struct ahoy_tls *make(SSL *ssl, struct span expected)
{
    struct ahoy_tls *tls = NULL;
    BIO *bio = ssl != NULL ? make_bio() : NULL;
    if (bio != NULL)
        tls = malloc(sizeof *tls + expected.size + 1);
    if (tls == NULL) {
        BIO_free(bio);
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_bio(ssl, bio, bio);
    *tls = (struct ahoy_tls){ .ssl = ssl, .bio = bio, .state = AHOY_TLS_SHAKING };
    tls->expected_size = expected.size;
    if (expected.size > 0)
        memcpy(tls->expected, expected.at, expected.size);
    tls->expected[expected.size] = '\0';
    return tls;
}

struct ahoy_tls *ahoy_tls_accept(struct ahoy_tls_context *context, uint8_t listener)
{
    struct ahoy_tls *tls = make(ahoy_tls_context_accept(context, listener), SPAN(""));
    if (tls != NULL)
        SSL_set_accept_state(tls->ssl);
    return tls;
}

/* What was agreed on with the same peer before. */
static void resume(struct ahoy_tls *tls)
{
    SSL_SESSION *session = ahoy_sessions_take(ahoy_tls_context_sessions(tls->ssl), tls->expected);
    if (session != NULL)
        (void)SSL_set_session(tls->ssl, session); /* Without it hands are shaken in full. */
    SSL_SESSION_free(session);
}

/* The peer has proved to be who was called: its session may be resumed.  By TLS 1.3 it says so
 * later, in tickets. */
static void keep_session(struct ahoy_tls *tls)
{
    if (SSL_is_server(tls->ssl))
        return;
    (void)SSL_set_app_data(tls->ssl, tls->expected); /* Without it no ticket is kept. */
    if (SSL_version(tls->ssl) < TLS1_3_VERSION)
        ahoy_sessions_put(ahoy_tls_context_sessions(tls->ssl), tls->expected,
                          SSL_get1_session(tls->ssl));
}

struct ahoy_tls *ahoy_tls_connect(struct ahoy_tls_context *context, struct span domain,
                                  const struct ahoy_ip *remote)
{
    char space[64];
    struct span expected = domain.size > 0 ? domain : ahoy_identity_of_ip(remote, space);
    struct ahoy_tls *tls = make(ahoy_tls_context_connect(context), expected);
    if (tls == NULL)
        return NULL;
    SSL_set_connect_state(tls->ssl);
    if (domain.size > 0 && SSL_set_tlsext_host_name(tls->ssl, tls->expected) != 1) {
        ahoy_tls_free(tls);
        return NULL;
    }
    if (SSL_get_verify_mode(tls->ssl) == SSL_VERIFY_NONE)
        tls->expected_size = 0;
    resume(tls);
    return tls;
}

void ahoy_tls_free(struct ahoy_tls *tls)
{
    if (tls == NULL)
        return;
    /* A connection that was only lost does not spoil its session, as OpenSSL would have it. */
    if (tls->state == AHOY_TLS_STANDING)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN);
    SSL_free(tls->ssl);
    free(tls);
}

enum ahoy_tls_state ahoy_tls_state(const struct ahoy_tls *tls)
{
    return tls->state;
}

bool ahoy_tls_is_partial(const struct ahoy_tls *tls)
{
    return tls->header_size > 0;
}

bool ahoy_tls_is_resumed(const struct ahoy_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

enum ahoy_wire_fate ahoy_tls_fate(const struct ahoy_tls *tls)
{
    return tls->fate;
}

bool ahoy_tls_identify(const struct ahoy_tls *tls, struct ahoy_identity *identity)
{
    const X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    if (certificate == NULL || SSL_get_verify_mode(tls->ssl) == SSL_VERIFY_NONE ||
        SSL_get_verify_result(tls->ssl) != X509_V_OK)
        return false;
    ahoy_identity_read(identity, certificate);
    return identity->peer.count + identity->peer.user_count > 0;
}

/* R5922-7.3-2, R5922-7.3-3 */
static bool is_expected(const struct ahoy_tls *tls)
{
    struct ahoy_identity identity;
    if (tls->expected_size == 0)
        return true;
    return ahoy_tls_identify(tls, &identity) &&
           ahoy_peer_is(&identity.peer, (struct span){ tls->expected, tls->expected_size });
}

/* What |rc| of OpenSSL means for a call that wants to go on reading. */
static enum ahoy_tls_state judge(const struct ahoy_tls *tls, int rc)
{
    int why = SSL_get_error(tls->ssl, rc);
    if (why == SSL_ERROR_WANT_READ)
        return tls->state;
    return why == SSL_ERROR_ZERO_RETURN ? AHOY_TLS_ENDED : AHOY_TLS_FAILED;
}

static void shake_hands(struct ahoy_tls *tls)
{
    int rc = SSL_do_handshake(tls->ssl);
    if (rc != 1) {
        tls->state = judge(tls, rc);
        tls->fate = tls->state == AHOY_TLS_FAILED ? AHOY_FATE_INSECURE : AHOY_FATE_NONE;
    } else if (is_expected(tls)) {
        tls->state = AHOY_TLS_STANDING;
        keep_session(tls);
    } else {
        tls->state = AHOY_TLS_FAILED;
        tls->fate = AHOY_FATE_UNPROVED;
        (void)SSL_shutdown(tls->ssl); /* Nobody else is there to be told. */
    }
}

/* Keeps count of where records end: OpenSSL does not tell of one that has a header only. */
static void follow_records(struct ahoy_tls *tls, struct span sealed)
{
    while (sealed.size > 0) {
        size_t size = 1;
        if (tls->header_size < HEADER_SIZE) {
            tls->header[tls->header_size++] = (unsigned char)*sealed.at;
            tls->body_left = (size_t)tls->header[3] << 8 | tls->header[4];
        } else {
            size = tls->body_left < sealed.size ? tls->body_left : sealed.size;
            tls->body_left -= size;
        }
        if (tls->header_size == HEADER_SIZE && tls->body_left == 0)
            tls->header_size = 0;
        sealed = ahoy_span_after(sealed, size);
    }
}

enum ahoy_tls_state ahoy_tls_open(struct ahoy_tls *tls, struct span sealed,
                                  const struct ahoy_tls_way *way, char *plain, size_t room,
                                  size_t *size)
{
    struct passage passage = { .sealed = sealed, .way = way };
    assert(room >= sealed.size + AHOY_TLS_RECORD_SIZE);
    *size = 0;
    follow_records(tls, sealed);
    if (tls->state == AHOY_TLS_ENDED || tls->state == AHOY_TLS_FAILED)
        return tls->state;
    enter(tls, &passage);
    if (tls->state == AHOY_TLS_SHAKING)
        shake_hands(tls);
    while (tls->state == AHOY_TLS_STANDING) {
        size_t count = 0;
        int rc = SSL_read_ex(tls->ssl, plain + *size, room - *size, &count);
        *size += count;
        if (rc != 1) {
            tls->state = judge(tls, rc);
            break;
        }
    }
    leave(tls);
    if (passage.full)
        tls->state = AHOY_TLS_FAILED;
    return tls->state;
}

bool ahoy_tls_seal(struct ahoy_tls *tls, struct span plain, const struct ahoy_tls_way *way)
{
    struct passage passage = { .way = way };
    size_t count = 0;
    if (plain.size == 0)
        return true;
    if (tls->state != AHOY_TLS_STANDING && tls->state != AHOY_TLS_ENDED)
        return false;
    enter(tls, &passage);
    int rc = SSL_write_ex(tls->ssl, plain.at, plain.size, &count);
    leave(tls);
    return rc == 1 && count == plain.size && !passage.full;
}

void ahoy_tls_end(struct ahoy_tls *tls, const struct ahoy_tls_way *way)
{
    struct passage passage = { .way = way };
    if (tls->state != AHOY_TLS_STANDING && tls->state != AHOY_TLS_ENDED)
        return;
    enter(tls, &passage);
    (void)SSL_shutdown(tls->ssl); /* The peer's answer is not waited for. */
    leave(tls);
    tls->state = AHOY_TLS_ENDED;
}
