/* Quotes, backslashes and all that is not ASCII within JSON. */
#include "ahoy/json.h"

#include <stdio.h>

#include "libahoy/base/utf8.h"

void phone_json_put(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            ahoy_buf_put_byte(buf, '\\');
        ahoy_buf_put_byte(buf, text.at[i]);
    }
}

void phone_json_print(struct span text)
{
    while (text.size > 0) {
        uint32_t character = (unsigned char)text.at[0];
        size_t size = character < 0x80 ? 1 : ahoy_utf8_wide(text, &character);
        text = ahoy_span_after(text, size == 0 ? 1 : size);
        if (size == 0)
            character = 0xfffd;
        if (character >= ' ' && character < 0x7f && character != '"' && character != '\\')
            putchar((int)character);
        else if (character < 0x10000)
            printf("\\u%04x", (unsigned)character);
        else
            printf("\\u%04x\\u%04x", (unsigned)(0xd7c0 + (character >> 10)),
                   (unsigned)(0xdc00 + (character & 0x3ff)));
    }
}
