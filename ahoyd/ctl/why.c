/* ahoyctl calls and explain: what became of calls, as a running server has noted it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "ahoyd/ctl/ctl.h"
#include "ahoyd/ctl/pcap.h"

static const char *text(const json_t *row, const char *member)
{
    const char *value = json_string_value(json_object_get(row, member));
    return value == NULL ? "" : value;
}

static bool is_living(const json_t *call)
{
    const char *state = text(call, "state");
    return strcmp(state, "ended") != 0 && strcmp(state, "failed") != 0;
}

/* Whether |word| asks for |call|. */
static bool is_wanted(const json_t *call, const char *word)
{
    if (word == NULL || strcmp(word, "all") == 0)
        return true;
    if (strcmp(word, "living") == 0)
        return is_living(call);
    return strcmp(word, text(call, "state")) == 0 || strstr(text(call, "from"), word) != NULL ||
           strstr(text(call, "to"), word) != NULL || strstr(text(call, "call_id"), word) != NULL ||
           strcmp(word, text(call, "label")) == 0;
}

static void print_call(const json_t *call)
{
    time_t begun = (time_t)(json_integer_value(json_object_get(call, "begun_ms")) / 1000);
    struct tm date = { 0 };
    char clock[32] = "";
    if (localtime_r(&begun, &date) != NULL)
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &date); /* Else there is none to show. */
    printf("%s  %-8s  %s > %s\n          %s\n          %s\n", clock, text(call, "state"),
           text(call, "from"), text(call, "to"), text(call, "cause"), text(call, "call_id"));
}

/* Those that are asked for, the oldest first, as each worker has them. */
static json_t *choose(const json_t *calls, const char *word)
{
    json_t *chosen = json_array();
    size_t index = 0;
    json_t *call = NULL;
    json_array_foreach(calls, index, call)
    {
        if (is_wanted(call, word))
            json_array_append(chosen, call);
    }
    return chosen;
}

static json_t *ask(const struct ctl_options *options, json_t *request)
{
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL) {
        json_decref(request);
        return NULL;
    }
    json_t *answer = ctl_link_ask(link, request);
    ctl_link_close(link);
    return answer;
}

static void print_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2));
    putchar('\n');
}

int ctl_metrics(const struct ctl_options *options, int argc, char **argv)
{
    (void)argv; /* It takes none. */
    if (argc > 0) {
        ctl_say("metrics takes no argument");
        return CTL_USAGE;
    }
    json_t *answer = ask(options, json_pack("{s:s}", "verb", "metrics"));
    if (answer == NULL)
        return CTL_FAILED;
    fputs(text(answer, "metrics"), stdout);
    json_decref(answer);
    return CTL_OK;
}

int ctl_calls(const struct ctl_options *options, int argc, char **argv)
{
    if (argc > 1) {
        ctl_say("write calls, calls living, calls failed, or calls WORD");
        return CTL_USAGE;
    }
    json_t *answer = ask(options, json_pack("{s:s}", "verb", "calls"));
    if (answer == NULL)
        return CTL_FAILED;
    json_t *calls = choose(json_object_get(answer, "calls"), argc == 1 ? argv[0] : NULL);
    size_t index = 0;
    json_t *call = NULL;
    if (options->json) {
        print_json(calls);
    } else {
        json_array_foreach(calls, index, call)
        {
            print_call(call);
        }
    }
    json_decref(calls);
    json_decref(answer);
    return CTL_OK;
}

int ctl_explain(const struct ctl_options *options, int argc, char **argv)
{
    if (argc != 1) {
        ctl_say("write explain CALL-ID; ahoyctl calls lists them");
        return CTL_USAGE;
    }
    json_t *answer = ask(options, json_pack("{s:s, s:s}", "verb", "explain", "call_id", argv[0]));
    if (answer == NULL)
        return CTL_FAILED;
    json_t *notes = json_object_get(answer, "notes");
    bool sound = options->pcap_path == NULL || ctl_pcap_write(options->pcap_path, notes);
    if (options->json) {
        print_json(answer);
    } else {
        printf("%s\n\n", text(answer, "cause"));
        ctl_ladder_draw(notes);
    }
    json_decref(answer);
    return sound ? CTL_OK : CTL_FAILED;
}
