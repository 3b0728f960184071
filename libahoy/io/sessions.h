/* The sessions that peers let us resume (RFC 5077, RFC 8446 2.2), by the name that they were called
 * and have proved.  Any thread may ask. */
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

enum {
    AHOY_TLS_SESSIONS_LIMIT = 256, /* Names of which a session is kept. */
    AHOY_TLS_SESSION_S = 3600      /* How long: trust in a certificate is not looked at anew. */
};

struct ahoy_sessions {
    pthread_mutex_t lock;
    size_t next; /* Whose place is taken where none is free. */
    struct ahoy_session {
        char *name; /* NULL: free. */
        SSL_SESSION *session;
    } list[AHOY_TLS_SESSIONS_LIMIT];
};

/* False where memory is refused. */
bool ahoy_sessions_init(struct ahoy_sessions *sessions);
void ahoy_sessions_fini(struct ahoy_sessions *sessions);

/* Takes |session|, which may be NULL; it is the only one of |name| from now on. */
void ahoy_sessions_put(struct ahoy_sessions *sessions, const char *name, SSL_SESSION *session);
/* Gives the session of |name| away: it is to be used once (RFC 8446 C.4), and freed.  NULL where
 * there is none. */
SSL_SESSION *ahoy_sessions_take(struct ahoy_sessions *sessions, const char *name);
