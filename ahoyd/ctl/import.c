/* ahoyctl user import FILE: users by the thousand, from a table with commas (RFC 4180).  Its first
 * line names the columns.  Lines are sent in groups, so that the store commits many at once; each
 * stands for itself. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"

enum {
    LINE_LIMIT = 4096,
    FIELDS_LIMIT = 32,
    GROUP_LIMIT = 200,  /* Users of a request ... */
    GROUP_SIZE = 50000, /* ... whose names have so many bytes at most, escaped at the worst. */
    ROW_SIZE = 300,     /* Of a user but for names. */
    ESCAPED_SIZE = 6    /* Of a byte: "\u00e4". */
};

enum column { USER, REALM, PASSWORD, MD5, SHA256, SHA512_256, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = { "user", "realm",  "password",
                                                        "md5",  "sha256", "sha512_256" };

struct import {
    struct ctl_link *link; /* NULL: nothing is added. */
    bool strict;
    bool shows;                  /* How far it is. */
    bool stopped;                /* Nothing that follows is taken. */
    size_t fields;               /* Of a line. */
    size_t places[COLUMN_COUNT]; /* In it; FIELDS_LIMIT: there is no such column. */
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

/* Takes the field at |*at| off a line, in place; false where a quote stays open, or is followed by
 * anything but a comma. */
static bool next_field(char **at, struct span *field)
{
    char *from = *at;
    char *to = *at;
    bool is_quoted = *from == '"';
    if (is_quoted)
        from++;
    *field = (struct span){ to, 0 };
    while (*from != '\0' && (is_quoted || *from != ',')) {
        if (is_quoted && *from == '"' && *++from != '"') {
            is_quoted = false;
            break;
        }
        *to++ = *from++;
    }
    field->size = (size_t)(to - field->at);
    *at = from;
    return !is_quoted && (*from == '\0' || *from == ',');
}

/* What is wrong with |line|; NULL where it is split into |fields|. */
static const char *split(char *line, struct span fields[FIELDS_LIMIT], size_t *count)
{
    for (*count = 0; *count < FIELDS_LIMIT; line++) {
        if (!next_field(&line, &fields[(*count)++]))
            return "a quote is out of place";
        if (*line == '\0')
            return NULL;
    }
    return "too many fields";
}

/* The first line: what the columns are. */
static const char *read_header(struct import *import, char *line)
{
    struct span fields[FIELDS_LIMIT];
    const char *fault = split(line, fields, &import->fields);
    for (unsigned i = 0; i < COLUMN_COUNT; i++)
        import->places[i] = FIELDS_LIMIT;
    for (size_t i = 0; fault == NULL && i < import->fields; i++) {
        unsigned column = 0;
        while (column < COLUMN_COUNT &&
               !ahoy_span_equal_nocase(fields[i], ahoy_span(column_names[column])))
            column++;
        if (column == COLUMN_COUNT || import->places[column] != FIELDS_LIMIT)
            fault = "the first line names the columns, each once: user, realm, password, md5, "
                    "sha256, sha512_256";
        else
            import->places[column] = i;
    }
    if (fault == NULL && import->places[USER] == FIELDS_LIMIT)
        fault = "there is no column user";
    return fault;
}

static struct span value_of(const struct import *import, const struct span *fields,
                            enum column column)
{
    return import->places[column] < FIELDS_LIMIT ? fields[import->places[column]] : SPAN("");
}

static bool set(json_t *row, const char *name, struct span text)
{
    return json_object_set_new(row, name, json_stringn(text.at, text.size)) == 0;
}

static const char *put_digests(const struct import *import, const struct span *fields,
                               struct span user, struct span realm, json_t *row)
{
    struct span password = value_of(import, fields, PASSWORD);
    bool has_digest = false;
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++) {
        struct span given = value_of(import, fields, (enum column)(MD5 + i - AHOY_DIGEST_MD5));
        struct ahoy_digest_hex ha1;
        if (password.size > 0 &&
            !ahoy_digest_ha1((enum ahoy_digest_algorithm)i, user, realm, password, &ha1))
            return "the password could not be hashed";
        has_digest = has_digest || given.size > 0;
        if (password.size > 0)
            given = (struct span){ ha1.text, ha1.size };
        if (given.size > 0 && !set(row, ahoyd_command_digests[i], given))
            return "a digest is no UTF-8";
    }
    if (password.size > 0 && has_digest)
        return "a password and digests at once";
    return password.size > 0 || has_digest ? NULL : "neither a password nor a digest";
}

/* What is wrong with |line|; NULL where |row| is the user of it. */
static const char *read_line(const struct import *import, char *line, json_t *row)
{
    struct span fields[FIELDS_LIMIT];
    size_t count;
    const char *fault = split(line, fields, &count);
    if (fault != NULL)
        return fault;
    if (count != import->fields)
        return "not as many fields as columns";
    struct span user = value_of(import, fields, USER);
    struct span realm = value_of(import, fields, REALM);
    size_t at = user.size;
    while (realm.size == 0 && at > 0 && user.at[at - 1] != '@')
        at--;
    if (realm.size == 0) {
        realm = ahoy_span_after(user, at);
        user.size = at > 0 ? at - 1 : 0;
    }
    for (char *letter = (char *)(uintptr_t)realm.at; letter < realm.at + realm.size; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    if (!set(row, "user", user) || !set(row, "realm", realm))
        return "a name is no UTF-8";
    fault = put_digests(import, fields, user, realm, row);
    return fault != NULL ? fault : ahoyd_command_user_fault(row);
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
        const char *fault = import->number == 1 ? read_header(import, line) : NULL;
        if (fault != NULL) {
            blame(import, 1, fault);
            import->stopped = true;
        }
        return true;
    }
    json_t *row = json_object();
    const char *fault = read_line(import, line, row);
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
