/* The header fields that Ahoy knows by name (RFC 3261 20 and extensions), and the form of their
 * values.  To add one, add a line: see docs/adding-a-header.md. */
#pragma once

#include "libahoy/base/err.h"
#include "libahoy/syntax/block.h"

enum ahoy_header_kind {
    AHOY_SINGLE, /* At most one row, one value. */
    AHOY_LIST,   /* Rows and comma-separated values mix freely (RFC 3261 7.3.1). */
    AHOY_MAYBE,  /* A list that may be empty: the row alone says something. */
    AHOY_ROWS    /* Several rows, each one value: commas mean something else (authentication). */
};

/* What one value looks like.  value.h says which view each form gives. */
enum ahoy_form {
    AHOY_FORM_TEXT,      /* TEXT-UTF8, perhaps empty. */
    AHOY_FORM_TOKEN,     /* token */
    AHOY_FORM_ITEM,      /* token *(SEMI param) */
    AHOY_FORM_NUMBER,    /* 1*DIGIT */
    AHOY_FORM_INTERVAL,  /* delta-seconds [comment] *(SEMI param) */
    AHOY_FORM_CALL_ID,   /* callid */
    AHOY_FORM_DIALOG,    /* callid *(SEMI param), to-tag and from-tag among them */
    AHOY_FORM_ADDRESS,   /* (name-addr / addr-spec) *(SEMI param) */
    AHOY_FORM_ROUTE,     /* name-addr *(SEMI param) */
    AHOY_FORM_VIA,       /* via-parm */
    AHOY_FORM_CSEQ,      /* 1*DIGIT LWS Method */
    AHOY_FORM_RACK,      /* response-num LWS CSeq-num LWS Method */
    AHOY_FORM_CHALLENGE, /* challenge or credentials */
    AHOY_FORM_PAIRS,     /* name EQUAL value *(COMMA name EQUAL value) */
    AHOY_FORM_MEDIA,     /* type "/" subtype *(SEMI param); "*" in Accept */
    AHOY_FORM_LANGUAGE,  /* language-range *(SEMI param) */
    AHOY_FORM_URI,       /* "<" absoluteURI ">" *(SEMI param) */
    AHOY_FORM_FEATURES,  /* "*" *(SEMI param) */
    AHOY_FORM_PRIORITY,  /* namespace "." r-priority */
    AHOY_FORM_DATE,      /* rfc1123-date in GMT */
    AHOY_FORM_TIMESTAMP, /* 1*DIGIT ["." *DIGIT] [LWS delay] */
    AHOY_FORM_WARNING,   /* warn-code SP warn-agent SP warn-text */
    AHOY_FORM_PRODUCTS,  /* 1*(product / comment) */
    AHOY_FORM_VERSION,   /* 1*DIGIT "." 1*DIGIT */
    AHOY_FORM_SESSION,   /* 32 lower-case hexadecimal digits *(SEMI param) */
    AHOY_FORM_IDENTITY,  /* 1*(base64-char / ".") *(SEMI param), info among them */
    AHOY_FORM_COUNT
};

/* Written once: HEADER(constant, canonical name, compact form or 0, kind, form, RFC and section).
 */
