/* What happens, for people or as JSON: one line an event, flushed. */
#pragma once

#include "ahoy/options.h"

/* Prints |news|. */
void phone_show(const struct phone_options *options, const struct ahoy_ua_news *news);
/* The same for NOTIFIED, with what the NOTIFY told: for people line by line. */
void phone_show_notice(const struct phone_options *options, const struct ahoy_ua_news *news,
                       struct span document);
/* Prints that something begins: "calling", "waiting for calls". */
void phone_show_note(const struct phone_options *options, const char *what, struct span about);
/* What the user may do about a status that refused him; "" where there is nothing to say. */
const char *phone_advice(unsigned status);
