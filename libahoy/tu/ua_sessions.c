/* The sessions of a user agent, thousands where its program says so: found by Call-ID (RFC 3261
 * 12.2.2), and woken when their time has come. */
#include <assert.h>
#include <stdlib.h>

#include "libahoy/tu/ua_parts.h"

/* Half of the chains, or more, are no longer than one. */
static size_t chains_for(uint32_t limit)
{
    size_t count = 1;
    while (count < limit)
        count *= 2;
    return count;
}

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
    ua->chain_count = chains_for(limit);
    ua->chains = calloc(ua->chain_count, sizeof(struct ahoy_session *));
    return ahoy_heap_init(&ua->due, limit) && ua->chains != NULL;
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
    free(ua->chains);
}

struct ahoy_session *ahoy_ua_add_session(struct ahoy_ua *ua)
{
    struct ahoy_handle handle;
    struct ahoy_session *session = ahoy_pool_add(&ua->sessions, &handle);
    if (session == NULL)
        return NULL;
    session->self = handle;
    session->due.what = ahoy_handle_pack(handle);
    session->ring_ms = session->change.again_ms = UINT64_MAX;
    ahoy_session_timer_init(&session->timer);
    session->local.session_id = ahoy_rng_next(&ua->context.rng) >> 2; /* Fits a signed number. */
    session->local.codecs = ua->context.codecs;
    session->local.security.tells_keys = true; /* Until it is known which way. */
    return session;
}

static struct ahoy_session **chain_of(const struct ahoy_ua *ua, struct span call_id)
{
    return &ua->chains[ahoy_siphash(&ua->call_key, call_id) & (ua->chain_count - 1)];
}

void ahoy_ua_note_session(struct ahoy_ua *ua, struct ahoy_session *session)
{
    struct ahoy_session **link = chain_of(ua, session->dialog.call_id);
    session->next = *link;
    session->link = link;
    if (session->next != NULL)
        session->next->link = &session->next;
    *link = session;
    ahoy_ua_time_session(ua, session);
}

void ahoy_ua_time_session(struct ahoy_ua *ua, struct ahoy_session *session)
{
    ahoy_heap_set(&ua->due, &session->due, ahoy_session_deadline(session));
}

void ahoy_ua_remove_session(struct ahoy_ua *ua, struct ahoy_session *session)
{
    if (session->link != NULL)
        *session->link = session->next;
    if (session->next != NULL)
        session->next->link = session->link;
    ahoy_heap_set(&ua->due, &session->due, UINT64_MAX);
    ahoy_session_fini(session);
    ahoy_pool_remove(&ua->sessions, session->self);
}

struct ahoy_session *ahoy_ua_get_session(struct ahoy_ua *ua, struct ahoy_handle handle)
{
    return ahoy_pool_get(&ua->sessions, handle);
}

struct ahoy_session *ahoy_ua_find_session(struct ahoy_ua *ua, const struct ahoy_routing *routing,
                                          struct ahoy_dialog **dialog)
{
    struct ahoy_session *session = *chain_of(ua, routing->call_id);
    for (; session != NULL; session = session->next) {
        *dialog = ahoy_session_find(session, routing);
        if (*dialog != NULL)
            return session;
    }
    return NULL;
}

bool ahoy_ua_is_merged(const struct ahoy_ua *ua, const struct ahoy_routing *routing)
{
    const struct ahoy_session *session = *chain_of(ua, routing->call_id);
    for (; session != NULL; session = session->next) {
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
