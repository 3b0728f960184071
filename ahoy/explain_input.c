/* What `ahoy explain` reads: a file or standard input, mended where people pasted it, and cut into
 * messages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoy/explain.h"
#include "libahoy/syntax/scan.h"

static bool fail(const char *path, const char *why)
{
    fprintf(stderr, "ahoy: %s: %s\n", path, why);
    return false;
}

/* All of |file|, in a block that grows by halves. */
static bool read_all(struct explain_input *input, FILE *file, const char *path)
{
    size_t capacity = 0;
    size_t size = 0;
    for (;;) {
        if (size == capacity) {
            capacity += capacity / 2 + 65536;
            char *grown = size > AHOY_EXPLAIN_FILE_LIMIT ? NULL : realloc(input->space, capacity);
            if (grown == NULL)
                return fail(path, "too large");
            input->space = grown;
        }
        size_t count = fread(input->space + size, 1, capacity - size, file);
        size += count;
        if (count == 0)
            break;
    }
    if (ferror(file))
        return fail(path, strerror(errno));
    input->bytes = (struct span){ input->space, size };
    return true;
}

/* Takes the next line off |rest|, with its end. */
static struct span take_line(struct span *rest)
{
    size_t size = ahoy_span_find(*rest, '\n');
    size += size < rest->size;
    struct span line = { rest->at, size };
    *rest = ahoy_span_after(*rest, size);
    return line;
}

/* Whether there are lines that end in LF, and none that end in CRLF. */
static bool has_lf_alone(struct span rest)
{
    bool found = false;
    while (rest.size > 0) {
        struct span line = take_line(&rest);
        if (line.at[line.size - 1] != '\n')
            continue;
        if (line.size > 1 && line.at[line.size - 2] == '\r')
            return false;
        found = true;
    }
    return found;
}

/* How much white space stands before each line that is not blank. */
static size_t common_indent(struct span rest)
{
    size_t least = SIZE_MAX;
    while (rest.size > 0 && least > 0) {
        struct span line = take_line(&rest);
        const char *end = ahoy_span_end(line);
        size_t indent = (size_t)(ahoy_skip(line.at, end, AHOY_WSP) - line.at);
        if (ahoy_span_trim(line).size > 0 && indent < least)
            least = indent;
    }
    return least == SIZE_MAX ? 0 : least;
}

/* Writes the lines anew: without the indent, and with CRLF where they ended in LF. */
static bool mend(struct explain_input *input, const char *path)
{
    struct span rest = input->bytes;
    char *space = malloc(2 * rest.size + 2);
    if (space == NULL)
        return fail(path, "too large");
    struct ahoy_buf buf = ahoy_buf_over(space, 2 * rest.size + 2);
    while (rest.size > 0) {
        struct span line = take_line(&rest);
        bool is_blank = ahoy_span_trim(line).size == 0;
        if (input->indent > 0 && is_blank)
            line = (struct span){ ahoy_span_end(line) - 1, 1 };
        else
            line = ahoy_span_after(line, input->indent);
        if (line.at[line.size - 1] == '\n')
            line.size--;
        if (line.size > 0 && line.at[line.size - 1] == '\r')
            line.size--;
        ahoy_buf_put(&buf, line);
        ahoy_buf_put(&buf, SPAN("\r\n"));
    }
    free(input->space);
    input->space = space;
    input->bytes = ahoy_buf_text(&buf);
    return true;
}

bool explain_input_read(struct explain_input *input, const char *path)
{
    *input = (struct explain_input){ .space = NULL };
    bool is_file = strcmp(path, "-") != 0;
    FILE *file = is_file ? fopen(path, "re") : stdin;
    if (file == NULL)
        return fail(path, strerror(errno));
    bool done = read_all(input, file, path);
    if (is_file)
        fclose(file);
    if (done) {
        struct span start = ahoy_span_trim(input->bytes);
        input->is_trace = start.size > 0 && start.at[0] == '{';
        input->had_lf = has_lf_alone(input->bytes);
        input->indent = input->is_trace ? 0 : common_indent(input->bytes);
        if (!input->is_trace && (input->had_lf || input->indent > 0))
            done = mend(input, path);
    }
    if (!done)
        explain_input_free(input);
    return done;
}

