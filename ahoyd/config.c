/* The configuration as a whole: its file is read, run in a small Lua, checked, and kept as a plain
 * table.  The words that it may use are in config_words.c. */
#include "ahoyd/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoyd/config_reader.h"

enum {
    FILE_LIMIT = 1 << 20,    /* Bytes of a configuration file. */
    TEXTS_LIMIT = 256 << 20, /* Bytes of all texts that are kept of it. */
    PADDING = 128,           /* Where the file says nothing. */
    OVERLOAD_MS = 100,       /* The same. */
    RING_MB = 16             /* The same. */
};

/* What config->memory points to. */
struct texts {
    struct ahoy_chunks chunks;
    struct ahoy_arena arena;
};

void config_fault(struct reader *reader, int line, const char *format, ...)
{
    char what[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    reader->faults->count++;
    if (reader->faults->told != NULL)
        reader->faults->told(reader->faults->context, reader->path.at, line, what);
}

static struct span keep(struct ahoy_arena *arena, struct span text)
{
    char *copy = ahoy_arena_take(arena, text.size + 1);
    if (copy == NULL)
        return (struct span){ NULL, 0 };
    if (text.size > 0)
        memcpy(copy, text.at, text.size);
    copy[text.size] = '\0';
    return (struct span){ copy, text.size };
}

struct span ahoyd_config_keep(struct ahoyd_config *config, struct span text)
{
    struct texts *texts = config->memory;
    return keep(&texts->arena, text);
}

struct span config_keep(struct reader *reader, struct span text)
{
    struct span copy = keep(reader->texts, text);
    reader->out_of_memory = reader->out_of_memory || copy.at == NULL;
    return copy.at != NULL ? copy : SPAN("");
}

/* How many single changes make |a| of |b|, counted up to |most|. */
static size_t distance(struct span a, struct span b, size_t most)
{
    enum { WIDTH = 32 };
    size_t row[WIDTH + 1];
    if (a.size > WIDTH || b.size > WIDTH)
        return most;
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t change = diagonal + (a.at[i - 1] != b.at[j - 1]);
            size_t step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < step ? change : step;
        }
    }
    return row[b.size] < most ? row[b.size] : most;
}

const char *config_nearest(struct span word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < count; i++) {
        size_t changes = distance(word, ahoy_span(names[i]), least);
        if (changes < least && changes < word.size) {
            least = changes;
            nearest = names[i];
        }
    }
    return nearest;
}

static struct texts *texts_new(void)
{
    struct texts *texts = malloc(sizeof *texts);
    if (texts == NULL)
        return NULL;
    ahoy_chunks_init(&texts->chunks, 4096, TEXTS_LIMIT);
    ahoy_arena_init(&texts->arena, &texts->chunks);
    return texts;
}

/* The folder of |path| with its last slash, or "" for the current one. */
static struct span folder_of(struct span path)
{
    size_t size = path.size;
    while (size > 0 && path.at[size - 1] != '/')
        size--;
    return (struct span){ path.at, size };
}

static void defaults(struct reader *reader)
{
    struct ahoyd_config *config = reader->config;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    config->workers = cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
    config->padding = PADDING;
    config->overload_ms = OVERLOAD_MS;
    config->ring_size = (size_t)RING_MB << 20;
    config->store = AHOYD_STORE_SQLITE;
    config->log.level = AHOY_LOG_INFO;
    config->process.filters = true;
}

static bool read_all(struct reader *reader, struct span text)
{
    defaults(reader);
    config_run(reader, text);
    if (!reader->out_of_memory)
        config_finish(reader);
    if (reader->config->when_count > 0)
        reader->config->script = config_keep(reader, text);
    if (reader->out_of_memory)
        config_fault(reader, 0, "memory ran out while the configuration was read");
    return reader->faults->count == 0;
}

struct ahoyd_config *ahoyd_config_parse(const char *text, size_t size, const char *path,
                                        struct ahoyd_config_faults *faults)
{
    faults->count = 0;
    struct ahoyd_config *config = calloc(1, sizeof *config);
    struct texts *texts = texts_new();
    if (config == NULL || texts == NULL) {
        free(config);
        free(texts);
        return NULL;
    }
    config->memory = texts;
    struct reader reader = {
        .vocabulary = &config_words, .config = config, .faults = faults, .texts = &texts->arena
    };
    reader.path = config->path = config_keep(&reader, ahoy_span(path));
    reader.folder = folder_of(config->path);
    bool sound = read_all(&reader, (struct span){ text, size });
    free(reader.insecure);
    if (!sound) {
        ahoyd_config_free(config);
        return NULL;
    }
    return config;
}

static void tell(struct ahoyd_config_faults *faults, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void tell(struct ahoyd_config_faults *faults, const char *path, const char *format, ...)
{
    char what[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    faults->count = 1;
    if (faults->told != NULL)
        faults->told(faults->context, path, 0, what);
}

char *config_read_file(const char *path, struct ahoyd_config_faults *faults, size_t *size)
{
    bool is_read = false;
    char *text = malloc(FILE_LIMIT + 1);
    FILE *file = fopen(path, "r");
    if (file == NULL || text == NULL) {
        tell(faults, path,
             "cannot be opened: %s; name the file with --config, or write a first one as ahoyd "
             "--help shows it",
             strerror(errno));
        goto out;
    }
    *size = fread(text, 1, FILE_LIMIT + 1, file);
    if (ferror(file) != 0)
        tell(faults, path, "cannot be read: %s", strerror(errno));
    else if (*size > FILE_LIMIT)
        tell(faults, path, "is larger than %d bytes; is it a configuration?", FILE_LIMIT);
    else
        is_read = true;
out:
    if (file != NULL)
        fclose(file);
    if (is_read)
        return text;
    free(text);
    return NULL;
}

struct ahoyd_config *ahoyd_config_load(const char *path, struct ahoyd_config_faults *faults)
{
    size_t size;
    char *text = config_read_file(path, faults, &size);
    if (text == NULL)
        return NULL;
    struct ahoyd_config *config = ahoyd_config_parse(text, size, path, faults);
    free(text);
    return config;
}

void ahoyd_config_free(struct ahoyd_config *config)
{
    if (config == NULL)
        return;
    struct texts *texts = config->memory;
    ahoy_arena_release(&texts->arena);
    ahoy_chunks_fini(&texts->chunks);
    free(texts);
    free(config->items);
    free(config->listens);
    free(config->domains);
    free(config->exceptions);
    free(config->trunks);
    free(config->groups);
    free(config->routes);
    free(config);
}
