/* Remarks for people: each line of the message, and under it what there is to say about it. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoy/explain.h"

/* As much as is escaped at once. */
enum { PIECE_SIZE = 16 * 1024 };

static const struct {
    const char *name;
    const char *colour;
} kinds[AHOY_REMARK_KIND_COUNT] = {
    [AHOY_REMARK_NOTE] = { "note", "\033[36m" },
    [AHOY_REMARK_WARNING] = { "warning", "\033[33m" },
    [AHOY_REMARK_FAULT] = { "fault", "\033[31m" },
};

static const char *const bold = "\033[1m";

static bool has_colours(void)
{
    const char *refused = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (refused == NULL || refused[0] == '\0');
}

static void colour(const char *code)
{
    if (has_colours())
        fputs(code, stdout);
}

static void plain(void)
{
    colour("\033[0m");
}

/* Texts of remarks are safe as they are. */
static void put(struct span text)
{
    fwrite(text.at, 1, text.size, stdout);
}

/* Bytes of a message, escaped. */
static void put_bytes(struct span bytes)
{
    char escaped[4 * PIECE_SIZE];
    while (bytes.size > 0) {
        struct span piece = { bytes.at, bytes.size < PIECE_SIZE ? bytes.size : PIECE_SIZE };
        struct ahoy_buf buf = ahoy_buf_over(escaped, sizeof escaped);
        ahoy_buf_put_escaped(&buf, piece);
        put(ahoy_buf_text(&buf));
        bytes = ahoy_span_after(bytes, piece.size);
    }
}

static void put_source(struct span source)
{
    if (source.size > 0)
        printf(" (%.*s)", (int)source.size, source.at);
}

/* The lines of the message that |where| is made of, each with its number. */
static void put_lines(const struct explain_place *place, struct span where)
{
    size_t line;
    size_t column;
    explain_locate(place, where.at, &line, &column);
    while (where.size > 0) {
        size_t size = ahoy_span_find(where, '\n');
        if (line > 0)
            printf("%4zu  ", line++);
        else
            printf("      ");
        colour(bold);
        put_bytes(ahoy_span_trim((struct span){ where.at, size }));
        plain();
        putchar('\n');
        where = ahoy_span_after(where, size < where.size ? size + 1 : size);
    }
}

static void show_line(const struct explain_place *place, const struct ahoy_remark *remark)
{
    put_lines(place, remark->where);
    if (remark->text.size == 0)
        return;
    printf("        ");
    put(remark->subject);
    printf(": ");
    put(remark->text);
    put_source(remark->source);
    putchar('\n');
}

static void show_part(const struct ahoy_remark *remark)
{
    printf("          ");
    if (!ahoy_span_starts_nocase(remark->where, remark->subject)) {
        put(remark->subject);
        putchar(' ');
    }
    put_bytes(remark->where);
    if (remark->text.size > 0)
        printf(": ");
    put(remark->text);
    put_source(remark->source);
    putchar('\n');
}

static void show_advice(const char *word, struct span text)
{
    if (text.size == 0)
        return;
    printf("          %s: ", word);
    put(text);
    putchar('\n');
}

static void show_problem(const struct explain_place *place, const struct ahoy_remark *remark)
{
    size_t line;
    size_t column;
    explain_locate(place, remark->where.at, &line, &column);
    printf("      ");
    colour(kinds[remark->kind].colour);
    printf("%s", kinds[remark->kind].name);
    plain();
    if (line > 0)
        printf(" in line %zu, column %zu", line, column);
    printf(": ");
    put(remark->subject);
    printf(": ");
    put(remark->text);
    put_source(remark->source);
    putchar('\n');
    show_advice("then", remark->consequence);
    show_advice("mend", remark->mend);
}

static void show_verdict(const struct ahoy_remark *remark)
{
    printf("  ");
    put(remark->subject);
    printf(": ");
    put(remark->text);
    putchar('\n');
}

static void show(const struct explain_place *place, const struct ahoy_remark *remark)
{
    switch (remark->kind) {
    case AHOY_REMARK_LINE:
        show_line(place, remark);
        return;
    case AHOY_REMARK_PART:
        show_part(remark);
        return;
    case AHOY_REMARK_NOTE:
    case AHOY_REMARK_WARNING:
    case AHOY_REMARK_FAULT:
        show_problem(place, remark);
        return;
    case AHOY_REMARK_VERDICT:
        show_verdict(remark);
        return;
    case AHOY_REMARK_KIND_COUNT:
        return;
    }
}

static void show_head(const struct explain_place *place)
{
    const struct explain_entry *entry = place->entry;
    if (place->number > 1)
        putchar('\n');
    colour(bold);
    printf("message %u", place->number);
    plain();
    if (entry == NULL) {
        printf(", %zu bytes\n", place->bytes.size);
        return;
    }
    printf(": at ");
    put_bytes(entry->us);
    printf(" us, ");
    put_bytes(entry->dir);
    printf(" by ");
    put_bytes(entry->transport);
    printf(", here ");
    put_bytes(entry->local);
    printf(", there ");
    put_bytes(entry->remote);
    printf(", ");
    put_bytes(entry->size);
    printf(" bytes\n");
}

/* "1 fault", "2 faults" */
static void show_count(const char *what, size_t count)
{
    printf("%zu %s%s", count, what, count == 1 ? "" : "s");
}

void explain_print_text(const struct explain_place *place,
                        const struct ahoy_explanation *explanation)
{
    const struct ahoy_remarks *remarks = &explanation->remarks;
    bool is_first_verdict = true;
    show_head(place);
    if (place->first != NULL)
        show(place, place->first);
    for (size_t i = 0; i < remarks->count; i++) {
        const struct ahoy_remark *remark = &remarks->list[i];
        if (remark->kind == AHOY_REMARK_VERDICT && is_first_verdict) {
            colour(bold);
            printf("verdict: ");
            show_count("fault", remarks->counts[AHOY_REMARK_FAULT] + (place->first != NULL));
            printf(", ");
            show_count("warning", remarks->counts[AHOY_REMARK_WARNING]);
            printf(", ");
            show_count("note", remarks->counts[AHOY_REMARK_NOTE]);
            plain();
            putchar('\n');
            is_first_verdict = false;
        }
        show(place, remark);
    }
}
