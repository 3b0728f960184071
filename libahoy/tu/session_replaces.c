/* An INVITE that is to take the place of a session: RFC 3891 3. */
#include "libahoy/tu/replaces.h"
#include "libahoy/tu/transfer.h"

/* Whether |address| names the user of |uri|. */
static bool is_user(const struct ahoy_address *address, struct span uri)
{
    char texts[2][AHOY_TARGET_LIMIT];
    struct ahoy_uri other;
    struct ahoy_buf one = ahoy_buf_over(texts[0], sizeof texts[0]);
    struct ahoy_buf two = ahoy_buf_over(texts[1], sizeof texts[1]);
    if (address->uri.scheme == AHOY_SCHEME_OTHER || !ahoy_uri_parse(uri, &other, NULL) ||
        other.scheme == AHOY_SCHEME_OTHER)
        return false;
    ahoy_uri_print_aor(&address->uri, &one);
    ahoy_uri_print_aor(&other, &two);
    return !one.overflow && !two.overflow &&
           ahoy_span_equal(ahoy_buf_text(&one), ahoy_buf_text(&two));
}

/* R3891-3-5: who was replaced asks for it, or somebody whom he has sent: docs/decisions/0135. */
static bool is_authorized(const struct ahoy_event *invite, const struct ahoy_dialog *dialog)
{
    struct ahoy_address sender;
    struct span text = ahoy_message_value(invite->message, AHOY_HEADER_REFERRED_BY);
    return is_user(&invite->routing->from, dialog->remote_uri) ||
           (text.size > 0 && ahoy_address_parse(text, &sender, NULL) &&
            is_user(&sender, dialog->remote_uri));
}

/* The dialog of |session| that is meant; NULL for none. */
static const struct ahoy_dialog *match(const struct ahoy_session *session,
                                       const struct ahoy_replaces *replaces)
{
    bool is_calling =
        session->state == AHOY_SESSION_CALLING || session->state == AHOY_SESSION_CANCELLING;
    if (!is_calling)
        return ahoy_replaces_matches(replaces, &session->dialog) ? &session->dialog : NULL;
    for (unsigned i = 0; i < session->early_count; i++) {
        if (ahoy_replaces_matches(replaces, session->early[i]))
            return session->early[i];
    }
    return NULL;
}

/* The status that keeps |session| from being replaced; 0 for none. */
static unsigned refuse(const struct ahoy_session *session, bool may_replace,
                       const struct ahoy_replaces *replaces)
{
    if (!may_replace)
        return 403;
    switch (session->state) {
    case AHOY_SESSION_CONFIRMED:
        return replaces->early_only ? 486 : 0;
    case AHOY_SESSION_CALLING:
        return 0;
    case AHOY_SESSION_INCOMING: /* We did not begin it. */
        return 481;
    case AHOY_SESSION_CANCELLING:
    case AHOY_SESSION_OVER:
        break;
    }
    return 603;
}

unsigned ahoy_session_find_replaced(const struct ahoy_pool *sessions,
                                    const struct ahoy_event *invite, bool by_anybody,
                                    struct ahoy_handle *replaced)
{
    const struct ahoy_message *message = invite->message;
    const struct ahoy_field *field = ahoy_message_first(message, AHOY_HEADER_REPLACES);
    struct ahoy_replaces replaces;
    struct ahoy_handle handle;
    unsigned status = 481;
    *replaced = (struct ahoy_handle){ 0, 0 };
    if (field == NULL)
        return 0;
    if (ahoy_message_first(message, AHOY_HEADER_JOIN) != NULL || /* R3891-3-2 */
        !ahoy_replaces_read(field->value, &replaces))
        return 400;
    const struct ahoy_session *session = ahoy_pool_next(sessions, 0, &handle);
    for (; session != NULL; session = ahoy_pool_next(sessions, handle.slot + 1, &handle)) {
        const struct ahoy_dialog *dialog = match(session, &replaces);
        if (dialog == NULL)
            continue;
        if (replaced->generation != 0)
            return 481; /* R3891-3-3 */
        *replaced = handle;
        status = refuse(session, by_anybody || is_authorized(invite, dialog), &replaces);
    }
    return status;
}
