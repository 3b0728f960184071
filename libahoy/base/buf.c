/* A writer into bytes of the caller's. */
#include "libahoy/base/buf.h"

#include "libahoy/base/utf8.h"

struct ahoy_buf ahoy_buf_over(void *at, size_t capacity)
{
    return (struct ahoy_buf){ .at = at, .capacity = capacity };
}

/* There is no room any more, so whoever asks for room has no need to ask for |overflow|. */
void ahoy_buf_overflow(struct ahoy_buf *buf)
{
    buf->overflow = true;
    buf->capacity = buf->size;
}

void ahoy_buf_put(struct ahoy_buf *buf, struct span text)
{
    if (text.size > buf->capacity - buf->size) {
        ahoy_buf_overflow(buf);
        return;
    }
    char *to = buf->at + buf->size;
    buf->size += text.size;
    if (text.size > 0)
        memcpy(to, text.at, text.size); /* Last, so that nothing has to be kept meanwhile. */
}

void ahoy_buf_put_byte(struct ahoy_buf *buf, char byte)
{
    if (buf->size == buf->capacity)
        ahoy_buf_overflow(buf);
    else
        buf->at[buf->size++] = byte;
}

void ahoy_buf_put_number(struct ahoy_buf *buf, uint64_t value)
{
    char digits[20]; /* UINT64_MAX has twenty. */
    char *first = digits + sizeof digits;
    do {
        *--first = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    ahoy_buf_put(buf, ahoy_span_between(first, digits + sizeof digits));
}

static const char hex_digits[] = "0123456789abcdef";

void ahoy_buf_put_hex(struct ahoy_buf *buf, const void *bytes, size_t size)
{
    const unsigned char *from = bytes;
    if (size > (buf->capacity - buf->size) / 2) {
        ahoy_buf_overflow(buf);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        buf->at[buf->size++] = hex_digits[from[i] >> 4];
        buf->at[buf->size++] = hex_digits[from[i] & 15];
    }
}

/* Characters of more than one byte that a terminal or a reader may obey instead of show: the C1
 * controls, the line and paragraph separators, and those that turn the direction of writing. */
static bool is_obeyed(uint32_t character)
{
    return character < 0xa0 || character == 0x061c || character == 0x200e || character == 0x200f ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2066 && character <= 0x2069);
}

/* The bytes of the character that begins |text|, which is of two to four bytes; 0 where it is no
 * UTF-8, or not to be shown. */
static size_t shown_wide(struct span text)
{
    uint32_t character;
    size_t size = ahoy_utf8_wide(text, &character);
    return size > 0 && !is_obeyed(character) ? size : 0;
}

/* The bytes of the character that begins |text| where it goes out as it is, or 0. */
static size_t shown(struct span text)
{
    unsigned char lead = (unsigned char)text.at[0];
    if (lead >= 0x80)
        return shown_wide(text);
    return lead >= 0x20 && lead != 0x7f && lead != '\\';
}

void ahoy_buf_put_escaped(struct ahoy_buf *buf, struct span text)
{
    while (text.size > 0) {
        size_t plain = 0;
        size_t next = 1;
        while (plain < text.size && (next = shown(ahoy_span_after(text, plain))) > 0)
            plain += next;
        ahoy_buf_put(buf, (struct span){ text.at, plain });
        text = ahoy_span_after(text, plain);
        if (text.size == 0)
            return;
        ahoy_buf_put(buf, SPAN("\\x"));
        ahoy_buf_put_hex(buf, text.at, 1);
        text = ahoy_span_after(text, 1);
    }
}

struct span ahoy_buf_text(const struct ahoy_buf *buf)
{
    return (struct span){ buf->at, buf->overflow ? 0 : buf->size };
}
