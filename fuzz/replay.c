/* Runs a fuzz target over all files of the folders that are named: the corpus as a test, in every
 * build and with every compiler. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz/target.h"

enum { INPUT_LIMIT = 1 << 20 };

/* Feeds one file, from a block of exactly its size.  False where it cannot be read. */
static int feed(const char *path)
{
    static uint8_t bytes[INPUT_LIMIT];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    int sound = !ferror(file);
    if (fclose(file) != 0 || !sound)
        return 0;
    uint8_t *copy = malloc(size + (size == 0));
    if (copy == NULL)
        return 0;
    for (size_t i = 0; i < size; i++)
        copy[i] = bytes[i];
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 1;
}

/* Feeds all files of a folder; how many, or -1. */
static int feed_folder(const char *folder)
{
    DIR *directory = opendir(folder);
    if (directory == NULL)
        return -1;
    int count = 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(directory)) != NULL;) {
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        int size = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count = size < (int)sizeof path && feed(path) ? count + 1 : -1;
    }
    return closedir(directory) == 0 ? count : -1;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = feed_folder(argv[i]);
        if (count <= 0) {
            fprintf(stderr, "replay: nothing to read in %s\n", argv[i]);
            return 1;
        }
        printf("%s: %d inputs\n", argv[i], count);
    }
    return 0;
}
