/* The screen of a phone that somebody sits at: it shows what happens, and does what keys wish
 * for. */
#pragma once

#include "ahoy/worker.h"

struct phone_screen;

/* NULL where it is not wanted, or there is no terminal for it; all the rest takes NULL too. */
struct phone_screen *phone_screen_open(struct phone *phone, const struct phone_options *options);
/* The terminal is as before, and what was printed meanwhile stands on it. */
void phone_screen_close(struct phone_screen *screen);

/* A call of ours begins. */
void phone_screen_call(struct phone_screen *screen, struct ahoy_handle session, struct span callee);
void phone_screen_take(struct phone_screen *screen, const struct ahoy_ua_news *news);
/* |bytes| of SIP passed. */
void phone_screen_pass(struct phone_screen *screen, bool is_sent, struct span bytes);
/* Whether whoever sits there has just wished to answer |session|. */
bool phone_screen_answers(struct phone_screen *screen, struct ahoy_handle session);

/* For the worker: draws what has changed; returns when to come back. */
uint64_t phone_screen_turn(struct phone_screen *screen);
