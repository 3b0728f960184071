/* The parts of a user agent, for the files that move them. */
#pragma once

#include "libahoy/base/heap.h"
#include "libahoy/base/map.h"
#include "libahoy/tu/exchange.h"
#include "libahoy/tu/publication.h"
#include "libahoy/tu/registrations.h"
#include "libahoy/tu/remnants.h"
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
    struct ahoy_map calls;     /* The same by the hashes of their Call-IDs. */
    struct ahoy_hash_key call_key;
    struct ahoy_heap due; /* When each is to be woken. */
    struct ahoy_pool remnants;
    bool is_busy;
};

/* For |limit| sessions at once; false where memory is refused. */
bool ahoy_ua_init_sessions(struct ahoy_ua *ua, uint32_t limit, const uint64_t seed[2]);
void ahoy_ua_fini_sessions(struct ahoy_ua *ua);
/* NULL where a limit, or memory, refuses. */
struct ahoy_session *ahoy_ua_add_session(struct ahoy_ua *ua);
/* It has its Call-ID now, which stays: it can be found, and is woken. */
void ahoy_ua_note_session(struct ahoy_ua *ua, struct ahoy_session *session);
void ahoy_ua_remove_session(struct ahoy_ua *ua, struct ahoy_session *session);
/* NULL for a handle that is null or stale. */
struct ahoy_session *ahoy_ua_get_session(struct ahoy_ua *ua, struct ahoy_handle handle);
/* The session that a request within a dialog belongs to. */
struct ahoy_session *ahoy_ua_find_session(struct ahoy_ua *ua, const struct ahoy_routing *routing,
                                          struct ahoy_dialog **dialog);
/* Whether an INVITE, or a REFER, has come before, by another path (8.2.2.2): its proxy forked, and
 * both branches lead here. */
bool ahoy_ua_is_merged(const struct ahoy_ua *ua, const struct ahoy_routing *routing);
/* After whatever may have moved its deadline. */
void ahoy_ua_time_session(struct ahoy_ua *ua, struct ahoy_session *session);
void ahoy_ua_expire_sessions(struct ahoy_ua *ua, uint64_t now_ms);
uint32_t ahoy_ua_busy_sessions(const struct ahoy_ua *ua);
/* After whatever may have ended it: no event may follow.  Or it may have made way for a change. */
void ahoy_ua_settle(struct ahoy_ua *ua, struct ahoy_session *session, uint64_t now_ms);
