/* What the control socket and the tables of users both hold them to. */
#include "ahoyd/store/spelling.h"

bool ahoyd_is_name(struct span name)
{
    if (name.size == 0 || name.size > AHOYD_NAME_LIMIT)
        return false;
    for (size_t i = 0; i < name.size; i++) {
        unsigned char byte = (unsigned char)name.at[i];
        if (byte <= ' ' || byte == 0x7f || strchr("@:\"\\<>", byte) != NULL)
            return false;
    }
    return true;
}

bool ahoyd_is_ha1(struct span text, enum ahoy_digest_algorithm algorithm)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.at[i] == '\0' || strchr("0123456789abcdef", text.at[i]) == NULL)
            return false;
    }
    return text.size > 0 && text.size == ahoy_digest_size(algorithm);
}
