/* A file of RFC 4180 with a line of names at its head.  Whoever renames it, as logrotate does,
 * finds that the next row begins a new one: nobody has to be told. */
#include "ahoyd/records/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct csv {
    const char *path;
    int fd;
};

/* What a spreadsheet would take for a formula begins with a quote, as it does for them. */
static bool is_formula(const char *text)
{
    return text[0] != '\0' && strchr("=+-@", text[0]) != NULL;
}

static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    if (is_formula(text))
        fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_value(FILE *out, const json_t *value)
{
    if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value))
        print_text(out, json_string_value(value));
}

static void print_row(FILE *out, const json_t *row)
{
    for (size_t i = 0; i < AHOYD_COLUMN_COUNT; i++) {
        fputs(i > 0 ? "," : "", out);
        print_value(out, json_object_get(row, ahoyd_record_columns[i]));
    }
    fputs("\r\n", out);
}

static void print_head(FILE *out)
{
    for (size_t i = 0; i < AHOYD_COLUMN_COUNT; i++)
        fprintf(out, "%s%s", i > 0 ? "," : "", ahoyd_record_columns[i]);
    fputs("\r\n", out);
}

/* The text of |rows|, to be freed; NULL where memory is refused. */
static char *print_rows(const json_t *rows, bool has_head, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    size_t i;
    json_t *row;
    if (out == NULL)
        return NULL;
    if (has_head)
        print_head(out);
    json_array_foreach(rows, i, row) print_row(out, row);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Whether what is open is still the file of that name. */
static bool is_there(const struct csv *csv)
{
    struct stat ours, named;
    return csv->fd >= 0 && fstat(csv->fd, &ours) == 0 && stat(csv->path, &named) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

static bool reopen(struct csv *csv)
{
    if (is_there(csv))
        return true;
    if (csv->fd >= 0)
        close(csv->fd);
    csv->fd = open(csv->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return csv->fd >= 0;
}

static bool write_all(int fd, struct span text)
{
    while (text.size > 0) {
        ssize_t size = write(fd, text.at, text.size);
        if (size < 0 && errno != EINTR)
            return false;
        if (size > 0)
            text = ahoy_span_after(text, (size_t)size);
    }
    return true;
}

static bool write_rows(struct csv *csv, const json_t *rows)
{
    struct stat before;
    size_t size;
    if (!reopen(csv) || fstat(csv->fd, &before) != 0)
        return false;
    char *text = print_rows(rows, before.st_size == 0, &size);
    bool done = text != NULL && write_all(csv->fd, (struct span){ text, size });
    int why = errno;
    /* A row that is there in part would be read with the next one. */
    if (!done && S_ISREG(before.st_mode) && ftruncate(csv->fd, before.st_size) != 0)
        why = errno;
    free(text);
    errno = why;
    return done;
}

static bool csv_write(void *sink, const json_t *rows, char *fault, size_t fault_size)
{
    struct csv *csv = sink;
    if (write_rows(csv, rows))
        return true;
    snprintf(fault, fault_size, "%s cannot be written: %s", csv->path, strerror(errno));
    return false;
}

static void csv_close(void *sink)
{
    struct csv *csv = sink;
    if (csv->fd >= 0)
        close(csv->fd);
    free(csv);
}

static void *csv_open(const char *place, char *fault, size_t fault_size)
{
    struct csv *csv = calloc(1, sizeof *csv);
    if (csv != NULL) {
        *csv = (struct csv){ .path = place, .fd = -1 };
        if (reopen(csv))
            return csv;
    }
    snprintf(fault, fault_size, "%s cannot be opened: %s; make its folder, or name another", place,
             strerror(errno));
    free(csv);
    return NULL;
}

const struct ahoyd_sink ahoyd_sink_csv = { csv_open, csv_write, csv_close };
