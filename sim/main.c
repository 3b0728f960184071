/* ahoy-sim: runs ladders in the simulated world. */
#include <stdio.h>
#include <string.h>

#include "sim/ladder.h"

static const char help[] = "Usage: ahoy-sim [--verbose] ladder FILE...\n"
                           "\n"
                           "Runs each ladder against the real server in virtual time.\n"
                           "The form of a ladder is described in sim/ladder.h.\n"
                           "Exit code: 0 all hold, 1 one does not, 2 not understood.\n";

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    argc -= verbose;
    argv += verbose;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc < 3 || strcmp(argv[1], "ladder") != 0) {
        fputs(help, stderr);
        return 2;
    }
    int code = 0;
    for (int i = 2; i < argc; i++) {
        if (!sim_ladder_run(argv[i], verbose))
            code = 1;
    }
    return code;
}
