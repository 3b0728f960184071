/* ahoy-sim: runs ladders, and random calls by seed, in the simulated world. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/cells.h"
#include "sim/seeds.h"

static const char help[] =
    "Usage: ahoy-sim [--verbose] ladder FILE...\n"
    "       ahoy-sim seeds COUNT [FIRST [JOBS]]\n"
    "       ahoy-sim seed NUMBER [--ladder]\n"
    "\n"
    "Runs the real server in virtual time: against ladders, whole exchanges as text, whose form\n"
    "is described in sim/ladder.h; or in COUNT random worlds by their seeds from FIRST (1) on,\n"
    "with phones, strangers and faults, in JOBS (1) processes.  docs/laws.md says what must hold\n"
    "in each.  With --ladder all that passes in one of them is printed.\n"
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

/* The arguments of `seeds`. */
static bool read_seeds(int count, char **words, struct sim_seeds *seeds)
{
    uint64_t jobs = 1;
    *seeds = (struct sim_seeds){ .first = 1 };
    if (count < 1 || count > 3 || !read_number(words[0], &seeds->count) ||
        (count > 1 && !read_number(words[1], &seeds->first)) ||
        (count > 2 && !read_number(words[2], &jobs)) || jobs == 0 || jobs > 1000)
        return false;
    seeds->jobs = (unsigned)jobs;
    return true;
}

int main(int argc, char **argv)
{
    uint64_t number = 0;
    struct sim_seeds seeds;
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    argc -= verbose;
    argv += verbose;
    bool ladder = argc == 4 && strcmp(argv[3], "--ladder") == 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "ladder") == 0)
        return run_ladders(argc - 2, argv + 2, verbose);
    if (argc >= 3 && strcmp(argv[1], "seeds") == 0 && read_seeds(argc - 2, argv + 2, &seeds))
        return sim_seeds_run(&seeds) ? 0 : 1;
    if ((argc == 3 || ladder) && strcmp(argv[1], "seed") == 0 && read_number(argv[2], &number))
        return sim_seeds_play(number, ladder) ? 0 : 1;
    fputs(help, stderr);
    return 2;
}
