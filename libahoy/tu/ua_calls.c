/* What the program wishes of its calls: to place one, hand it on, answer, change or end it. */
#include "libahoy/tu/ua.h"

#include "libahoy/tu/transfer.h"
#include "libahoy/tu/ua_parts.h"

/* Whether an INVITE without more is what a URI asks for (19.1.5).  It might ask for another method,
 * R3261-19.1.5-2, or for headers, which could say anything, an extension among it: R3261-19.1.5-5,
 * -6. */
static bool is_for_a_call(const struct ahoy_uri *uri)
{
    struct span method;
    return uri->scheme != AHOY_SCHEME_OTHER && uri->headers.size == 0 &&
           (!ahoy_uri_param(uri, SPAN("method"), &method) ||
            ahoy_span_equal(method, SPAN("INVITE")));
}

/* Prints |uri|, where it asks for no more than a call. */
static bool print_callee(struct span uri, struct ahoy_buf *text)
{
    struct ahoy_uri parsed;
    if (!ahoy_uri_parse(uri, &parsed, NULL) || !is_for_a_call(&parsed))
        return false;
    ahoy_uri_print_request(&parsed, text);
    return true;
}

void ahoy_ua_secure(struct ahoy_ua *ua, const struct ahoy_sdp_security *security)
{
    ua->context.security = *security;
    ua->context.has_security = true;
}

static void secure(struct ahoy_session *session, const struct ahoy_sdp_security *security)
{
    if (security->wish == AHOY_SECURITY_OFF && !session->is_secured)
        return;
    if (!session->is_secured) {
        ahoy_sdp_local_secure(&session->local);
        ahoy_sdp_local_secure(&session->in_force);
        ahoy_sdp_local_secure(&session->offered);
        session->is_secured = true;
    }
    session->local.security = *security;
}

/* Our sound is at |media|, secured by what the program has said of late. */
static void set_media(struct ahoy_ua *ua, struct ahoy_session *session, const struct ahoy_ip *media)
{
    struct ahoy_ua_context *context = &ua->context;
    session->local.media = *media;
    if (context->has_security) {
        context->security.tells_keys = session->local.security.tells_keys;
        secure(session, &context->security);
    }
    context->has_security = false;
    explicit_bzero(&context->security, sizeof context->security);
}

/* Calls |uri|; |referred| is what asked for it, or NULL. */
static struct ahoy_session *place(struct ahoy_ua *ua, struct span uri, const struct ahoy_ip *media,
                                  const struct ahoy_referred *referred, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_add_session(ua);
    if (session == NULL)
        return NULL;
    set_media(ua, session, media);
    bool is_kept =
        referred == NULL || ahoy_session_keep(&session->extra, &session->extra_size,
                                              (struct span){ referred->rows, referred->rows_size });
    if (is_kept && ahoy_session_call(session, &ua->context, uri, now_ms)) {
        ahoy_ua_note_session(ua, session);
        return session;
    }
    ahoy_ua_remove_session(ua, session);
    return NULL;
}

struct ahoy_handle ahoy_ua_call(struct ahoy_ua *ua, struct span uri, const struct ahoy_ip *media,
                                uint64_t now_ms)
{
    /* The session has its copy before anything is described. */
    struct ahoy_buf text = ahoy_buf_over(ua->context.body, AHOY_URI_LIMIT);
    struct ahoy_session *session = NULL;
    if (print_callee(uri, &text))
        session = place(ua, ahoy_buf_text(&text), media, NULL, now_ms);
    return session != NULL ? session->self : (struct ahoy_handle){ 0, 0 };
}

bool ahoy_ua_transfer(struct ahoy_ua *ua, struct ahoy_handle handle, struct span uri,
                      uint64_t now_ms)
{
    char space[AHOY_URI_LIMIT];
    struct ahoy_buf text = ahoy_buf_over(space, sizeof space);
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL || !print_callee(uri, &text) ||
        !ahoy_refer(session, &ua->context, ahoy_buf_text(&text), NULL, now_ms))
        return false;
    ahoy_ua_time_session(ua, session);
    return true;
}

bool ahoy_ua_transfer_to(struct ahoy_ua *ua, struct ahoy_handle handle, struct ahoy_handle other,
                         uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    const struct ahoy_session *target = ahoy_ua_get_session(ua, other);
    if (session == NULL || target == NULL || session == target ||
        target->state != AHOY_SESSION_CONFIRMED ||
        !ahoy_refer(session, &ua->context, ahoy_refer_uri_of(&target->dialog), &target->dialog,
                    now_ms))
        return false;
    ahoy_ua_time_session(ua, session);
    return true;
}

