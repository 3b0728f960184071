/* A label has a byte in front that says how long it is, as a <character-string> has. */
#include "libahoy/resolve/answer.h"

enum {
    ANSWERED = 0x8180, /* A response, whose asker wanted and got recursion: RFC 1035 4.1.1. */
    IN = 1,
    TTL_S = 60,
    QUESTION = 0xc00c /* A pointer to the name behind the head: 4.1.4. */
};

static void put_numbers(struct ahoy_buf *buf, const unsigned *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ahoy_answer_put_number(buf, numbers[i]);
}

void ahoy_answer_put_number(struct ahoy_buf *buf, unsigned number)
{
    ahoy_buf_put_byte(buf, (char)(number >> 8 & 0xff));
    ahoy_buf_put_byte(buf, (char)(number & 0xff));
}

void ahoy_answer_put_string(struct ahoy_buf *buf, struct span text)
{
    ahoy_buf_put_byte(buf, (char)text.size);
    ahoy_buf_put(buf, text);
}

void ahoy_answer_put_name(struct ahoy_buf *buf, struct span name)
{
    while (name.size > 0 && name.at[0] != '.') {
        size_t size = ahoy_span_find(name, '.');
        ahoy_answer_put_string(buf, (struct span){ name.at, size });
        name = ahoy_span_after(name, size < name.size ? size + 1 : size);
    }
    ahoy_buf_put_byte(buf, '\0');
}

void ahoy_answer_begin(struct ahoy_buf *buf, struct span name, uint16_t type, unsigned count)
{
    const unsigned head[] = { 0, ANSWERED, 1, count, 0, 0 }, question[] = { type, IN };
    put_numbers(buf, head, sizeof head / sizeof *head);
    ahoy_answer_put_name(buf, name);
    put_numbers(buf, question, sizeof question / sizeof *question);
}

void ahoy_answer_add(struct ahoy_buf *buf, uint16_t type, struct span data)
{
    const unsigned record[] = { QUESTION, type, IN, 0, TTL_S, (unsigned)data.size };
    put_numbers(buf, record, sizeof record / sizeof *record);
    ahoy_buf_put(buf, data);
}
