/* The command line: one task, and the file that it is about. */
#include "ahoyd/options.h"

#include <getopt.h>

static const struct option options[] = {
    { "config", required_argument, NULL, AHOYD_TASK_SERVE },
    { "check", required_argument, NULL, AHOYD_TASK_CHECK },
    { "version", no_argument, NULL, AHOYD_TASK_VERSION },
    { "help", no_argument, NULL, AHOYD_TASK_HELP },
    { NULL, 0, NULL, 0 },
};

void ahoyd_command_line_help(FILE *out)
{
    fputs("usage: ahoyd [--config FILE]   serve; FILE is ./ahoyd.lua, then /etc/ahoyd/ahoyd.lua\n"
          "       ahoyd --check FILE      name every fault in a configuration, and serve nothing\n"
          "       ahoyd --version\n"
          "       ahoyd --help\n"
          "\n"
          "ahoyd is a SIP registrar, proxy and redirect server.  It ends on SIGTERM and SIGINT\n"
          "within five seconds.  See ahoyd(8), and ahoyd.lua(5) for the configuration.\n",
          out);
}

static struct ahoyd_command_line fault(FILE *errors, const char *what, const char *argument)
{
    fprintf(errors, "ahoyd: %s '%s'; ahoyd --help says what there is\n", what, argument);
    return (struct ahoyd_command_line){ .task = AHOYD_TASK_NONE };
}

struct ahoyd_command_line ahoyd_command_line_parse(int count, char **arguments, FILE *errors)
{
    struct ahoyd_command_line line = { .task = AHOYD_TASK_SERVE };
    int found;
    opterr = 0;
    optind = 0; /* glibc: begin anew. */
    while ((found = getopt_long(count, arguments, "+:", options, NULL)) != -1) {
        if (found == ':')
            return fault(errors, "a file name is missing behind", arguments[optind - 1]);
        if (found == '?') {
            /* A letter may stand in the middle of an argument. */
            char letter[] = { '-', (char)optopt, '\0' };
            return fault(errors, "unknown option", optopt != 0 ? letter : arguments[optind - 1]);
        }
        line.task = (enum ahoyd_task)found;
        if (found == AHOYD_TASK_VERSION || found == AHOYD_TASK_HELP)
            return line;
        if (line.path != NULL)
            return fault(errors, "one file only, not another:", optarg);
        line.path = optarg;
    }
    if (optind < count)
        return fault(errors, "unexpected argument", arguments[optind]);
    return line;
}
