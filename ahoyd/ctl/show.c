/* ahoyctl registrations and counters: tables for people, JSON for programs. */
#include <stdio.h>

#include "ahoyd/ctl/ctl.h"

/* Asks, and prints |member| of the answer as JSON or by |print|. */
static int show(const struct ctl_options *options, json_t *request, const char *member,
                void (*print)(json_t *value))
{
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL) {
        json_decref(request);
        return CTL_FAILED;
    }
    json_t *answer = ctl_link_ask(link, request);
    ctl_link_close(link);
    if (answer == NULL)
        return CTL_FAILED;
    json_t *value = json_object_get(answer, member);
    if (options->json) {
        json_dumpf(value, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        print(value);
    }
    if (json_is_true(json_object_get(answer, "more")))
        ctl_say("there are more; only the first %d were listed", AHOYD_COMMAND_ROWS_LIMIT);
    json_decref(answer);
    return CTL_OK;
}

static void print_registrations(json_t *registrations)
{
    size_t i = 0, j = 0;
    json_t *registration = NULL, *contact = NULL;
    if (json_array_size(registrations) == 0) {
        puts("nobody is registered");
        return;
    }
    json_array_foreach(registrations, i, registration)
    {
        printf("%s\n", json_string_value(json_object_get(registration, "aor")));
        json_array_foreach(json_object_get(registration, "contacts"), j, contact)
        {
            printf("    %s  for %lld s, from %s\n",
                   json_string_value(json_object_get(contact, "contact")),
                   (long long)json_integer_value(json_object_get(contact, "expires")),
                   json_string_value(json_object_get(contact, "from")));
        }
    }
}

static void print_counters(json_t *counters)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(counters, name, value)
    {
        printf("%-28s %lld\n", name, (long long)json_integer_value(value));
    }
}

int ctl_registrations(const struct ctl_options *options, int argc, char **argv)
{
    if (argc > 1) {
        ctl_say("write registrations, or registrations USER@DOMAIN");
        return CTL_USAGE;
    }
    json_t *request = json_pack("{s:s}", "verb", "registrations");
    if (argc == 1)
        json_object_set_new(request, "aor", json_string(argv[0]));
    return show(options, request, "registrations", print_registrations);
}

int ctl_counters(const struct ctl_options *options, int argc, char **argv)
{
    (void)argv; /* It takes none. */
    if (argc > 0) {
        ctl_say("counters takes no argument");
        return CTL_USAGE;
    }
    return show(options, json_pack("{s:s}", "verb", "counters"), "counters", print_counters);
}
