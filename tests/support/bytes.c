/* Bytes for tests of parsers. */
#include "tests/support/bytes.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Everything that was given out, newest first. */
struct block {
    struct block *next;
    void *at;
};

static struct block *blocks;

static void *keep(void *at)
{
    struct block *block = malloc(sizeof *block);
    assert_non_null(at);
    assert_non_null(block);
    *block = (struct block){ .next = blocks, .at = at };
    blocks = block;
    return at;
}

struct span test_copy(struct span text)
{
    char *at = keep(malloc(text.size + (text.size == 0)));
    if (text.size > 0)
        memcpy(at, text.at, text.size);
    return (struct span){ at, text.size };
}

struct span test_text(const char *text)
{
    return test_copy(ahoy_span(text));
}

struct span test_file(const char *path)
{
    char full[1024];
    char bytes[70000];
    (void)snprintf(full, sizeof full, "%s/%s", AHOY_SOURCE_DIR, path); /* Too long: fopen fails. */
    FILE *file = fopen(full, "rb");
    if (file == NULL)
        fail_msg("cannot read %s", full);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size < sizeof bytes);
    return test_copy((struct span){ bytes, size });
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool ends_in(const char *name, const char *ending)
{
    size_t size = strlen(name);
    size_t last = strlen(ending);
    return name[0] != '.' && size >= last && strcmp(name + size - last, ending) == 0;
}

size_t test_list_files(const char *folder, const char *ending, const char *const **paths)
{
    enum { LIMIT = 1000, PATH_SIZE = 512 };
    char full[1024];
    (void)snprintf(full, sizeof full, "%s/%s", AHOY_SOURCE_DIR, folder); /* opendir would fail. */
    DIR *directory = opendir(full);
    if (directory == NULL)
        fail_msg("cannot read %s", full);
    char **list = keep(malloc(LIMIT * sizeof *list));
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (!ends_in(entry->d_name, ending))
            continue;
        assert_true(count < LIMIT);
        list[count] = keep(malloc(PATH_SIZE));
        int size = snprintf(list[count], PATH_SIZE, "%s/%s", folder, entry->d_name);
        assert_in_range(size, 1, PATH_SIZE - 1);
        count++;
    }
    assert_int_equal(closedir(directory), 0);
    qsort(list, count, sizeof *list, compare);
    *paths = (const char *const *)list;
    return count;
}

int test_free_all(void **state)
{
    (void)state; /* Nothing belongs to one test alone. */
    while (blocks != NULL) {
        struct block *block = blocks;
        blocks = block->next;
        free(block->at);
        free(block);
    }
    return 0;
}

void test_assert_span(struct span actual, const char *expected, const char *file, int line)
{
    if (ahoy_span_equal(actual, ahoy_span(expected)))
        return;
    print_error("\"%.*s\" is not \"%s\"\n", (int)actual.size, actual.at, expected);
    _fail(file, line);
}
