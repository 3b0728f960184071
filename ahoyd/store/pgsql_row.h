/* What a row of ahoy_rows (pgsql_schema.c) is in the answers of PostgreSQL: plain spans of binary
 * form, NULL where span.at is. */
#pragma once

#include "ahoyd/store/name_row.h"

/* The columns that are asked for, in this order. */
enum pgsql_row_column { PGSQL_ROW_KEY, PGSQL_ROW_VERSION, PGSQL_ROW_BYTES, PGSQL_ROW_COLUMNS };

/* One of ahoy_rows: it is handed on as it is, the store looks at its bytes.  Returns NULL.  Without
 * a version there is no row, and without bytes it is gone. */
const char *pgsql_row_read(const struct span values[PGSQL_ROW_COLUMNS], struct name_space *space,
                           struct shared_row *row);
