/* A user's identity is the one that he has proved by a digest.  He may say as which of his
 * addresses he prefers it to be shown. */
#include "ahoyd/identity.h"

#include "ahoyd/aor.h"

bool ahoyd_identity_is_hidden(const struct ahoy_uri *from)
{
    return from->scheme != AHOY_SCHEME_OTHER &&
           ahoy_span_equal_nocase(from->host, SPAN("anonymous.invalid"));
}

/* The next address of P-Preferred-Identity that can be read as one. */
static bool next_preferred(struct ahoy_values *values, struct ahoy_address *address)
{
    struct span text;
    struct ahoy_err err;
    while (ahoy_values_next(values, &text, &err)) {
        if (ahoy_address_parse(text, address, NULL))
            return true;
    }
    return false;
}

const struct ahoyd_domain *ahoyd_identity_domain(const struct ahoyd_server *server,
                                                 const struct ahoy_event *event)
{
    const struct ahoy_uri *from = &event->routing->from.uri;
    struct ahoy_values values =
        ahoy_message_values(event->message, AHOY_HEADER_P_PREFERRED_IDENTITY);
    struct ahoy_address preferred;
    if (!ahoyd_identity_is_hidden(from))
        return ahoyd_names_domain(&server->names, from);
    if (ahoyd_names_is_trusted(&server->names, &event->hop->remote) ||
        !next_preferred(&values, &preferred))
        return NULL;
    return ahoyd_names_domain(&server->names, &preferred.uri);
}

/* Whether the caller wants it kept from those who are not trusted (7). */
static bool is_private(const struct ahoy_message *message)
{
    struct span rest = ahoy_message_value(message, AHOY_HEADER_PRIVACY);
    while (rest.size > 0) {
        size_t end = ahoy_span_find(rest, ';');
        if (ahoy_span_equal_nocase(ahoy_span_trim((struct span){ rest.at, end }), SPAN("id")))
            return true;
        rest = ahoy_span_after(rest, end < rest.size ? end + 1 : end);
    }
    return false;
}

static bool is_his(const struct ahoyd_server *server, const struct ahoyd_sender *sender,
                   const struct ahoy_uri *uri)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
    const struct span user = { sender->user, sender->user_size };
    return uri->scheme != AHOY_SCHEME_OTHER &&
           ahoyd_names_domain(&server->names, uri) == sender->domain &&
           ahoyd_aor_find(server, uri, sender->domain, &aor) &&
           ahoyd_aor_is_of(ahoy_buf_text(&aor), user, sender->domain);
}

/* Prints his address: a sips URI where he prefers that one.  Nothing where his name fits no URI:
 * R3325-9.1-1, R3325-9.1-2. */
static void put_asserted(const struct ahoyd_server *server, const struct ahoy_event *event,
                         const struct ahoyd_sender *sender, struct ahoy_buf *rows)
{
    struct ahoy_values values =
        ahoy_message_values(event->message, AHOY_HEADER_P_PREFERRED_IDENTITY);
    struct ahoy_address preferred;
    struct ahoy_uri own;
    char space[AHOYD_AOR_LIMIT + 8];
    struct ahoy_buf uri = ahoy_buf_over(space, sizeof space);
    bool is_sips = false;
    while (!is_sips && next_preferred(&values, &preferred))
        is_sips =
            preferred.uri.scheme == AHOY_SCHEME_SIPS && is_his(server, sender, &preferred.uri);
    ahoy_buf_put(&uri, is_sips ? SPAN("sips:") : SPAN("sip:"));
    ahoy_buf_put(&uri, (struct span){ sender->user, sender->user_size });
    ahoy_buf_put_byte(&uri, '@');
    ahoy_buf_put(&uri, sender->domain->name);
    if (!ahoy_uri_parse(ahoy_buf_text(&uri), &own, NULL) || !is_his(server, sender, &own))
        return;
    ahoy_buf_put(rows, SPAN("P-Asserted-Identity: <"));
    ahoy_buf_put(rows, ahoy_buf_text(&uri));
    ahoy_buf_put(rows, SPAN(">\r\n"));
}

void ahoyd_identity_settle(const struct ahoyd_server *server, const struct ahoy_event *event,
                           const struct ahoyd_sender *sender, bool to_trusted,
                           struct ahoy_proxy_plan *plan, struct ahoy_buf *rows)
{
    bool is_kept = to_trusted || !is_private(event->message);
    bool is_believed = ahoyd_names_is_trusted(&server->names, &event->hop->remote) ||
                       (sender != NULL && sender->is_judged);
    bool is_proved = sender != NULL && sender->domain != NULL;
    plan->drops_preferred = true; /* R3325-6-1 */
    plan->drops_asserted = is_proved || !is_believed || !is_kept;
    if (is_proved && is_kept) /* R3325-5-1 */
        put_asserted(server, event, sender, rows);
}
