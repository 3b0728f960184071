/* From the text of a ladder to its lines. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/ladder_inside.h"

enum { WORDS_LIMIT = 12 };

/* What stands in place of a message. */
static const char *const deeds[LINE_KINDS] = {
    [LINE_MESSAGE] = "",
    [LINE_HOLDS] = "holds",
    [LINE_CONNECTS] = "connects",
    [LINE_CLOSES] = "closes",
    [LINE_UNREACHABLE] = "unreachable",
    [LINE_CALLS] = "calls",
    [LINE_ANSWERS] = "answers",
    [LINE_REJECTS] = "rejects",
    [LINE_PROGRESSES] = "progresses",
    [LINE_PAUSES] = "pauses",
    [LINE_RESUMES] = "resumes",
    [LINE_TRANSFERS] = "transfers",
    [LINE_REFERS] = "refers",
    [LINE_JOINS] = "joins",
    [LINE_ENDS] = "ends",
    [LINE_REGISTERS] = "registers",
};

const char *sim_ladder_deed(enum line_kind kind)
{
    return deeds[kind];
}

/* Splits a line into words; a remark in parentheses ends it. */
static size_t split(char *text, char *words[WORDS_LIMIT])
{
    size_t count = 0;
    char *remark = strpbrk(text, "(#\n");
    if (remark != NULL)
        *remark = '\0';
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t", &rest); word != NULL && count < WORDS_LIMIT;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    return count;
}

/* What may stand behind the message; all else is the callee. */
static const struct {
    const char *word;
    enum sim_flaw flaw;
} flaws[] = {
    { "lost", SIM_LOST },     { "stray", SIM_STRAY }, { "hop", SIM_HOPBYHOP },
    { "forked", SIM_FORKED }, { "sdp", SIM_SDP },     { "proved", SIM_PROVED },
    { "wrong", SIM_WRONG },
};

static void read_rest(struct ladder_line *line, const char *word)
{
    if (strcmp(word, "again") == 0) {
        line->again = true;
        return;
    }
    for (size_t i = 0; i < sizeof flaws / sizeof flaws[0]; i++) {
        if (strcmp(word, flaws[i].word) != 0)
            continue;
        line->flaws |= flaws[i].flaw;
        return;
    }
    snprintf(line->callee, sizeof line->callee, "%s", word);
}

/* FROM DEED; false where it is none. */
static bool read_deed(struct ladder_line *line, char **words, size_t count)
{
    for (unsigned i = LINE_MESSAGE + 1; count >= 2 && i < LINE_KINDS; i++) {
        if (strcmp(words[1], deeds[i]) != 0)
            continue;
        line->kind = (enum line_kind)i;
        snprintf(line->callee, sizeof line->callee, "%s", count > 2 ? words[2] : "");
        snprintf(line->second, sizeof line->second, "%s", count > 3 ? words[3] : "");
        return true;
    }
    return false;
}

/* [ TIME ] FROM > TO MESSAGE ..., the time already read. */
static void read_message(struct ladder *ladder, struct ladder_line *line, char **words,
                         size_t count)
{
    if (count > 0)
        snprintf(line->from, sizeof line->from, "%s", words[0]);
    if (read_deed(line, words, count))
        return;
    if (count < 4 || strcmp(words[1], ">") != 0) {
        sim_ladder_fail(ladder, line->number, "write: [TIME] FROM > TO  MESSAGE", "");
        return;
    }
    snprintf(line->to, sizeof line->to, "%s", words[2]);
    size_t at = 3;
    if (isdigit((unsigned char)words[at][0]))
        line->status = (unsigned)strtoul(words[at++], NULL, 10);
    if (at < count)
        snprintf(line->method, sizeof line->method, "%s", words[at++]);
    for (; at < count; at++)
        read_rest(line, words[at]);
}

static void read_event(struct ladder *ladder, unsigned number, char *text, char *close)
{
    char *words[WORDS_LIMIT];
    if (ladder->line_count == LINES_LIMIT) {
        sim_ladder_fail(ladder, number, "too many lines", "");
        return;
    }
    struct ladder_line *line = &ladder->lines[ladder->line_count++];
    *line = (struct ladder_line){ .number = number, .at_ms = strtoull(text + 1, NULL, 10) };
    read_message(ladder, line, words, split(close + 1, words));
}

/* A row of the message that the line above is about. */
static void read_row(struct ladder *ladder, unsigned number, const char *text)
{
    struct ladder_line *line = &ladder->lines[ladder->line_count - 1];
    text += strspn(text, " ");
    if (line->kind != LINE_MESSAGE || strchr(text, ':') == NULL ||
        line->row_count == SIM_ROWS_LIMIT)
        sim_ladder_fail(ladder, number, "this is no row of the message above: ", text);
    else
        snprintf(line->rows[line->row_count++].text, SIM_ROW_LIMIT, "%s", text);
}

static const struct {
    const char *word;
    void (*set)(struct ladder *ladder, unsigned number, char **words, size_t count);
} settings[] = {
#define LADDER_SETTING(word) { #word, sim_ladder_set_##word },
    LADDER_SETTINGS(LADDER_SETTING)
#undef LADDER_SETTING
};

static void read_setting(struct ladder *ladder, unsigned number, char **words, size_t count)
{
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        if (strcmp(words[0], settings[i].word) != 0)
            continue;
        settings[i].set(ladder, number, words, count);
        return;
    }
    sim_ladder_fail(ladder, number, "this does not stand here: ", words[0]);
}

static void read_line(struct ladder *ladder, unsigned number, char *text)
{
    char *words[WORDS_LIMIT];
    char *close = strchr(text, ']');
    if (text[0] == '[' && close != NULL) {
        read_event(ladder, number, text, close);
        return;
    }
    if (text[0] == ' ' && ladder->line_count > 0) {
        read_row(ladder, number, text);
        return;
    }
    size_t count = split(text, words);
    if (count > 0)
        read_setting(ladder, number, words, count);
}

bool sim_ladder_read(struct ladder *ladder, const char *text)
{
    unsigned number = 0;
    while (*text != '\0') {
        char line[SETTING_LIMIT];
        size_t size = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)size, text);
        read_line(ladder, ++number, line);
        text += size + (text[size] == '\n');
    }
    if (ladder->line_count == 0 || ladder->world == NULL)
        sim_ladder_fail(ladder, number, "shows nothing", "");
    return !ladder->failed;
}
