/* The text of each cell is the file's own, with the values in their places and the lines of other
 * scenes empty, so that a fault has the number of its line. */
#include "sim/cells.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libahoy/base/buf.h"
#include "sim/ladder.h"

enum { NAMES_LIMIT = 8, VALUES_LIMIT = 16, TEXT_LIMIT = 32768 };

/* "each $name value value" */
struct name {
    char text[16]; /* With its "$". */
    char values[VALUES_LIMIT][16];
    size_t count, chosen;
};

struct cells {
    const char *path;
    char text[TEXT_LIMIT]; /* Of the file. */
    struct name names[NAMES_LIMIT];
    size_t name_count;
    char cell[TEXT_LIMIT]; /* The text of the one at hand. */
    bool verbose, failed;
};

/* The word at |*at|, which moves behind it; empty at the end of the line. */
static struct span next_word(const char **at)
{
    *at += strspn(*at, " \t");
    struct span word = { *at, strcspn(*at, " \t\n") };
    *at += word.size;
    return word;
}

static bool begins(const char *line, const char *word, const char **rest)
{
    size_t size = strlen(word);
    *rest = line + size;
    return strncmp(line, word, size) == 0 && (line[size] == ' ' || line[size] == '\n');
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

static void read_each(struct cells *cells, const char *rest)
{
    assert(cells->name_count < NAMES_LIMIT);
    struct name *name = &cells->names[cells->name_count++];
    struct span word = next_word(&rest);
    snprintf(name->text, sizeof name->text, "%.*s", (int)word.size, word.at);
    for (word = next_word(&rest); word.size > 0; word = next_word(&rest)) {
        assert(name->count < VALUES_LIMIT);
        snprintf(name->values[name->count++], sizeof name->values[0], "%.*s", (int)word.size,
                 word.at);
    }
}

/* The name that stands at |at|, or NULL. */
static const struct name *name_at(const struct cells *cells, const char *at)
{
    for (size_t i = 0; i < cells->name_count; i++) {
        size_t size = strlen(cells->names[i].text);
        if (strncmp(at, cells->names[i].text, size) == 0 && !isalnum((unsigned char)at[size]))
            return &cells->names[i];
    }
    return NULL;
}

static void put_line(struct cells *cells, const char *line, struct ahoy_buf *cell)
{
    const char *end = line + strcspn(line, "\n");
    while (line < end) {
        const struct name *name = *line == '$' ? name_at(cells, line) : NULL;
        if (name == NULL) {
            ahoy_buf_put_byte(cell, *line++);
            continue;
        }
        ahoy_buf_put(cell, ahoy_span(name->values[name->chosen]));
        line += strlen(name->text);
    }
}

/* Writes the cell of |scene| for the values that are chosen. */
static void write_cell(struct cells *cells, struct span scene)
{
    struct ahoy_buf cell = ahoy_buf_over(cells->cell, sizeof cells->cell - 1);
    bool is_ours = true; /* Before the first scene. */
    const char *rest = NULL;
    for (const char *line = cells->text; *line != '\0'; line = next_line(line)) {
        if (begins(line, "scene", &rest))
            is_ours = ahoy_span_equal(next_word(&rest), scene);
        else if (is_ours && !begins(line, "each", &rest))
            put_line(cells, line, &cell);
        ahoy_buf_put_byte(&cell, '\n');
    }
    assert(!cell.overflow);
    cells->cell[cell.size] = '\0';
}

/* Whether |scene|, or what stands before all scenes, says |name|. */
static bool is_named(const struct cells *cells, struct span scene, const struct name *name)
{
    bool is_ours = true;
    const char *rest = NULL;
    for (const char *line = cells->text; *line != '\0'; line = next_line(line)) {
        const char *end = line + strcspn(line, "\n");
        if (begins(line, "scene", &rest))
            is_ours = ahoy_span_equal(next_word(&rest), scene);
        for (const char *at = line; is_ours && !begins(line, "each", &rest) && at < end; at++) {
            if (name_at(cells, at) == name)
                return true;
        }
    }
    return false;
}

static void run_cell(struct cells *cells, struct span scene)
{
    write_cell(cells, scene);
    bool holds = sim_ladder_run(cells->path, cells->cell, cells->verbose);
    cells->failed = cells->failed || !holds;
    if (cells->name_count == 0)
        return;
    FILE *where = holds ? stdout : stderr;
    fprintf(where, "%.*s:", (int)scene.size, scene.at);
    for (size_t i = 0; i < cells->name_count; i++) {
        const struct name *name = &cells->names[i];
        if (is_named(cells, scene, name))
            fprintf(where, " %s %s", name->text + 1, name->values[name->chosen]);
    }
    fprintf(where, "%s\n", holds ? "" : ": does not hold");
}

/* Chooses the next values of what |scene| names, the last name first; false after all of them. */
static bool choose_next(struct cells *cells, struct span scene)
{
    for (size_t i = cells->name_count; i-- > 0;) {
        struct name *name = &cells->names[i];
        if (!is_named(cells, scene, name))
            continue;
        if (++name->chosen < name->count)
            return true;
        name->chosen = 0;
    }
    return false;
}

static void run_scene(struct cells *cells, struct span scene)
{
    do {
        run_cell(cells, scene);
    } while (choose_next(cells, scene));
}

static bool read_file(struct cells *cells)
{
    FILE *file = fopen(cells->path, "r");
    if (file == NULL) {
        fprintf(stderr, "%s cannot be opened\n", cells->path);
        return false;
    }
    size_t size = fread(cells->text, 1, sizeof cells->text - 1, file);
    cells->text[size] = '\0';
    fclose(file);
    return true;
}

static void run_all(struct cells *cells)
{
    size_t scenes = 0;
    const char *rest = NULL;
    for (const char *line = cells->text; *line != '\0'; line = next_line(line)) {
        if (begins(line, "each", &rest))
            read_each(cells, rest);
    }
    for (const char *line = cells->text; *line != '\0'; line = next_line(line)) {
        if (!begins(line, "scene", &rest))
            continue;
        scenes++;
        run_scene(cells, next_word(&rest));
    }
    if (scenes == 0)
        run_scene(cells, SPAN(""));
}

bool sim_cells_run(const char *path, bool verbose)
{
    struct cells *cells = calloc(1, sizeof *cells);
    if (cells == NULL)
        return false;
    cells->path = path;
    cells->verbose = verbose;
    cells->failed = !read_file(cells);
    if (!cells->failed)
        run_all(cells);
    bool holds = !cells->failed;
    free(cells);
    return holds;
}
