/* SIP and SIPS URIs (RFC 3261 19.1); every other scheme is kept whole. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/base/err.h"
#include "libahoy/base/ip.h"

enum {
    AHOY_URI_LIMIT = 4096,
    AHOY_URI_PARTS_LIMIT = 64 /* Parameters, and headers: two URIs are compared each with each. */
};

enum ahoy_scheme { AHOY_SCHEME_OTHER, AHOY_SCHEME_SIP, AHOY_SCHEME_SIPS };

/* A view: spans point into |text|. */
struct ahoy_uri {
    enum ahoy_scheme scheme;
    uint16_t port;        /* 0 where none is written. */
    bool has_user;        /* "@" is there. */
    uint32_t initials;    /* Of the parameters' names: uri_part.h. */
    struct span text;     /* All of it. */
    struct span name;     /* The scheme as written. */
    struct span user;     /* Still escaped; telephone-subscriber parameters are part of it. */
    struct span password; /* Still escaped; empty where absent. */
    struct span host;     /* IPv6 with its brackets. */
    struct span params;   /* From the first ";" on, "" without. */
    struct span headers;  /* Behind "?", "" without. */
    struct span opaque;   /* AHOY_SCHEME_OTHER only: all behind ":". */
};

/* Reads all of |text| as one URI.  Faults: 400; 414 above AHOY_URI_LIMIT; an unknown scheme is
 * no fault. */
bool ahoy_uri_parse(struct span text, struct ahoy_uri *uri, struct ahoy_err *err);

/* The value of ;name, case aside; false where absent.  ";lr" has an empty value. */
bool ahoy_uri_param(const struct ahoy_uri *uri, struct span name, struct span *value);

/* Equality by RFC 3261 19.1.4, escapes and case included; tel URIs by RFC 3966 4; other schemes
 * bytewise but for the scheme's case. */
bool ahoy_uri_equal(const struct ahoy_uri *a, const struct ahoy_uri *b);

/* Prints |text|, plain bytes, into a part of a URI: what is in no class of |set| (scan.h:
 * AHOY_USER, AHOY_PARAMCHAR, AHOY_HNV ...) becomes an escape. */
void ahoy_uri_put_escaped(struct ahoy_buf *buf, struct span text, unsigned set);

/* Prints the address-of-record "user@host" that RFC 3261 10.3 step 5 looks up: escapes of
 * characters that need none undone, host in lower case, parameters, password, headers and port
 * left out. */
void ahoy_uri_print_aor(const struct ahoy_uri *uri, struct ahoy_buf *buf);

/* Prints |uri| as a Request-URI: without headers and without a method parameter (19.1.5; 19.1.1,
 * table 1).  Of another scheme it is printed as it is. */
void ahoy_uri_print_request(const struct ahoy_uri *uri, struct ahoy_buf *buf);

/* Whether |uri| names |host| (case aside), or the same IP address. */
bool ahoy_host_equal(struct span a, struct span b);
