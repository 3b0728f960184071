/* What is compared is what is sent: a number that is written otherwise, with escapes, dots or
 * parameters, passes no route that the plain one would not. */
#include "ahoyd/number.h"

#include "libahoy/syntax/scan.h"

/* The signs that a character of a pattern stands for, a bit each: digits, "*", "#" and "+". */
static unsigned signs_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return 1u << (byte - '0');
    switch (byte) {
    case '*':
        return 1u << 10;
    case '#':
        return 1u << 11;
    case '+':
        return 1u << 12;
    case 'X':
        return 0x3ff;
    case 'Z':
        return 0x3fe;
    case 'N':
        return 0x3fc;
    default:
        return 0;
    }
}

static bool is_sign(char byte)
{
    return signs_of(byte) != 0 && byte != 'X' && byte != 'Z' && byte != 'N';
}

bool ahoyd_number_read(struct span user, struct ahoy_buf *number)
{
    size_t begin = number->size;
    for (size_t i = 0; i < user.size && user.at[i] != ';'; i++) {
        char byte = user.at[i];
        if (byte == '%') { /* Behind it stand two digits, or it were no URI. */
            byte = ahoy_unescape(user.at + i);
            i += 2;
        }
        if (byte == '-' || byte == '.' || byte == '(' || byte == ')')
            continue;
        if (!is_sign(byte) || (byte == '+' && number->size > begin) ||
            number->size - begin == AHOYD_NUMBER_LIMIT)
            return false;
        ahoy_buf_put_byte(number, byte);
    }
    return number->size > begin + (number->at[begin] == '+') && !number->overflow;
}

bool ahoyd_pattern_is_sound(struct span pattern)
{
    for (size_t i = 0; i < pattern.size; i++) {
        bool is_last = i + 1 == pattern.size;
        if ((signs_of(pattern.at[i]) == 0 && !(is_last && pattern.at[i] == '.')) ||
            (pattern.at[i] == '+' && i > 0))
            return false;
    }
    return pattern.size > 0 && pattern.size <= AHOYD_NUMBER_LIMIT;
}

bool ahoyd_pattern_covers(struct span wide, struct span narrow)
{
    size_t i = 0;
    for (; i < wide.size && i < narrow.size; i++) {
        if (wide.at[i] == '.')
            return true;
        unsigned signs = signs_of(narrow.at[i]); /* None of ".". */
        if (signs == 0 || (signs & ~signs_of(wide.at[i])) != 0)
            return false;
    }
    return i == wide.size && i == narrow.size;
}

void ahoyd_prefixes_put(const struct ahoyd_prefixes *prefixes, struct span number,
                        struct ahoy_buf *buf)
{
    for (size_t i = 0; i < prefixes->count; i++) {
        struct span from = prefixes->at[i].from;
        if (from.size <= number.size && memcmp(number.at, from.at, from.size) == 0) {
            ahoy_buf_put(buf, prefixes->at[i].to);
            number = ahoy_span_after(number, from.size);
            break;
        }
    }
    ahoy_buf_put(buf, number);
}
