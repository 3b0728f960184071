/* Caller preferences (RFC 3841 7.2): what a request asks of the phone that is to answer it, and how
 * well the features suit that the phones have registered (RFC 3840). */
#pragma once

#include "libahoy/syntax/message.h"

enum {
    AHOY_PREFERENCES_LIMIT = 20,         /* Values of Accept-Contact and Reject-Contact. */
    AHOY_PREFERENCE_VALUES_LIMIT = 128,  /* Values of features in all of them. */
    AHOY_IMPLICIT_PREFERENCE_LIMIT = 256 /* Bytes of what method and event imply. */
};

/* A view into itself and the request: not to be copied. */
struct ahoy_preferences {
    size_t count;
    bool is_implicit; /* Read from method and event, as nothing was said (7.2.2). */
    struct ahoy_preference {
        struct span params;
        bool rejects;     /* Of Reject-Contact. */
        bool is_required; /* Who does not match is left out. */
        bool is_explicit; /* Who says nothing of a feature does not match quite. */
    } list[AHOY_PREFERENCES_LIMIT];
    char text[AHOY_IMPLICIT_PREFERENCE_LIMIT];
};

/* Reads those of |request|, or what it implies.  Faults: 400 for values that cannot be read, and
 * for more of them than the limits allow (section 11). */
bool ahoy_preferences_read(const struct ahoy_message *request, struct ahoy_preferences *preferences,
                           struct ahoy_err *err);

/* Whether a phone that has registered |params| may be called, and how well it suits (Qa of 7.2.4),
 * in thousandths.  One that has registered no features always does, perfectly. */
bool ahoy_preferences_match(const struct ahoy_preferences *preferences, struct span params,
                            uint16_t *score);
