/* ahoyctl ladder: a call drawn from traces, with a column for each server and each address. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"

enum {
    PARTIES_LIMIT = 9, /* Servers among them. */
    COLUMN_WIDTH = 38,
    NARROW_WIDTH = 28, /* Where there are several servers. */
    MARGIN = 14,
    ROW_LIMIT = 512,
    NAMES_LIMIT = 256
};

/* Who sits at an address, as far as REGISTERs told. */
struct name {
    char address[64], user[64];
};

/* A column: a server of those whose traces these are, or an address. */
struct party {
    const char *address; /* NULL for a server. */
    size_t server;
};

struct ladder {
    json_t *lines; /* All of the traces, in the order of time. */
    const char *const *paths;
    size_t server_count;
    struct name names[NAMES_LIMIT];
    size_t name_count;
    struct party parties[PARTIES_LIMIT]; /* From the left, as the call meets them. */
    size_t party_count;
    size_t width; /* Of a column. */
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

static const char *name_of(const struct ladder *ladder, const char *address)
{
    for (size_t i = ladder->name_count; i > 0; i--) {
        if (strcmp(ladder->names[i - 1].address, address) == 0)
            return ladder->names[i - 1].user;
    }
    return address;
}

/* Whoever registers or calls from an address is taken for the one who sits there, but not where a
 * proxy does: the user alone, without the domain. */
static void learn_names(struct ladder *ladder, const char *method)
{
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(ladder->lines, index, line)
    {
        const char *from = text(line, "from");
        if (strncmp(text(line, "start"), method, strlen(method)) != 0 || *from == '\0' ||
            strcmp(text(line, "dir"), "in") != 0 || ladder->name_count == NAMES_LIMIT ||
            json_is_true(json_object_get(line, "forwarded")))
            continue;
        struct name *name = &ladder->names[ladder->name_count++];
        snprintf(name->address, sizeof name->address, "%s", text(line, "remote"));
        snprintf(name->user, sizeof name->user, "%.*s", (int)strcspn(from, "@"), from);
    }
}

static bool is_same(const struct party *a, const struct party *b)
{
    if (a->address == NULL || b->address == NULL)
        return a->address == b->address && a->server == b->server;
    return strcmp(a->address, b->address) == 0;
}

/* The column of |party|, which is made where it is new; the last one where there is no room. */
static size_t find_party(struct ladder *ladder, struct party party)
{
    for (size_t i = 0; i < ladder->party_count; i++) {
        if (is_same(&ladder->parties[i], &party))
            return i;
    }
    if (ladder->party_count == PARTIES_LIMIT)
        return PARTIES_LIMIT - 1;
    ladder->parties[ladder->party_count] = party;
    return ladder->party_count++;
}

/* Whose line it is, and who is at its other end. */
static struct party here_of(const json_t *line)
{
    json_int_t server = json_integer_value(json_object_get(line, "server"));
    return (struct party){ .server = (size_t)server };
}

static struct party there_of(const json_t *line)
{
    const json_t *peer = json_object_get(line, "peer");
    if (peer != NULL)
        return (struct party){ .server = (size_t)json_integer_value(peer) };
    return (struct party){ .address = text(line, "remote") };
}

static bool is_in(const json_t *line)
{
    return strcmp(text(line, "dir"), "in") == 0;
}

static size_t column_of(const struct ladder *ladder, size_t party)
{
    return MARGIN + ladder->width * party;
}

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
    for (size_t i = 0; i < ladder->party_count; i++)
        row[column_of(ladder, i)] = '|';
}

/* One server is "ahoyd"; several are called as their traces are: "atlanta" of "atlanta.trace". */
static void put_head(const struct ladder *ladder, char row[ROW_LIMIT], size_t party)
{
    char word[64] = "ahoyd";
    if (ladder->parties[party].address != NULL) {
        snprintf(word, sizeof word, "%s", name_of(ladder, ladder->parties[party].address));
    } else if (ladder->server_count > 1) {
        const char *path = ladder->paths[ladder->parties[party].server];
        const char *slash = strrchr(path, '/');
        const char *name = slash == NULL ? path : slash + 1;
        snprintf(word, sizeof word, "%.*s", (int)strcspn(name, "."), name);
    }
    put_centred(row, column_of(ladder, party), word);
}

static void print_heads(const struct ladder *ladder)
{
    char row[ROW_LIMIT];
    clear(row);
    for (size_t i = 0; i < ladder->party_count; i++)
        put_head(ladder, row, i);
    print_row(row);
}

