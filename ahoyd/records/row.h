/* The columns of a record, written once: docs/records.md says what each means.  A row is an object
 * of JSON that has those of which something is known. */
#pragma once

#include <jansson.h>

#include "ahoyd/records/record.h"

/* COLUMN(name, type), the first one FIRST(name, type), for lists with commas between. */
#define AHOYD_RECORD_COLUMNS(FIRST, COLUMN)                                                        \
    FIRST(begun, TIME)                                                                             \
    COLUMN(rang, TIME)                                                                             \
    COLUMN(answered, TIME)                                                                         \
    COLUMN(ended, TIME)                                                                            \
    COLUMN(seen, TIME)                                                                             \
    COLUMN(duration_ms, NUMBER)                                                                    \
    COLUMN(outcome, TEXT)                                                                          \
    COLUMN(status, NUMBER)                                                                         \
    COLUMN(cause, TEXT)                                                                            \
    COLUMN(why, TEXT)                                                                              \
    COLUMN(ended_by, TEXT)                                                                         \
    COLUMN(caller, TEXT)                                                                           \
    COLUMN(callee, TEXT)                                                                           \
    COLUMN(uri, TEXT)                                                                              \
    COLUMN(login, TEXT)                                                                            \
    COLUMN(source, TEXT)                                                                           \
    COLUMN(source_trunk, TEXT)                                                                     \
    COLUMN(domain, TEXT)                                                                           \
    COLUMN(trunk, TEXT)                                                                            \
    COLUMN(target, TEXT)                                                                           \
    COLUMN(branches, NUMBER)                                                                       \
    COLUMN(agent, TEXT)                                                                            \
    COLUMN(call_id, TEXT)                                                                          \
    COLUMN(node, TEXT)

enum ahoyd_record_column {
#define AHOYD_COLUMN_NAME(name, type) AHOYD_COLUMN_##name,
    AHOYD_RECORD_COLUMNS(AHOYD_COLUMN_NAME, AHOYD_COLUMN_NAME)
#undef AHOYD_COLUMN_NAME
        AHOYD_COLUMN_COUNT
};
extern const char *const ahoyd_record_columns[AHOYD_COLUMN_COUNT];

/* For SQL: all names, with commas between. */
#define AHOYD_COLUMN_ONE(name, type)  #name
#define AHOYD_COLUMN_MORE(name, type) ", " #name
#define AHOYD_RECORD_COLUMN_LIST      AHOYD_RECORD_COLUMNS(AHOYD_COLUMN_ONE, AHOYD_COLUMN_MORE)

/* The row of |record|, as this |node| saw it; NULL where memory is refused.  Every text is UTF-8
 * without control bytes. */
json_t *ahoyd_record_row(const struct ahoyd_record *record, struct span node);
