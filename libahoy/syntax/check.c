/* Whether every header that has a type can be read: what a server asks before it acts on a request
 * by itself.  A proxy lets pass what is not its business (RFC 3261 16.3 step 1). */
#include "libahoy/syntax/challenge.h"
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/params.h"

typedef bool check_value(struct span value, struct ahoy_err *err);

static bool check_via(struct span value, struct ahoy_err *err)
{
    struct ahoy_via via;
    return ahoy_via_parse(value, &via, err);
}

static bool check_address(struct span value, struct ahoy_err *err)
{
    struct ahoy_address address;
    return ahoy_address_parse(value, &address, err);
}

/* Routes are name-addr: a URI without brackets would lose its ;lr to the header. */
static bool check_route(struct span value, struct ahoy_err *err)
{
    struct ahoy_address address;
    if (!ahoy_address_parse(value, &address, err))
        return false;
    return address.in_brackets || ahoy_fail(err, 400, value.at, "\"<\" and \">\" around a route");
}

static bool check_cseq(struct span value, struct ahoy_err *err)
{
    struct ahoy_cseq cseq;
    return ahoy_cseq_parse(value, &cseq, err);
}

static bool check_challenge(struct span value, struct ahoy_err *err)
{
    struct ahoy_challenge challenge;
    return ahoy_challenge_parse(value, &challenge, err);
}

static const struct {
    enum ahoy_header header;
    check_value *check;
} typed[] = {
    { AHOY_HEADER_VIA, check_via },
    { AHOY_HEADER_FROM, check_address },
    { AHOY_HEADER_TO, check_address },
    { AHOY_HEADER_CSEQ, check_cseq },
    { AHOY_HEADER_CONTACT, check_address },
    { AHOY_HEADER_ROUTE, check_route },
    { AHOY_HEADER_RECORD_ROUTE, check_route },
    { AHOY_HEADER_PATH, check_route },
    { AHOY_HEADER_REFER_TO, check_address },
    { AHOY_HEADER_AUTHORIZATION, check_challenge },
    { AHOY_HEADER_PROXY_AUTHORIZATION, check_challenge },
    { AHOY_HEADER_WWW_AUTHENTICATE, check_challenge },
    { AHOY_HEADER_PROXY_AUTHENTICATE, check_challenge },
};

/* Checks the values of one row of a list, of which there is at least one. */
static bool check_list(struct span value, check_value *check, struct ahoy_err *err)
{
    struct span rest = value;
    struct span item;
    struct ahoy_err fault;
    bool empty = true;
    while (ahoy_list_next(&rest, &item, &fault)) {
        empty = false;
        if (!check(item, err))
            return false;
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, 400, fault.at, fault.expected);
    return !empty || ahoy_fail(err, 400, value.at, "a value");
}

/* "Contact: *" (10.2.2) stands alone. */
static bool is_star(const struct ahoy_message *message, const struct ahoy_field *field)
{
    return field->header == AHOY_HEADER_CONTACT && ahoy_span_equal(field->value, SPAN("*")) &&
           ahoy_message_first(message, AHOY_HEADER_CONTACT) == field && field->next == 0;
}

static bool check_row(const struct ahoy_message *message, const struct ahoy_field *field,
                      check_value *check, struct ahoy_err *err)
{
    if (is_star(message, field))
        return true;
    if (ahoy_header_is_list(field->header))
        return check_list(field->value, check, err);
    return check(field->value, err);
}

bool ahoy_message_check(const struct ahoy_message *message, struct ahoy_err *err)
{
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        const struct ahoy_field *field = ahoy_message_first(message, typed[i].header);
        for (; field != NULL; field = ahoy_message_next(message, field)) {
            if (!check_row(message, field, typed[i].check, err))
                return false;
        }
    }
    return true;
}
