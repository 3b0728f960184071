/* Session descriptions (RFC 8866), as far as an RTP phone needs them: views into the received
 * text.  Lines of an unknown type and unknown attributes are passed over. */
#pragma once

#include "libahoy/base/err.h"

enum {
    AHOY_SDP_MEDIA_LIMIT = 64,
    AHOY_SDP_LINES_LIMIT = 2048,
    AHOY_SDP_LINE_LIMIT = 8192 /* Bytes of one line. */
};

enum ahoy_direction { AHOY_SENDRECV, AHOY_SENDONLY, AHOY_RECVONLY, AHOY_INACTIVE };

struct ahoy_sdp_connection {
    struct span family;  /* "IP4"; empty where there is no c=. */
    struct span address; /* As written, with "/ttl" of a multicast one. */
};

/* One m= section (5.14). */
struct ahoy_sdp_media {
    struct span type;     /* "audio" */
    uint16_t port;        /* 0: rejected, or not offered any more. */
    struct span protocol; /* "RTP/AVP" */
    struct span formats;  /* "0 8 101" */
    struct span lines;    /* All behind the m= line up to the next. */
    struct ahoy_sdp_connection connection; /* Its own c=, else the session's. */
    enum ahoy_direction direction;         /* Its own, else the session's, else sendrecv. */
};

struct ahoy_sdp {
    struct span origin;  /* The value of o=. */
    struct span timing;  /* The value of the first t=; empty where there is none. */
    struct ahoy_sdp_connection connection;
    enum ahoy_direction direction;
    size_t media_count;
    struct ahoy_sdp_media media[AHOY_SDP_MEDIA_LIMIT];
};

/* Reads all of |text|.  Lines end in CRLF, or in LF alone (5: "parsers SHOULD be tolerant").
 * Faults: 400 for a line without end or without "x=", for a first line other than "v=0", for o=,
 * s=, c=, b=, t=, m= that cannot be read, for o= or s= missing; 488 above a limit. */
bool ahoy_sdp_parse(struct span text, struct ahoy_sdp *sdp, struct ahoy_err *err);

/* Takes the next line off |rest|: its type and value.  False at the end (err->expected NULL) or at
 * a fault. */
bool ahoy_sdp_line(struct span *rest, char *type, struct span *value, struct ahoy_err *err);

/* Takes the next word off |rest|, which words are parted in by single spaces; empty at the end. */
struct span ahoy_sdp_word(struct span *rest);

/* "sendrecv" */
struct span ahoy_direction_name(enum ahoy_direction direction);
