#include "tests/support/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { PATHS = 64 };

static void add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_names(X509 *x509, const struct certificate_wish *wish)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    for (size_t i = 0; i < wish->count; i++) {
        const struct certificate_name *name = &wish->names[i];
        bool address = name->type == GEN_IPADD;
        ASN1_STRING *text = ASN1_STRING_type_new(address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
        GENERAL_NAME *general = GENERAL_NAME_new();
        assert_int_equal(ASN1_STRING_set(text, name->text.at, (int)name->text.size), 1);
        GENERAL_NAME_set0_value(general, name->type, text);
        sk_GENERAL_NAME_push(names, general);
    }
    assert_int_equal(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
}

static struct certificate begin(struct span common_name, int64_t until_s)
{
    static long serial = 1;
    struct certificate made = { .x509 = X509_new(), .key = EVP_EC_gen("P-256") };
    assert_non_null(made.x509);
    assert_non_null(made.key);
    X509_set_version(made.x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.x509), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.x509), -366 * (long)CERTIFICATE_DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(made.x509),
                    until_s == 0 ? 365 * (long)CERTIFICATE_DAY_S : (long)until_s);
    if (common_name.size > 0)
        assert_int_equal(X509_NAME_add_entry_by_NID(
                             X509_get_subject_name(made.x509), NID_commonName, MBSTRING_UTF8,
                             (const unsigned char *)common_name.at, (int)common_name.size, -1, 0),
                         1);
    X509_set_pubkey(made.x509, made.key);
    return made;
}

struct certificate certificate_authority(const char *name)
{
    struct certificate made = begin(ahoy_span(name), 0);
    X509_set_issuer_name(made.x509, X509_get_subject_name(made.x509));
    add_extension(made.x509, made.x509, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(made.x509, made.x509, NID_key_usage, "critical,keyCertSign,cRLSign");
    assert_true(X509_sign(made.x509, made.key, EVP_sha256()) > 0);
    return made;
}

struct certificate certificate_make(const struct certificate *issuer,
                                    const struct certificate_wish *wish)
{
    struct certificate made = begin(wish->common_name, wish->until_s);
    X509_set_issuer_name(made.x509, X509_get_subject_name(issuer->x509));
    if (wish->names != NULL)
        add_names(made.x509, wish);
    if (wish->usage != NULL)
        add_extension(made.x509, issuer->x509, NID_ext_key_usage, wish->usage);
    assert_true(X509_sign(made.x509, issuer->key, EVP_sha256()) > 0);
    return made;
}

struct certificate certificate_for(const struct certificate *issuer, const char *domain)
{
    static const char v4[4] = { 127, 0, 0, 1 };
    static const char v6[16] = { [15] = 1 };
    const struct certificate_name addresses[] = { { GEN_IPADD, { v4, sizeof v4 } },
                                                  { GEN_IPADD, { v6, sizeof v6 } } };
    const struct certificate_name name = { GEN_DNS, ahoy_span(domain != NULL ? domain : "") };
    const struct certificate_wish wish = { .names = domain != NULL ? &name : addresses,
                                           .count = domain != NULL ? 1 : 2 };
    return certificate_make(issuer, &wish);
}

void certificate_free(struct certificate *certificate)
{
    X509_free(certificate->x509);
    EVP_PKEY_free(certificate->key);
}

void certificate_folder_make(struct certificate_folder *folder)
{
    *folder = (struct certificate_folder){ .path = "/tmp/ahoy-certificates-XXXXXX" };
    assert_non_null(mkdtemp(folder->path));
}

void certificate_folder_remove(struct certificate_folder *folder)
{
    for (unsigned i = 0; i < folder->count; i++)
        unlink(folder->files[i]);
    rmdir(folder->path);
}

const char *certificate_path(const struct certificate_folder *folder, const char *name)
{
    static char paths[PATHS][128];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    return path;
}

static FILE *open_file(struct certificate_folder *folder, const char *name)
{
    assert_true(folder->count < 32);
    const char *path = certificate_path(folder, name);
    memcpy(folder->files[folder->count++], path, strlen(path) + 1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    return file;
}

static void write_key(struct certificate_folder *folder, const struct certificate *certificate,
                      const char *name, const char *password)
{
    FILE *file = open_file(folder, name);
    assert_int_equal(PEM_write_PrivateKey(file, certificate->key,
                                          password != NULL ? EVP_aes_128_cbc() : NULL, NULL, 0,
                                          NULL, (void *)(uintptr_t)password),
                     1);
    fclose(file);
}

void certificate_write(struct certificate_folder *folder, const struct certificate *certificate,
                       const char *name)
{
    char file_name[64];
    snprintf(file_name, sizeof file_name, "%s.pem", name);
    FILE *file = open_file(folder, file_name);
    assert_int_equal(PEM_write_X509(file, certificate->x509), 1);
    fclose(file);
    snprintf(file_name, sizeof file_name, "%s.key", name);
    write_key(folder, certificate, file_name, NULL);
}

void certificate_write_secret(struct certificate_folder *folder,
                              const struct certificate *certificate, const char *name,
                              const char *password)
{
    write_key(folder, certificate, name, password);
}

void certificate_write_text(struct certificate_folder *folder, const char *name, struct span text)
{
    FILE *file = open_file(folder, name);
    assert_int_equal(fwrite(text.at, 1, text.size, file), text.size);
    fclose(file);
}
