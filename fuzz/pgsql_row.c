/* Rows of PostgreSQL that anybody may have written: what is served is a name as our own would be,
 * and what is not has a reason.  The input is up to eight values, each behind two bytes of its
 * size; 0xffff is NULL. */
#include "ahoyd/store/pgsql_row.h"
#include "ahoyd/store/spelling.h"
#include "fuzz/target.h"

static struct span next_value(struct span *rest)
{
    if (rest->size < 2)
        return (struct span){ NULL, 0 };
    size_t size = (size_t)(unsigned char)rest->at[0] << 8 | (unsigned char)rest->at[1];
    *rest = ahoy_span_after(*rest, 2);
    if (size == 0xffff)
        return (struct span){ NULL, 0 };
    struct span value = { rest->at, size < rest->size ? size : rest->size };
    *rest = ahoy_span_after(*rest, value.size);
    return value;
}

/* A user, or an alias, who is served. */
static void check_name(const struct shared_row *row)
{
    char key[SHARED_KEY_LIMIT], again[SHARED_NAME_LIMIT];
    struct shared_name name;
    struct span user, realm;
    MUST(row->version != 0 && row->bytes.size <= SHARED_NAME_LIMIT);
    MUST(shared_read_name(row->bytes, &name));
    MUST(ahoyd_is_name(name.name) && ahoyd_is_name(name.realm));
    MUST(name.means.size == 0 || ahoyd_is_name(name.means));
    MUST(ahoy_span_equal(shared_key_of_name(name.name, name.realm, key), row->key));
    MUST(shared_split_key(row->key, &user, &realm));
    MUST(ahoy_span_equal(user, name.name) && ahoy_span_equal(realm, name.realm));
    MUST(ahoy_span_equal(shared_print_name(&name, again), row->bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct name_space space;
    struct span rest = { (const char *)data, size };
    struct span values[NAME_ROW_COLUMNS];
    struct shared_row row;
    for (size_t i = 0; i < NAME_ROW_COLUMNS; i++)
        values[i] = next_value(&rest);
    const char *why = name_row_read(values, &space, &row);
    MUST(why == NULL || row.bytes.size == 0);
    if (row.bytes.size > 0)
        check_name(&row);
    MUST(pgsql_row_read(values, &space, &row) == NULL && row.key.at != NULL);
    return 0;
}
