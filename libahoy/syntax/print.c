/* A message in its canonical spelling (RFC 3261 7, 7.3.1). */
#include "libahoy/syntax/print.h"

#include "libahoy/syntax/value_forms.h"

static void print_start_line(const struct ahoy_message *message, struct ahoy_buf *buf)
{
    struct ahoy_uri uri;
    if (!message->is_request) {
        ahoy_buf_put(buf, SPAN("SIP/2.0 "));
        ahoy_buf_put_number(buf, message->status);
        ahoy_buf_put_byte(buf, ' ');
        ahoy_buf_put(buf, message->reason);
        return;
    }
    ahoy_buf_put(buf, message->method_text);
    ahoy_buf_put_byte(buf, ' ');
    if (ahoy_uri_parse(message->request_uri, &uri, NULL))
        ahoy_print_uri(&uri, buf);
    else
        ahoy_buf_put(buf, message->request_uri);
    ahoy_buf_put(buf, SPAN(" SIP/2.0"));
}

static void print_value(enum ahoy_header header, struct span text, struct ahoy_buf *buf)
{
    struct ahoy_value value;
    if (ahoy_value_parse(header, text, &value, NULL))
        ahoy_value_print(&value, buf);
    else
        ahoy_print_unfolded(text, buf);
}

/* Whether a row can be taken apart at its commas. */
static bool is_sound_list(const struct ahoy_field *field)
{
    struct span rest = field->value;
    struct span item;
    struct ahoy_err fault;
    if (!ahoy_header_is_list(field->header))
        return false;
    while (ahoy_header_next(field->header, &rest, &item, &fault))
        ;
    return fault.expected == NULL;
}

static void print_list(const struct ahoy_field *field, struct ahoy_buf *buf)
{
    struct span rest = field->value;
    struct span item;
    for (bool is_first = true; ahoy_header_next(field->header, &rest, &item, NULL);
         is_first = false) {
        if (!is_first)
            ahoy_buf_put(buf, SPAN(", "));
        print_value(field->header, item, buf);
    }
}

static void print_row(const struct ahoy_field *field, struct ahoy_buf *buf)
{
    bool is_other = field->header == AHOY_HEADER_OTHER;
    ahoy_buf_put(buf, is_other ? field->name : ahoy_header_name(field->header));
    ahoy_buf_put_byte(buf, ':');
    if (field->value.size > 0)
        ahoy_buf_put_byte(buf, ' ');
    if (is_sound_list(field))
        print_list(field, buf);
    else
        print_value(field->header, field->value, buf);
    ahoy_buf_put(buf, SPAN("\r\n"));
}

void ahoy_message_print(const struct ahoy_message *message, struct ahoy_buf *buf)
{
    print_start_line(message, buf);
    ahoy_buf_put(buf, SPAN("\r\n"));
    for (size_t i = 0; i < message->field_count; i++)
        print_row(&message->fields[i], buf);
    /* Where there is one, it is what the body was cut by. */
    if (ahoy_message_first(message, AHOY_HEADER_CONTENT_LENGTH) == NULL) {
        ahoy_buf_put(buf, SPAN("Content-Length: "));
        ahoy_buf_put_number(buf, message->body.size);
        ahoy_buf_put(buf, SPAN("\r\n"));
    }
    ahoy_buf_put(buf, SPAN("\r\n"));
    ahoy_buf_put(buf, message->body);
}
