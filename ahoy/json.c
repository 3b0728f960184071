/* Quotes and backslashes within JSON. */
#include "ahoy/json.h"

void phone_json_put(struct ahoy_buf *buf, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\')
            ahoy_buf_put_byte(buf, '\\');
        ahoy_buf_put_byte(buf, text.at[i]);
    }
}
