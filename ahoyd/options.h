/* The command line of ahoyd. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum ahoyd_task {
    AHOYD_TASK_SERVE,
    AHOYD_TASK_CHECK,
    AHOYD_TASK_ROUTE,
    AHOYD_TASK_TEST,
    AHOYD_TASK_VERSION,
    AHOYD_TASK_HELP,
    AHOYD_TASK_NONE /* The command line is at fault: it has been said how. */
};

struct ahoyd_command_line {
    enum ahoyd_task task;
    const char *path; /* The configuration file; NULL: where it usually is. */
    /* Of a call that is tried, as trial.h has them; NULL where they are not said. */
    const char *request, *from, *user, *source, *transport, *at, *header;
    bool json;
    const char *tests; /* The file of tests. */
};

/* Reads the command line; faults go to |errors|, one line and what to do. */
struct ahoyd_command_line ahoyd_command_line_parse(int count, char **arguments, FILE *errors);
void ahoyd_command_line_help(FILE *out);
