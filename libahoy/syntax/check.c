/* Whether every header that has a type can be read: what a server asks before it acts on a request
 * by itself.  A proxy lets pass what is not its business (RFC 3261 16.3 step 1), and nobody judges
 * what it does not need (8.2), nor what belongs into responses: R3261-7.3.2-1. */
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/param_rule.h"
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

/* "Contact: *" stands alone: R3261-10.2.2-1.  The first other one goes to |contact|. */
static bool check_value(const struct ahoy_message *message, const struct ahoy_field *field,
                        struct span text, struct ahoy_address *contact, struct ahoy_err *err)
{
    struct ahoy_value value;
    if (!ahoy_value_parse(field->header, text, &value, err))
        return false;
    if (value.is_star && !is_alone(message, field, text))
        return ahoy_fail(err, 400, text.at, "\"*\" alone");
    if (contact != NULL && contact->text.size == 0 && field->header == AHOY_HEADER_CONTACT &&
        !value.is_star)
        *contact = value.as.address;
    return true;
}

/* Checks the values of one row of a list, of which there is at least one. */
static bool check_list(const struct ahoy_message *message, const struct ahoy_field *field,
                       struct ahoy_address *contact, struct ahoy_err *err)
{
    struct span rest = field->value;
    struct span item;
    struct ahoy_err fault;
    if (rest.size == 0)
        return ahoy_fail(err, 400, rest.at, "a value");
    while (ahoy_header_next(field->header, &rest, &item, &fault)) {
        if (!check_value(message, field, item, contact, err))
            return false;
    }
    return fault.expected == NULL || ahoy_fail(err, 400, fault.at, fault.expected);
}

static bool check_row(const struct ahoy_message *message, const struct ahoy_field *field,
                      struct ahoy_address *contact, struct ahoy_err *err)
{
    if (ahoy_header_is_list(field->header))
        return check_list(message, field, contact, err);
    return check_value(message, field, field->value, contact, err);
}

/* Whether |field| was read as a whole for |routing|; |params| are then those of its value. */
static bool is_read(const struct ahoy_field *field, const struct ahoy_routing *routing,
                    struct span *params)
{
    *params = SPAN("");
    switch (field->header) {
    case AHOY_HEADER_VIA: /* The first of a list is not the row. */
        *params = routing->via.params;
        return field == routing->via_field && routing->via.text.size == field->value.size;
    case AHOY_HEADER_FROM:
        *params = routing->from.params;
        return true;
    case AHOY_HEADER_TO:
        *params = routing->to.params;
        return true;
    default:
        return field->header == AHOY_HEADER_CSEQ;
    }
}

static bool check_rest(const struct ahoy_message *message, const struct ahoy_routing *routing,
                       struct ahoy_address *contact, struct ahoy_err *err)
{
    if (contact != NULL)
        contact->text = SPAN("");
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++) {
        const struct ahoy_field *field = ahoy_message_first(message, checked[i]);
        for (; field != NULL; field = ahoy_message_next(message, field)) {
            struct span params;
            bool sound = routing != NULL && is_read(field, routing, &params)
                             ? ahoy_params_check(field->header, params, err)
                             : check_row(message, field, contact, err);
            if (!sound)
                return false;
        }
    }
    return true;
}

bool ahoy_message_check(const struct ahoy_message *message, struct ahoy_err *err)
{
    return check_rest(message, NULL, NULL, err);
}

bool ahoy_message_check_rest(const struct ahoy_message *message, const struct ahoy_routing *routing,
                             struct ahoy_address *contact, struct ahoy_err *err)
{
    return check_rest(message, routing, contact, err);
}

bool ahoy_header_is_checked(enum ahoy_header header)
{
    for (size_t i = 0; i < sizeof checked / sizeof checked[0]; i++) {
        if (checked[i] == header)
            return true;
    }
    return false;
}