/* clang-format off */
#define AHOY_HEADERS(HEADER)                                                                       \
    HEADER(VIA, "Via", 'v', LIST, VIA, "RFC 3261 20.42")                                           \
    HEADER(FROM, "From", 'f', SINGLE, ADDRESS, "RFC 3261 20.20")                                   \
    HEADER(TO, "To", 't', SINGLE, ADDRESS, "RFC 3261 20.39")                                       \
    HEADER(CALL_ID, "Call-ID", 'i', SINGLE, CALL_ID, "RFC 3261 20.8")                              \
    HEADER(CSEQ, "CSeq", 0, SINGLE, CSEQ, "RFC 3261 20.16")                                        \
    HEADER(CONTACT, "Contact", 'm', LIST, ADDRESS, "RFC 3261 20.10")                               \
    HEADER(MAX_FORWARDS, "Max-Forwards", 0, SINGLE, NUMBER, "RFC 3261 20.22")                      \
    HEADER(ROUTE, "Route", 0, LIST, ROUTE, "RFC 3261 20.34")                                       \
    HEADER(RECORD_ROUTE, "Record-Route", 0, LIST, ROUTE, "RFC 3261 20.30")                         \
    HEADER(CONTENT_LENGTH, "Content-Length", 'l', SINGLE, NUMBER, "RFC 3261 20.14")                \
    HEADER(CONTENT_TYPE, "Content-Type", 'c', SINGLE, MEDIA, "RFC 3261 20.15")                     \
    HEADER(CONTENT_ENCODING, "Content-Encoding", 'e', LIST, TOKEN, "RFC 3261 20.12")               \
    HEADER(CONTENT_LANGUAGE, "Content-Language", 0, LIST, TOKEN, "RFC 3261 20.13")                 \
    HEADER(CONTENT_DISPOSITION, "Content-Disposition", 0, SINGLE, ITEM, "RFC 3261 20.11")          \
    HEADER(MIME_VERSION, "MIME-Version", 0, SINGLE, VERSION, "RFC 3261 20.24")                     \
    HEADER(AUTHORIZATION, "Authorization", 0, ROWS, CHALLENGE, "RFC 3261 20.7")                    \
    HEADER(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, ROWS, CHALLENGE, "RFC 3261 20.28")       \
    HEADER(WWW_AUTHENTICATE, "WWW-Authenticate", 0, ROWS, CHALLENGE, "RFC 3261 20.44")             \
    HEADER(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, ROWS, CHALLENGE, "RFC 3261 20.27")         \
    HEADER(AUTHENTICATION_INFO, "Authentication-Info", 0, SINGLE, PAIRS, "RFC 3261 20.6")          \
    HEADER(EXPIRES, "Expires", 0, SINGLE, NUMBER, "RFC 3261 20.19")                                \
    HEADER(MIN_EXPIRES, "Min-Expires", 0, SINGLE, NUMBER, "RFC 3261 20.23")                        \
    HEADER(REQUIRE, "Require", 0, LIST, TOKEN, "RFC 3261 20.32")                                   \
    HEADER(PROXY_REQUIRE, "Proxy-Require", 0, LIST, TOKEN, "RFC 3261 20.29")                       \
    HEADER(SUPPORTED, "Supported", 'k', MAYBE, TOKEN, "RFC 3261 20.37")                            \
    HEADER(UNSUPPORTED, "Unsupported", 0, LIST, TOKEN, "RFC 3261 20.40")                           \
    HEADER(ALLOW, "Allow", 0, MAYBE, TOKEN, "RFC 3261 20.5")                                       \
    HEADER(ACCEPT, "Accept", 0, MAYBE, MEDIA, "RFC 3261 20.1")                                     \
    HEADER(ACCEPT_ENCODING, "Accept-Encoding", 0, MAYBE, ITEM, "RFC 3261 20.2")                    \
    HEADER(ACCEPT_LANGUAGE, "Accept-Language", 0, MAYBE, LANGUAGE, "RFC 3261 20.3")                \
    HEADER(ALERT_INFO, "Alert-Info", 0, LIST, URI, "RFC 3261 20.4")                                \
    HEADER(CALL_INFO, "Call-Info", 0, LIST, URI, "RFC 3261 20.9")                                  \
    HEADER(ERROR_INFO, "Error-Info", 0, LIST, URI, "RFC 3261 20.18")                               \
    HEADER(IN_REPLY_TO, "In-Reply-To", 0, LIST, CALL_ID, "RFC 3261 20.21")                         \
    HEADER(REPLY_TO, "Reply-To", 0, SINGLE, ADDRESS, "RFC 3261 20.31")                             \
    HEADER(USER_AGENT, "User-Agent", 0, SINGLE, PRODUCTS, "RFC 3261 20.41")                        \
    HEADER(SERVER, "Server", 0, SINGLE, PRODUCTS, "RFC 3261 20.35")                                \
    HEADER(SUBJECT, "Subject", 's', SINGLE, TEXT, "RFC 3261 20.36")                                \
    HEADER(ORGANIZATION, "Organization", 0, SINGLE, TEXT, "RFC 3261 20.25")                        \
    HEADER(PRIORITY, "Priority", 0, SINGLE, TOKEN, "RFC 3261 20.26")                               \
    HEADER(DATE, "Date", 0, SINGLE, DATE, "RFC 3261 20.17")                                        \
    HEADER(TIMESTAMP, "Timestamp", 0, SINGLE, TIMESTAMP, "RFC 3261 20.38")                         \
    HEADER(RETRY_AFTER, "Retry-After", 0, SINGLE, INTERVAL, "RFC 3261 20.33")                      \
    HEADER(WARNING, "Warning", 0, LIST, WARNING, "RFC 3261 20.43")                                 \
    HEADER(RSEQ, "RSeq", 0, SINGLE, NUMBER, "RFC 3262 7.1")                                        \
    HEADER(RACK, "RAck", 0, SINGLE, RACK, "RFC 3262 7.2")                                          \
    HEADER(PRIVACY, "Privacy", 0, SINGLE, ITEM, "RFC 3323 4.2")                                    \
    HEADER(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, LIST, ADDRESS, "RFC 3325 9.1")           \
    HEADER(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, LIST, ADDRESS, "RFC 3325 9.2")         \
    HEADER(REASON, "Reason", 0, LIST, ITEM, "RFC 3326 2")                                          \
    HEADER(PATH, "Path", 0, LIST, ROUTE, "RFC 3327 4")                                             \
    HEADER(SECURITY_CLIENT, "Security-Client", 0, LIST, ITEM, "RFC 3329 2.2")                      \
    HEADER(SECURITY_SERVER, "Security-Server", 0, LIST, ITEM, "RFC 3329 2.2")                      \
    HEADER(SECURITY_VERIFY, "Security-Verify", 0, LIST, ITEM, "RFC 3329 2.2")                      \
    HEADER(REFER_TO, "Refer-To", 'r', SINGLE, ADDRESS, "RFC 3515 2.1")                             \
    HEADER(SERVICE_ROUTE, "Service-Route", 0, LIST, ROUTE, "RFC 3608 5")                           \
    HEADER(ACCEPT_CONTACT, "Accept-Contact", 'a', LIST, FEATURES, "RFC 3841 9.2")                  \
    HEADER(REJECT_CONTACT, "Reject-Contact", 'j', LIST, FEATURES, "RFC 3841 9.2")                  \
    HEADER(REQUEST_DISPOSITION, "Request-Disposition", 'd', LIST, TOKEN, "RFC 3841 9.1")           \
    HEADER(REPLACES, "Replaces", 0, SINGLE, DIALOG, "RFC 3891 6.1")                                \
    HEADER(REFERRED_BY, "Referred-By", 'b', SINGLE, ADDRESS, "RFC 3892 3")                         \
    HEADER(SIP_ETAG, "SIP-ETag", 0, SINGLE, TOKEN, "RFC 3903 11.3.1")                              \
    HEADER(SIP_IF_MATCH, "SIP-If-Match", 0, SINGLE, TOKEN, "RFC 3903 11.3.2")                      \
    HEADER(JOIN, "Join", 0, SINGLE, DIALOG, "RFC 3911 7.1")                                        \
    HEADER(SESSION_EXPIRES, "Session-Expires", 'x', SINGLE, INTERVAL, "RFC 4028 4")                \
    HEADER(MIN_SE, "Min-SE", 0, SINGLE, INTERVAL, "RFC 4028 5")                                    \
    HEADER(RESOURCE_PRIORITY, "Resource-Priority", 0, LIST, PRIORITY, "RFC 4412 3.1")              \
    HEADER(ACCEPT_RESOURCE_PRIORITY, "Accept-Resource-Priority", 0, MAYBE, PRIORITY,               \
           "RFC 4412 3.2")                                                                         \
    HEADER(REFER_SUB, "Refer-Sub", 0, SINGLE, ITEM, "RFC 4488 4")                                  \
    HEADER(TARGET_DIALOG, "Target-Dialog", 0, SINGLE, DIALOG, "RFC 4538 7")                        \
    HEADER(P_EARLY_MEDIA, "P-Early-Media", 0, MAYBE, TOKEN, "RFC 5009 8")                          \
    HEADER(MAX_BREADTH, "Max-Breadth", 0, SINGLE, NUMBER, "RFC 5393 5.3.1")                        \
    HEADER(FLOW_TIMER, "Flow-Timer", 0, SINGLE, NUMBER, "RFC 5626 10")                             \
    HEADER(INFO_PACKAGE, "Info-Package", 0, SINGLE, ITEM, "RFC 6086 7.2")                          \
    HEADER(RECV_INFO, "Recv-Info", 0, MAYBE, ITEM, "RFC 6086 7.3")                                 \
    HEADER(EVENT, "Event", 'o', SINGLE, ITEM, "RFC 6665 8.2.1")                                    \
    HEADER(ALLOW_EVENTS, "Allow-Events", 'u', LIST, TOKEN, "RFC 6665 8.2.2")                       \
    HEADER(SUBSCRIPTION_STATE, "Subscription-State", 0, SINGLE, ITEM, "RFC 6665 8.2.3")            \
    HEADER(FEATURE_CAPS, "Feature-Caps", 0, LIST, FEATURES, "RFC 6809 6.2")                        \
    HEADER(HISTORY_INFO, "History-Info", 0, LIST, ADDRESS, "RFC 7044 5")                           \
    HEADER(SESSION_ID, "Session-ID", 0, SINGLE, SESSION, "RFC 7329 7")                             \
    HEADER(IDENTITY, "Identity", 'y', LIST, IDENTITY, "RFC 8224 4")
