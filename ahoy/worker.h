/* What runs a phone on the kernel: a driver, a stack and a user agent, pumped. */
#pragma once

#include "ahoy/options.h"

struct ahoy_driver;
struct phone;
struct phone_devices;
struct phone_screen;

/* Opens everything; NULL, said, where something cannot be, and |fault| is the exit code for that:
 * PHONE_UNREACHABLE for want of a way to the server, else PHONE_MISUSED, as what cannot be opened
 * was named by an option.  SIGINT and SIGTERM are caught from now on.  |options| outlives it. */
struct phone *phone_open(const struct phone_options *options, int *fault);
void phone_close(struct phone *phone);

struct ahoy_ua *phone_ua(struct phone *phone);
uint64_t phone_now(void);
uint64_t phone_now_us(void);
/* Whether a signal has asked to leave. */
bool phone_is_leaving(void);

/* Sends what the user agent was asked for, waits for what comes, until |deadline_ms| at the
 * latest, and works it off. */
void phone_turn(struct phone *phone, uint64_t deadline_ms);
/* Turns until nobody has to hear from us any more, or |patience_ms| is over. */
void phone_drain(struct phone *phone, uint64_t patience_ms);

/* For worker_flows.c. */
struct ahoy_stack *phone_stack(struct phone *phone);
/* Keeps the flows alive that the user agent has registered by; tells it of those that failed. */
void phone_mind_flows(struct phone *phone);

/* NULL where nobody sits at one. */
struct phone_screen *phone_screen(struct phone *phone);
/* NULL where none are used. */
struct phone_devices *phone_devices(struct phone *phone);

/* For worker_talk.c: a call's sound takes part in the turns from join to part.  False where there
 * are too many. */
struct phone_talk;
struct ahoy_driver *phone_driver(struct phone *phone);
/* |local| as others are told it: an address of ours in place of a wildcard. */
struct ahoy_ip phone_shown(const struct phone *phone, const struct ahoy_ip *local);
bool phone_join(struct phone *phone, struct phone_talk *talk);
void phone_part(struct phone *phone, struct phone_talk *talk);
/* The sound of |session|; NULL where there is none. */
struct phone_talk *phone_talk_find(struct phone *phone, struct ahoy_handle session);
