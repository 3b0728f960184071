/* Told by the User-Agent row: whoever lies about it gains nothing, for MD5 is offered to
 * everyone. */
#include "ahoyd/phones.h"

/* The beginnings of User-Agent rows. */
static const struct span only_md5[] = {
    SPAN_INIT("baresip v0."), /* Ends its registration with "Function not implemented". */
    SPAN_INIT("baresip v1."), /* Debian 12's; the same. */
    SPAN_INIT("JsSIP "),      /* Looks at the first challenge only. */
};

bool ahoyd_phone_knows_only_md5(const struct ahoy_message *request)
{
    struct span agent = ahoy_message_value(request, AHOY_HEADER_USER_AGENT);
    for (size_t i = 0; i < sizeof only_md5 / sizeof *only_md5; i++) {
        if (ahoy_span_starts_nocase(agent, only_md5[i]))
            return true;
    }
    return false;
}
