/* Workers are asked one after the other; nothing is shared with them. */
#include "ahoyd/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/config.h"
#include "libahoy/tu/cause.h"

enum { NAMES_MOST = 256 };

/* The sums of all workers. */
struct sums {
    size_t count;
    const char *names[NAMES_MOST]; /* Of the counters; they are the program's own. */
    uint64_t values[NAMES_MOST];
    uint64_t causes[AHOY_CAUSE_COUNT];
    unsigned silent;            /* Workers. */
    struct ahoy_meter meters[]; /* And behind them room for those of one worker. */
};

static void add(void *context, const char *name, uint64_t value)
{
    struct sums *sums = context;
    size_t i = 0;
    while (i < sums->count && strcmp(sums->names[i], name) != 0)
        i++;
    if (i == NAMES_MOST)
        return;
    if (i == sums->count)
        sums->names[sums->count++] = name;
    if (!ahoyd_server_is_level(name))
        sums->values[i] += value;
    else if (value > sums->values[i])
        sums->values[i] = value;
}

static void add_meter(struct ahoy_meter *sum, const struct ahoy_meter *meter)
{
    sum->begun += meter->begun;
    sum->answered += meter->answered;
    sum->failed += meter->failed;
    sum->delay_ms += meter->delay_ms;
    for (size_t i = 0; i <= AHOY_METER_BOUND_COUNT; i++)
        sum->delays[i] += meter->delays[i];
}

/* |room| is for one worker's. */
static void add_worker(struct ahoyd_worker *worker, struct sums *sums, struct ahoy_meter *room,
                       size_t meter_count)
{
    uint64_t causes[AHOY_CAUSE_COUNT];
    if (!ahoyd_worker_count(worker, add, sums) || !ahoyd_worker_meter(worker, room, causes)) {
        sums->silent++;
        return;
    }
    for (size_t i = 0; i < AHOY_CAUSE_COUNT; i++)
        sums->causes[i] += causes[i];
    for (size_t i = 0; i < meter_count; i++)
        add_meter(&sums->meters[i], &room[i]);
}

static void print_head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP ahoyd_%s %s\n# TYPE ahoyd_%s %s\n", name, help, name, type);
}

static void print_counters(FILE *out, const struct sums *sums)
{
    for (size_t i = 0; i < sums->count; i++) {
        const char *name = sums->names[i];
        if (ahoyd_server_is_level(name))
            fprintf(out, "# TYPE ahoyd_%s gauge\nahoyd_%s %" PRIu64 "\n", name, name,
                    sums->values[i]);
        else
            fprintf(out, "# TYPE ahoyd_%s_total counter\nahoyd_%s_total %" PRIu64 "\n", name, name,
                    sums->values[i]);
    }
}

static void print_causes(FILE *out, const struct sums *sums)
{
    print_head(out, "causes_total", "counter", "Decisions about requests, by their reason.");
    for (size_t i = 0; i < AHOY_CAUSE_COUNT; i++)
        fprintf(out, "ahoyd_causes_total{cause=\"%s\"} %" PRIu64 "\n", ahoy_cause_rows[i].label,
                sums->causes[i]);
}

/* Whose calls a meter counts. */
static struct span name_of(const struct ahoyd_config *config, size_t meter, const char **kind)
{
    *kind = meter == 0 ? "other" : meter > config->domain_count ? "trunk" : "domain";
    if (meter == 0)
        return SPAN("");
    return meter > config->domain_count ? config->trunks[meter - 1 - config->domain_count].name
                                        : config->domains[meter - 1].name;
}

/* The label of a meter: what stands in braces. */
static void print_label(FILE *out, const struct ahoyd_config *config, size_t meter)
{
    const char *kind;
    struct span name = name_of(config, meter, &kind);
    fprintf(out, "kind=\"%s\",name=\"", kind);
    for (size_t i = 0; i < name.size; i++) {
        if (name.at[i] == '"' || name.at[i] == '\\')
            fputc('\\', out);
        fputc(name.at[i] == '\n' ? ' ' : name.at[i], out);
    }
    fputc('"', out);
}

/* One number of each meter. */
static void print_family(FILE *out, const struct ahoyd_config *config, const struct sums *sums,
                         const char *name, size_t offset)
{
    for (size_t i = 0; i < ahoyd_server_meter_count(config); i++) {
        uint64_t value;
        memcpy(&value, (const char *)&sums->meters[i] + offset, sizeof value);
        fprintf(out, "ahoyd_%s{", name);
        print_label(out, config, i);
        fprintf(out, "} %" PRIu64 "\n", value);
    }
}

static void print_bucket(FILE *out, const struct ahoyd_config *config, size_t meter,
                         const char *bound, uint64_t count)
{
    fputs("ahoyd_post_dial_delay_seconds_bucket{", out);
    print_label(out, config, meter);
    fprintf(out, ",le=\"%s\"} %" PRIu64 "\n", bound, count);
}

