/* The ladders visit every cell of the four machines that a peer and the proxy can bring about, as
 * tests/ladder/cells.tsv says: each ladder is run here and visits the cells that name it; each
 * cell that is not empty is listed once.
 *
 * The machines are compiled into this program, so that their tables can be read, and their steps
 * be noted on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/cells.h"

#define ahoy_invite_client_step    inc_step
#define ahoy_invite_server_step    ins_step
#define ahoy_noninvite_client_step nic_step
#define ahoy_noninvite_server_step nis_step
#include "tests/support/machines.h"
#undef ahoy_invite_client_step
#undef ahoy_invite_server_step
#undef ahoy_noninvite_client_step
#undef ahoy_noninvite_server_step

static bool visited[MACHINES][STATES_LIMIT][EVENTS_LIMIT]; /* By the ladder that ran last. */
static unsigned listed[MACHINES][STATES_LIMIT][EVENTS_LIMIT];

/* What the layer above calls: their headers gave the names to the machines' own. */
unsigned ahoy_invite_client_step(struct ahoy_invite_client *client, enum inc_event event);
unsigned ahoy_invite_server_step(struct ahoy_invite_server *server, enum ins_event event);
unsigned ahoy_noninvite_client_step(struct ahoy_noninvite_client *client, enum nic_event event);
unsigned ahoy_noninvite_server_step(struct ahoy_noninvite_server *server, enum nis_event event);

unsigned ahoy_invite_client_step(struct ahoy_invite_client *client, enum inc_event event)
{
    visited[INC][client->state][event] = true;
    return inc_step(client, event);
}

unsigned ahoy_invite_server_step(struct ahoy_invite_server *server, enum ins_event event)
{
    visited[INS][server->state][event] = true;
    return ins_step(server, event);
}

unsigned ahoy_noninvite_client_step(struct ahoy_noninvite_client *client, enum nic_event event)
{
    visited[NIC][client->state][event] = true;
    return nic_step(client, event);
}

unsigned ahoy_noninvite_server_step(struct ahoy_noninvite_server *server, enum nis_event event)
{
    visited[NIS][server->state][event] = true;
    return nis_step(server, event);
}

/* A row of the list. */
struct row {
    char state[32], event[32], ladder[80];
    enum machine machine;
    size_t state_index, event_index;
};

static size_t index_of(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] != NULL && strcmp(names[i], name) == 0)
            return i;
    }
    return count;
}

/* False where the row names no cell. */
static bool find_cell(struct row *row)
{
    for (row->machine = INC; row->machine < MACHINES; row->machine++) {
        row->state_index = index_of(states[row->machine], STATES_LIMIT, row->state);
        row->event_index = index_of(events[row->machine], EVENTS_LIMIT, row->event);
        if (row->state_index < STATES_LIMIT && row->event_index < EVENTS_LIMIT)
            return true;
    }
    return false;
}

/* Whether the ladder, or the unit test, that |row| names shows its cell. */
static bool is_shown(const struct row *row)
{
    char path[512];
    if (strncmp(row->ladder, "tests/unit/", 11) == 0) {
        snprintf(path, sizeof path, "%s/%s", AHOY_SOURCE_DIR, row->ladder);
        return access(path, R_OK) == 0;
    }
    snprintf(path, sizeof path, "%s/tests/ladder/%s", AHOY_SOURCE_DIR, row->ladder);
    memset(visited, 0, sizeof visited);
    return sim_cells_run(path, false) &&
           visited[row->machine][row->state_index][row->event_index];
}

static unsigned check_row(const char *text, unsigned number)
{
    struct row row;
    if (text[0] == '#' || text[0] == '\n')
        return 0;
    if (sscanf(text, "%31[^\t]\t%31[^\t]\t%79[^\t\n]", row.state, row.event, row.ladder) != 3 ||
        !find_cell(&row) || cell_of(row.machine, row.state_index, row.event_index).next == 0) {
        fprintf(stderr, "cells.tsv:%u: no such cell\n", number);
        return 1;
    }
    listed[row.machine][row.state_index][row.event_index]++;
    if (is_shown(&row))
        return 0;
    fprintf(stderr, "cells.tsv:%u: %s does not show this cell\n", number, row.ladder);
    return 1;
}

static void test_each_row_is_true(void **state)
{
    (void)state;
    char text[256];
    unsigned number = 0, faults = 0;
    FILE *file = fopen(AHOY_SOURCE_DIR "/tests/ladder/cells.tsv", "r");
    assert_non_null(file);
    while (fgets(text, sizeof text, file) != NULL)
        faults += check_row(text, ++number);
    fclose(file);
    assert_int_equal(faults, 0);
}

static void test_each_cell_has_a_row(void **state)
{
    (void)state;
    unsigned faults = 0;
    for (enum machine machine = INC; machine < MACHINES; machine++) {
        for (size_t i = 0; i < STATES_LIMIT; i++) {
            for (size_t j = 0; states[machine][i] != NULL && j < EVENTS_LIMIT; j++) {
                if (events[machine][j] == NULL ||
                    listed[machine][i][j] == (cell_of(machine, i, j).next == 0 ? 0U : 1U))
                    continue;
                fprintf(stderr, "cells.tsv lists %s, %s %u times\n", states[machine][i],
                        events[machine][j], listed[machine][i][j]);
                faults++;
            }
        }
    }
    assert_int_equal(faults, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_is_true),
        cmocka_unit_test(test_each_cell_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
