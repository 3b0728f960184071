/* Certificates made on the spot, and the files that hold them. */
#pragma once

#include <openssl/x509v3.h>
#include <stdint.h>

#include "libahoy/base/span.h"

enum { CERTIFICATE_DAY_S = 86400 };

struct certificate_name {
    int type; /* GEN_URI, GEN_DNS, GEN_EMAIL; GEN_IPADD with the address's bytes. */
    struct span text;
};

struct certificate_wish {
    struct span common_name;
    const struct certificate_name *names; /* Of subjectAltName; NULL for none at all. */
    size_t count;
    int64_t until_s;   /* From now; 0: a year. */
    const char *usage; /* extendedKeyUsage; NULL for none. */
};

struct certificate {
    X509 *x509;
    EVP_PKEY *key;
};

/* An authority, signed by itself. */
struct certificate certificate_authority(const char *name);
struct certificate certificate_make(const struct certificate *issuer,
                                    const struct certificate_wish *wish);
/* One for server and client alike that speaks for |domain|, or for the loopback addresses where
 * that is NULL. */
struct certificate certificate_for(const struct certificate *issuer, const char *domain);
void certificate_free(struct certificate *certificate);

/* A new folder for files of one test; gone, with what certificate_write wrote there, afterwards. */
struct certificate_folder {
    char path[64];
    unsigned count;
    char files[32][128];
};

void certificate_folder_make(struct certificate_folder *folder);
void certificate_folder_remove(struct certificate_folder *folder);
/* Writes NAME.pem and NAME.key over what was there. */
void certificate_write(struct certificate_folder *folder, const struct certificate *certificate,
                       const char *name);
/* Writes the key alone, under a password. */
void certificate_write_secret(struct certificate_folder *folder,
                              const struct certificate *certificate, const char *name,
                              const char *password);
void certificate_write_text(struct certificate_folder *folder, const char *name, struct span text);
/* The path of |name| in the folder, until 64 others were asked for. */
const char *certificate_path(const struct certificate_folder *folder, const char *name);
