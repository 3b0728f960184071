/* ahoy-sim: runs ladders, and random calls by seed, in the simulated world. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cells.h"
#include "sim/seeds.h"

static const char help[] =
    "Usage: ahoy-sim [--verbose] ladder FILE...\n"
    "       ahoy-sim seeds COUNT [FIRST]\n"
    "\n"
    "Runs the real server in virtual time: against ladders, whole exchanges as text, whose form\n"
    "is described in sim/ladder.h; or with real phones on random links, COUNT worlds by their\n"
    "seeds from FIRST (1) on.\n"
    "\n"
    "Exit code: 0 all hold, 1 one does not, 2 not understood.\n";

static bool read_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    *number = strtoull(text, &end, 10);
    return isdigit((unsigned char)text[0]) && *end == '\0';
}

static int run_ladders(int count, char **paths, bool verbose)
{
    int code = 0;
    for (int i = 0; i < count; i++) {
        if (!sim_cells_run(paths[i], verbose))
            code = 1;
    }
    return code;
}

int main(int argc, char **argv)
{
    uint64_t count = 0, first = 1;
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    argc -= verbose;
    argv += verbose;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "ladder") == 0)
        return run_ladders(argc - 2, argv + 2, verbose);
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "seeds") == 0 &&
        read_number(argv[2], &count) && (argc == 3 || read_number(argv[3], &first)))
        return sim_seeds_run(first, count) ? 0 : 1;
    fputs(help, stderr);
    return 2;
}
