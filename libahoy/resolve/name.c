/* Both ways of making a name end in adding its labels one by one. */
#include "libahoy/resolve/name.h"

enum { LABEL_LIMIT = 63 };

static bool is_sound_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

static bool add_label(struct ahoy_dns_name *name, struct span label)
{
    size_t dot = name->size > 0 ? 1 : 0;
    if (label.size == 0 || label.size > LABEL_LIMIT ||
        name->size + dot + label.size > AHOY_DNS_NAME_LIMIT)
        return false;
    if (dot > 0)
        name->text[name->size++] = '.';
    for (size_t i = 0; i < label.size; i++) {
        if (!is_sound_byte(label.at[i]))
            return false;
        name->text[name->size++] = label.at[i];
    }
    name->text[name->size] = '\0';
    return true;
}

/* Adds "a.b.c"; one dot behind it is passed over. */
static bool add_labels(struct ahoy_dns_name *name, struct span text)
{
    while (text.size > 0) {
        struct span label = { text.at, ahoy_span_find(text, '.') };
        if (!add_label(name, label))
            return false;
        text = ahoy_span_after(text, label.size + (label.size < text.size ? 1 : 0));
    }
    return true;
}

bool ahoy_dns_name_make(struct ahoy_dns_name *name, struct span prefix, struct span host)
{
    *name = (struct ahoy_dns_name){ .size = 0 };
    return add_labels(name, prefix) && host.size > 0 && add_labels(name, host);
}

bool ahoy_dns_name_read(struct ahoy_dns_name *name, struct span wire)
{
    *name = (struct ahoy_dns_name){ .size = 0 };
    while (wire.size > 0) {
        struct span label = { wire.at + 1, (unsigned char)wire.at[0] };
        if (label.size == 0)
            return wire.size == 1;
        if (wire.size - 1 < label.size || !add_label(name, label))
            return false;
        wire = ahoy_span_after(wire, 1 + label.size);
    }
    return false;
}
