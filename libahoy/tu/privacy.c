/* The kinds of privacy stand side by side, with semicolons between. */
#include "libahoy/tu/privacy.h"

bool ahoy_privacy_hides_id(const struct ahoy_message *message)
{
    struct span rest = ahoy_message_value(message, AHOY_HEADER_PRIVACY);
    while (rest.size > 0) {
        size_t end = ahoy_span_find(rest, ';');
        if (ahoy_span_equal_nocase(ahoy_span_trim((struct span){ rest.at, end }), SPAN("id")))
            return true;
        rest = ahoy_span_after(rest, end < rest.size ? end + 1 : end);
    }
    return false;
}