static void print_delays(FILE *out, const struct ahoyd_config *config, const struct sums *sums)
{
#define BOUND(bound) bound,
    static const unsigned bounds[] = { AHOY_METER_BOUNDS(BOUND) };
#undef BOUND
    print_head(out, "post_dial_delay_seconds", "histogram",
               "From an INVITE to the first sign of the callee.");
    for (size_t i = 0; i < ahoyd_server_meter_count(config); i++) {
        const struct ahoy_meter *meter = &sums->meters[i];
        uint64_t count = 0;
        for (size_t j = 0; j < AHOY_METER_BOUND_COUNT; j++) {
            char bound[16];
            count += meter->delays[j];
            snprintf(bound, sizeof bound, "%g", bounds[j] / 1000.0);
            print_bucket(out, config, i, bound, count);
        }
        count += meter->delays[AHOY_METER_BOUND_COUNT];
        print_bucket(out, config, i, "+Inf", count);
        fputs("ahoyd_post_dial_delay_seconds_sum{", out);
        print_label(out, config, i);
        fprintf(out, "} %g\nahoyd_post_dial_delay_seconds_count{", (double)meter->delay_ms / 1000);
        print_label(out, config, i);
        fprintf(out, "} %" PRIu64 "\n", count);
    }
}

/* Calls at once of the trunks that have a limit of them. */
static void print_channels(FILE *out, const struct ahoyd_metrics *metrics)
{
    const struct ahoyd_config *config = metrics->config;
    bool any = false;
    for (size_t i = 0; i < config->trunk_count; i++) {
        const struct ahoyd_trunk *trunk = &config->trunks[i];
        if (trunk->calls == 0)
            continue;
        if (!any)
            print_head(out, "trunk_calls", "gauge", "Calls at once, as far as is known.");
        any = true;
        fputs("ahoyd_trunk_calls{", out);
        print_label(out, config, 1 + config->domain_count + i);
        fprintf(out, "} %" PRIu32 "\n",
                ahoyd_channels_count(metrics->channels, trunk->name, metrics->now_ms));
    }
}

static void print_all(FILE *out, const struct ahoyd_metrics *metrics, const struct sums *sums)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } families[] = {
        { "call_attempts_total", "INVITEs that were forwarded.",
          offsetof(struct ahoy_meter, begun) },
        { "call_answers_total", "Of these, those answered.",
          offsetof(struct ahoy_meter, answered) },
        { "call_failures_total", "Of these, those that failed.",
          offsetof(struct ahoy_meter, failed) },
    };
    print_counters(out, sums);
    print_causes(out, sums);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        print_head(out, families[i].name, "counter", families[i].help);
        print_family(out, metrics->config, sums, families[i].name, families[i].offset);
    }
    print_delays(out, metrics->config, sums);
    print_channels(out, metrics);
    print_head(out, "workers", "gauge", "Threads that serve.");
    fprintf(out, "ahoyd_workers %u\n", metrics->worker_count);
    print_head(out, "workers_silent", "gauge", "Of these, those that did not answer in a second.");
    fprintf(out, "ahoyd_workers_silent %u\n", sums->silent);
}

/* To be freed; NULL where memory is refused. */
static struct sums *add_up(const struct ahoyd_metrics *metrics)
{
    size_t count = ahoyd_server_meter_count(metrics->config);
    struct sums *sums = calloc(1, sizeof *sums + 2 * count * sizeof *sums->meters);
    for (unsigned i = 0; sums != NULL && i < metrics->worker_count; i++)
        add_worker(metrics->workers[i], sums, sums->meters + count, count);
    if (sums != NULL)
        ahoyd_main_follow_count(metrics->follow, add, sums);
    return sums;
}

char *ahoyd_metrics_print(const struct ahoyd_metrics *metrics)
{
    char *text = NULL;
    size_t size = 0;
    struct sums *sums = add_up(metrics);
    FILE *out = sums != NULL ? open_memstream(&text, &size) : NULL;
    if (out != NULL) {
        print_all(out, metrics, sums);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(sums);
    return text;
}

static json_t *meter_row(const struct ahoyd_config *config, const struct sums *sums, size_t meter)
{
    const char *kind;
    struct span name = name_of(config, meter, &kind);
    const struct ahoy_meter *counts = &sums->meters[meter];
    return json_pack("{s:s, s:s%, s:I, s:I, s:I}", "kind", kind, "name", name.at, name.size,
                     "begun", (json_int_t)counts->begun, "answered", (json_int_t)counts->answered,
                     "failed", (json_int_t)counts->failed);
}

void ahoyd_metrics_status(const struct ahoyd_metrics *metrics, json_t *object)
{
    struct sums *sums = add_up(metrics);
    json_t *meters = json_array();
    json_t *causes = json_object();
    /* What memory is refused for is missing. */
    for (size_t i = 0; sums != NULL && i < ahoyd_server_meter_count(metrics->config); i++)
        (void)json_array_append_new(meters, meter_row(metrics->config, sums, i));
    for (size_t i = 0; sums != NULL && i < AHOY_CAUSE_COUNT; i++) {
        if (sums->causes[i] > 0)
            (void)json_object_set_new(causes, ahoy_cause_rows[i].label,
                                      json_integer((json_int_t)sums->causes[i]));
    }
    (void)json_object_set_new(object, "workers", json_integer(metrics->worker_count));
    (void)json_object_set_new(object, "silent", json_integer(sums != NULL ? sums->silent : 0));
    (void)json_object_set_new(object, "meters", meters);
    (void)json_object_set_new(object, "causes", causes);
    free(sums);
}
