/* Telling what a load came to. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ahoy/load_tally.h"

struct row {
    const char *name, *text;
    uint64_t value;
};

struct time_row {
    const char *name, *text;
    const struct load_histogram *times;
};

/* How many calls a second were begun. */
static double rate_of(const struct load_tally *tally)
{
    uint64_t us = tally->ended_us - tally->begun_us;
    return us > 0 ? (double)(tally->begun - 1) * 1e6 / (double)us : 0;
}

/* User and system of this process. */
static double cpu_s(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void load_tally_show(const struct load_tally *tally, uint64_t elapsed_ms, bool is_last)
{
    if (isatty(STDERR_FILENO) == 0)
        return;
    fprintf(stderr,
            "\r\033[K%llu s: %llu begun, %llu at once, %llu completed, %llu failed, "
            "%llu registered%s",
            (unsigned long long)elapsed_ms / 1000, (unsigned long long)tally->begun,
            (unsigned long long)tally->now, (unsigned long long)tally->completed,
            (unsigned long long)(tally->refused + tally->unanswered + tally->broken),
            (unsigned long long)tally->registered, is_last ? "\n" : "");
}

static void print_text(const struct row *rows, size_t count, const struct time_row *times,
                       size_t time_count, const struct load_tally *tally)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].value > 0)
            printf("%10llu  %s\n", (unsigned long long)rows[i].value, rows[i].text);
    }
    for (unsigned status = 0; status < LOAD_STATUS_LIMIT; status++) {
        if (tally->statuses[status] > 0)
            printf("%10llu  of status %u\n", (unsigned long long)tally->statuses[status], status);
    }
    printf("%10.1f  calls a second, %llu at once at most, %.3f s of CPU here\n", rate_of(tally),
           (unsigned long long)tally->most, cpu_s());
    for (size_t i = 0; i < time_count; i++) {
        const struct load_histogram *all = times[i].times;
        if (all->count > 0)
            printf("%-24s p50 %.2f ms, p90 %.2f, p99 %.2f, longest %.2f\n", times[i].text,
                   (double)load_histogram_at(all, 500) / 1e3,
                   (double)load_histogram_at(all, 900) / 1e3,
                   (double)load_histogram_at(all, 990) / 1e3, (double)all->most_us / 1e3);
    }
}

static void print_json(const struct row *rows, size_t count, const struct time_row *times,
                       size_t time_count, const struct load_tally *tally)
{
    printf("{\"news\":\"load\"");
    for (size_t i = 0; i < count; i++)
        printf(",\"%s\":%llu", rows[i].name, (unsigned long long)rows[i].value);
    printf(",\"statuses\":{");
    for (unsigned status = 0, told = 0; status < LOAD_STATUS_LIMIT; status++) {
        if (tally->statuses[status] > 0)
            printf("%s\"%u\":%llu", told++ > 0 ? "," : "", status,
                   (unsigned long long)tally->statuses[status]);
    }
    printf("},\"rate\":%.1f,\"most_at_once\":%llu,\"cpu_s\":%.6f", rate_of(tally),
           (unsigned long long)tally->most, cpu_s());
    for (size_t i = 0; i < time_count; i++) {
        const struct load_histogram *all = times[i].times;
        printf(",\"%s_ms\":{\"count\":%llu,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
               times[i].name, (unsigned long long)all->count,
               (double)load_histogram_at(all, 500) / 1e3, (double)load_histogram_at(all, 900) / 1e3,
               (double)load_histogram_at(all, 990) / 1e3, (double)all->most_us / 1e3);
    }
    printf("}\n");
}

void load_tally_report(const struct load_tally *tally, bool json)
{
#define LOAD_ROW(name, text) { #name, text, tally->name },
    const struct row rows[] = { LOAD_COUNTERS(LOAD_ROW) };
#undef LOAD_ROW
#define LOAD_TIME_ROW(name, text) { #name, text, &tally->name },
    const struct time_row times[] = { LOAD_TIMES(LOAD_TIME_ROW) };
#undef LOAD_TIME_ROW
    (json ? print_json : print_text)(rows, sizeof rows / sizeof rows[0], times,
                                     sizeof times / sizeof times[0], tally);
    fflush(stdout);
}

int load_tally_outcome(const struct load_tally *tally)
{
    unsigned frequent = 0;
    for (unsigned status = 1; status < LOAD_STATUS_LIMIT; status++) {
        if (tally->statuses[status] > tally->statuses[frequent])
            frequent = status;
    }
    if (tally->refused + tally->unanswered + tally->broken + tally->unregistered > 0)
        return tally->statuses[frequent] > 0 ? phone_outcome(frequent) : PHONE_REFUSED;
    return tally->not_sent > 0 ? PHONE_UNREACHABLE : PHONE_DONE;
}
