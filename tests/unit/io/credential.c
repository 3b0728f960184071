/* Files of certificates and keys: each fault says which file, what is wrong, and how to mend it. */
#include "libahoy/io/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "tests/support/certificates.h"

static struct certificate_folder folder;

struct row {
    const char *certificate, *key;
    const char *what; /* NULL: nothing is wrong. */
};

static void files_that_do_not_fit_are_faults(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "a.pem", "a.key", NULL },
        { "chain.pem", "a.key", NULL },
        { "nowhere.pem", "a.key", "certificate = \"%s\" cannot be opened: No such file" },
        { "a.pem", "nowhere.key", "key = \"%s\" cannot be opened: No such file" },
        { "a.pem", "b.key", "key = \"%s\" does not belong to the certificate" },
        { "a.key", "a.key", "certificate = \"%s\" holds no certificate" },
        { "half.pem", "a.key", "certificate = \"%s\" holds no certificate" },
        { "a.pem", "a.pem", "key = \"%s\" holds no private key" },
        { "a.pem", "secret.key", "key = \"%s\" holds no private key that can be read without" },
        { "a.pem", "open.key", "key = \"%s\" is open to everybody" },
        { ".", "a.key", "certificate = \"%s\" is no file" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ahoy_credential credential;
        char what[512] = "";
        char expected[512] = "";
        const char *certificate = certificate_path(&folder, rows[i].certificate);
        const char *key = certificate_path(&folder, rows[i].key);
        bool read = ahoy_credential_read(&credential, certificate, key, what, sizeof what);
        ahoy_credential_fini(&credential);
        if (rows[i].what != NULL) {
            const char *mark = strstr(rows[i].what, "%s");
            bool of_key = rows[i].what[0] == 'k';
            snprintf(expected, sizeof expected, "%.*s%s%s", (int)(mark - rows[i].what),
                     rows[i].what, of_key ? key : certificate, mark + 2);
        }
        if (read != (rows[i].what == NULL) || strncmp(what, expected, strlen(expected)) != 0)
            fail_msg("%s", what);
        assert_int_equal(!read, strstr(what, "; ") != NULL); /* The mend. */
    }
}

/* Writes |count| files, or half of the last one, behind one another to |name|. */
static void join(const char *const *names, size_t count, bool half, const char *name)
{
    char text[16384];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        FILE *file = fopen(certificate_path(&folder, names[i]), "r");
        assert_non_null(file);
        size += fread(text + size, 1, sizeof text - size, file);
        fclose(file);
    }
    certificate_write_text(&folder, name, (struct span){ text, half ? size - 100 : size });
}

static int prepare(void **state)
{
    (void)state;
    static const char *const chain[] = { "a.pem", "authority.pem" };
    certificate_folder_make(&folder);
    struct certificate authority = certificate_authority("authority");
    struct certificate a = certificate_for(&authority, "a.example");
    struct certificate b = certificate_for(&authority, "b.example");
    certificate_write(&folder, &authority, "authority");
    certificate_write(&folder, &authority, "open");
    certificate_write(&folder, &a, "a");
    certificate_write(&folder, &b, "b");
    certificate_write_secret(&folder, &a, "secret.key", "a password");
    join(chain, 2, false, "chain.pem");
    join(chain, 2, true, "half.pem");
    assert_int_equal(chmod(certificate_path(&folder, "open.key"), 0604), 0);
    certificate_free(&authority);
    certificate_free(&a);
    certificate_free(&b);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    certificate_folder_remove(&folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_do_not_fit_are_faults),
    };
    return cmocka_run_group_tests(tests, prepare, clear);
}
