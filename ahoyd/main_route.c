/* What would become of a call, for people and for programs; and tests of a configuration. */
#include "ahoyd/main_route.h"

#include <stdlib.h>

#include <jansson.h>

#include "ahoyd/expect.h"
#include "ahoyd/trial.h"
#include "libahoy/io/driver.h"

/* Tells each step as it is taken: a line, or an object of |steps|. */
struct teller {
    const char *path;
    json_t *steps; /* NULL: lines. */
};

/* "+49900.", "0137." */
static void print_texts(const struct ahoyd_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        printf("%s\"%.*s\"", i == 0 ? "" : ", ", (int)texts->at[i].size, texts->at[i].at);
}

static json_t *text_of(struct span text)
{
    return json_stringn(text.at, text.size);
}

static json_t *list_texts(const struct ahoyd_texts *texts)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(list, text_of(texts->at[i]));
    return list;
}

static void tell(void *context, const struct ahoyd_route *route, enum ahoyd_condition failed)
{
    const struct teller *teller = context;
    bool is_taken = failed == AHOYD_CONDITION_COUNT;
    if (teller->steps != NULL) {
        json_t *step = json_pack("{s:i, s:b}", "line", route->line, "taken", is_taken);
        if (!is_taken) {
            json_object_set_new(step, "condition", json_string(ahoyd_condition_names[failed]));
            json_object_set_new(step, "asked", list_texts(&route->said[failed]));
        }
        json_array_append_new(teller->steps, step);
        return;
    }
    printf("%s:%d: ", teller->path, route->line);
    if (is_taken) {
        puts("taken");
        return;
    }
    printf("passed over: %s is not ", ahoyd_condition_names[failed]);
    print_texts(&route->said[failed]);
    putchar('\n');
}

static const char *name_of(enum ahoyd_caller caller)
{
    static const char *const names[] = { [AHOYD_CALLER_STRANGER] = "stranger",
                                         [AHOYD_CALLER_USER] = "user",
                                         [AHOYD_CALLER_TRUNK] = "trunk" };
    return names[caller];
}

/* Whose call it is: a user's or a trunk's name, or nothing. */
static void put_caller(const struct ahoyd_call *call, struct ahoy_buf *buf)
{
    if (call->caller == AHOYD_CALLER_TRUNK)
        ahoy_buf_put(buf, call->trunk->name);
    if (call->caller != AHOYD_CALLER_USER)
        return;
    ahoy_buf_put(buf, call->caller_user);
    ahoy_buf_put_byte(buf, '@');
    ahoy_buf_put(buf, call->caller_domain->name);
}

static json_t *list_leaves(const struct ahoyd_outcome *outcome)
{
    json_t *list = json_array();
    for (size_t i = 0; i < outcome->leaves.count; i++) {
        const struct ahoyd_leaf *leaf = &outcome->leaves.at[i];
        char space[AHOYD_TRIAL_SIZE];
        struct ahoy_buf uri = ahoy_buf_over(space, sizeof space);
        ahoyd_routing_print_uri(&outcome->call, leaf, &uri);
        json_array_append_new(
            list, json_pack("{s:s, s:o*, s:o*, s:i, s:i}", "kind",
                            leaf->domain != NULL ? "user" : "trunk", "name",
                            text_of(leaf->domain != NULL ? leaf->domain->name : leaf->trunk->name),
                            "uri", text_of(ahoy_buf_text(&uri)), "tier", (int)leaf->tier,
                            "ring_time", (int)leaf->ring_time_s));
    }
    return list;
}