void explain_input_free(struct explain_input *input)
{
    free(input->space);
    input->space = NULL;
}

/* Whether |line| is what `ahoy call --trace` writes before each message. */
static bool is_divider(struct span line)
{
    struct span ending = SPAN(" bytes");
    line = ahoy_span_trim(line);
    return ahoy_span_starts_nocase(line, SPAN("--- ")) && line.size > ending.size &&
           ahoy_span_equal(ahoy_span_after(line, line.size - ending.size), ending);
}

/* |rest| without the blank lines and dividers in front. */
static struct span skip_blank(struct span rest)
{
    for (;;) {
        struct span behind = rest;
        struct span line = take_line(&behind);
        if (line.size == 0 || (ahoy_span_trim(line).size > 0 && !is_divider(line)))
            return rest;
        rest = behind;
    }
}

/* Whether |line| looks like the beginning of a message. */
static bool is_start(struct span line)
{
    struct span version = SPAN("SIP/2.0");
    line = ahoy_span_trim(line);
    if (ahoy_span_starts_nocase(line, SPAN("SIP/2.0 ")))
        return true;
    const char *space = ahoy_skip(line.at, ahoy_span_end(line), AHOY_TOKEN);
    return line.size > version.size + 1 && space > line.at && *space == ' ' &&
           ahoy_span_equal_nocase(ahoy_span_after(line, line.size - version.size), version);
}

/* The end of the message in |bytes| as the next start line behind an empty line shows it, or a
 * divider. */
static const char *find_start(struct span bytes)
{
    struct span rest = bytes;
    bool was_blank = false;
    while (rest.size > 0) {
        struct span line = take_line(&rest);
        if (was_blank && is_start(line))
            return line.at;
        if (is_divider(line)) /* With the line end that was written before it. */
            return line.at - (line.at > bytes.at);
        was_blank = ahoy_span_trim(line).size == 0;
    }
    return rest.at;
}

/* |bytes| without the empty lines at the end that part messages, but for the one that ends a
 * head. */
static struct span trim_end(struct span bytes, const char *body)
{
    const char *end = ahoy_span_end(bytes);
    if (end - body >= 1 && end - bytes.at >= 2 && end[-1] == '\n' && end[-2] == '\n')
        end--; /* An empty line of a trace, whose own lines end in LF. */
    while (end - body >= 2 && memcmp(end - 2, "\r\n", 2) == 0 &&
           (end - body == 2 || (end - body >= 4 && memcmp(end - 4, "\r\n", 2) == 0)))
        end -= 2;
    return ahoy_span_between(bytes.at, end);
}

bool explain_input_next(struct span *rest, struct ahoy_message *scratch, struct span *message)
{
    *rest = skip_blank(*rest);
    if (rest->size == 0)
        return false;
    struct ahoy_err err;
    (void)ahoy_message_parse(*rest, scratch, &err); /* For where its parts are. */
    const struct ahoy_field *length = ahoy_message_first(scratch, AHOY_HEADER_CONTENT_LENGTH);
    const char *body = scratch->body.at;
    const char *end = ahoy_span_end(*rest);
    uint64_t size;
    if (length != NULL && ahoy_span_number(length->value, (uint64_t)(end - body), &size)) {
        struct span behind = skip_blank(ahoy_span_between(body + size, end));
        struct span peek = behind;
        if (behind.size == 0 || is_start(take_line(&peek))) {
            *message = ahoy_span_between(rest->at, body + size);
            *rest = behind;
            return true;
        }
    }
    const char *next = find_start(*rest);
    *message = trim_end(ahoy_span_between(rest->at, next), body < next ? body : next);
    *rest = ahoy_span_between(next, end);
    return true;
}

void explain_locate(const struct explain_place *place, const char *at, size_t *line, size_t *column)
{
    struct ahoy_err where = { .at = at };
    size_t offset = ahoy_err_offset(&where, place->bytes);
    *line = *column = 0;
    if (place->entry != NULL || (offset == place->bytes.size && at != ahoy_span_end(place->bytes)))
        return;
    *line = place->line;
    *column = place->input->indent + offset + 1;
    for (size_t i = 0; i < offset; i++) {
        if (place->bytes.at[i] != '\n')
            continue;
        ++*line;
        *column = place->input->indent + offset - i;
    }
}
