/* Addresses-of-record: RFC 3261 10.3 step 5. */
#include "ahoyd/aor.h"

#include "ahoyd/gruu.h"

bool ahoyd_aor_find(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                    const struct ahoyd_domain *domain, struct ahoy_buf *aor)
{
    struct ahoy_uri canonical = *uri;
    char space[AHOYD_GRUU_NAME_LIMIT];
    struct ahoy_buf hidden = ahoy_buf_over(space, sizeof space);
    canonical.host = domain->name;
    if (ahoyd_gruu_kind(uri) == AHOYD_GRUU_TEMPORARY && ahoyd_gruu_open(server, uri->user, &hidden))
        canonical.user = ahoy_buf_text(&hidden);
    ahoy_uri_print_aor(&canonical, aor);
    return uri->has_user && uri->user.size > 0 && !aor->overflow;
}

bool ahoyd_aor_is_of(struct span aor, struct span user, const struct ahoyd_domain *domain)
{
    return aor.size == user.size + 1 + domain->name.size && aor.at[user.size] == '@' &&
           memcmp(aor.at, user.at, user.size) == 0;
}
