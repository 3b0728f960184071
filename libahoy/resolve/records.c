/* Every size is checked against what is left before anything is read. */
#include "libahoy/resolve/records.h"

enum { HEADER_SIZE = 12, LABEL_LIMIT = 63, POINTER_BITS = 0xc0, CLASS_IN = 1, RCODE_NXDOMAIN = 3 };

static unsigned byte_at(struct span text, size_t index)
{
    return (unsigned char)text.at[index];
}

static uint16_t number_at(struct span text, size_t index)
{
    return (uint16_t)(byte_at(text, index) << 8 | byte_at(text, index + 1));
}

/* Takes a name of any bytes, or the compressed beginning of one, off |text|. */
static bool skip_name(struct span *text)
{
    while (text->size > 0) {
        unsigned size = byte_at(*text, 0);
        bool is_pointer = (size & POINTER_BITS) == POINTER_BITS;
        size_t taken = is_pointer ? 2 : 1 + (size_t)size;
        if ((!is_pointer && size > LABEL_LIMIT) || text->size < taken)
            return false;
        *text = ahoy_span_after(*text, taken);
        if (is_pointer || size == 0)
            return true;
    }
    return false;
}

static bool skip_questions(struct span *text, unsigned count)
{
    for (; count > 0; count--) {
        if (!skip_name(text) || text->size < 4)
            return false;
        *text = ahoy_span_after(*text, 4);
    }
    return true;
}

enum ahoy_dns_verdict ahoy_records_begin(struct ahoy_records *records, struct span message,
                                         enum ahoy_dns_type type)
{
    *records = (struct ahoy_records){ .type = type };
    if (message.size < HEADER_SIZE)
        return AHOY_DNS_FAILED;
    unsigned rcode = byte_at(message, 3) & 15;
    if (rcode != 0 && rcode != RCODE_NXDOMAIN)
        return AHOY_DNS_FAILED;
    records->rest = ahoy_span_after(message, HEADER_SIZE);
    if (!skip_questions(&records->rest, number_at(message, 4)))
        return AHOY_DNS_FAILED;
    records->left = number_at(message, 6);
    if (records->left > AHOY_DNS_RECORDS_LIMIT)
        records->left = AHOY_DNS_RECORDS_LIMIT;
    return rcode == 0 && records->left > 0 ? AHOY_DNS_FOUND : AHOY_DNS_NONE;
}

static bool take_number(struct span *text, uint16_t *number)
{
    if (text->size < 2)
        return false;
    *number = number_at(*text, 0);
    *text = ahoy_span_after(*text, 2);
    return true;
}

/* A character-string: its size in a byte, then its bytes. */
static bool take_string(struct span *text, struct span *string)
{
    if (text->size < 1 || text->size < 1 + (size_t)byte_at(*text, 0))
        return false;
    *string = (struct span){ text->at + 1, byte_at(*text, 0) };
    *text = ahoy_span_after(*text, 1 + string->size);
    return true;
}

static bool read_address(struct span data, enum ahoy_family family, size_t size, struct ahoy_ip *ip)
{
    if (data.size != size)
        return false;
    *ip = (struct ahoy_ip){ .family = (uint8_t)family };
    memcpy(ip->bytes, data.at, size);
    return true;
}

static bool read_data(struct span data, struct ahoy_record *record)
{
    switch (record->type) {
    case AHOY_DNS_A:
        return read_address(data, AHOY_IPV4, 4, &record->ip);
    case AHOY_DNS_AAAA:
        return read_address(data, AHOY_IPV6, 16, &record->ip);
    case AHOY_DNS_SRV:
        record->name = data;
        return take_number(&record->name, &record->first) &&
               take_number(&record->name, &record->second) &&
               take_number(&record->name, &record->port);
    case AHOY_DNS_NAPTR:
        record->name = data;
        return take_number(&record->name, &record->first) &&
               take_number(&record->name, &record->second) &&
               take_string(&record->name, &record->flags) &&
               take_string(&record->name, &record->services) &&
               take_string(&record->name, &record->regexp);
    }
    return false;
}

/* Takes the next record of any type off the message. */
static bool take_record(struct span *text, uint16_t *type, uint16_t *class, struct span *data)
{
    uint16_t size;
    if (!skip_name(text) || !take_number(text, type) || !take_number(text, class) || text->size < 4)
        return false;
    *text = ahoy_span_after(*text, 4); /* How long it may be kept is the resolver's business. */
    if (!take_number(text, &size) || text->size < size)
        return false;
    *data = (struct span){ text->at, size };
    *text = ahoy_span_after(*text, size);
    return true;
}

bool ahoy_records_next(struct ahoy_records *records, struct ahoy_record *record)
{
    while (records->left > 0) {
        uint16_t type, class;
        struct span data;
        records->left--;
        if (!take_record(&records->rest, &type, &class, &data)) {
            records->left = 0;
            return false;
        }
        *record = (struct ahoy_record){ .type = records->type };
        if (type == records->type && class == CLASS_IN && read_data(data, record))
            return true;
    }
    return false;
}
