/* The command line: one task, and the file that it is about. */
#include "ahoyd/options.h"

#include <getopt.h>
#include <stddef.h>

enum { CONFIG, CHECK, ROUTE, FROM, USER, SOURCE, TRANSPORT, AT, HEADER, TEST, FLAGS };
enum { JSON = FLAGS, VERSION, HELP };

static const struct option options[] = {
    { "config", required_argument, NULL, CONFIG },
    { "check", required_argument, NULL, CHECK },
    { "route", required_argument, NULL, ROUTE },
    { "from", required_argument, NULL, FROM },
    { "user", required_argument, NULL, USER },
    { "source", required_argument, NULL, SOURCE },
    { "transport", required_argument, NULL, TRANSPORT },
    { "at", required_argument, NULL, AT },
    { "header", required_argument, NULL, HEADER },
    { "test", required_argument, NULL, TEST },
    { "json", no_argument, NULL, JSON },
    { "version", no_argument, NULL, VERSION },
    { "help", no_argument, NULL, HELP },
    { NULL, 0, NULL, 0 },
};

void ahoyd_command_line_help(FILE *out)
{
    fputs("usage: ahoyd [--config FILE]   serve; FILE is ./ahoyd.lua, then /etc/ahoyd/ahoyd.lua\n"
          "       ahoyd --check FILE      name every fault in a configuration, and serve nothing\n"
          "       ahoyd --route 'INVITE sip:bob@atlanta.example' [--user alice@atlanta.example]\n"
          "             [--from URI] [--source IP[:PORT]] [--transport NAME] [--header ROW]\n"
          "             [--at 2026-02-02T10:00Z] [--json] [FILE]\n"
          "                               say which route a call would take, and why\n"
          "       ahoyd --test TESTS [--json] [FILE]\n"
          "                               try the calls of TESTS, and say which went elsewhere;\n"
          "                               whole calls too, with parties that ring and answer\n"
          "       ahoyd --version\n"
          "       ahoyd --help\n"
          "\n"
          "ahoyd is a SIP server: phones tell it where they are (registrar), and it brings calls\n"
          "to them (proxy), or says where they are (redirect server).  A first one needs a file\n"
          "ahoyd.lua of three lines:\n"
          "\n"
          "  listen \"udp:127.0.0.1:5060\"\n"
          "  listen \"tcp:127.0.0.1:5060\"\n"
          "  domain \"atlanta.example\"\n"
          "\n"
          "and users: ahoyctl user add alice@atlanta.example.  It ends on SIGTERM and SIGINT\n"
          "within five seconds.  See ahoyd(8), and ahoyd.lua(5) for the configuration.\n",
          out);
}

static struct ahoyd_command_line fault(FILE *errors, const char *what, const char *argument)
{
    fprintf(errors, "ahoyd: %s '%s'; ahoyd --help says what there is\n", what, argument);
    return (struct ahoyd_command_line){ .task = AHOYD_TASK_NONE };
}

/* Whether the |given| options, a bit each, belong together; |task| is what they ask for. */
static bool agree(unsigned given, enum ahoyd_task *task)
{
    static const unsigned of_route = 1u << ROUTE | 1u << FROM | 1u << USER | 1u << SOURCE |
                                     1u << TRANSPORT | 1u << AT | 1u << HEADER | 1u << JSON |
                                     1u << CONFIG;
    *task = AHOYD_TASK_SERVE;
    if ((given & 1u << CHECK) != 0)
        *task = AHOYD_TASK_CHECK;
    else if ((given & 1u << TEST) != 0)
        *task = AHOYD_TASK_TEST;
    else if ((given & 1u << ROUTE) != 0)
        *task = AHOYD_TASK_ROUTE;
    unsigned allowed[] = { [AHOYD_TASK_SERVE] = 1u << CONFIG,
                           [AHOYD_TASK_CHECK] = 1u << CHECK,
                           [AHOYD_TASK_TEST] = 1u << TEST | 1u << CONFIG | 1u << JSON,
                           [AHOYD_TASK_ROUTE] = of_route };
    return (given & ~allowed[*task]) == 0;
}

struct ahoyd_command_line ahoyd_command_line_parse(int count, char **arguments, FILE *errors)
{
    struct ahoyd_command_line line = { .task = AHOYD_TASK_SERVE };
    const char **const values[FLAGS] = {
        [CONFIG] = &line.path, [CHECK] = &line.path,          [ROUTE] = &line.request,
        [FROM] = &line.from,   [USER] = &line.user,           [SOURCE] = &line.source,
        [AT] = &line.at,       [TRANSPORT] = &line.transport, [HEADER] = &line.header,
        [TEST] = &line.tests
    };
    unsigned given = 0;
    int found;
    opterr = 0;
    optind = 0; /* glibc: begin anew. */
    while ((found = getopt_long(count, arguments, "+:", options, NULL)) != -1) {
        if (found == ':')
            return fault(errors, "something is missing behind", arguments[optind - 1]);
        if (found == '?') {
            /* A letter may stand in the middle of an argument. */
            char letter[] = { '-', (char)optopt, '\0' };
            return fault(errors, "unknown option", optopt != 0 ? letter : arguments[optind - 1]);
        }
        if (found == VERSION || found == HELP) {
            line.task = found == VERSION ? AHOYD_TASK_VERSION : AHOYD_TASK_HELP;
            return line;
        }
        if (found < FLAGS && *values[found] != NULL)
            return fault(errors, "one only, not another:", optarg);
        if (found < FLAGS)
            *values[found] = optarg;
        given |= 1u << found;
    }
    line.json = (given & 1u << JSON) != 0;
    if (!agree(given, &line.task))
        return fault(errors, "these options do not go together:", arguments[optind - 1]);
    bool takes_file = line.task == AHOYD_TASK_ROUTE || line.task == AHOYD_TASK_TEST;
    if (optind < count && takes_file && line.path == NULL)
        line.path = arguments[optind++];
    if (optind < count)
        return fault(errors, "unexpected argument", arguments[optind]);
    return line;
}