/* clang-format on */

#define AHOY_HEADER_CONSTANT(constant, ...) AHOY_HEADER_##constant,
enum ahoy_header { AHOY_HEADER_OTHER, AHOY_HEADERS(AHOY_HEADER_CONSTANT) AHOY_HEADER_COUNT };
#undef AHOY_HEADER_CONSTANT

/* Reads a full or compact name, case aside (RFC 3261 7.3.1, 7.3.3). */
enum ahoy_header ahoy_header_parse(struct span name);
/* The same for a name of |size| that |bytes| begin with: shorter than a block, no control byte. */
enum ahoy_header ahoy_header_find(ahoy_block bytes, size_t size);
/* The canonical name; empty for AHOY_HEADER_OTHER. */
struct span ahoy_header_name(enum ahoy_header header);
enum ahoy_header_kind ahoy_header_kind(enum ahoy_header header);
/* Whether its values stand in a comma list: AHOY_LIST or AHOY_MAYBE. */
bool ahoy_header_is_list(enum ahoy_header header);
/* Takes the next value of a row of |header|, a list, off |rest|, as ahoy_list_next does. */
bool ahoy_header_next(enum ahoy_header header, struct span *rest, struct span *item,
                      struct ahoy_err *err);
/* AHOY_FORM_TEXT for AHOY_HEADER_OTHER. */
enum ahoy_form ahoy_header_form(enum ahoy_header header);
/* The RFC and section that define it: "RFC 3261 20.42"; empty for AHOY_HEADER_OTHER. */
struct span ahoy_header_source(enum ahoy_header header);
