/* What strangers wrote is escaped here, once for all places where rows are kept. */
#include "ahoyd/records/row.h"

#include "ahoyd/date.h"

enum { TEXT_SIZE = 2048 };

const char *const ahoyd_record_columns[AHOYD_COLUMN_COUNT] = {
#define COLUMN_NAME(name, type) #name,
    AHOYD_RECORD_COLUMNS(COLUMN_NAME, COLUMN_NAME)
#undef COLUMN_NAME
};

/* Where memory is refused, it is missing. */
static void set(json_t *row, enum ahoyd_record_column column, json_t *value)
{
    (void)json_object_set_new(row, ahoyd_record_columns[column], value);
}

/* |text|, if any, is UTF-8 already. */
static void set_plain(json_t *row, enum ahoyd_record_column column, struct span text)
{
    if (text.size > 0)
        set(row, column, json_stringn(text.at, text.size));
}

static void set_bytes(json_t *row, enum ahoyd_record_column column, struct span bytes)
{
    char space[TEXT_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put_escaped(&buf, bytes);
    set_plain(row, column, ahoy_buf_text(&buf));
}

static void set_text(json_t *row, enum ahoyd_record_column column,
                     const struct ahoyd_record_text *text)
{
    set_bytes(row, column, (struct span){ text->at, text->size });
}

static void set_time(json_t *row, enum ahoyd_record_column column, uint64_t now_ms)
{
    char space[32];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (now_ms == 0)
        return;
    ahoyd_date_print(now_ms, &buf);
    set_plain(row, column, ahoy_buf_text(&buf));
}

static void set_number(json_t *row, enum ahoyd_record_column column, uint64_t number)
{
    set(row, column, json_integer((json_int_t)number));
}

/* "udp 192.0.2.1:5060" */
static void set_end(json_t *row, enum ahoyd_record_column column, const struct ahoyd_case_end *end)
{
    char space[96];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (end->remote.family == AHOY_NO_FAMILY)
        return;
    ahoy_buf_put(&buf, ahoy_transport_uri_name((enum ahoy_transport)end->transport));
    ahoy_buf_put_byte(&buf, ' ');
    ahoy_ip_print(&end->remote, &buf);
    set_plain(row, column, ahoy_buf_text(&buf));
}

static const char *outcome_of(const struct ahoyd_case *fate)
{
    if (fate->answered_ms != 0)
        return "answered";
    if (fate->state != AHOYD_CASE_FAILED)
        return "unknown";
    return fate->cancelled && fate->status == 487 ? "cancelled" : "failed";
}

static void set_failure(json_t *row, const struct ahoyd_case *fate)
{
    char space[TEXT_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (fate->state != AHOYD_CASE_FAILED)
        return;
    ahoyd_case_print(fate, &buf);
    set_plain(row, AHOYD_COLUMN_cause, ahoy_span(ahoyd_case_label(fate)));
    set_plain(row, AHOYD_COLUMN_why, ahoy_buf_text(&buf));
}

static void set_answer(json_t *row, const struct ahoyd_record *record)
{
    static const struct span ends[] = { [AHOYD_RECORD_OPEN] = SPAN_INIT("open"),
                                        [AHOYD_RECORD_BY_CALLER] = SPAN_INIT("caller"),
                                        [AHOYD_RECORD_BY_CALLEE] = SPAN_INIT("callee"),
                                        [AHOYD_RECORD_BY_SESSION] = SPAN_INIT("session"),
                                        [AHOYD_RECORD_UNKNOWN] = SPAN_INIT("unknown") };
    if (record->fate.answered_ms == 0)
        return;
    set_time(row, AHOYD_COLUMN_answered, record->fate.answered_ms);
    set_time(row, AHOYD_COLUMN_ended, record->ended_ms);
    set_plain(row, AHOYD_COLUMN_ended_by, ends[record->end]);
    if (record->ended_ms != 0)
        set_number(row, AHOYD_COLUMN_duration_ms, record->ended_ms - record->fate.answered_ms);
}

json_t *ahoyd_record_row(const struct ahoyd_record *record, struct span node)
{
    const struct ahoyd_case *fate = &record->fate;
    json_t *row = json_object();
    if (row == NULL)
        return NULL;
    set_time(row, AHOYD_COLUMN_begun, fate->begun_ms);
    set_time(row, AHOYD_COLUMN_rang, record->rang_ms);
    set_time(row, AHOYD_COLUMN_seen, record->seen_ms);
    set_plain(row, AHOYD_COLUMN_outcome, ahoy_span(outcome_of(fate)));
    if (fate->status != 0)
        set_number(row, AHOYD_COLUMN_status, fate->status);
    set_failure(row, fate);
    set_answer(row, record);
    set_text(row, AHOYD_COLUMN_caller, &record->caller);
    set_text(row, AHOYD_COLUMN_callee, &record->callee);
    set_text(row, AHOYD_COLUMN_uri, &record->uri);
    set_text(row, AHOYD_COLUMN_login, &record->login);
    set_end(row, AHOYD_COLUMN_source, &fate->caller);
    set_text(row, AHOYD_COLUMN_source_trunk, &record->source_trunk);
    set_text(row, AHOYD_COLUMN_domain, &record->domain);
    set_text(row, AHOYD_COLUMN_trunk, &record->trunk);
    set_end(row, AHOYD_COLUMN_target, &record->target);
    set_number(row, AHOYD_COLUMN_branches, record->branch_count);
    set_text(row, AHOYD_COLUMN_agent, &record->agent);
    set_bytes(row, AHOYD_COLUMN_call_id, (struct span){ fate->call_id, fate->call_id_size });
    set(row, AHOYD_COLUMN_node, json_stringn(node.at, node.size)); /* Of none too: it is a key. */
    return row;
}
