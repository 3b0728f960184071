/* The command line of ahoyd. */
#pragma once

#include <stdio.h>

enum ahoyd_task {
    AHOYD_TASK_SERVE,
    AHOYD_TASK_CHECK,
    AHOYD_TASK_VERSION,
    AHOYD_TASK_HELP,
    AHOYD_TASK_NONE /* The command line is at fault: it has been said how. */
};

struct ahoyd_command_line {
    enum ahoyd_task task;
    const char *path; /* The configuration file; NULL: where it usually is. */
};

/* Reads the command line; faults go to |errors|, one line and what to do. */
struct ahoyd_command_line ahoyd_command_line_parse(int count, char **arguments, FILE *errors);
void ahoyd_command_line_help(FILE *out);
