/* A row for each call (docs/records.md): made of what a follower reads, and written by a thread of
 * its own to a file of CSV, to SQLite, or to PostgreSQL.  Whatever writes slowly or not at all
 * holds up nobody: rows wait, a bounded number of them, and those beyond are counted. */
#pragma once

#include "ahoyd/config.h"
#include "ahoyd/follower.h"
#include "libahoy/base/siphash.h"

enum { AHOYD_ROWS_LIMIT = 8192 /* That wait, and as many that are being written. */ };

/* Each counter written once. */
#define AHOYD_RECORDS_COUNTERS(COUNTER) COUNTER(records_written) COUNTER(records_lost)

struct ahoyd_records_counters {
#define AHOYD_COUNTER_FIELD(name) uint64_t name;
    AHOYD_RECORDS_COUNTERS(AHOYD_COUNTER_FIELD)
#undef AHOYD_COUNTER_FIELD
};

struct ahoyd_records_options {
    enum ahoyd_records_kind kind;
    const char *place; /* A path, or a URL. */
    struct span node;  /* What each row says that we are. */
    struct ahoy_hash_key key;
    uint64_t now_ms;
    const struct ahoy_log *log; /* Outlives it. */
};

struct ahoyd_records;

/* Opens the place and starts the thread.  NULL, and why in |fault|, where it cannot. */
struct ahoyd_records *ahoyd_records_open(const struct ahoyd_records_options *options, char *fault,
                                         size_t fault_size);
/* What a follower is to hand its notes to. */
struct ahoyd_taker ahoyd_records_taker(struct ahoyd_records *records);
/* Once the follower has been closed: calls that stand become rows, and what waits is written, or
 * lost where that fails.  NULL is allowed. */
void ahoyd_records_close(struct ahoyd_records *records);
/* From any thread. */
struct ahoyd_records_counters ahoyd_records_count(struct ahoyd_records *records);
