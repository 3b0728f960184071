/* ahoyctl user import FILE: users by the thousand, from a table with commas (import_table.h).  They
 * are sent in groups, so that the store commits many at once; each stands for itself. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"
#include "ahoyd/ctl/import_table.h"

enum {
    LINE_LIMIT = 4096,
    GROUP_LIMIT = 200,  /* Users of a request ... */
    GROUP_SIZE = 50000, /* ... whose names have so many bytes at most, escaped at the worst. */
    ROW_SIZE = 300,     /* Of a user but for names. */
    ESCAPED_SIZE = 6    /* Of a byte: "\u00e4". */
};

struct import {
    struct ctl_link *link; /* NULL: nothing is added. */
    bool strict;
    bool shows;   /* How far it is. */
    bool stopped; /* Nothing that follows is taken. */
    struct import_table table;
    unsigned number, imported, faulty;
    json_t *users; /* The group. */
    size_t group_size;
    unsigned lines[GROUP_LIMIT]; /* Of its users. */
};

static void blame(struct import *import, unsigned number, const char *why)
{
    ctl_say("line %u: %s", number, why);
    import->faulty++;
    import->stopped = import->stopped || import->strict;
}

/* Sends the group; false where nobody answers. */
static bool flush(struct import *import)
{
    size_t count = json_array_size(import->users), i;
    json_t *failure;
    if (count == 0)
        return true;
    json_t *answer = import->link == NULL
                         ? json_object()
                         : ctl_link_ask(import->link, json_pack("{s:s, s:O}", "verb", "users-add",
                                                                "users", import->users));
    json_array_clear(import->users);
    import->group_size = 0;
    if (answer == NULL)
        return false;
    json_t *failures = json_object_get(answer, "failed");
    import->imported += (unsigned)(count - json_array_size(failures));
    json_array_foreach(failures, i, failure)
    {
        json_int_t index = json_integer_value(json_object_get(failure, "index"));
        const char *why = json_string_value(json_object_get(failure, "error"));
        blame(import, import->lines[index >= 0 && index < GROUP_LIMIT ? index : 0],
              why != NULL ? why : "refused");
    }
    json_decref(answer);
    if (import->shows)
        fprintf(stderr, "\r%u users", import->imported);
    return true;
}

/* False where nobody answers. */
static bool take_user(struct import *import, json_t *row)
{
    size_t size = ROW_SIZE + ESCAPED_SIZE * (json_string_length(json_object_get(row, "user")) +
                                             json_string_length(json_object_get(row, "realm")));
    if (import->group_size + size > GROUP_SIZE && !flush(import))
        return false;
    import->lines[json_array_size(import->users)] = import->number;
    json_array_append(import->users, row);
    import->group_size += size;
    return json_array_size(import->users) < GROUP_LIMIT || flush(import);
}

/* False where nobody answers. */
static bool take_line(struct import *import, char *line)
{
    if (import->number == 1 || *line == '\0') {
        const char *fault = import->number == 1 ? import_table_columns(&import->table, line) : NULL;
        if (fault != NULL) {
            blame(import, 1, fault);
            import->stopped = true;
        }
        return true;
    }
    json_t *row = json_object();
    const char *fault = import_table_user(&import->table, line, row);
    bool sound = true;
    if (fault != NULL)
        blame(import, import->number, fault);
    else
        sound = take_user(import, row);
    json_decref(row);
    return sound;
}

static bool read_all(struct import *import, FILE *in)
{
    char line[LINE_LIMIT];
    bool sound = true;
    while (sound && !import->stopped && fgets(line, sizeof line, in) != NULL) {
        size_t size = strcspn(line, "\r\n");
        bool is_whole = line[size] != '\0' || feof(in);
        line[size] = '\0';
        import->number++;
        if (is_whole) {
            sound = take_line(import, line);
            continue;
        }
        blame(import, import->number, "too long, or with a NUL byte");
        for (int byte = 0; byte != '\n' && byte != EOF;)
            byte = fgetc(in);
    }
    explicit_bzero(line, sizeof line);
    return sound && flush(import);
}

int ctl_import(const struct ctl_options *options, const char *path)
{
    struct import import = { .strict = options->strict, .shows = isatty(STDERR_FILENO) };
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (in == NULL) {
        ctl_say("%s: %s", path, strerror(errno));
        return CTL_FAILED;
    }
    import.users = json_array();
    if (!options->dry_run)
        import.link = ctl_link_open(options);
    bool sound = options->dry_run || import.link != NULL;
    if (sound) {
        sound = read_all(&import, in) && import.faulty == 0 && ferror(in) == 0;
        fputs(import.shows ? "\r" : "", stderr);
        printf("%u users %s, %u lines faulty%s\n", import.imported,
               options->dry_run ? "sound" : "imported", import.faulty,
               import.stopped ? ", the rest left" : "");
    }
    ctl_link_close(import.link);
    json_decref(import.users);
    if (in != stdin)
        fclose(in);
    return sound ? CTL_OK : CTL_FAILED;
}
