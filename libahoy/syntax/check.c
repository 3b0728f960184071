/* Whether every header that has a type can be read: what a server asks before it acts on a request
 * by itself.  A proxy lets pass what is not its business (RFC 3261 16.3 step 1), and nobody judges
 * what it does not need (8.2), nor what belongs into responses: R3261-7.3.2-1. */
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/value.h"

static const enum ahoy_header checked[] = {
    AHOY_HEADER_VIA,
    AHOY_HEADER_FROM,
    AHOY_HEADER_TO,
    AHOY_HEADER_CSEQ,
    AHOY_HEADER_CONTACT,
    AHOY_HEADER_ROUTE,
    AHOY_HEADER_RECORD_ROUTE,
    AHOY_HEADER_PATH,
    AHOY_HEADER_REFER_TO,
    AHOY_HEADER_AUTHORIZATION,
    AHOY_HEADER_PROXY_AUTHORIZATION,
};

/* Whether |text| is all that the message says about its header. */
static bool is_alone(const struct ahoy_message *message, const struct ahoy_field *field,
                     struct span text)
{
    return field->value.size == text.size && field->next == 0 &&
           ahoy_message_first(message, field->header) == field;
}

/* "Contact: *" stands alone: R3261-10.2.2-1. */
static bool check_value(const struct ahoy_message *message, const struct ahoy_field *field,
                        struct span text, struct ahoy_err *err)
{
    struct ahoy_value value;
    if (!ahoy_value_parse(field->header, text, &value, err))
        return false;
    if (value.is_star && !is_alone(message, field, text))
        return ahoy_fail(err, 400, text.at, "\"*\" alone");
    return true;
}

/* Checks the values of one row of a list, of which there is at least one. */
static bool check_list(const struct ahoy_message *message, const struct ahoy_field *field,
                       struct ahoy_err *err)
{
    struct span rest = field->value;
    struct span item;
    struct ahoy_err fault;
    if (rest.size == 0)
        return ahoy_fail(err, 400, rest.at, "a value");
    while (ahoy_header_next(field->header, &rest, &item, &fault)) {
        if (!check_value(message, field, item, err))
            return false;
    }
    return fault.expected == NULL || ahoy_fail(err, 400, fault.at, fault.expected);
}

static bool check_row(const struct ahoy_message *message, const struct ahoy_field *field,
                      struct ahoy_err *err)
{
    if (ahoy_header_is_list(field->header))
        return check_list(message, field, err);
    return check_value(message, field, field->value, err);
}

bool ahoy_message_check(const struct ahoy_message *message, struct ahoy_err *err)
{
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++) {
        const struct ahoy_field *field = ahoy_message_first(message, checked[i]);
        for (; field != NULL; field = ahoy_message_next(message, field)) {
            if (!check_row(message, field, err))
                return false;
        }
    }
    return true;
}

bool ahoy_header_is_checked(enum ahoy_header header)
{
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++) {
        if (checked[i] == header)
            return true;
    }
    return false;
}
