/* A table of users with commas (RFC 4180), a line at a time.  The first line names the columns; a
 * user is on one line. */
#pragma once

#include "ahoyd/command.h"

enum { IMPORT_FIELDS_LIMIT = 32 };

enum import_column {
    IMPORT_USER,
    IMPORT_REALM,
    IMPORT_PASSWORD,
    IMPORT_MD5,
    IMPORT_SHA256,
    IMPORT_SHA512_256,
    IMPORT_COLUMNS
};

struct import_table {
    size_t fields;                 /* Of a line. */
    size_t places[IMPORT_COLUMNS]; /* In it; IMPORT_FIELDS_LIMIT: there is no such column. */
};

/* Reads the first line.  Returns NULL, or what is wrong with it, a literal.  |line| ends with NUL
 * and is changed, here and below. */
const char *import_table_columns(struct import_table *table, char *line);
/* Makes |row|, an empty object, the user of a further line, as users-add has it.  Returns NULL, or
 * what is wrong, a literal. */
const char *import_table_user(const struct import_table *table, char *line, json_t *row);