struct ahoy_handle ahoy_ua_refer(struct ahoy_ua *ua, struct span phone, struct span uri,
                                 uint64_t now_ms)
{
    char phone_space[AHOY_URI_LIMIT], uri_space[AHOY_URI_LIMIT];
    struct ahoy_buf to = ahoy_buf_over(phone_space, sizeof phone_space);
    struct ahoy_buf target = ahoy_buf_over(uri_space, sizeof uri_space);
    struct ahoy_session *session = NULL;
    if (print_callee(phone, &to) && print_callee(uri, &target))
        session = ahoy_ua_add_session(ua);
    if (session == NULL)
        return (struct ahoy_handle){ 0, 0 };
    if (ahoy_refer_outside(session, &ua->context, ahoy_buf_text(&to), ahoy_buf_text(&target),
                           now_ms)) {
        ahoy_ua_note_session(ua, session);
        return session->self;
    }
    ahoy_ua_remove_session(ua, session);
    return (struct ahoy_handle){ 0, 0 };
}

/* Decides about what the peer of |session| has asked for: true once. */
static bool decide(struct ahoy_session *session)
{
    struct ahoy_referred *referred = session != NULL ? session->referred : NULL;
    bool is_open = referred != NULL && !referred->has_begun && !referred->told_end;
    if (is_open)
        referred->has_begun = true;
    return is_open;
}

struct ahoy_handle ahoy_ua_accept_transfer(struct ahoy_ua *ua, struct ahoy_handle handle,
                                           const struct ahoy_ip *media, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (!decide(session))
        return (struct ahoy_handle){ 0, 0 };
    const struct ahoy_referred *referred = session->referred;
    struct ahoy_session *call = place(ua, (struct span){ referred->target, referred->target_size },
                                      media, referred, now_ms);
    if (call != NULL) {
        call->referrer = handle;
        return call->self;
    }
    ahoy_referred_tell(session, &ua->context, 503, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
    return (struct ahoy_handle){ 0, 0 };
}

void ahoy_ua_refuse_transfer(struct ahoy_ua *ua, struct ahoy_handle handle, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (!decide(session))
        return;
    ahoy_referred_tell(session, &ua->context, 603, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_ring(struct ahoy_ua *ua, struct ahoy_handle handle, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL)
        return;
    ahoy_session_progress(session, &ua->context, 180, false, now_ms);
    ahoy_ua_time_session(ua, session);
}

void ahoy_ua_progress(struct ahoy_ua *ua, struct ahoy_handle handle, const struct ahoy_ip *media,
                      uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL || session->state != AHOY_SESSION_INCOMING)
        return;
    set_media(ua, session, media);
    ahoy_session_progress(session, &ua->context, 183, true, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_answer(struct ahoy_ua *ua, struct ahoy_handle handle, const struct ahoy_ip *media,
                    uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL || session->state != AHOY_SESSION_INCOMING)
        return;
    set_media(ua, session, media);
    ahoy_session_pick_up(session, &ua->context, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_reject(struct ahoy_ua *ua, struct ahoy_handle handle, unsigned status, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL)
        return;
    ahoy_session_reject(session, &ua->context, status, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_hangup(struct ahoy_ua *ua, struct ahoy_handle handle, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL)
        return;
    ahoy_session_hang_up(session, &ua->context, now_ms);
    ahoy_ua_settle(ua, session, now_ms);
}

/* Wishes for a session are pursued where it is not over. */
static void wish(struct ahoy_ua *ua, struct ahoy_handle handle, enum ahoy_direction direction,
                 uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL)
        return;
    session->local.direction = direction;
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_hold(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms)
{
    wish(ua, session, AHOY_SENDONLY, now_ms);
}

void ahoy_ua_resume(struct ahoy_ua *ua, struct ahoy_handle session, uint64_t now_ms)
{
    wish(ua, session, AHOY_SENDRECV, now_ms);
}

void ahoy_ua_move(struct ahoy_ua *ua, struct ahoy_handle handle, const struct ahoy_ip *media,
                  uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL || session->described == NULL)
        return;
    set_media(ua, session, media);
    ahoy_ua_settle(ua, session, now_ms);
}

void ahoy_ua_settled(struct ahoy_ua *ua, struct ahoy_handle handle,
                     const struct ahoy_sdp_settled *settled, uint64_t now_ms)
{
    struct ahoy_session *session = ahoy_ua_get_session(ua, handle);
    if (session == NULL)
        return;
    ahoy_session_settled(session, settled);
    ahoy_ua_settle(ua, session, now_ms);
}
