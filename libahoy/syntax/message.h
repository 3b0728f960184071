/* A SIP message (RFC 3261 7) as an index over the received bytes: which header, where its name
 * and value stand. Nothing is copied or allocated; typed views are parsed when somebody asks. */
#pragma once

#include "libahoy/base/err.h"
#include "libahoy/syntax/address.h"
#include "libahoy/syntax/cseq.h"
#include "libahoy/syntax/header.h"
#include "libahoy/syntax/method.h"
#include "libahoy/syntax/via.h"

enum {
    AHOY_MESSAGE_LIMIT = 65536, /* Bytes of a message, body included. */
    AHOY_HEADERS_LIMIT = 256,   /* Rows. */
    AHOY_LINE_LIMIT = 8192      /* Bytes of one row, continuation lines included. */
};

/* One row. */
struct ahoy_field {
    enum ahoy_header header;
    uint16_t next;     /* 1 + the index of the next row of the same header, or 0; not for OTHER. */
    struct span name;  /* As written. */
    struct span value; /* Trimmed; may hold folded lines (CRLF and white space mean one space). */
    struct span row;   /* From the name to behind the CRLF: what an edit removes. */
};

/* Some 15 KB, so it is better kept than put on a stack, where it would be cleared each time. */
struct ahoy_message {
    struct span bytes;      /* From the start line to the end of the body, nothing behind. */
    struct span start_line; /* With its CRLF. */
    bool is_request;
    enum ahoy_method method; /* Requests. */
    unsigned status;         /* Responses: 100 to 699. */
    struct span method_text; /* Requests. */
    struct span request_uri; /* Requests, as written. */
    struct span reason;      /* Responses. */
    struct span body;
    size_t headers_end; /* Offset of the empty line: where a row can be added. */
    uint16_t field_count;
    uint16_t first[AHOY_HEADER_COUNT]; /* 1 + the index of the first row of each header, or 0. */
    uint16_t last[AHOY_HEADER_COUNT];  /* The last row, where first[] is set. */
    struct ahoy_field fields[AHOY_HEADERS_LIMIT];
};

/* Indexes one message that fills |bytes| (a datagram, or what frame.h cut from a stream).
 * Content-Length rules the body (18.3): absent, the body is the rest; larger than what is there
 * is a fault; surplus bytes are dropped.
 *
 * Lines end in CRLF, nothing else; empty lines in front of the start line are skipped.
 *
 * Returns false at a fault, with |err| naming the first one: 400; 413 above AHOY_MESSAGE_LIMIT;
 * 414; 505 for another version.  Even then |message| holds the start line, if it could be read
 * (else is_request is false and status 0), and every row that is sound, so that a 400 can be
 * answered. */
bool ahoy_message_parse(struct span bytes, struct ahoy_message *message, struct ahoy_err *err);

/* The first row of |header|, or NULL.  |header| is not AHOY_HEADER_OTHER. */
const struct ahoy_field *ahoy_message_first(const struct ahoy_message *message,
                                            enum ahoy_header header);
/* The next row of the same header, or NULL. */
const struct ahoy_field *ahoy_message_next(const struct ahoy_message *message,
                                           const struct ahoy_field *field);
/* The value of the first row; empty where there is none. */
struct span ahoy_message_value(const struct ahoy_message *message, enum ahoy_header header);

/* Walks the values of a list header over all its rows. */
struct ahoy_values {
    const struct ahoy_message *message;
    const struct ahoy_field *field; /* The row that |item| came from. */
    struct span rest;
};

/* Before the first value of |header|, which is no AHOY_HEADER_OTHER. */
struct ahoy_values ahoy_message_values(const struct ahoy_message *message, enum ahoy_header header);
/* False at the end (err->expected NULL) or at a fault. */
bool ahoy_values_next(struct ahoy_values *values, struct span *item, struct ahoy_err *err);

/* The same, each value read as an address; its faults too are those of ahoy_address_parse. */
bool ahoy_addresses_next(struct ahoy_values *values, struct ahoy_address *address,
                         struct ahoy_err *err);

/* What every element needs to route a message. */
struct ahoy_routing {
    struct ahoy_uri request_uri; /* Requests. */
    struct ahoy_via via;         /* The topmost. */
    const struct ahoy_field *via_field;
    struct ahoy_address from, to; /* Of responses as ahoy_address_skim leaves them. */
    struct span from_tag, to_tag; /* Empty where absent. */
    struct span call_id;
    struct ahoy_cseq cseq;
    unsigned max_forwards; /* 70 where absent. */
};

/* Parses and checks the headers that 8.1.1 makes mandatory, in the order Via first:
 * |routing->via_field| is NULL where the topmost Via is not usable, so nothing can be answered.
 * At a fault what stands behind it is empty.
 * Faults: a header missing or unreadable, CSeq's method not the request's (400), no tag in From
 * of a peer whose branch has the cookie.  Max-Forwards may be absent (RFC 2543). */
bool ahoy_message_routing(const struct ahoy_message *message, struct ahoy_routing *routing,
                          struct ahoy_err *err);

/* Whether every header that has a type can be read, all values of all rows: Via, From, To, CSeq,
 * Contact ("*" alone is one), Route, Record-Route, Path, Refer-To, and credentials.  For
 * requests that the server acts on itself; a proxy does not ask.  Faults: 400. */
bool ahoy_message_check(const struct ahoy_message *message, struct ahoy_err *err);
/* The same of a message whose |routing| was sound: what was read for that is not read again.  Where
 * |contact| is not NULL, the first Contact is left there, or an empty text where it is none. */
bool ahoy_message_check_rest(const struct ahoy_message *message, const struct ahoy_routing *routing,
                             struct ahoy_address *contact, struct ahoy_err *err);
/* Whether |header| is one of those. */
bool ahoy_header_is_checked(enum ahoy_header header);

/* Finds the Call-ID by a cheap scan, before anything is parsed, to choose the worker; empty
 * where there is none. */
struct span ahoy_message_scan_call_id(struct span bytes);
