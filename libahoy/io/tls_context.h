/* What TLS connections are made with: certificates, whom to trust, versions and ciphers.  Shared by
 * all workers; the certificates may be read anew at any time, or others in their place, and
 * connections that stand keep what they were made with.
 *
 * TLS 1.2 and 1.3; no renegotiation, no compression; sessions are resumed, as a server by tickets,
 * as a client until the certificates are read anew. */
#pragma once

#include <openssl/ssl.h>

#include "libahoy/base/span.h"
#include "libahoy/io/sessions.h"
#include "libahoy/io/tickets.h"

enum ahoy_tls_use {
    AHOY_TLS_LISTENER, /* The certificate that a listener shows to those who ask for no other. */
    AHOY_TLS_DOMAIN,   /* The one that all listeners show to those who ask for this domain (SNI). */
    AHOY_TLS_OUTWARD   /* Connections that we open. */
};

enum ahoy_tls_verify {
    AHOY_TLS_VERIFY_NONE,     /* A listener asks for no certificate; outward, all are believed. */
    AHOY_TLS_VERIFY_OPTIONAL, /* One that is shown must be good. */
    AHOY_TLS_VERIFY_REQUIRED
};

/* Paths of PEM files; NULL for none. */
struct ahoy_tls_entry {
    enum ahoy_tls_use use;
    enum ahoy_tls_verify verify; /* Not of a domain. */
    uint8_t listener;            /* AHOY_TLS_LISTENER: its number. */
    struct span domain;          /* AHOY_TLS_DOMAIN */
    const char *certificate;     /* With what leads to its authority behind it.  Only outward may
                                  * it be missing. */
    const char *key;
    const char *authorities; /* Who may sign a peer's; outward, NULL are those of the system. */
};

/* What is wrong, and how to mend it. */
struct ahoy_tls_fault {
    size_t entry;
    char what[512];
};

struct ahoy_tls_context;

/* Reads all that |entries|, which outlive the context, or ahoy_tls_context_use, name.  NULL, and
 * |fault|, where something is missing or does not fit. */
struct ahoy_tls_context *ahoy_tls_context_new(const struct ahoy_tls_entry *entries, size_t count,
                                              struct ahoy_tls_fault *fault);
/* NULL is allowed. */
void ahoy_tls_context_free(struct ahoy_tls_context *context);
/* Reads all anew, from any thread; false, and |fault|, leaves all as it was. */
bool ahoy_tls_context_reread(struct ahoy_tls_context *context, struct ahoy_tls_fault *fault);
/* What other |entries| name, read, and in use for new connections once it is put in place of what
 * was in use before, which is returned: from any thread.  NULL, and |fault|, as new. */
struct ahoy_tls_set *ahoy_tls_context_read(struct ahoy_tls_context *context,
                                           const struct ahoy_tls_entry *entries, size_t count,
                                           struct ahoy_tls_fault *fault);
struct ahoy_tls_set *ahoy_tls_context_use(struct ahoy_tls_context *context,
                                          struct ahoy_tls_set *set);
/* One that is not in use; NULL is allowed.  Its entries are named no more. */
void ahoy_tls_set_free(struct ahoy_tls_set *set);
/* A new key for tickets, from any thread; those of the last one are still taken.  False where
 * random bytes are refused. */
bool ahoy_tls_context_rotate(struct ahoy_tls_context *context);
/* From when to when the certificate of an entry is valid, in Unix seconds; false where it has
 * none.  Asked by the thread that rereads. */
bool ahoy_tls_context_validity(const struct ahoy_tls_context *context, size_t entry, int64_t *from,
                               int64_t *until);

/* Whether there is an entry for |listener|. */
bool ahoy_tls_context_listens(const struct ahoy_tls_context *context, uint8_t listener);

/* For tls.c: a new connection's end, accepted by |listener|, or outward; NULL where memory is
 * refused or there is no such entry. */
SSL *ahoy_tls_context_accept(struct ahoy_tls_context *context, uint8_t listener);
SSL *ahoy_tls_context_connect(struct ahoy_tls_context *context);
/* The sessions that |ssl|, which is outward, may resume.  One that its peer offers later is kept
 * under the name that SSL_set_app_data says, if any. */
struct ahoy_sessions *ahoy_tls_context_sessions(const SSL *ssl);
