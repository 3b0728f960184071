/* ahoyctl ladder: a call drawn from a trace (docs/trace.md), with a column for each address. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"

enum { PARTIES_LIMIT = 8, COLUMN_WIDTH = 38, MARGIN = 14, ROW_LIMIT = 512, NAMES_LIMIT = 256 };

/* Who sits at an address, as far as REGISTERs told. */
struct name {
    char address[64], user[64];
};

struct ladder {
    json_t *lines; /* All of the trace, in the order of time. */
    struct name names[NAMES_LIMIT];
    size_t name_count;
    const char *parties[PARTIES_LIMIT]; /* Addresses; the server's place is after the first. */
    size_t party_count;
    bool colours;
};

static const char *text(const json_t *line, const char *member)
{
    const char *value = json_string_value(json_object_get(line, member));
    return value == NULL ? "" : value;
}

static double microseconds(const json_t *line)
{
    return (double)json_integer_value(json_object_get(line, "us"));
}

static int compare_times(const void *a, const void *b)
{
    double first = microseconds(*(json_t *const *)a), second = microseconds(*(json_t *const *)b);
    return (first > second) - (first < second);
}

/* Workers write in turns, so the lines of a call may stand a little out of order. */
static json_t *sort(json_t *lines)
{
    size_t count = json_array_size(lines);
    json_t **list = calloc(count + 1, sizeof(json_t *));
    json_t *sorted = json_array();
    for (size_t i = 0; list != NULL && i < count; i++)
        list[i] = json_array_get(lines, i);
    if (list != NULL)
        qsort(list, count, sizeof(json_t *), compare_times);
    for (size_t i = 0; list != NULL && i < count; i++)
        json_array_append(sorted, list[i]);
    free(list);
    json_decref(lines);
    return sorted;
}

static json_t *read_trace(const char *path)
{
    char *line = NULL;
    size_t capacity = 0;
    unsigned number = 0;
    json_error_t error;
    json_t *lines = json_array();
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (file == NULL) {
        ctl_say("%s cannot be opened: %s", path, strerror(errno));
        json_decref(lines);
        return NULL;
    }
    while (getline(&line, &capacity, file) > 0) {
        json_t *value = json_loads(line, 0, &error);
        number++;
        if (value != NULL)
            json_array_append_new(lines, value);
        else
            ctl_say("%s:%u: no line of a trace: %s", path, number, error.text);
    }
    free(line);
    if (file != stdin)
        fclose(file);
    return sort(lines);
}

static const char *name_of(const struct ladder *ladder, const char *address)
{
    for (size_t i = ladder->name_count; i > 0; i--) {
        if (strcmp(ladder->names[i - 1].address, address) == 0)
            return ladder->names[i - 1].user;
    }
    return address;
}

/* Whoever registers or calls from an address is taken for the one who sits there: the user alone,
 * without the domain. */
static void learn_names(struct ladder *ladder, const char *method)
{
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(ladder->lines, index, line)
    {
        const char *from = text(line, "from");
        if (strncmp(text(line, "start"), method, strlen(method)) != 0 || *from == '\0' ||
            strcmp(text(line, "dir"), "in") != 0 || ladder->name_count == NAMES_LIMIT)
            continue;
        struct name *name = &ladder->names[ladder->name_count++];
        snprintf(name->address, sizeof name->address, "%s", text(line, "remote"));
        snprintf(name->user, sizeof name->user, "%.*s", (int)strcspn(from, "@"), from);
    }
}

static size_t find_party(struct ladder *ladder, const char *address)
{
    for (size_t i = 0; i < ladder->party_count; i++) {
        if (strcmp(ladder->parties[i], address) == 0)
            return i;
    }
    if (ladder->party_count == PARTIES_LIMIT)
        return PARTIES_LIMIT - 1;
    ladder->parties[ladder->party_count] = address;
    return ladder->party_count++;
}

/* The server stands second. */
static size_t column_of(size_t party)
{
    return MARGIN + COLUMN_WIDTH * (party == 0 ? 0 : party + 1);
}

static const size_t server_column = MARGIN + COLUMN_WIDTH;

static void put_at(char row[ROW_LIMIT], size_t at, const char *word)
{
    size_t size = strlen(word);
    if (at + size < ROW_LIMIT)
        memcpy(row + at, word, size);
}

static void put_centred(char row[ROW_LIMIT], size_t middle, const char *word)
{
    size_t half = strlen(word) / 2;
    put_at(row, middle > half ? middle - half : 0, word);
}

static void clear(char row[ROW_LIMIT])
{
    memset(row, ' ', ROW_LIMIT - 1);
    row[ROW_LIMIT - 1] = '\0';
}

static void print_row(char row[ROW_LIMIT])
{
    size_t size = ROW_LIMIT - 1;
    while (size > 0 && row[size - 1] == ' ')
        size--;
    row[size] = '\0';
    puts(row);
}

static void put_bars(const struct ladder *ladder, char row[ROW_LIMIT])
{
    row[server_column] = '|';
    for (size_t i = 0; i < ladder->party_count; i++)
        row[column_of(i)] = '|';
}

