/* The parts of a user agent, for the files that move them. */
#pragma once

#include "libahoy/tu/exchange.h"
#include "libahoy/tu/publication.h"
#include "libahoy/tu/registrations.h"
#include "libahoy/tu/session.h"
#include "libahoy/tu/subscriber.h"
#include "libahoy/tu/ua.h"

struct ahoy_ua {
    struct ahoy_ua_context context;
    struct ahoy_registrations registrations;
    struct ahoy_subscriber subscriber;
    struct ahoy_publication publication;
    struct ahoy_exchanges exchanges;
    struct ahoy_pool sessions; /* struct ahoy_session */
    bool is_busy;
};

/* NULL where a limit, or memory, refuses. */
struct ahoy_session *ahoy_ua_add_session(struct ahoy_ua *ua);
void ahoy_ua_remove_session(struct ahoy_ua *ua, struct ahoy_session *session);
/* NULL for a handle that is null or stale. */
struct ahoy_session *ahoy_ua_get_session(struct ahoy_ua *ua, struct ahoy_handle handle);
/* After whatever may have ended it: no event may follow.  Or it may have made way for a change. */
void ahoy_ua_settle(struct ahoy_ua *ua, struct ahoy_session *session, uint64_t now_ms);
