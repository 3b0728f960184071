/* How the two tables are asked.  Every answer has the columns of pgsql_row.h, and that to a swap
 * whether it is done behind them. */
#include "ahoyd/store/pgsql_inside.h"

/* Rows with other keys are none of ours. */
static const char row_page[] =
    "SELECT key, version, bytes FROM ahoy_rows WHERE key > $1::bytea AND length(key) <= 514 "
    "ORDER BY key LIMIT $2::bigint";
_Static_assert(SHARED_KEY_LIMIT == 514, "as in row_page");

static const char row_look[] = "SELECT key, version, bytes FROM ahoy_rows WHERE key = $1::bytea";

static const char row_swap[] =
    "SELECT $1::bytea, version, bytes, done "
    "FROM ahoy_swap($1::bytea, $2::bigint, $3::bigint, $4::bytea, $5::bigint, $6::bigint)";

/* Rows lapse by PostgreSQL's own clock: nodes need not agree on the time.  A minute is left to
 * whoever is late. */
static const char row_tidy[] =
    "DELETE FROM ahoy_rows WHERE key IN ("
    "SELECT key FROM ahoy_rows WHERE until_ms > 0 AND "
    "until_ms < extract(epoch FROM now()) * 1000 - 60000 LIMIT 1000 FOR UPDATE SKIP LOCKED)";

/* One character more than there may be is enough to see that a text is too long. */
#define USER_COLUMNS                                                                               \
    "SELECT id, version, left(name, 256), left(realm, 256), left(md5, 65), left(sha256, 65), "     \
    "left(sha512_256, 65), left(alias_of, 256)"

static const char user_page[] =
    USER_COLUMNS " FROM ahoy_users WHERE id > $1::bigint ORDER BY id LIMIT $2::bigint";

static const char user_look[] =
    USER_COLUMNS " FROM ahoy_users WHERE name = $1::text AND realm = $2::text";

static const char user_swap[] =
    USER_COLUMNS ", done FROM (SELECT (present).*, done FROM ahoy_swap_user($1::text, $2::text, "
                 "$3::bigint, $4::bigint, $5::text, $6::text, $7::text, $8::text)) answer";

static void put(struct pgsql_query *query, struct span value)
{
    query->values[query->count] = value.at;
    query->sizes[query->count++] = (int)value.size;
}

static void put_number(struct pgsql_query *query, uint64_t value)
{
    struct name_number *number = &query->numbers[query->count];
    *number = name_number(value);
    put(query, (struct span){ number->bytes, sizeof number->bytes });
}

static void name_row(struct span key, struct pgsql_query *query)
{
    put(query, key);
}

static void fill_row(const struct shared_swap *swap, struct pgsql_query *query)
{
    name_row(swap->row.key, query);
    put_number(query, swap->expected);
    put_number(query, swap->row.version);
    put(query, swap->row.bytes);
    put_number(query, swap->until_ms);
    put_number(query, swap->asked_ms);
}

static void name_user(struct span key, struct pgsql_query *query)
{
    struct span name = SPAN(""), realm = SPAN("");
    (void)shared_split_key(key, &name, &realm); /* Of what is no user's there is no row. */
    put(query, name);
    put(query, realm);
}

static void put_text(struct pgsql_query *query, struct span text)
{
    put(query, text.size > 0 ? text : (struct span){ NULL, 0 });
}

/* Without bytes all texts are NULL, and the row is removed. */
static void fill_user(const struct shared_swap *swap, struct pgsql_query *query)
{
    struct shared_name name;
    (void)shared_read_name(swap->row.bytes, &name); /* We made them, if there are any. */
    name_user(swap->row.key, query);
    put_number(query, swap->expected);
    put_number(query, swap->row.version);
    for (unsigned i = AHOY_DIGEST_OTHER + 1; i < AHOY_DIGEST_COUNT; i++)
        put_text(query, name.ha1[i]);
    put_text(query, name.means);
}

const struct pgsql_table pgsql_rows = { .listen = "LISTEN ahoy_rows",
                                        .page = row_page,
                                        .look = row_look,
                                        .swap = row_swap,
                                        .tidy = row_tidy,
                                        .first = SPAN_INIT(""),
                                        .columns = PGSQL_ROW_COLUMNS,
                                        .writers = PGSQL_WRITERS,
                                        .name = name_row,
                                        .fill = fill_row,
                                        .read = pgsql_row_read };

const struct pgsql_table pgsql_users = { .listen = "LISTEN ahoy_users",
                                         .page = user_page,
                                         .look = user_look,
                                         .swap = user_swap,
                                         .tidy = "SELECT 1",
                                         .first = SPAN_INIT(
                                             "\x80\0\0\0\0\0\0\0"), /* The least bigint. */
                                         .columns = NAME_ROW_COLUMNS,
                                         .writers = 2,
                                         .name = name_user,
                                         .fill = fill_user,
                                         .read = name_row_read };
