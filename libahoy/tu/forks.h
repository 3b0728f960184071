/* The 2xx to an INVITE of ours that come when it has been answered: the first one again, or those
 * of further forks, which answered too late (RFC 3261 13.2.2.4). */
#pragma once

#include "libahoy/tu/ua_context.h"

enum { AHOY_SESSION_FORKS_LIMIT = 4 };

/* Forks that were given up. */
struct ahoy_forks {
    unsigned count;
    uint64_t hashes[AHOY_SESSION_FORKS_LIMIT]; /* Of their To tags. */
};

/* What the ACK to a 2xx repeats of its INVITE (13.2.2.4). */
struct ahoy_acked {
    uint32_t cseq;
    const struct ahoy_credentials *credentials; /* NULL for none. */
};

/* ACK to a 2xx that made, or is of, |dialog|; made anew for each one that comes. */
void ahoy_forks_acknowledge(struct ahoy_ua_context *context, const struct ahoy_dialog *dialog,
                            const struct ahoy_acked *acked, uint64_t now_ms);
/* The 2xx |event| is a further fork's of the call of |caller|; its early dialog was |early|, or
 * NULL.  It is acknowledged, and ended once by a BYE, whose fate matters to nobody. */
void ahoy_forks_give_up(struct ahoy_forks *forks, struct ahoy_ua_context *context,
                        const struct ahoy_dialog *caller, const struct ahoy_acked *acked,
                        struct ahoy_dialog *early, const struct ahoy_event *event, uint64_t now_ms);
