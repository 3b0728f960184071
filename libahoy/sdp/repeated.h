/* What is said and heard again and again.  Who makes many calls describes himself in the same words
 * each time, and so do most who answer: what differs is o= (RFC 8866 5.2), which nothing that is
 * agreed depends on.  So the last offer and the last answer are kept, and neither is printed, or
 * read, anew where it is the same but for that.  Only where nothing is secured: keys differ. */
#pragma once

#include "libahoy/sdp/negotiate.h"

enum { AHOY_SDP_REPEATED_LIMIT = 1024 /* Bytes of a description that is kept. */ };

/* A description, with the places between which the next may differ. */
struct ahoy_sdp_kept {
    size_t size; /* 0: there is none. */
    size_t from, to;
    char bytes[AHOY_SDP_REPEATED_LIMIT];
};

/* What a description of ours depends on, besides o=. */
struct ahoy_sdp_manner {
    struct ahoy_ip media;
    enum ahoy_direction direction;
    unsigned codecs;
    uint8_t opus, events[AHOY_EVENT_CLOCKS];
};

/* Zeroed at first. */
struct ahoy_sdp_repeated {
    struct ahoy_sdp_kept said, heard;
    struct ahoy_sdp_manner saying, asking; /* How it was said, and what was answered. */
    struct ahoy_sdp_agreed agreed;         /* What was heard came to that. */
};

/* Prints an offer that none went before: ahoy_sdp_print_offer. */
void ahoy_sdp_print_first(struct ahoy_sdp_repeated *repeated, const struct ahoy_sdp_local *local,
                          struct ahoy_buf *buf);

/* Reads |text|, the answer to our offer of |local|: ahoy_sdp_parse and ahoy_sdp_read_answer.  False
 * where it cannot be read or takes nothing.  |sdp| is what was read where that is secured; else it
 * may be anything. */
bool ahoy_sdp_hear_answer(struct ahoy_sdp_repeated *repeated, struct span text,
                          const struct ahoy_sdp_local *local, struct ahoy_sdp *sdp,
                          struct ahoy_sdp_agreed *agreed);
