/* What session tickets are sealed with (RFC 5077), for all workers: so a phone resumes its session
 * wherever its next connection lands.  Tickets are sealed with the newest key; those of the key
 * before are taken too, and renewed.  A key that is lost tells no more than what its tickets began
 * (RFC 9325 3.4 wants them changed). */
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

enum {
    AHOY_TICKET_S = 7200, /* How long one lasts. */
    AHOY_TICKET_KEYS = 2,
    AHOY_TICKET_KEY_SIZE = 32,
    AHOY_TICKET_NAME_SIZE = 16
};

struct ahoy_tickets {
    pthread_mutex_t lock; /* Taken for a moment, in handshakes only. */
    struct ahoy_ticket_key {
        unsigned char name[AHOY_TICKET_NAME_SIZE]; /* By which a ticket says its key. */
        unsigned char cipher[AHOY_TICKET_KEY_SIZE];
        unsigned char mac[AHOY_TICKET_KEY_SIZE];
    } keys[AHOY_TICKET_KEYS]; /* The newest first. */
};

/* False where random bytes or memory are refused. */
bool ahoy_tickets_init(struct ahoy_tickets *tickets);
void ahoy_tickets_fini(struct ahoy_tickets *tickets);
/* A new key; the oldest is forgotten.  False where random bytes are refused: all stays. */
bool ahoy_tickets_rotate(struct ahoy_tickets *tickets);
/* |ssl| seals by them, which outlive it.  False where OpenSSL refuses. */
bool ahoy_tickets_serve(struct ahoy_tickets *tickets, SSL_CTX *ssl);
