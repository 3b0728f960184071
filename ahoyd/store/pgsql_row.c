/* The store looks at the bytes of such a row itself. */
#include "ahoyd/store/pgsql_row.h"

static struct span text_of(struct span value)
{
    return value.at != NULL ? value : SPAN("");
}

const char *pgsql_row_read(const struct span values[PGSQL_ROW_COLUMNS], struct name_space *space,
                           struct shared_row *row)
{
    (void)space; /* Nothing is made up. */
    *row = (struct shared_row){ .key = text_of(values[PGSQL_ROW_KEY]),
                                .version = name_number_of(values[PGSQL_ROW_VERSION]),
                                .bytes = text_of(values[PGSQL_ROW_BYTES]) };
    row->is_gone = row->version != 0 && row->bytes.size == 0;
    return NULL;
}
