/* A user's identity is the one that he has proved by a digest.  He may say as which of his
 * addresses he prefers it to be shown. */
#include "ahoyd/identity.h"

#include "ahoyd/aor.h"
#include "libahoy/tu/privacy.h"

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

/* R3325-4-1, R3325-5-2, R3325-5-3 */
static enum ahoy_asserted way(bool from_trusted, bool to_trusted)
{
    if (!from_trusted)
        return AHOY_ASSERTED_DROPPED;
    return to_trusted ? AHOY_ASSERTED_KEPT : AHOY_ASSERTED_KEPT_UNLESS_PRIVATE;
}

enum ahoy_asserted ahoyd_identity_way(const struct ahoyd_server *server, const struct ahoy_ip *from,
                                      const struct ahoy_ip *to)
{
    return way(ahoyd_names_is_trusted(&server->names, from),
               ahoyd_names_is_trusted(&server->names, to));
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
    bool is_kept = to_trusted || !ahoy_privacy_hides_id(event->message);
    bool is_believed = ahoyd_names_is_trusted(&server->names, &event->hop->remote) ||
                       (sender != NULL && sender->is_judged);
    bool is_proved = sender != NULL && sender->domain != NULL;
    plan->drops_preferred = true; /* R3325-6-1 */
    plan->drops_asserted = is_proved || !is_believed || !is_kept;
    plan->asserted_back = way(to_trusted, is_believed);
    if (is_proved && is_kept) /* R3325-5-1 */
        put_asserted(server, event, sender, rows);
}
