/* A message of a party's has no folded lines, and one row of each name on a line of its own. */
#include "sim/rows.h"

#include "libahoy/base/buf.h"

static struct span name_of(const struct sim_row *row)
{
    struct span text = ahoy_span(row->text);
    text.size = ahoy_span_find(text, ':');
    return text;
}

static struct span value_of(const struct sim_row *row)
{
    struct span text = ahoy_span(row->text);
    return ahoy_span_trim(ahoy_span_after(text, name_of(row).size + 1));
}

/* Whether |line| is a row that goes: one of |rows| stands for it, or |body| does. */
static bool is_replaced(struct span line, const struct sim_row *rows, size_t count,
                        struct span body)
{
    const struct span name = { line.at, ahoy_span_find(line, ':') };
    for (size_t i = 0; i < count; i++) {
        if (ahoy_span_equal_nocase(name, name_of(&rows[i])))
            return true;
    }
    return body.size > 0 && (ahoy_span_equal_nocase(name, SPAN("Content-Length")) ||
                             ahoy_span_equal_nocase(name, SPAN("Content-Type")));
}

static void put_rows(const struct sim_row *rows, size_t count, struct ahoy_buf *buf)
{
    for (size_t i = 0; i < count; i++) {
        if (value_of(&rows[i]).size == 0)
            continue;
        ahoy_buf_put(buf, ahoy_span(rows[i].text));
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
}

static void put_body(struct span body, struct ahoy_buf *buf)
{
    if (body.size > 0) {
        ahoy_buf_put(buf, SPAN("Content-Type: application/sdp\r\nContent-Length: "));
        ahoy_buf_put_number(buf, body.size);
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
    ahoy_buf_put(buf, body);
}

void sim_rows_put(struct span message, const struct sim_row *rows, size_t count, struct span body,
                  struct ahoy_buf *buf)
{
    struct span rest = message;
    while (rest.size > 0) {
        size_t size = ahoy_span_find(rest, '\n') + 1;
        const struct span line = { rest.at, size };
        rest = ahoy_span_after(rest, size);
        if (line.size <= 2)
            break;
        if (!is_replaced(line, rows, count, body))
            ahoy_buf_put(buf, line);
    }
    put_rows(rows, count, buf);
    put_body(body, buf);
}

static bool contains(struct span text, struct span part)
{
    return memmem(text.at, text.size, part.at, part.size) != NULL;
}

bool sim_rows_has(const struct ahoy_message *message, const struct sim_row *row)
{
    struct span name = name_of(row), value = value_of(row);
    for (size_t i = 0; i < message->field_count; i++) {
        const struct ahoy_field *field = &message->fields[i];
        if (!ahoy_span_equal_nocase(field->name, name))
            continue;
        if (value.size == 0)
            return false;
        if (contains(field->value, value))
            return true;
    }
    return value.size == 0;
}
