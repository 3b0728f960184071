/* tel URIs (RFC 3966): a telephone number, and its likeness as a SIP URI (RFC 3261 19.1.6). */
#pragma once

#include "libahoy/syntax/uri.h"

/* A view: spans point into the URI, and are as written: case, escapes and visual separators. */
struct ahoy_tel {
    bool is_global;      /* A global-number: "+" is there. */
    bool has_mandatory;  /* It has an "m-" parameter.  Ahoy knows none: not to be used (5.4). */
    struct span number;  /* With its "+". */
    struct span params;  /* From the first ";" on, "" without. */
    struct span isub;    /* Empty where absent. */
    struct span ext;     /* Empty where absent. */
    struct span context; /* The phone-context of a local number; empty for a global one. */
};

/* Reads all of |text| as "tel:" and a telephone-subscriber.  Parameters may come in any order,
 * because section 4 compares them so.  Faults: 400; 414 above AHOY_URI_LIMIT. */
bool ahoy_tel_parse(struct span text, struct ahoy_tel *tel, struct ahoy_err *err);

/* Reads the user of a SIP or SIPS URI that says user=phone.  Faults: 400. */
bool ahoy_tel_from_sip(const struct ahoy_uri *uri, struct ahoy_tel *tel, struct ahoy_err *err);

/* Equality by RFC 3966 4: no case, no separators, parameters in any order. */
bool ahoy_tel_equal(const struct ahoy_tel *a, const struct ahoy_tel *b);

/* Prints the canonical spelling: "tel:", lower case, no separators, parameters in the order of
 * section 3, escapes only where they must be. */
void ahoy_tel_print(const struct ahoy_tel *tel, struct ahoy_buf *buf);

/* Prints "sip:SUBSCRIBER@HOST;user=phone" as 19.1.6 advises: lower case, parameters in the same
 * order, separators kept.  What a user cannot have (":", "@", "[") is escaped, and stays so on the
 * way back. */
void ahoy_tel_print_sip(const struct ahoy_tel *tel, struct span host, struct ahoy_buf *buf);
