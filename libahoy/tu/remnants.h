/* What is left of calls of ours that are over.  The transaction of an INVITE stays for 64*T1 behind
 * its 2xx (RFC 6026 8.4), and each 2xx that comes by then is acknowledged (RFC 3261 13.2.2.4): that
 * asks for a tenth of a session's memory. */
#pragma once

#include "libahoy/base/pool.h"
#include "libahoy/tu/session.h"

struct ahoy_remnant {
    struct ahoy_forks *forks;             /* NULL until one is given up. */
    struct ahoy_credentials *credentials; /* Of the INVITE; NULL for none. */
    uint32_t invite_cseq;
    struct ahoy_dialog_kept dialog; /* Its room need not be zeroed. */
};

/* For |limit| of them; of a program's sessions, at most AHOY_UA_MOST_SESSIONS_LIMIT. */
void ahoy_remnants_init(struct ahoy_pool *remnants, uint32_t limit);
void ahoy_remnants_fini(struct ahoy_pool *remnants);
/* Takes over the INVITE of |session|, which is spent.  False, and all is as before, where a limit
 * or memory refuses. */
bool ahoy_remnants_take(struct ahoy_pool *remnants, struct ahoy_session *session,
                        struct ahoy_ua_context *context);
/* Whether |event| is for one of them, or was. */
bool ahoy_remnants_are_meant(const struct ahoy_event *event);
/* Such an event: a response, or the end of the transaction. */
void ahoy_remnants_step(struct ahoy_pool *remnants, struct ahoy_ua_context *context,
                        const struct ahoy_event *event, uint64_t now_ms);
