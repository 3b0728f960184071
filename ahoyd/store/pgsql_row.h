/* What a row of PostgreSQL's tables (pgsql_schema.c) means, judged as if a stranger had written it:
 * anybody may have.  Values are in binary form, as plain spans, and NULL where span.at is. */
#pragma once

#include "ahoyd/store/shared_rows.h"

/* The columns that are asked for, in this order. */
enum pgsql_row_column { PGSQL_ROW_KEY, PGSQL_ROW_VERSION, PGSQL_ROW_BYTES, PGSQL_ROW_COLUMNS };
enum pgsql_user_column {
    PGSQL_USER_ID,
    PGSQL_USER_VERSION,
    PGSQL_USER_NAME,
    PGSQL_USER_REALM,
    PGSQL_USER_MD5,
    PGSQL_USER_SHA256,
    PGSQL_USER_SHA512_256,
    PGSQL_USER_ALIAS_OF,
    PGSQL_USER_COLUMNS
};

/* What a row that is made up points into. */
struct pgsql_space {
    char key[SHARED_KEY_LIMIT];
    char bytes[SHARED_NAME_LIMIT];
};

/* A value of type bigint. */
struct pgsql_number {
    char bytes[8];
};
struct pgsql_number pgsql_number(uint64_t value);
/* 0 where it is NULL, or no bigint. */
uint64_t pgsql_number_of(struct span value);

/* One of ahoy_rows: it is handed on as it is, the store looks at its bytes.  Returns NULL.  Without
 * a version there is no row, here and below. */
const char *pgsql_row_read(const struct span values[PGSQL_ROW_COLUMNS], struct pgsql_space *space,
                           struct shared_row *row);
/* One of ahoy_users.  Returns NULL, or why it cannot be served, a literal; then |row| has no bytes,
 * and no key where the name is to blame. */
const char *pgsql_user_read(const struct span values[PGSQL_USER_COLUMNS], struct pgsql_space *space,
                            struct shared_row *row);
