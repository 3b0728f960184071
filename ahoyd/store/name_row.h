/* What a row of the table ahoy_users means, a user or another name of one, whichever database has
 * it; judged as if a stranger had written it: anybody may have.  Values are plain spans, and NULL
 * where span.at is; numbers are eight bytes, the highest first. */
#pragma once

#include "ahoyd/store/shared_rows.h"

/* The columns that are asked for, in this order. */
enum name_column {
    NAME_ROW_ID,
    NAME_ROW_VERSION,
    NAME_ROW_NAME,
    NAME_ROW_REALM,
    NAME_ROW_MD5,
    NAME_ROW_SHA256,
    NAME_ROW_SHA512_256,
    NAME_ROW_ALIAS_OF,
    NAME_ROW_COLUMNS
};

enum { NAME_FAULTS_LIMIT = 100 /* Rows that are not served and were named. */ };

/* What a row that is made up points into. */
struct name_space {
    char key[SHARED_KEY_LIMIT];
    char bytes[SHARED_NAME_LIMIT];
};

struct name_number {
    char bytes[8];
};
struct name_number name_number(uint64_t value);
/* 0 where it is NULL, or no number. */
uint64_t name_number_of(struct span value);

/* Returns NULL, or why it cannot be served, a literal; then |row| has no bytes, and no key where
 * the name is to blame.  Without a version there is no row. */
const char *name_row_read(const struct span values[NAME_ROW_COLUMNS], struct name_space *space,
                          struct shared_row *row);

/* Rows that are not served: each is named in the log once, until it is another one. */
struct name_faults {
    const struct ahoy_log *log;
    const char *place; /* What has the table. */
    uint64_t versions[NAME_FAULTS_LIMIT];
    size_t count;
};

void name_faults_tell(struct name_faults *faults, struct span id, uint64_t version,
                      const char *why);
