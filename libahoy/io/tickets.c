/* AES-256-CBC and HMAC-SHA-256, as RFC 5077 4 recommends but for the longer key. */
#include "libahoy/io/tickets.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

static int tickets_index;
static pthread_once_t tickets_once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
    tickets_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

bool ahoy_tickets_init(struct ahoy_tickets *tickets)
{
    memset(tickets, 0, sizeof *tickets);
    if (pthread_once(&tickets_once, make_index) != 0 || tickets_index < 0 ||
        pthread_mutex_init(&tickets->lock, NULL) != 0)
        return false;
    /* There are two from the start: an empty one would be known to everybody. */
    if (ahoy_tickets_rotate(tickets) && ahoy_tickets_rotate(tickets))
        return true;
    ahoy_tickets_fini(tickets);
    return false;
}

void ahoy_tickets_fini(struct ahoy_tickets *tickets)
{
    OPENSSL_cleanse(tickets->keys, sizeof tickets->keys);
    pthread_mutex_destroy(&tickets->lock);
}

bool ahoy_tickets_rotate(struct ahoy_tickets *tickets)
{
    struct ahoy_ticket_key key;
    if (RAND_bytes((unsigned char *)&key, sizeof key) != 1)
        return false;
    pthread_mutex_lock(&tickets->lock);
    tickets->keys[1] = tickets->keys[0];
    tickets->keys[0] = key;
    pthread_mutex_unlock(&tickets->lock);
    OPENSSL_cleanse(&key, sizeof key);
    return true;
}

/* The key that is named so; which of them, AHOY_TICKET_KEYS where it is none. */
static unsigned find(const struct ahoy_tickets *tickets, const unsigned char *name)
{
    unsigned i = 0;
    while (i < AHOY_TICKET_KEYS && memcmp(tickets->keys[i].name, name, AHOY_TICKET_NAME_SIZE) != 0)
        i++;
    return i;
}

static bool set_keys(struct ahoy_ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int sealing)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac, sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_END
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, sealing) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* See SSL_CTX_set_tlsext_ticket_key_evp_cb(3): -1 ends the handshake, 0 goes on without the ticket,
 * 1 takes it, 2 takes it and gives another. */
static int choose_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                      EVP_MAC_CTX *mac, int sealing)
{
    struct ahoy_tickets *tickets = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), tickets_index);
    struct ahoy_ticket_key key;
    unsigned which = 0;
    if (sealing && RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1)
        return -1;
    pthread_mutex_lock(&tickets->lock);
    if (!sealing)
        which = find(tickets, name);
    if (which < AHOY_TICKET_KEYS)
        key = tickets->keys[which];
    pthread_mutex_unlock(&tickets->lock);
    if (which == AHOY_TICKET_KEYS)
        return 0;
    if (sealing)
        memcpy(name, key.name, AHOY_TICKET_NAME_SIZE);
    bool set = set_keys(&key, iv, cipher, mac, sealing);
    OPENSSL_cleanse(&key, sizeof key);
    if (!set)
        return -1;
    /* By TLS 1.3 a client uses a ticket once, so it wants the next. */
    return which > 0 || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1;
}

bool ahoy_tickets_serve(struct ahoy_tickets *tickets, SSL_CTX *ssl)
{
    SSL_CTX_set_timeout(ssl, AHOY_TICKET_S);
    return SSL_CTX_set_ex_data(ssl, tickets_index, tickets) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, choose_key) == 1;
}
