/* A connection's two ends of TLS, fed by a stranger: with anything from the start, or with anything
 * behind a handshake that was in order.  What comes out must have been sealed by the other end, how
 * the bytes are cut must not matter, and nothing grows.
 *
 * The first byte chooses: 0, a server's end; 1, a client's end; 2, a server's end after a
 * handshake; 3, bytes that our client seals, which must arrive as they are. */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz/target.h"
#include "libahoy/io/tls.h"

enum { ROOM = 1 << 20, ANSWERS = 1 << 16 /* What an end may say to one input. */ };

struct end {
    struct ahoy_tls *tls;
    struct ahoy_outgoing outgoing;
    size_t size;
    char plain[ROOM];
};

static struct ahoy_tls_context *context;
static struct ahoy_pages pages;

/* A certificate for whoever runs this, in files that are gone again when they have been read. */
static void write_pair(const char *certificate_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    MUST(key != NULL && x509 != NULL);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 1 << 30);
    MUST(X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha256()) > 0);
    FILE *file = fopen(certificate_path, "w");
    MUST(file != NULL && PEM_write_X509(file, x509) == 1);
    fclose(file);
    file = fopen(key_path, "w");
    MUST(file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    fclose(file);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void open_context(void)
{
    char certificate_path[] = "/tmp/ahoy-fuzz-XXXXXX";
    char key_path[] = "/tmp/ahoy-fuzz-XXXXXX";
    int files[] = { mkstemp(certificate_path), mkstemp(key_path) };
    write_pair(certificate_path, key_path);
    static struct ahoy_tls_entry entries[2];
    entries[0] = (struct ahoy_tls_entry){ .use = AHOY_TLS_LISTENER,
                                          .certificate = certificate_path,
                                          .key = key_path };
    entries[1] = (struct ahoy_tls_entry){ .use = AHOY_TLS_OUTWARD };
    struct ahoy_tls_fault fault;
    context = ahoy_tls_context_new(entries, 2, &fault);
    MUST(context != NULL);
    for (int i = 0; i < 2; i++)
        close(files[i]);
    unlink(certificate_path);
    unlink(key_path);
    ahoy_pages_init(&pages, 4);
}

static struct ahoy_tls_way way_of(struct end *end)
{
    return (struct ahoy_tls_way){ .outgoing = &end->outgoing, .pages = &pages };
}

static void take(struct end *end, struct span sealed)
{
    struct ahoy_tls_way way = way_of(end);
    size_t size;
    enum ahoy_tls_state before = ahoy_tls_state(end->tls);
    enum ahoy_tls_state after =
        ahoy_tls_open(end->tls, sealed, &way, end->plain + end->size, ROOM - end->size, &size);
    MUST(after >= before);
    MUST(size == 0 || before <= AHOY_TLS_STANDING);
    MUST(size <= sealed.size + AHOY_TLS_RECORD_SIZE);
    end->size += size;
}

/* All at once, or a few bytes at a time. */
static void take_cut(struct end *end, struct span sealed, size_t piece)
{
    while (sealed.size > 0) {
        size_t size = piece < sealed.size ? piece : sealed.size;
        take(end, (struct span){ sealed.at, size });
        sealed = ahoy_span_after(sealed, size);
    }
    MUST(end->outgoing.size <= ANSWERS);
}

static bool carry(struct end *from, struct end *to)
{
    struct iovec pieces[AHOY_PAGES_A_WRITE];
    if (ahoy_outgoing_pieces(&from->outgoing, pieces) == 0)
        return false;
    take(to, (struct span){ pieces[0].iov_base, pieces[0].iov_len });
    ahoy_outgoing_take(&from->outgoing, &pages, pieces[0].iov_len);
    return true;
}

static void talk(struct end *a, struct end *b)
{
    bool more = true;
    while (more) {
        more = carry(a, b);
        more = carry(b, a) || more;
    }
}

static void end_free(struct end *end)
{
    ahoy_outgoing_clear(&end->outgoing, &pages);
    ahoy_tls_free(end->tls);
    end->tls = NULL;
    end->size = 0;
}

static struct end client, server;

static void begin(void)
{
    static const struct ahoy_ip remote = { .family = AHOY_IPV4, .bytes = { 127, 0, 0, 1 } };
    server.tls = ahoy_tls_accept(context, 0);
    client.tls = ahoy_tls_connect(context, SPAN("fuzz.example"), &remote);
    MUST(server.tls != NULL && client.tls != NULL);
    take(&client, SPAN(""));
}

static void shake_hands(void)
{
    begin();
    talk(&client, &server);
    MUST(ahoy_tls_state(client.tls) == AHOY_TLS_STANDING);
    MUST(ahoy_tls_state(server.tls) == AHOY_TLS_STANDING);
}

/* What became of |bytes|, given to |end| in pieces. */
static enum ahoy_tls_state outcome(int choice, struct span bytes, size_t piece)
{
    if (choice == 2)
        shake_hands();
    else
        begin();
    struct end *end = choice == 1 ? &client : &server;
    take_cut(end, bytes, piece);
    MUST(end->size == 0); /* Nobody has sealed anything. */
    MUST(choice == 2 || ahoy_tls_state(end->tls) != AHOY_TLS_STANDING);
    enum ahoy_tls_state state = ahoy_tls_state(end->tls);
    end_free(&client);
    end_free(&server);
    return state;
}

static void arrive(struct span bytes)
{
    struct ahoy_tls_way way = way_of(&client);
    shake_hands();
    MUST(ahoy_tls_seal(client.tls, bytes, &way));
    talk(&client, &server);
    MUST(server.size == bytes.size && memcmp(server.plain, bytes.at, bytes.size) == 0);
    end_free(&client);
    end_free(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (context == NULL)
        open_context();
    if (size == 0 || size > ANSWERS)
        return 0;
    int choice = data[0] % 4;
    struct span bytes = { (const char *)data + 1, size - 1 };
    if (choice == 3)
        arrive(bytes);
    else
        MUST(outcome(choice, bytes, bytes.size) == outcome(choice, bytes, 7));
    return 0;
}
