/* What happens, for people or as JSON: one line an event, flushed. */
#pragma once

#include "ahoy/options.h"
#include "libahoy/media/media.h"

/* Prints |news|. */
void phone_show(const struct phone_options *options, const struct ahoy_ua_news *news);
/* The same for NOTIFIED, with what the NOTIFY told: for people line by line. */
void phone_show_notice(const struct phone_options *options, const struct ahoy_ua_news *news,
                       struct span document);
/* What a call's sound was. */
struct phone_heard {
    enum ahoy_codec codec;
    struct ahoy_media_stats stats;
    bool has_tone;
    double hz, level_dbov;
};

void phone_show_heard(const struct phone_options *options, struct ahoy_handle session,
                      const struct phone_heard *heard);
/* Prints that something begins: "calling", "waiting for calls". */
void phone_show_note(const struct phone_options *options, const char *what, struct span about);
/* What the user may do about a status that refused him; "" where there is nothing to say. */
const char *phone_advice(unsigned status);
