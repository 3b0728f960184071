/* ahoyctl: users, registrations and counters of an ahoyd, from the shell. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/ctl/ctl.h"

static const char help[] =
    "Usage: ahoyctl [OPTION]... VERB [ARGUMENT]...\n"
    "\n"
    "Looks into a running ahoyd, or, when it is down, works on its store.\n"
    "\n"
    "  user add USER@DOMAIN     add a user, or change its password (read from standard input)\n"
    "  user list                list the users\n"
    "  user remove USER@DOMAIN  remove a user\n"
    "  user import              add users: lines of USER@DOMAIN PASSWORD on standard input\n"
    "  user import FILE         the same from a table with commas; - for standard input\n"
    "  user alias add ALIAS@DOMAIN USER@DOMAIN\n"
    "                           give a user another name\n"
    "  user alias remove ALIAS@DOMAIN\n"
    "                           take it away\n"
    "  user alias list          list these names\n"
    "  registrations [AOR]      list who can be reached where\n"
    "  counters                 show what the server has counted\n"
    "  metrics                  the same and more, as text for Prometheus\n"
    "  reload [--check]         have the server read its configuration again, all of it or "
    "nothing,\n"
    "                           and say what changes; with --check nothing does\n"
    "  trim                     have the server give back memory that lies idle, before a quiet\n"
    "                           minute does\n"
    "  calls [WORD]             list living and recent calls: all, living, failed, or those with\n"
    "                           WORD in a name or the Call-ID\n"
    "  explain CALL-ID          say why a call ended as it did, and draw it with the reasons\n"
    "  trace [WORD]             print messages and reasons as they come, until interrupted; of\n"
    "                           calls with WORD in the Call-ID or From alone\n"
    "  ladder FILE [CALL-ID]    draw a call from a trace file; without CALL-ID the last one\n"
    "\n"
    "      --socket PATH   the server's control socket (default: ./ahoyd.sock, then\n"
    "                      /run/ahoyd/ahoyd.sock)\n"
    "      --config FILE   the configuration that names the store of a server that is down\n"
    "                      (default: ./ahoyd.lua, then /etc/ahoyd/ahoyd.lua)\n"
    "      --json          print JSON\n"
    "      --strict        user import FILE: stop at the first faulty line\n"
    "      --dry-run       user import FILE: only look for faults\n"
    "      --pcap FILE     explain: write the messages as a capture for Wireshark\n"
    "      --with FILE     ladder: draw what passed in another server's trace beside it\n"
    "      --help          this text\n"
    "      --version       the version\n"
    "\n"
    "Example: echo secret | ahoyctl user add alice@atlanta.example\n"
    "Exit code: 0 done, 1 failed, 2 not understood.  Manual: man ahoyctl\n";

void ctl_say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("ahoyctl: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static const struct {
    const char *name;
    int (*run)(const struct ctl_options *options, int argc, char **argv);
} verbs[] = {
    { "user", ctl_user },         { "registrations", ctl_registrations },
    { "counters", ctl_counters }, { "ladder", ctl_ladder },
    { "metrics", ctl_metrics },   { "trace", ctl_trace },
    { "explain", ctl_explain },   { "calls", ctl_calls },
    { "reload", ctl_reload },   { "trim", ctl_trim },
};

static int run_verb(const struct ctl_options *options, int argc, char **argv)
{
    if (argc == 0) {
        fputs(help, stderr);
        return CTL_USAGE;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(argv[0], verbs[i].name) == 0)
            return verbs[i].run(options, argc - 1, argv + 1);
    }
    ctl_say("there is no verb '%s'; see ahoyctl --help", argv[0]);
    return CTL_USAGE;
}

enum {
    OPTION_SOCKET = 256,
    OPTION_CONFIG,
    OPTION_JSON,
    OPTION_STRICT,
    OPTION_DRY,
    OPTION_CHECK,
    OPTION_PCAP,
    OPTION_WITH,
    OPTION_HELP,
    OPTION_VERSION
};

static const struct option long_options[] = {
    { "socket", required_argument, NULL, OPTION_SOCKET },
    { "config", required_argument, NULL, OPTION_CONFIG },
    { "json", no_argument, NULL, OPTION_JSON },
    { "strict", no_argument, NULL, OPTION_STRICT },
    { "dry-run", no_argument, NULL, OPTION_DRY },
    { "check", no_argument, NULL, OPTION_CHECK },
    { "pcap", required_argument, NULL, OPTION_PCAP },
    { "with", required_argument, NULL, OPTION_WITH },
    { "help", no_argument, NULL, OPTION_HELP },
    { "version", no_argument, NULL, OPTION_VERSION },
    { NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
    struct ctl_options options = { 0 };
    int option = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case OPTION_SOCKET:
            options.socket_path = optarg;
            break;
        case OPTION_CONFIG:
            options.config_path = optarg;
            break;
        case OPTION_JSON:
            options.json = true;
            break;
        case OPTION_STRICT:
            options.strict = true;
            break;
        case OPTION_DRY:
            options.dry_run = true;
            break;
        case OPTION_CHECK:
            options.check = true;
            break;
        case OPTION_PCAP:
            options.pcap_path = optarg;
            break;
        case OPTION_WITH:
            if (options.with_count == CTL_TRACES_LIMIT - 1) {
                ctl_say("that is one server too many; a ladder has room for %d", CTL_TRACES_LIMIT);
                return CTL_USAGE;
            }
            options.with[options.with_count++] = optarg;
            break;
        case OPTION_HELP:
            fputs(help, stdout);
            return CTL_OK;
        case OPTION_VERSION:
            puts("ahoyctl " AHOY_VERSION);
            return CTL_OK;
        default:
            fputs("See ahoyctl --help.\n", stderr);
            return CTL_USAGE;
        }
    }
    return run_verb(&options, argc - optind, argv + optind);
}
