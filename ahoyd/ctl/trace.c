/* ahoyctl trace: what a running server notes, as it comes. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ahoyd/ctl/ctl.h"

enum { PAUSE_US = 200000 /* Between two questions, when nothing more is there. */ };

static const char *text(const json_t *note, const char *member)
{
    const char *value = json_string_value(json_object_get(note, member));
    return value == NULL ? "" : value;
}

static void print_note(const json_t *note)
{
    json_int_t us = json_integer_value(json_object_get(note, "us"));
    time_t seconds = (time_t)(us / 1000000);
    struct tm date = { 0 };
    char clock[32] = "";
    if (localtime_r(&seconds, &date) != NULL)
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &date); /* Else there is none to show. */
    printf("%s.%03d  ", clock, (int)(us / 1000 % 1000));
    if (json_object_get(note, "why") != NULL)
        printf("*    %s  %s\n", text(note, "why"), text(note, "call_id"));
    else
        printf("%-3s  %s %s  %s  %s\n", text(note, "dir"), text(note, "transport"),
               text(note, "remote"), text(note, "start"), text(note, "call_id"));
}

/* Prints what an answer has; returns how many notes that is. */
static size_t print_notes(const struct ctl_options *options, const json_t *notes, const char *word)
{
    size_t index = 0;
    json_t *note = NULL;
    json_array_foreach(notes, index, note)
    {
        if (word != NULL && strstr(text(note, "call_id"), word) == NULL &&
            strstr(text(note, "from"), word) == NULL)
            continue;
        if (options->json) {
            json_dumpf(note, stdout, JSON_COMPACT);
            putchar('\n');
        } else {
            print_note(note);
        }
    }
    fflush(stdout);
    return json_array_size(notes);
}

/* Asks and prints until the server or the reader is gone. */
static int follow(const struct ctl_options *options, struct ctl_link *link, const char *word)
{
    json_t *from = json_null();
    json_t *answer = NULL;
    while (ferror(stdout) == 0 &&
           (answer = ctl_link_ask(link, json_pack("{s:s, s:o}", "verb", "follow", "from", from))) !=
               NULL) {
        size_t count = print_notes(options, json_object_get(answer, "notes"), word);
        from = json_incref(json_object_get(answer, "from"));
        json_decref(answer);
        if (count == 0)
            usleep(PAUSE_US);
    }
    if (answer != NULL)
        json_decref(from);
    return CTL_FAILED;
}

int ctl_trace(const struct ctl_options *options, int argc, char **argv)
{
    if (argc > 1) {
        ctl_say("write trace, or trace WORD");
        return CTL_USAGE;
    }
    struct ctl_link *link = ctl_link_open(options);
    if (link == NULL)
        return CTL_FAILED;
    int code = follow(options, link, argc == 1 ? argv[0] : NULL);
    ctl_link_close(link);
    return code;
}
