/* Most text is ASCII, so that is looked at eight bytes at a time. */
#include "libahoy/base/utf8.h"

size_t ahoy_utf8_wide(struct span text, uint32_t *character)
{
    unsigned char lead = (unsigned char)text.at[0];
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || size > text.size)
        return 0;
    uint32_t value = lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char)text.at[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3f);
    }
    bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (overlong || surrogate || value > 0x10ffff)
        return 0;
    *character = value;
    return size;
}

/* How many bytes of ASCII |text| begins with. */
static size_t ascii_prefix(struct span text)
{
    size_t count = 0;
    uint64_t eight;
    for (; text.size - count >= sizeof eight; count += sizeof eight) {
        memcpy(&eight, text.at + count, sizeof eight);
        if ((eight & 0x8080808080808080) != 0)
            break;
    }
    while (count < text.size && (unsigned char)text.at[count] < 0x80)
        count++;
    return count;
}

bool ahoy_utf8_is_valid(struct span text)
{
    text = ahoy_span_after(text, ascii_prefix(text));
    while (text.size > 0) {
        uint32_t character;
        size_t size = ahoy_utf8_wide(text, &character);
        if (size == 0)
            return false;
        text = ahoy_span_after(text, size);
        text = ahoy_span_after(text, ascii_prefix(text));
    }
    return true;
}
