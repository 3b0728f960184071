/* ahoyctl reload: another configuration for the server that runs, and what it changes; and trim. */
#include <stdio.h>

#include "ahoyd/ctl/ctl.h"

static void print_changes(const json_t *changes)
{
    size_t index = 0;
    json_t *change = NULL;
    json_array_foreach(changes, index, change)
    {
        const char *text = json_string_value(json_object_get(change, "change"));
        puts(text == NULL ? "?" : text);
    }
    if (index == 0)
        puts("nothing has changed");
}

int ctl_reload(const struct ctl_options *options, int argc, char **argv)
{
    (void)argv; /* It takes none. */
    if (argc > 0) {
        ctl_say("reload takes no argument");
        return CTL_USAGE;
    }
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL)
        return CTL_FAILED;
    json_t *answer =
        ctl_link_ask(link, json_pack("{s:s, s:b}", "verb", "reload", "check", options->check));
    ctl_link_close(link);
    if (answer == NULL)
        return CTL_FAILED;
    const json_t *changes = json_object_get(answer, "changes");
    if (options->json) {
        json_dumpf(changes, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print_changes(changes);
    }
    json_decref(answer);
    return CTL_OK;
}

int ctl_trim(const struct ctl_options *options, int argc, char **argv)
{
    (void)argv; /* It takes none. */
    if (argc > 0) {
        ctl_say("trim takes no argument");
        return CTL_USAGE;
    }
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL)
        return CTL_FAILED;
    json_t *answer = ctl_link_ask(link, json_pack("{s:s}", "verb", "trim"));
    ctl_link_close(link);
    if (answer == NULL)
        return CTL_FAILED;
    json_decref(answer);
    return CTL_OK;
}
