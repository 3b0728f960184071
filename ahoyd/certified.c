/* Who comes by TLS with a certificate for one of our users needs no digest (RFC 3261 26.3.2.1 lets
 * him be asked for one; docs/decisions/0105-certificates-of-users.md).  What a name in it means is
 * what a URI in From means: an alias too, and nobody who is not in the store. */
#include "ahoyd/aor.h"
#include "ahoyd/authenticate.h"

/* Prints the address-of-record in |domain| that |text| is the URI of.  A certificate names a user
 * and nothing more of him: no port, no parameter, no password. */
static bool read_user(const struct ahoyd_server *server, const struct ahoyd_domain *domain,
                      struct span text, struct ahoy_buf *aor)
{
    struct ahoy_uri uri;
    return ahoy_uri_parse(text, &uri, NULL) && uri.scheme == AHOY_SCHEME_SIP &&
           ahoy_span_equal_nocase(uri.host, domain->name) && uri.port == 0 &&
           uri.password.size + uri.params.size + uri.headers.size == 0 &&
           ahoyd_aor_find(server, &uri, domain, aor);
}

static bool is_there(const struct ahoyd_server *server, const struct ahoyd_domain *domain,
                     struct span user)
{
    struct ahoyd_user credentials;
    bool is = ahoyd_store_user(server->options.store, user, domain->name, &credentials);
    explicit_bzero(&credentials, sizeof credentials);
    return is;
}

/* Of several users the one whom From names, else the first: then it is for the caller to see that
 * From is another's. */
bool ahoyd_certified(struct ahoyd_server *server, const struct ahoy_event *event,
                     const struct ahoyd_domain *domain, struct ahoyd_proof *proof)
{
    char claimed_space[AHOYD_AOR_LIMIT];
    char uri_space[AHOY_PEER_NAME_LIMIT];
    struct ahoy_buf claimed = ahoy_buf_over(claimed_space, sizeof claimed_space);
    struct ahoy_buf uri = ahoy_buf_over(uri_space, sizeof uri_space);
    struct ahoyd_badges *badges = ahoyd_guard_badges(server->guard);
    bool is_found = false, is_claimed = false;
    proof->credentials = (struct ahoy_challenge){ .is_digest = false };
    proof->row = SPAN("");
    if (!ahoyd_aor_find(server, &event->routing->from.uri, domain, &claimed))
        claimed.size = 0;
    for (size_t i = 0; !is_claimed && ahoyd_badges_print(badges, event->hop, i, &uri); i++) {
        char space[AHOYD_AOR_LIMIT];
        struct ahoy_buf aor = ahoy_buf_over(space, sizeof space);
        bool is_one = read_user(server, domain, ahoy_buf_text(&uri), &aor);
        struct span user = { space, ahoy_span_find(ahoy_buf_text(&aor), '@') };
        uri.size = 0;
        if (!is_one || user.size > sizeof proof->space || !is_there(server, domain, user))
            continue;
        is_claimed = ahoy_span_equal(ahoy_buf_text(&aor), ahoy_buf_text(&claimed));
        if (is_found && !is_claimed)
            continue;
        is_found = true;
        memcpy(proof->space, user.at, user.size);
        proof->user = (struct span){ proof->space, user.size };
    }
    return is_found;
}