static void print_json(const struct ahoyd_outcome *outcome, struct span caller, json_t *steps)
{
    const struct ahoyd_call *call = &outcome->call;
    json_t *all =
        json_pack("{s:s, s:o*, s:o*, s:o*, s:O, s:o*, s:o, s:i}", "caller", name_of(call->caller),
                  "name", text_of(caller), "called", text_of(call->user), "number",
                  text_of(call->number), "steps", steps, "outcome", text_of(outcome->text),
                  "places", list_leaves(outcome), "status", (int)outcome->status);
    if (outcome->route != NULL)
        json_object_set_new(all, "line", json_integer(outcome->route->line));
    json_dumpf(all, stdout, JSON_PRESERVE_ORDER | JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}

static void print_lines(const struct ahoyd_outcome *outcome)
{
    if (outcome->status == 407)
        puts("A user of ours is asked for a password; say who it is with --user.");
    else if (outcome->call.fault.is_told)
        printf("A function fails in line %d: %s\n", outcome->call.fault.line,
               outcome->call.fault.text);
    else if (outcome->route == NULL)
        puts("No route takes it.");
    printf("outcome: %.*s\n", (int)outcome->text.size, outcome->text.at);
}

static struct span or_nothing(const char *text)
{
    return text == NULL ? SPAN("") : ahoy_span(text);
}

/* Two spaces of |outcome| are too much for a stack. */
static int try(const struct ahoyd_command_line *line, const struct ahoyd_names *names,
               struct ahoyd_script *script, struct ahoyd_outcome *outcome)
{
    char row[AHOYD_TRIAL_SIZE], space[AHOYD_TRIAL_SIZE];
    struct ahoy_buf rows = ahoy_buf_over(row, sizeof row);
    struct ahoy_buf caller = ahoy_buf_over(space, sizeof space);
    struct teller teller = { names->config->path.at, line->json ? json_array() : NULL };
    const struct ahoyd_steps steps = { tell, &teller };
    if (line->header != NULL) {
        ahoy_buf_put(&rows, ahoy_span(line->header));
        ahoy_buf_put(&rows, SPAN("\r\n"));
    }
    const struct ahoyd_trial trial = { .request = ahoy_span(line->request),
                                       .from = or_nothing(line->from),
                                       .user = or_nothing(line->user),
                                       .source = or_nothing(line->source),
                                       .transport = or_nothing(line->transport),
                                       .at = or_nothing(line->at),
                                       .now_ms = ahoy_driver_now(),
                                       .script = script,
                                       .rows = ahoy_buf_text(&rows) };
    const char *fault = ahoyd_trial_run(names, &trial, &steps, outcome);
    if (fault != NULL) {
        fprintf(stderr, "ahoyd: cannot understand %s\n", fault);
    } else {
        put_caller(&outcome->call, &caller);
        if (line->json)
            print_json(outcome, ahoy_buf_text(&caller), teller.steps);
        else
            print_lines(outcome);
    }
    json_decref(teller.steps);
    return fault == NULL ? EXIT_SUCCESS : 2;
}

/* A fault becomes an object of the list |context|. */
static void collect(void *context, const char *file, int line, const char *what)
{
    char space[AHOYD_TRIAL_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put_escaped(&buf, ahoy_span(what)); /* JSON has no bytes that are no UTF-8. */
    json_array_append_new(context, json_pack("{s:s, s:i, s:o*}", "file", file, "line", line,
                                             "fault", text_of(ahoy_buf_text(&buf))));
}

static int test_json(const struct ahoyd_command_line *line, const struct ahoyd_names *names,
                     const struct ahoyd_trial *trial)
{
    json_t *faults = json_array(), *calls = json_array();
    struct ahoyd_config_faults told = { .told = collect, .context = faults };
    unsigned count = ahoyd_expect_run(names, line->tests, trial, calls, &told);
    json_t *all = json_pack("{s:s, s:b, s:i, s:o, s:o}", "file", line->tests, "ok", told.count == 0,
                            "count", (int)count, "faults", faults, "calls", calls);
    json_dumpf(all, stdout, JSON_PRESERVE_ORDER | JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
    return told.count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int test(const struct ahoyd_command_line *line, const struct ahoyd_names *names,
                struct ahoyd_script *script, struct ahoyd_config_faults *faults)
{
    const struct ahoyd_trial trial = { .now_ms = ahoy_driver_now(), .script = script };
    if (line->json)
        return test_json(line, names, &trial);
    unsigned count = ahoyd_expect_run(names, line->tests, &trial, NULL, faults);
    if (faults->count > 0)
        return EXIT_FAILURE;
    printf("%s: %u ok\n", line->tests, count);
    return EXIT_SUCCESS;
}

int ahoyd_main_route(const struct ahoyd_command_line *line, const struct ahoyd_config *config,
                     const struct ahoyd_listeners *listeners, struct ahoyd_config_faults *faults)
{
    struct ahoyd_names names;
    int code = EXIT_FAILURE;
    struct ahoyd_outcome *outcome = calloc(1, sizeof *outcome);
    struct ahoyd_script *script = config->when_count > 0 ? ahoyd_script_new(config) : NULL;
    bool has_all = outcome != NULL && (config->when_count == 0 || script != NULL);
    if (ahoyd_names_init(&names, config, listeners->at, listeners->count) && has_all) {
        if (line->task == AHOYD_TASK_TEST)
            code = test(line, &names, script, faults);
        else
            code = try(line, &names, script, outcome);
    }
    ahoyd_names_fini(&names);
    ahoyd_script_free(script);
    free(outcome);
    return code;
}