static void print_heads(const struct ladder *ladder)
{
    char row[ROW_LIMIT];
    clear(row);
    put_centred(row, server_column, "ahoyd");
    for (size_t i = 0; i < ladder->party_count; i++)
        put_centred(row, column_of(i), name_of(ladder, ladder->parties[i]));
    print_row(row);
}

/* "INVITE", "180 Ringing": what stands over the arrow. */
static void label_of(const json_t *line, char label[COLUMN_WIDTH])
{
    const char *start = text(line, "start");
    bool response = strncmp(start, "SIP/2.0 ", 8) == 0;
    const char *from = response ? start + 8 : start;
    size_t size = response ? strlen(from) : strcspn(from, " ");
    if (size > COLUMN_WIDTH - 5)
        size = COLUMN_WIDTH - 5;
    snprintf(label, COLUMN_WIDTH, " %.*s ", (int)size, from);
}

static void print_arrow(struct ladder *ladder, const json_t *line, double start_us)
{
    char row[ROW_LIMIT], label[COLUMN_WIDTH], time[32];
    bool in = strcmp(text(line, "dir"), "in") == 0;
    size_t party = column_of(find_party(ladder, text(line, "remote")));
    size_t left = party < server_column ? party : server_column;
    size_t right = party < server_column ? server_column : party;
    bool rightward = in == (party < server_column);
    clear(row);
    put_bars(ladder, row);
    snprintf(time, sizeof time, "%8.1f ms", (microseconds(line) - start_us) / 1000.0);
    put_at(row, 0, time);
    memset(row + left + 1, '-', right - left - 1);
    row[rightward ? right - 1 : left + 1] = rightward ? '>' : '<';
    label_of(line, label);
    put_centred(row, (left + right) / 2, label);
    const char *start = text(line, "start");
    const char *colour = strncmp(start, "SIP/2.0 ", 8) != 0 ? "\033[1m"
                         : start[8] >= '3'                  ? "\033[31m"
                                                            : "\033[32m";
    if (ladder->colours)
        fputs(colour, stdout);
    print_row(row);
    if (ladder->colours)
        fputs("\033[0m", stdout);
}

/* The Call-ID of the last INVITE. */
static const char *last_call(const json_t *lines)
{
    const char *call_id = NULL;
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(lines, index, line)
    {
        if (strncmp(text(line, "start"), "INVITE ", 7) == 0)
            call_id = text(line, "call_id");
    }
    return call_id;
}

/* The lines of one call, in an array of their own. */
static json_t *lines_of(const struct ladder *ladder, const char *call_id)
{
    json_t *lines = json_array();
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(ladder->lines, index, line)
    {
        if (call_id != NULL && strcmp(text(line, "call_id"), call_id) == 0)
            json_array_append(lines, line);
    }
    return lines;
}

/* Why something was done stands on the server's line. */
static void print_reason(const struct ladder *ladder, const json_t *line, double start_us)
{
    printf("%8.1f ms%*s", (microseconds(line) - start_us) / 1000.0, (int)server_column - 11, "");
    printf(ladder->colours ? "\033[33m* %s\033[0m\n" : "* %s\n", text(line, "why"));
}

static void draw(struct ladder *ladder, const json_t *lines)
{
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(lines, index, line)
    {
        if (json_object_get(line, "start") != NULL)
            find_party(ladder, text(line, "remote"));
    }
    print_heads(ladder);
    double start_us = microseconds(json_array_get(lines, 0));
    json_array_foreach(lines, index, line)
    {
        if (json_object_get(line, "start") != NULL)
            print_arrow(ladder, line, start_us);
        else
            print_reason(ladder, line, start_us);
    }
}

static void prepare(struct ladder *ladder, json_t *lines)
{
    ladder->colours = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL;
    ladder->lines = lines;
    learn_names(ladder, "INVITE ");
    learn_names(ladder, "REGISTER ");
}

void ctl_ladder_draw(json_t *lines)
{
    struct ladder *ladder = calloc(1, sizeof *ladder);
    if (ladder == NULL)
        return;
    prepare(ladder, lines);
    draw(ladder, lines);
    free(ladder);
}

int ctl_ladder(const struct ctl_options *options, int argc, char **argv)
{
    if (argc < 1 || argc > 2) {
        ctl_say("write ladder FILE, or ladder FILE CALL-ID; the FILE is what trace names");
        return CTL_USAGE;
    }
    struct ladder *ladder = calloc(1, sizeof *ladder);
    if (ladder == NULL)
        return CTL_FAILED;
    int code = CTL_FAILED;
    json_t *trace = read_trace(argv[0]);
    if (trace != NULL) {
        prepare(ladder, trace);
        json_t *lines = lines_of(ladder, argc == 2 ? argv[1] : last_call(ladder->lines));
        if (json_array_size(lines) == 0) {
            ctl_say("%s holds no such call", argv[0]);
        } else if (options->json) {
            json_dumpf(lines, stdout, JSON_INDENT(2));
            putchar('\n');
            code = CTL_OK;
        } else {
            draw(ladder, lines);
            code = CTL_OK;
        }
        json_decref(lines);
    }
    json_decref(trace);
    free(ladder);
    return code;
}
