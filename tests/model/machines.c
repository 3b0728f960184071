/* Prints the four machines of libahoy/transaction/ from the tables that they run on:
 *
 *   machines promela    for Spin: tests/model/ has the rest of the model
 *   machines rows       machine, state, event, next state, effects, for tests/model/figures.tsv
 *   machines drawn      docs/machines.md
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/machines.h"

static const struct {
    const char *name, *title, *from;
} headings[MACHINES] = {
    [INC] = { "inc", "INVITE client", "RFC 3261 17.1.1, figure 5, as RFC 6026 8.4 redraws it" },
    [INS] = { "ins", "INVITE server", "RFC 3261 17.2.1, figure 7, as RFC 6026 8.6 redraws it" },
    [NIC] = { "nic", "Non-INVITE client", "RFC 3261 17.1.2, figure 6" },
    [NIS] = { "nis", "Non-INVITE server", "RFC 3261 17.2.2, figure 8" },
};

/* Where a machine begins, and with which effects. */
static struct cell start_of(enum machine machine)
{
    struct ahoy_invite_client invite_client;
    struct ahoy_invite_server invite_server;
    struct ahoy_noninvite_client noninvite_client;
    struct ahoy_noninvite_server noninvite_server;
    unsigned effects;
    switch (machine) {
    case INC:
        effects = ahoy_invite_client_start(&invite_client);
        return (struct cell){ invite_client.state, effects };
    case INS:
        ahoy_invite_server_start(&invite_server);
        return (struct cell){ invite_server.state, 0 };
    case NIC:
        effects = ahoy_noninvite_client_start(&noninvite_client);
        return (struct cell){ noninvite_client.state, effects };
    default:
        effects = ahoy_noninvite_server_start(&noninvite_server);
        return (struct cell){ noninvite_server.state, effects };
    }
}

/* A name without its machine, in words: INC_TIMER_A is "timer A". */
static void print_words(const char *name)
{
    static const char *const capitals[] = { "ACK", "CANCEL", "INVITE", "T2" };
    for (name = strchr(name, '_'); name != NULL; name = strchr(name, '_')) {
        size_t size = strcspn(++name, "_");
        bool is_capital = size == 1;
        for (size_t i = 0; i < sizeof capitals / sizeof capitals[0]; i++)
            is_capital |= size == strlen(capitals[i]) && memcmp(name, capitals[i], size) == 0;
        for (size_t i = 0; i < size; i++)
            putchar(is_capital ? name[i] : tolower((unsigned char)name[i]));
        if (name[size] == '_')
            putchar(' ');
    }
}

static void print_name(const char *name)
{
    fputs(name, stdout);
}

/* The name of a state as the RFCs write it: Calling. */
static void print_state(enum machine machine, size_t state)
{
    const char *name = strchr(states[machine][state], '_') + 1;
    putchar(*name);
    while (*++name != '\0')
        putchar(tolower((unsigned char)*name));
}

/* The effects of |set|, in bit order. */
static void print_effects(enum machine machine, unsigned set, const char *between,
                          void (*print)(const char *name))
{
    const char *before = "";
    for (const struct effect *effect = effect_names[machine]; effect->name != NULL; effect++) {
        if ((set & effect->bit) == 0)
            continue;
        fputs(before, stdout);
        print(effect->name);
        before = between;
        set &= ~effect->bit;
    }
    assert(set == 0); /* Else tests/support/machines.h lacks one. */
}

static void print_constants(enum machine machine)
{
    for (size_t i = 0; i < STATES_LIMIT; i++) {
        if (states[machine][i] != NULL)
            printf("#define %s %zu\n", states[machine][i], i);
    }
    for (size_t i = 0; i < EVENTS_LIMIT && events[machine][i] != NULL; i++)
        printf("#define %s %zu\n", events[machine][i], i);
    for (const struct effect *effect = effect_names[machine]; effect->name != NULL; effect++)
        printf("#define %s %u\n", effect->name, effect->bit);
}

/* The set of effects in Promela: 0, or their names. */
static void print_set(enum machine machine, unsigned set)
{
    if (set == 0)
        putchar('0');
    print_effects(machine, set, " | ", print_name);
}

