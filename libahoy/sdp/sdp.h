/* Session descriptions (RFC 8866): views into the received text.  The lines that the phone asks for
 * are typed; all lines can be walked. */
#pragma once

#include "libahoy/base/buf.h"
#include "libahoy/base/err.h"

enum {
    AHOY_SDP_MEDIA_LIMIT = 64,
    AHOY_SDP_LINES_LIMIT = 2048,
    AHOY_SDP_LINE_LIMIT = 8192 /* Bytes of one line. */
};

enum ahoy_direction { AHOY_SENDRECV, AHOY_SENDONLY, AHOY_RECVONLY, AHOY_INACTIVE };

/* o= (5.2) */
struct ahoy_sdp_origin {
    struct span username; /* "-" where the host has no users. */
    uint64_t session_id;
    uint64_t version;
    struct span network; /* "IN" */
    struct span family;  /* "IP4" */
    struct span address;
};

/* c= (5.7) */
struct ahoy_sdp_connection {
    struct span network; /* "IN"; empty where there is no c=. */
    struct span family;  /* "IP4" */
    struct span address; /* As written, with "/ttl" of a multicast one. */
};

/* One m= section (5.14). */
struct ahoy_sdp_media {
    struct span type;                      /* "audio" */
    uint16_t port;                         /* 0: rejected, or not offered any more. */
    uint16_t port_count;                   /* 1 where none is written. */
    struct span protocol;                  /* "RTP/AVP" */
    struct span formats;                   /* "0 8 101" */
    struct span lines;                     /* All behind the m= line up to the next. */
    struct ahoy_sdp_connection connection; /* Its first c=, else the session's. */
    enum ahoy_direction direction;         /* Its own, else the session's, else sendrecv. */
};

struct ahoy_sdp {
    struct ahoy_sdp_origin origin;
    struct span name;   /* The value of s=. */
    struct span timing; /* The value of the first t=; empty where there is none. */
    struct span lines;  /* All up to the first m=. */
    struct ahoy_sdp_connection connection;
    enum ahoy_direction direction;
    size_t line_count;
    size_t media_count;
    struct ahoy_sdp_media media[AHOY_SDP_MEDIA_LIMIT];
};

/* Reads all of |text|.  Lines end in CRLF, or in LF alone (5: "parsers SHOULD be tolerant"), and
 * stand in the order of section 9.  What peers leave out is borne: t=, c=, a name behind s=.  Lines
 * of an unknown type are kept where they stand.
 * Faults: 400 for a line without end or without "x=", for a first line other than "v=0", for a line
 * out of order or once too often, for o=, c=, b=, t=, r=, z=, a=, m= that cannot be read, for an
 * empty u=, e= or p=, for o= or s= missing; 488 above a limit. */
bool ahoy_sdp_parse(struct span text, struct ahoy_sdp *sdp, struct ahoy_err *err);

/* Prints |sdp|, which was parsed without a fault: its lines with CRLF, fields parted by one space,
 * "s=-" and "t=0 0" where they are missing, without k= (R8866-5.12-2).  What is printed parses to
 * the same, and prints to itself. */
void ahoy_sdp_print(const struct ahoy_sdp *sdp, struct ahoy_buf *buf);

/* Takes the next line off |rest|: its type and value.  False at the end (err->expected NULL) or at
 * a fault. */
bool ahoy_sdp_line(struct span *rest, char *type, struct span *value, struct ahoy_err *err);

/* The walks below take things off |rest|, which is |lines| of a description or of a medium that
 * were parsed without a fault.  False where there are no more. */

/* The value of the next line of |type|: 'i', 'u', 'e', 'p' ... */
bool ahoy_sdp_next(struct span *rest, char type, struct span *value);

/* a= (5.13) */
struct ahoy_sdp_attribute {
    struct span name;
    struct span value; /* Empty for a property attribute. */
};

/* The next attribute off |rest|. */
bool ahoy_sdp_attribute_next(struct span *rest, struct ahoy_sdp_attribute *attribute);
/* The value of the next attribute |name| off |rest|. */
bool ahoy_sdp_attribute_find(struct span *rest, struct span name, struct span *value);
/* The value of the first attribute |name|; false where there is none. */
bool ahoy_sdp_attribute(struct span lines, struct span name, struct span *value);

/* b= (5.8) */
struct ahoy_sdp_bandwidth {
    struct span type; /* "AS" */
    uint64_t value;   /* Kilobits a second for CT and AS. */
};

/* The next bandwidth off |rest|. */
bool ahoy_sdp_bandwidth_next(struct span *rest, struct ahoy_sdp_bandwidth *bandwidth);

/* t= (5.9), in seconds since 1900; 0 where unbounded. */
struct ahoy_sdp_time {
    uint64_t start_s;
    uint64_t stop_s;
    struct span lines; /* Its r= and z=. */
};

/* The next time off |rest|, |lines| of a description. */
bool ahoy_sdp_time_next(struct span *rest, struct ahoy_sdp_time *time);

/* r= (5.10), off |lines| of a time. */
struct ahoy_sdp_repeat {
    uint64_t interval_s;
    uint64_t duration_s;
    struct span offsets; /* From the start: ahoy_sdp_seconds_next. */
};

/* The next repeat off |rest|. */
bool ahoy_sdp_repeat_next(struct span *rest, struct ahoy_sdp_repeat *repeat);

/* Takes the next time off |words|: offsets of a repeat, or the value of z= (5.11), where a time and
 * an offset alternate.  Seconds, or days, hours, minutes by their letter.  False at the end, and
 * where it is no time. */
bool ahoy_sdp_seconds_next(struct span *words, int64_t *seconds);

/* Takes the next word off |rest|, which words are parted in by single spaces; empty at the end. */
struct span ahoy_sdp_word(struct span *rest);

/* "sendrecv" */
struct span ahoy_direction_name(enum ahoy_direction direction);
