/* What is made of the workers' notes as they come (docs/records.md, docs/hep.md), as far as the
 * configuration asks for it. */
#pragma once

#include "ahoyd/hep.h"
#include "ahoyd/records/records.h"
#include "ahoyd/worker.h"

struct ahoyd_main_follow {
    struct ahoyd_worker *const *workers;
    struct ahoyd_records *records;   /* NULL: none are kept. */
    struct ahoyd_hep *hep;           /* NULL: there is no Homer. */
    struct ahoyd_follower *follower; /* NULL: nobody asks for notes. */
};

/* All of it outlives what is opened. */
struct ahoyd_main_follow_means {
    const struct ahoyd_config *config;
    struct ahoyd_worker *const *workers;
    unsigned worker_count;
    struct ahoy_ip (*local)(void *context, uint8_t listener); /* Where it is bound. */
    void *context;
    const struct ahoy_log *log;
};

/* Once the workers run.  False, and why in |fault|, where something cannot be opened. */
bool ahoyd_main_follow_open(struct ahoyd_main_follow *follow,
                            const struct ahoyd_main_follow_means *means, char *fault,
                            size_t fault_size);
/* Before the workers are joined: they are asked no more. */
void ahoyd_main_follow_stop(struct ahoyd_main_follow *follow);
/* Once they have been joined: what they have noted last is read. */
void ahoyd_main_follow_close(struct ahoyd_main_follow *follow);
/* From any thread: calls |count| for each counter of what is open. */
void ahoyd_main_follow_count(const struct ahoyd_main_follow *follow,
                             void (*count)(void *context, const char *name, uint64_t value),
                             void *context);
