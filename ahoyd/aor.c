/* Addresses-of-record: RFC 3261 10.3 step 5. */
#include "ahoyd/aor.h"

#include "ahoyd/gruu.h"

/* Puts the user in the place of an alias of his. */
static void follow_alias(const struct ahoyd_server *server, const struct ahoyd_domain *domain,
                         const struct ahoy_buf *begin, struct ahoy_buf *aor)
{
    char space[AHOYD_NAME_LIMIT];
    struct ahoy_buf user = ahoy_buf_over(space, sizeof space);
    struct span name = ahoy_span_after(ahoy_buf_text(aor), begin->size);
    name.size = ahoy_span_find(name, '@');
    if (!ahoyd_store_alias(server->options.store, name, domain->name, &user))
        return;
    *aor = *begin;
    ahoy_buf_put(aor, ahoy_buf_text(&user));
    ahoy_buf_put_byte(aor, '@');
    ahoy_buf_put(aor, domain->name);
}

bool ahoyd_aor_find(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                    const struct ahoyd_domain *domain, struct ahoy_buf *aor)
{
    struct ahoy_uri canonical = *uri;
    char space[AHOYD_GRUU_NAME_LIMIT];
    struct ahoy_buf hidden = ahoy_buf_over(space, sizeof space);
    canonical.host = domain->name;
    if (ahoyd_gruu_kind(uri) == AHOYD_GRUU_TEMPORARY && ahoyd_gruu_open(server, uri->user, &hidden))
        canonical.user = ahoy_buf_text(&hidden);
    const struct ahoy_buf begin = *aor;
    ahoy_uri_print_aor(&canonical, aor);
    if (!aor->overflow)
        follow_alias(server, domain, &begin, aor);
    return uri->has_user && uri->user.size > 0 && !aor->overflow;
}

static void expect_more(struct ahoyd_server *server, uint64_t *expected)
{
    if (*expected != 0)
        ahoyd_store_expect_more(server->options.store, *expected);
    *expected = 0;
}

/* By the name as it is written, as mostly: who is meant by another one, by an alias or by a
 * temporary GRUU is not expected. */
void ahoyd_aor_expect(struct ahoyd_server *server, const struct ahoy_message *message,
                      const struct ahoy_routing *routing)
{
    bool registers = message->method == AHOY_METHOD_REGISTER;
    const struct ahoy_uri *uri = registers ? &routing->to.uri : &routing->request_uri;
    uint64_t *place = &server->expected[server->expected_count++ % AHOYD_EXPECTED];
    expect_more(server, place);
    *place = ahoyd_store_expect(server->options.store, uri->user, uri->host);
}

void ahoyd_aor_expect_more(struct ahoyd_server *server)
{
    for (size_t i = 0; i < AHOYD_EXPECTED; i++)
        expect_more(server, &server->expected[i]);
}

bool ahoyd_aor_is_of(struct span aor, struct span user, const struct ahoyd_domain *domain)
{
    return aor.size == user.size + 1 + domain->name.size && aor.at[user.size] == '@' &&
           memcmp(aor.at, user.at, user.size) == 0;
}
