/* The sessions of a user agent, thousands where its program says so: found by Call-ID (RFC 3261
 * 12.2.2), and woken when their time has come. */
#include <assert.h>
#include <stdlib.h>

#include "libahoy/tu/ua_parts.h"

bool ahoy_ua_init_sessions(struct ahoy_ua *ua, uint32_t limit, const uint64_t seed[2])
{
    /* Not the numbers that Call-IDs are made of, which everybody sees. */
    const uint64_t other[2] = { ~seed[0], seed[1] };
    struct ahoy_rng rng;
    ahoy_rng_init(&rng, other);
    assert(limit <= AHOY_UA_MOST_SESSIONS_LIMIT);
    ahoy_pool_init_roomy(&ua->sessions, sizeof(struct ahoy_session),
                         offsetof(struct ahoy_session, dialog.routes), limit);
    ahoy_remnants_init(&ua->remnants, limit);
    ua->call_key = (struct ahoy_hash_key){ { ahoy_rng_next(&rng), ahoy_rng_next(&rng) } };
    ahoy_map_init(&ua->calls, limit); /* It grows with those that there are. */
    return ahoy_heap_init(&ua->due, limit);
}

void ahoy_ua_fini_sessions(struct ahoy_ua *ua)
{
    struct ahoy_handle handle;
    struct ahoy_session *session = ahoy_pool_next(&ua->sessions, 0, &handle);
    for (; session != NULL; session = ahoy_pool_next(&ua->sessions, handle.slot + 1, &handle))
        ahoy_ua_remove_session(ua, session);
    ahoy_pool_fini(&ua->sessions);
    ahoy_remnants_fini(&ua->remnants);
    ahoy_heap_fini(&ua->due);
    ahoy_map_fini(&ua->calls);
}

struct ahoy_session *ahoy_ua_add_session(struct ahoy_ua *ua)
{
    struct ahoy_handle handle;
    struct ahoy_session *session =
        ahoy_map_reserve(&ua->calls) ? ahoy_pool_add(&ua->sessions, &handle) : NULL;
    if (session == NULL)
        return NULL;
    session->self = handle;
    session->due.what = ahoy_handle_pack(handle);
    session->ring_ms = session->change.again_ms = UINT64_MAX;
    ahoy_session_timer_init(&session->timer);
    ahoy_sdp_local_init(&session->local);
    ahoy_sdp_local_init(&session->in_force);
    ahoy_sdp_local_init(&session->offered);
    session->local.session_id = ahoy_rng_next(&ua->context.rng) >> 2; /* Fits a signed number. */
    session->local.codecs = ua->context.codecs;
    session->local.security.tells_keys = true; /* Until it is known which way. */
    return session;
}

void ahoy_ua_note_session(struct ahoy_ua *ua, struct ahoy_session *session)
{
    session->call_hash = ahoy_siphash(&ua->call_key, session->dialog.call_id);
    session->is_noted = ahoy_map_add(&ua->calls, session->call_hash, session->due.what);
    assert(session->is_noted); /* Its place was reserved with it, and nobody was between. */
    ahoy_ua_time_session(ua, session);
}

void ahoy_ua_time_session(struct ahoy_ua *ua, struct ahoy_session *session)
{
    ahoy_heap_set(&ua->due, &session->due, ahoy_session_deadline(session));
}

void ahoy_ua_remove_session(struct ahoy_ua *ua, struct ahoy_session *session)
{
    if (session->is_noted)
        (void)ahoy_map_remove(&ua->calls, session->call_hash, session->due.what); /* It is there. */
    ahoy_heap_set(&ua->due, &session->due, UINT64_MAX);
    ahoy_session_fini(session, &ua->context);
    ahoy_pool_remove(&ua->sessions, session->self);
}

struct ahoy_session *ahoy_ua_get_session(struct ahoy_ua *ua, struct ahoy_handle handle)
{
    return ahoy_pool_get(&ua->sessions, handle);
}

/* The next session of |call_id|, from *cursor on; NULL for no more. */
static struct ahoy_session *next_of_call(const struct ahoy_ua *ua, struct span call_id,
                                         size_t *cursor)
{
    uint64_t handle;
    if (!ahoy_map_find(&ua->calls, ahoy_siphash(&ua->call_key, call_id), cursor, &handle))
        return NULL;
    return ahoy_pool_get(&ua->sessions, ahoy_handle_unpack(handle));
}

struct ahoy_session *ahoy_ua_find_session(struct ahoy_ua *ua, const struct ahoy_routing *routing,
                                          struct ahoy_dialog **dialog)
{
    size_t cursor = 0;
    struct ahoy_session *session;
    while ((session = next_of_call(ua, routing->call_id, &cursor)) != NULL) {
        *dialog = ahoy_session_find(session, routing);
        if (*dialog != NULL)
            return session;
    }
    return NULL;
}

bool ahoy_ua_is_merged(const struct ahoy_ua *ua, const struct ahoy_routing *routing)
{
    size_t cursor = 0;
    const struct ahoy_session *session;
    while ((session = next_of_call(ua, routing->call_id, &cursor)) != NULL) {
        const struct ahoy_dialog *dialog = &session->dialog;
        if (!session->is_caller &&
            (session->server.generation != 0 || session->was_referred) &&
            session->server_cseq == routing->cseq.number &&
            ahoy_span_equal(dialog->call_id, routing->call_id) &&
            ahoy_span_equal_nocase(dialog->remote_tag, routing->from_tag))
            return true;
    }
    return false;
}

void ahoy_ua_expire_sessions(struct ahoy_ua *ua, uint64_t now_ms)
{
    /* One that is due again at once waits for the next time. */
    for (size_t left = ua->due.count; left > 0; left--) {
        struct ahoy_due *due = ahoy_heap_first(&ua->due);
        if (due == NULL || due->deadline_ms > now_ms)
            return;
        struct ahoy_session *session = ahoy_ua_get_session(ua, ahoy_handle_unpack(due->what));
        ahoy_session_expire(session, &ua->context, now_ms);
        ahoy_ua_settle(ua, session, now_ms);
    }
}

uint32_t ahoy_ua_busy_sessions(const struct ahoy_ua *ua)
{
    uint32_t busy = 0;
    struct ahoy_handle handle;
    const struct ahoy_session *session = ahoy_pool_next(&ua->sessions, 0, &handle);
    for (; session != NULL; session = ahoy_pool_next(&ua->sessions, handle.slot + 1, &handle))
        busy += ahoy_session_is_busy(session);
    return busy;
}
