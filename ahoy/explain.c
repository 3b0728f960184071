/* `ahoy explain [FILE]`: explains messages line by line. */
#include "ahoy/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "ahoy/verbs.h"

enum { NO_FAULTS = 0, FAULTS = 1 };

static void print_help(void)
{
    printf(
        "usage: ahoy explain [--json] [FILE]\n\n"
        "Explains SIP messages line by line: what each part is, which RFC rules it, and every\n"
        "fault with its consequence and its mend.  Without FILE, or with \"-\", it reads standard\n"
        "input.  FILE holds one message, several behind each other, or a trace of ahoyd.\n\n"
        "  --json  one JSON object a message\n\n"
        "Exit code: 0 without faults, 1 with, 2 where it was called wrongly or cannot read.\n");
}

/* Returns -1 to go on, else the exit code. */
static int read_options(struct explain_options *options, int argc, char **argv)
{
    *options = (struct explain_options){ .path = NULL };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return PHONE_DONE;
        }
        if (strcmp(argv[i], "--json") == 0) {
            options->json = true;
        } else if (options->path != NULL || (argv[i][0] == '-' && argv[i][1] != '\0')) {
            fprintf(stderr,
                    "ahoy: explain takes --json and one FILE, not %s (see: ahoy explain "
                    "--help)\n",
                    argv[i]);
            return PHONE_MISUSED;
        } else {
            options->path = argv[i];
        }
    }
    if (options->path == NULL)
        options->path = "-";
    return -1;
}

/* What is shared by all messages of one run. */
struct run {
    const struct explain_options *options;
    struct explain_input input;
    struct ahoy_remark line_ends; /* What is said once about LF. */
    unsigned count;
    size_t line; /* How many lines lie before |counted|. */
    const char *counted;
    bool has_faults;
    struct ahoy_message scratch;
    struct ahoy_explanation explanation;
    struct explain_entry entry;
};

/* The line that the input has reached at |at|. */
static size_t line_at(struct run *run, const char *at)
{
    for (; run->counted < at; run->counted++)
        run->line += *run->counted == '\n';
    return run->line + 1;
}

static void show(struct run *run, struct span message, const struct explain_entry *entry)
{
    struct explain_place place = {
        .input = &run->input,
        .number = ++run->count,
        .bytes = message,
        .line = entry == NULL ? line_at(run, message.at) : 0,
        .entry = entry,
    };
    if (run->count == 1 && run->input.had_lf && !run->input.is_trace)
        place.first = &run->line_ends;
    ahoy_explain(message, entry != NULL, &run->explanation);
    if (entry != NULL && entry->is_malformed) {
        struct ahoy_remark *remark = ahoy_remark_add(&run->explanation.remarks, AHOY_REMARK_FAULT,
                                                     SPAN(""), SPAN("message"));
        remark->text = SPAN("it was at fault when it passed; its bytes are not in the trace");
        remark->consequence = SPAN("it was refused or dropped");
        remark->mend = SPAN("look at the message itself, at whoever sent it");
    }
    if (place.first != NULL || run->explanation.remarks.counts[AHOY_REMARK_FAULT] > 0)
        run->has_faults = true;
    if (run->options->json)
        explain_print_json(&place, &run->explanation);
    else
        explain_print_text(&place, &run->explanation);
}

static void show_trace(struct run *run)
{
    struct span rest = run->input.bytes;
    struct span line;
    while (explain_trace_next(&rest, &run->entry, &line)) {
        if (run->entry.message.size > 0)
            show(run, run->entry.message, &run->entry);
        else
            show(run, line, NULL);
    }
}

static void show_messages(struct run *run)
{
    struct span rest = run->input.bytes;
    struct span message;
    while (explain_input_next(&rest, &run->scratch, &message))
        show(run, message, NULL);
}

static void say_line_ends(struct run *run)
{
    run->line_ends = (struct ahoy_remark){
        .kind = AHOY_REMARK_FAULT,
        .where = { run->input.bytes.at, 0 },
        .subject = SPAN("line ends"),
        .text = SPAN("lines end in LF alone; they are read as if they ended in CRLF"),
        .source = SPAN("RFC 3261 7"),
        .consequence = SPAN("sent like this, a server answers 400, or cannot tell where the head "
                            "ends"),
        .mend =
            SPAN("end each line with CR and LF; an editor or a copy may have taken the CR away"),
    };
}

int phone_explain(int argc, char **argv)
{
    struct explain_options options;
    int code = read_options(&options, argc, argv);
    if (code != -1)
        return code;
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL || !explain_input_read(&run->input, options.path)) {
        free(run);
        return PHONE_MISUSED;
    }
    run->options = &options;
    run->counted = run->input.bytes.at;
    say_line_ends(run);
    if (run->input.is_trace)
        show_trace(run);
    else
        show_messages(run);
    code = run->has_faults ? FAULTS : NO_FAULTS;
    if (run->count == 0) {
        fprintf(stderr, "ahoy: there is no message in %s\n", options.path);
        code = PHONE_MISUSED;
    }
    explain_input_free(&run->input);
    free(run);
    return fflush(stdout) == 0 ? code : PHONE_MISUSED;
}