/* A step as a choice of Promela's, an edge a line.  What is no edge is a mistake, as it is in C. */
static void print_promela(enum machine machine)
{
    const struct cell start = start_of(machine);
    const char *name = headings[machine].name;
    printf("/* %s: %s. */\n", headings[machine].title, headings[machine].from);
    print_constants(machine);
    printf("inline %s_start(state, effects)\n{\n    state = %s; effects = ", name,
           states[machine][start.next]);
    print_set(machine, start.effects);
    printf("\n}\ninline %s_step(state, event, effects)\n{\n    if\n", name);
    for (size_t i = 0; i < STATES_LIMIT; i++) {
        for (size_t j = 0; j < EVENTS_LIMIT; j++) {
            struct cell cell = cell_of(machine, i, j);
            if (cell.next == 0)
                continue;
            printf("    :: state == %s && event == %s -> state = %s; effects = ",
                   states[machine][i], events[machine][j], states[machine][cell.next]);
            print_set(machine, cell.effects);
            putchar('\n');
        }
    }
    printf("    :: else -> assert(false)\n    fi\n}\n\n");
}

static void print_rows(enum machine machine)
{
    for (size_t i = 0; i < STATES_LIMIT; i++) {
        for (size_t j = 0; j < EVENTS_LIMIT; j++) {
            struct cell cell = cell_of(machine, i, j);
            if (cell.next == 0)
                continue;
            printf("%s\t%s\t%s\t%s\t", headings[machine].name, states[machine][i],
                   events[machine][j], states[machine][cell.next]);
            print_effects(machine, cell.effects, " ", print_name);
            putchar('\n');
        }
    }
}

/* Whether an event leaves everything as it is; such arrows would hide the others. */
static bool is_absorbed(size_t state, struct cell cell)
{
    return cell.next == state && cell.effects == 0;
}

static void draw_state(enum machine machine, size_t state)
{
    for (size_t j = 0; j < EVENTS_LIMIT; j++) {
        struct cell cell = cell_of(machine, state, j);
        if (cell.next == 0 || is_absorbed(state, cell))
            continue;
        printf("    ");
        print_state(machine, state);
        printf(" --> ");
        print_state(machine, cell.next);
        printf(" : ");
        print_words(events[machine][j]);
        if (cell.effects != 0)
            printf(" / ");
        print_effects(machine, cell.effects, ", ", print_words);
        putchar('\n');
    }
}

static void list_absorbed(enum machine machine, size_t state)
{
    bool is_first = true;
    for (size_t j = 0; j < EVENTS_LIMIT; j++) {
        struct cell cell = cell_of(machine, state, j);
        if (cell.next == 0 || !is_absorbed(state, cell))
            continue;
        if (is_first) {
            printf("- ");
            print_state(machine, state);
        }
        printf(is_first ? " absorbs " : ", ");
        print_words(events[machine][j]);
        is_first = false;
    }
    if (!is_first)
        putchar('\n');
}

static void draw(enum machine machine)
{
    const struct cell start = start_of(machine);
    printf("\n## %s\n%s.\n\n```mermaid\nstateDiagram-v2\n", headings[machine].title,
           headings[machine].from);
    printf("    [*] --> ");
    print_state(machine, start.next);
    if (start.effects != 0)
        printf(" : ");
    print_effects(machine, start.effects, ", ", print_words);
    putchar('\n');
    for (size_t i = 0; i < STATES_LIMIT; i++)
        draw_state(machine, i);
    printf("```\n\n");
    for (size_t i = 0; i < STATES_LIMIT; i++)
        list_absorbed(machine, i);
}

static const char drawing_head[] =
    "# The four machines of transactions\n"
    "\n"
    "Made from the tables in `libahoy/transaction/` by `build/test/tests/machines drawn`; a test\n"
    "compares.  An arrow says what happens / what is done about it.  What can happen and changes\n"
    "nothing is listed below each drawing; what is neither drawn nor listed cannot happen, and "
    "the\n"
    "machine asserts so.  The effects are explained in the headers, and where the machines differ\n"
    "from the figures of the RFCs in `tests/model/figures.tsv`.\n";

int main(int argc, char **argv)
{
    const char *form = argc == 2 ? argv[1] : "";
    void (*print)(enum machine) = strcmp(form, "promela") == 0 ? print_promela
                                  : strcmp(form, "rows") == 0  ? print_rows
                                  : strcmp(form, "drawn") == 0 ? draw
                                                               : NULL;
    if (print == NULL) {
        fprintf(stderr, "usage: machines promela|rows|drawn\n");
        return 2;
    }
    if (print == draw)
        fputs(drawing_head, stdout);
    for (enum machine machine = INC; machine < MACHINES; machine++)
        print(machine);
    return fflush(stdout) == 0 ? 0 : 1;
}
