/* The header fields that Ahoy knows by name (RFC 3261 20 and extensions).  To add one, add a
 * line. */
#pragma once

#include "libahoy/base/span.h"

enum ahoy_header_kind {
    AHOY_SINGLE, /* At most one row, one value. */
    AHOY_LIST,   /* Rows and comma-separated values mix freely (RFC 3261 7.3.1). */
    AHOY_ROWS    /* Several rows, each one value: commas mean something else (authentication). */
};

/* Written once: HEADER(constant, canonical name, compact form or 0, kind). */
#define AHOY_HEADERS(HEADER)                                                                       \
    HEADER(VIA, "Via", 'v', AHOY_LIST)                                                             \
    HEADER(FROM, "From", 'f', AHOY_SINGLE)                                                         \
    HEADER(TO, "To", 't', AHOY_SINGLE)                                                             \
    HEADER(CALL_ID, "Call-ID", 'i', AHOY_SINGLE)                                                   \
    HEADER(CSEQ, "CSeq", 0, AHOY_SINGLE)                                                           \
    HEADER(CONTACT, "Contact", 'm', AHOY_LIST)                                                     \
    HEADER(MAX_FORWARDS, "Max-Forwards", 0, AHOY_SINGLE)                                           \
    HEADER(ROUTE, "Route", 0, AHOY_LIST)                                                           \
    HEADER(RECORD_ROUTE, "Record-Route", 0, AHOY_LIST)                                             \
    HEADER(CONTENT_LENGTH, "Content-Length", 'l', AHOY_SINGLE)                                     \
    HEADER(CONTENT_TYPE, "Content-Type", 'c', AHOY_SINGLE)                                         \
    HEADER(CONTENT_ENCODING, "Content-Encoding", 'e', AHOY_LIST)                                   \
    HEADER(CONTENT_DISPOSITION, "Content-Disposition", 0, AHOY_SINGLE)                             \
    HEADER(AUTHORIZATION, "Authorization", 0, AHOY_ROWS)                                           \
    HEADER(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, AHOY_ROWS)                               \
    HEADER(WWW_AUTHENTICATE, "WWW-Authenticate", 0, AHOY_ROWS)                                     \
    HEADER(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, AHOY_ROWS)                                 \
    HEADER(EXPIRES, "Expires", 0, AHOY_SINGLE)                                                     \
    HEADER(MIN_EXPIRES, "Min-Expires", 0, AHOY_SINGLE)                                             \
    HEADER(REQUIRE, "Require", 0, AHOY_LIST)                                                       \
    HEADER(PROXY_REQUIRE, "Proxy-Require", 0, AHOY_LIST)                                           \
    HEADER(SUPPORTED, "Supported", 'k', AHOY_LIST)                                                 \
    HEADER(UNSUPPORTED, "Unsupported", 0, AHOY_LIST)                                               \
    HEADER(ALLOW, "Allow", 0, AHOY_LIST)                                                           \
    HEADER(ACCEPT, "Accept", 0, AHOY_LIST)                                                         \
    HEADER(ACCEPT_ENCODING, "Accept-Encoding", 0, AHOY_LIST)                                       \
    HEADER(ACCEPT_LANGUAGE, "Accept-Language", 0, AHOY_LIST)                                       \
    HEADER(USER_AGENT, "User-Agent", 0, AHOY_SINGLE)                                               \
    HEADER(SERVER, "Server", 0, AHOY_SINGLE)                                                       \
    HEADER(SUBJECT, "Subject", 's', AHOY_SINGLE)                                                   \
    HEADER(DATE, "Date", 0, AHOY_SINGLE)                                                           \
    HEADER(TIMESTAMP, "Timestamp", 0, AHOY_SINGLE)                                                 \
    HEADER(RETRY_AFTER, "Retry-After", 0, AHOY_SINGLE)                                             \
    HEADER(WARNING, "Warning", 0, AHOY_LIST)                                                       \
    HEADER(REASON, "Reason", 0, AHOY_LIST)                                                         \
    HEADER(EVENT, "Event", 'o', AHOY_SINGLE)                                                       \
    HEADER(REFER_TO, "Refer-To", 'r', AHOY_SINGLE)                                                 \
    HEADER(PATH, "Path", 0, AHOY_LIST)                                                             \
    HEADER(REPLACES, "Replaces", 0, AHOY_SINGLE)

#define AHOY_HEADER_CONSTANT(constant, name, compact, kind) AHOY_HEADER_##constant,
enum ahoy_header { AHOY_HEADER_OTHER, AHOY_HEADERS(AHOY_HEADER_CONSTANT) AHOY_HEADER_COUNT };
#undef AHOY_HEADER_CONSTANT

/* Reads a full or compact name, case aside (RFC 3261 7.3.1, 7.3.3). */
enum ahoy_header ahoy_header_parse(struct span name);
/* The canonical name; empty for AHOY_HEADER_OTHER. */
struct span ahoy_header_name(enum ahoy_header header);
enum ahoy_header_kind ahoy_header_kind(enum ahoy_header header);