/* "INVITE", "180 Ringing": what stands over the arrow. */
static void label_of(const struct ladder *ladder, const json_t *line, char label[COLUMN_WIDTH])
{
    const char *start = text(line, "start");
    bool response = strncmp(start, "SIP/2.0 ", 8) == 0;
    const char *from = response ? start + 8 : start;
    size_t size = response ? strlen(from) : strcspn(from, " ");
    if (size > ladder->width - 5)
        size = response ? 3 : ladder->width - 5; /* The number says enough. */
    snprintf(label, COLUMN_WIDTH, " %.*s ", (int)size, from);
}

static void print_arrow(struct ladder *ladder, const json_t *line, double start_us)
{
    char row[ROW_LIMIT], label[COLUMN_WIDTH], time[32];
    size_t here = column_of(ladder, find_party(ladder, here_of(line)));
    size_t there = column_of(ladder, find_party(ladder, there_of(line)));
    size_t left = here < there ? here : there;
    size_t right = here < there ? there : here;
    bool rightward = is_in(line) == (there < here);
    if (left == right)
        return; /* There was no room for its column. */
    clear(row);
    put_bars(ladder, row);
    snprintf(time, sizeof time, "%8.1f ms", (microseconds(line) - start_us) / 1000.0);
    put_at(row, 0, time);
    memset(row + left + 1, '-', right - left - 1);
    row[rightward ? right - 1 : left + 1] = rightward ? '>' : '<';
    label_of(ladder, line, label);
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

/* The lines of one call, in an array of their own. */
static json_t *lines_of(const struct ladder *ladder, const char *call_id)
{
    json_t *lines = json_array();
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(ladder->lines, index, line)
    {
        if (strcmp(text(line, "call_id"), call_id) == 0)
            json_array_append(lines, line);
    }
    return lines;
}

/* Why something was done stands on the server's line. */
static void print_reason(struct ladder *ladder, const json_t *line, double start_us)
{
    size_t column = column_of(ladder, find_party(ladder, here_of(line)));
    printf("%8.1f ms%*s", (microseconds(line) - start_us) / 1000.0, (int)column - 11, "");
    printf(ladder->colours ? "\033[33m* %s\033[0m\n" : "* %s\n", text(line, "why"));
}

/* The columns stand in the order in which a call gets there; one server is the second. */
static void find_parties(struct ladder *ladder, const json_t *lines)
{
    size_t index = 0;
    json_t *line = NULL;
    json_array_foreach(lines, index, line)
    {
        bool there_first = is_in(line) || (ladder->party_count == 0 && ladder->server_count == 1);
        if (json_object_get(line, "start") == NULL)
            continue;
        if (there_first)
            find_party(ladder, there_of(line));
        find_party(ladder, here_of(line));
        find_party(ladder, there_of(line));
    }
}

static void draw(struct ladder *ladder, const json_t *lines)
{
    size_t index = 0;
    json_t *line = NULL;
    ladder->width = ladder->server_count > 1 ? NARROW_WIDTH : COLUMN_WIDTH;
    find_parties(ladder, lines);
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
    if (ladder->server_count == 0)
        ladder->server_count = 1;
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

static int show(const struct ctl_options *options, struct ladder *ladder, const char *call_id)
{
    json_t *lines = lines_of(ladder, call_id);
    int code = json_array_size(lines) > 0 ? CTL_OK : CTL_FAILED;
    if (code != CTL_OK) {
        ctl_say("%s holds no such call", ladder->paths[0]);
    } else if (options->json) {
        json_dumpf(lines, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        draw(ladder, lines);
    }
    json_decref(lines);
    return code;
}

int ctl_ladder(const struct ctl_options *options, int argc, char **argv)
{
    if (argc < 1 || argc > 2) {
        ctl_say("write ladder FILE, or ladder FILE CALL-ID; the FILE is what trace names");
        return CTL_USAGE;
    }
    const char *paths[CTL_TRACES_LIMIT] = { argv[0] };
    memcpy(paths + 1, options->with, options->with_count * sizeof *paths);
    struct ladder *ladder = calloc(1, sizeof *ladder);
    if (ladder == NULL)
        return CTL_FAILED;
    int code = CTL_FAILED;
    ladder->paths = paths;
    ladder->server_count = options->with_count + 1;
    const char *call_id = argc == 2 ? argv[1] : NULL;
    json_t *lines = ctl_traces_read(paths, ladder->server_count, call_id);
    if (lines != NULL) {
        prepare(ladder, lines);
        code = show(options, ladder, call_id != NULL ? call_id : ctl_traces_last_call(lines));
    }
    json_decref(lines);
    free(ladder);
    return code;
}
