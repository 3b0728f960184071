/* A certificate with its chain and its key, from PEM files. */
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

enum { AHOY_CERTIFICATES_LIMIT = 64 * 1024 /* Bytes of a peer's certificates, and of a file. */ };

/* Zeroed: none. */
struct ahoy_credential {
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};

/* False, and |what| says what is wrong with which file and how to mend it: it cannot be read, the
 * key does not belong to the certificate, is protected by a password, or lies open to everybody. */
bool ahoy_credential_read(struct ahoy_credential *credential, const char *certificate_path,
                          const char *key_path, char *what, size_t what_size);
void ahoy_credential_fini(struct ahoy_credential *credential);
