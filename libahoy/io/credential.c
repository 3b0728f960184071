/* Reading PEM files. */
#include "libahoy/io/credential.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where a fault is told. */
struct fault {
    const char *path;
    char *what;
    size_t size;
};

static bool fail(const struct fault *fault, const char *word, const char *what, const char *mend)
{
    snprintf(fault->what, fault->size, "%s = \"%.200s\" %s; %s", word, fault->path, what, mend);
    return false;
}

static FILE *open_file(const struct fault *fault, const char *word)
{
    FILE *file = fopen(fault->path, "re");
    struct stat about;
    if (file == NULL) {
        snprintf(fault->what, fault->size, "%s = \"%.200s\" cannot be opened: %s; name a PEM file",
                 word, fault->path, strerror(errno));
        return NULL;
    }
    if (fstat(fileno(file), &about) == 0 && S_ISREG(about.st_mode) &&
        about.st_size <= AHOY_CERTIFICATES_LIMIT)
        return file;
    (void)fail(fault, word, "is no file of at most 64 KiB", "name a PEM file"); /* It only tells. */
    fclose(file);
    return NULL;
}

/* A key with a password cannot be read, as there is nobody to ask. */
static int no_password(char *space, int size, int writing, void *context)
{
    (void)space, (void)size, (void)writing, (void)context; /* OpenSSL's. */
    return -1;
}

static bool read_chain(struct ahoy_credential *credential, FILE *file)
{
    credential->certificate = PEM_read_X509_AUX(file, NULL, no_password, NULL);
    credential->chain = sk_X509_new_null();
    if (credential->certificate == NULL || credential->chain == NULL)
        return false;
    X509 *next;
    while ((next = PEM_read_X509(file, NULL, no_password, NULL)) != NULL) {
        if (sk_X509_push(credential->chain, next) == 0) {
            X509_free(next);
            return false;
        }
    }
    /* The end of the file is the only fault that is none. */
    return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static bool read_certificate(struct ahoy_credential *credential, const struct fault *fault)
{
    FILE *file = open_file(fault, "certificate");
    if (file == NULL)
        return false;
    bool done = read_chain(credential, file);
    fclose(file);
    ERR_clear_error();
    return done ||
           fail(fault, "certificate", "holds no certificate that can be read", "name a PEM file");
}

static bool read_key(struct ahoy_credential *credential, const struct fault *fault)
{
    FILE *file = open_file(fault, "key");
    struct stat about;
    if (file == NULL)
        return false;
    bool open = fstat(fileno(file), &about) != 0 || (about.st_mode & (S_IROTH | S_IWOTH)) != 0;
    if (!open)
        credential->key = PEM_read_PrivateKey(file, NULL, no_password, NULL);
    fclose(file);
    ERR_clear_error();
    if (open)
        return fail(fault, "key", "is open to everybody on this machine",
                    "type chmod o= for it, and think about a new key");
    if (credential->key == NULL)
        return fail(fault, "key", "holds no private key that can be read without a password",
                    "name a PEM file");
    if (X509_check_private_key(credential->certificate, credential->key) == 1)
        return true;
    return fail(fault, "key", "does not belong to the certificate", "name the files of one pair");
}

bool ahoy_credential_read(struct ahoy_credential *credential, const char *certificate_path,
                          const char *key_path, char *what, size_t what_size)
{
    const struct fault about_certificate = { certificate_path, what, what_size };
    const struct fault about_key = { key_path, what, what_size };
    *credential = (struct ahoy_credential){ .key = NULL };
    return read_certificate(credential, &about_certificate) && read_key(credential, &about_key);
}

void ahoy_credential_fini(struct ahoy_credential *credential)
{
    X509_free(credential->certificate);
    sk_X509_pop_free(credential->chain, X509_free);
    EVP_PKEY_free(credential->key);
}
