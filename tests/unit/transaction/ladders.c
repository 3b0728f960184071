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

#define edge  inc_edge
#define edges inc_edges
#define ahoy_invite_client_step inc_step
#include "libahoy/transaction/invite_client.c"
#undef edge
#undef edges
#undef ahoy_invite_client_step

#define edge  ins_edge
#define edges ins_edges
#define ahoy_invite_server_step ins_step
#include "libahoy/transaction/invite_server.c"
#undef edge
#undef edges
#undef ahoy_invite_server_step

#define edge  nic_edge
#define edges nic_edges
#define ahoy_noninvite_client_step nic_step
#include "libahoy/transaction/noninvite_client.c"
#undef edge
#undef edges
#undef ahoy_noninvite_client_step

#define edge  nis_edge
#define edges nis_edges
#define ahoy_noninvite_server_step nis_step
#include "libahoy/transaction/noninvite_server.c"
#undef edge
#undef edges
#undef ahoy_noninvite_server_step

enum machine { INC, INS, NIC, NIS, MACHINES };
enum { STATES_LIMIT = 6, EVENTS_LIMIT = 16 };

/* clang-format off */
#define NAME(constant) [constant] = #constant
static const char *const states[MACHINES][STATES_LIMIT] = {
    [INC] = { NAME(INC_CALLING), NAME(INC_PROCEEDING), NAME(INC_COMPLETED), NAME(INC_ACCEPTED) },
    [INS] = { NAME(INS_PROCEEDING), NAME(INS_COMPLETED), NAME(INS_CONFIRMED), NAME(INS_ACCEPTED) },
    [NIC] = { NAME(NIC_TRYING), NAME(NIC_PROCEEDING), NAME(NIC_COMPLETED) },
    [NIS] = { NAME(NIS_TRYING), NAME(NIS_PROCEEDING), NAME(NIS_COMPLETED) },
};
static const char *const events[MACHINES][EVENTS_LIMIT] = {
    [INC] = { NAME(INC_PROVISIONAL), NAME(INC_SUCCESS), NAME(INC_FAILURE), NAME(INC_CANCEL_SENT),
              NAME(INC_SEND_FAILED), NAME(INC_TIMER_A), NAME(INC_TIMER_B), NAME(INC_TIMER_D),
              NAME(INC_TIMER_M) },
    [INS] = { NAME(INS_INVITE), NAME(INS_ACK), NAME(INS_PROVISIONAL), NAME(INS_SUCCESS),
              NAME(INS_FAILURE), NAME(INS_SEND_FAILED), NAME(INS_TIMER_G), NAME(INS_TIMER_H),
              NAME(INS_TIMER_I), NAME(INS_TIMER_L) },
    [NIC] = { NAME(NIC_PROVISIONAL), NAME(NIC_FINAL), NAME(NIC_SEND_FAILED), NAME(NIC_TIMER_E),
              NAME(NIC_TIMER_F), NAME(NIC_TIMER_K) },
    [NIS] = { NAME(NIS_REQUEST), NAME(NIS_PROVISIONAL), NAME(NIS_FINAL), NAME(NIS_SEND_FAILED),
              NAME(NIS_TIMER_F), NAME(NIS_TIMER_J) },
};
/* clang-format on */

_Static_assert((int)INC_EVENT_COUNT <= (int)EVENTS_LIMIT, "the events have room");
_Static_assert((int)INS_EVENT_COUNT <= (int)EVENTS_LIMIT, "the events have room");

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

static bool is_empty(enum machine machine, size_t state, size_t event)
{
    switch (machine) {
    case INC:
        return inc_edges[state][event].next == 0;
    case INS:
        return ins_edges[state][event].next == 0;
    case NIC:
        return nic_edges[state][event].next == 0;
    default:
        return nis_edges[state][event].next == 0;
    }
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
        !find_cell(&row) || is_empty(row.machine, row.state_index, row.event_index)) {
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
                    listed[machine][i][j] == (is_empty(machine, i, j) ? 0U : 1U))
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
