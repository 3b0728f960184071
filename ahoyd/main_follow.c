#include "ahoyd/main_follow.h"

#include <stdio.h>

#include "libahoy/io/driver.h"

static size_t copy(void *context, unsigned worker, uint64_t *from, char *to, size_t room,
                   uint64_t *missed)
{
    const struct ahoyd_main_follow *follow = context;
    return ahoyd_worker_copy(follow->workers[worker], from, to, room, missed);
}

static bool open_records(struct ahoyd_main_follow *follow, const struct ahoyd_config *config,
                         const struct ahoy_log *log, char *fault, size_t fault_size)
{
    struct ahoyd_records_options options = { .kind = config->records,
                                             .place = config->records_place,
                                             .node = config->node,
                                             .now_ms = ahoy_driver_now(),
                                             .log = log };
    if (config->records == AHOYD_RECORDS_NONE)
        return true;
    snprintf(fault, fault_size, "records: no chance");
    if (ahoy_driver_random(&options.key, sizeof options.key))
        follow->records = ahoyd_records_open(&options, fault, fault_size);
    return follow->records != NULL;
}

static bool open_hep(struct ahoyd_main_follow *follow, const struct ahoyd_main_follow_means *means,
                     char *fault, size_t fault_size)
{
    const struct ahoyd_hep_options options = { .server = means->config->hep,
                                               .id = means->config->hep_id,
                                               .local = means->local,
                                               .context = means->context };
    if (options.server.family != AHOY_NO_FAMILY)
        follow->hep = ahoyd_hep_open(&options, fault, fault_size);
    return options.server.family == AHOY_NO_FAMILY || follow->hep != NULL;
}

bool ahoyd_main_follow_open(struct ahoyd_main_follow *follow,
                            const struct ahoyd_main_follow_means *means, char *fault,
                            size_t fault_size)
{
    *follow = (struct ahoyd_main_follow){ .workers = means->workers };
    struct ahoyd_follower_options options = { .notes = copy,
                                              .context = follow,
                                              .workers = means->worker_count,
                                              .now_ms = ahoy_driver_now,
                                              .log = means->log };
    if (!open_records(follow, means->config, means->log, fault, fault_size) ||
        !open_hep(follow, means, fault, fault_size))
        return false;
    if (follow->records != NULL)
        options.takers[options.taker_count++] = ahoyd_records_taker(follow->records);
    if (follow->hep != NULL)
        options.takers[options.taker_count++] = ahoyd_hep_taker(follow->hep);
    if (options.taker_count == 0)
        return true;
    follow->follower = ahoyd_follower_open(&options);
    snprintf(fault, fault_size, "records and hep: no memory, or no thread");
    return follow->follower != NULL;
}

void ahoyd_main_follow_stop(struct ahoyd_main_follow *follow)
{
    ahoyd_follower_stop(follow->follower);
}

void ahoyd_main_follow_close(struct ahoyd_main_follow *follow)
{
    ahoyd_follower_close(follow->follower);
    ahoyd_records_close(follow->records);
    ahoyd_hep_close(follow->hep);
}

void ahoyd_main_follow_count(const struct ahoyd_main_follow *follow,
                             void (*count)(void *context, const char *name, uint64_t value),
                             void *context)
{
    if (follow->follower != NULL)
        count(context, "notes_missed_bytes", ahoyd_follower_missed(follow->follower));
#define COUNT_RECORDS(name) count(context, #name, records.name);
#define COUNT_HEP(name)     count(context, #name, hep.name);
    if (follow->records != NULL) {
        const struct ahoyd_records_counters records = ahoyd_records_count(follow->records);
        AHOYD_RECORDS_COUNTERS(COUNT_RECORDS)
    }
    if (follow->hep != NULL) {
        const struct ahoyd_hep_counters hep = ahoyd_hep_count(follow->hep);
        AHOYD_HEP_COUNTERS(COUNT_HEP)
    }
}
