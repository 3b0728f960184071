/* What happens, for people or as JSON: one line an event, flushed. */
#pragma once

#include "ahoy/options.h"
#include "libahoy/media/media.h"

/* Prints |news|, with the |notice| of NOTIFIED or MESSAGE: for people line by line. */
void phone_show(const struct phone_options *options, const struct ahoy_ua_news *news,
                struct span notice);
/* What became of our MESSAGE: a REPLY. */
void phone_show_delivery(const struct phone_options *options, const struct ahoy_ua_news *news);
/* What became of our OPTIONS, after |rtt_us|; |response| is what the other side says, or empty
 * where that need not be shown. */
void phone_show_abilities(const struct phone_options *options, const struct ahoy_ua_news *news,
                          struct span response, uint64_t rtt_us);
/* The round trips of all OPTIONS that were answered. */
struct phone_trips {
    uint32_t sent, answered;
    uint64_t least_us, most_us, sum_us;
};
void phone_show_trips(const struct phone_options *options, const struct phone_trips *trips);
/* What a NOTIFY of options->package tells, in words, or as a further member of an object.  False
 * where it cannot be read: nothing is printed then. */
bool phone_show_told(const struct phone_options *options, struct span document);
/* Prints |text| of a stranger, of whatever size, as it may stand in JSON or on a terminal. */
void phone_print_strange(struct span text, bool json);
/* What a call's sound was. */
struct phone_heard {
    enum ahoy_codec codec;
    enum ahoy_suite suite; /* That secured it, if any did. */
    struct ahoy_media_stats stats;
    bool has_tone;
    double hz, level_dbov;
};

void phone_show_heard(const struct phone_options *options, struct ahoy_handle session,
                      const struct phone_heard *heard);
/* Whether sound can get to the other phone. */
enum phone_reach {
    PHONE_REACHED, /* Or it is not known yet. */
    PHONE_LOST,    /* It has not answered for long (RFC 7675). */
    PHONE_NO_WAY   /* Checks have found none. */
};

/* Prints that this is so now: PHONE_REACHED is for a way that was lost. */
void phone_show_way(const struct phone_options *options, struct ahoy_handle session,
                    enum phone_reach reach);
/* Prints that something begins: "calling", "waiting for calls". */
void phone_show_note(const struct phone_options *options, const char *what, struct span about);
/* What the user may do about a status that refused him; "" where there is nothing to say. */
const char *phone_advice(unsigned status);
