/* Telephone events, digits above all: RFC 4733 2. */
#pragma once

#include "libahoy/media/rtp.h"

enum {
    AHOY_EVENT_SIZE = 4,
    AHOY_EVENT_CODES = 16, /* 0 to 9, *, #, A to D. */
    AHOY_EVENT_COPIES = 3  /* Of the last packet (2.5.1.4). */
};

/* "0123456789*#ABCD"[code]; '\0' for an event that is no digit. */
char ahoy_event_digit(uint8_t code);
/* The code of |digit|; AHOY_EVENT_CODES where it is none. */
uint8_t ahoy_event_code(char digit);

/* The event that is being heard.  Zeroed: none yet. */
struct ahoy_event_heard {
    bool is_any;
    uint8_t code;
    uint32_t timestamp;
    uint16_t duration; /* The longest that was told. */
};

/* Takes an event packet.  True, once an event, with its code; packets that repeat it, and further
 * segments of a long one (2.5.2.3), give nothing. */
bool ahoy_event_take(struct ahoy_event_heard *heard, const struct ahoy_rtp *rtp, uint8_t *code);

/* The event that is being said.  Zeroed: none. */
struct ahoy_event_said {
    uint8_t code;
    uint32_t timestamp; /* When it began; all of its packets have it. */
    uint32_t lasted;    /* In units of the timestamp; at most 65535. */
    uint32_t lasts;
    unsigned copies; /* Of the last packet that are still to be sent. */
    bool is_first;
};

/* |lasts|, in units of the timestamp, is from 1 to 65535. */
void ahoy_event_say(struct ahoy_event_said *said, uint8_t code, uint32_t lasts, uint32_t timestamp);
bool ahoy_event_is_said(const struct ahoy_event_said *said);
/* The next packet of it, |step| later than the one before: timestamp, marker and payload (into
 * |bytes|) of |rtp|. */
void ahoy_event_next(struct ahoy_event_said *said, uint32_t step, char bytes[AHOY_EVENT_SIZE],
                     struct ahoy_rtp *rtp);
