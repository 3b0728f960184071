/* One row, "Name: value": its values are read by their form, printed, and read again. */
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/params.h"
#include "libahoy/syntax/value.h"

static struct ahoy_message message;

static void check_inside(struct span part, struct span whole)
{
    MUST(part.at >= whole.at && ahoy_span_end(part) <= ahoy_span_end(whole));
}

/* Parameters lie within the value, and are found by name. */
static void check_params(const struct ahoy_value *value)
{
    check_inside(value->head, value->text);
    check_inside(value->params, value->text);
    check_inside(value->comment, value->text);
    struct span rest = value->params;
    struct ahoy_param param;
    struct ahoy_err err;
    while (ahoy_param_next(&rest, &param, &err)) {
        check_inside(param.name, value->params);
        check_inside(param.value, value->params);
        struct span found;
        MUST(ahoy_value_param(value, param.name, &found));
        MUST(ahoy_span_equal(found, ahoy_unquote(param.value))); /* None stands twice. */
    }
    MUST(err.expected == NULL);
}

/* Prints into |space|; no line ends within. */
static struct span print(const struct ahoy_value *value, void *space, size_t capacity)
{
    struct ahoy_buf buf = ahoy_buf_over(space, capacity);
    ahoy_value_print(value, &buf);
    MUST(!buf.overflow);
    struct span text = ahoy_buf_text(&buf);
    MUST(ahoy_span_find(text, '\r') == text.size && ahoy_span_find(text, '\n') == text.size);
    return text;
}

static void check_value(enum ahoy_header header, struct span text)
{
    static char first[2 * AHOY_LINE_LIMIT];
    static char second[2 * AHOY_LINE_LIMIT];
    struct ahoy_value value;
    struct ahoy_value back;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_value_parse(header, text, &value, &err)) {
        MUST(err.expected != NULL && err.status == 400);
        MUST(err.at >= text.at && err.at <= ahoy_span_end(text));
        return;
    }
    check_params(&value);
    struct span printed = print(&value, first, sizeof first);
    MUST(ahoy_value_parse(header, printed, &back, &err));
    MUST(back.form == value.form && back.is_star == value.is_star);
    MUST(ahoy_span_equal(print(&back, second, sizeof second), printed));
}

static void check_row(const struct ahoy_field *field)
{
    struct span rest = field->value;
    struct span item;
    struct ahoy_err err;
    if (!ahoy_header_is_list(field->header)) {
        check_value(field->header, field->value);
        return;
    }
    while (ahoy_header_next(field->header, &rest, &item, &err))
        check_value(field->header, item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Only what can stand in a message comes before ahoy_value_parse. */
    size_t capacity = size + 20;
    void *bytes = malloc(capacity);
    MUST(bytes != NULL);
    struct ahoy_buf buf = ahoy_buf_over(bytes, capacity);
    ahoy_buf_put(&buf, SPAN("SIP/2.0 200 OK\r\n"));
    ahoy_buf_put(&buf, (struct span){ (const char *)data, size });
    ahoy_buf_put(&buf, SPAN("\r\n\r\n"));
    if (ahoy_message_parse(ahoy_buf_text(&buf), &message, NULL)) {
        for (size_t i = 0; i < message.field_count; i++)
            check_row(&message.fields[i]);
    }
    free(bytes);
    return 0;
}
