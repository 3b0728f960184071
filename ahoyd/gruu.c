/* A public GRUU is the address-of-record with the instance in "gr" (RFC 5627 A.1).  A temporary one
 * is a token for user, instance and era: as the era is one of the instance's bindings, it is good
 * exactly as long as one of these lives and the Call-ID stays (5.1, 5.3). */
#include "ahoyd/gruu.h"

#include "libahoy/syntax/uri_part.h"

static const struct span prefix = SPAN_INIT("tgruu.");

enum ahoyd_gruu ahoyd_gruu_kind(const struct ahoy_uri *uri)
{
    struct span instance;
    if (uri->scheme == AHOY_SCHEME_OTHER || !ahoy_uri_param(uri, SPAN("gr"), &instance))
        return AHOYD_GRUU_NONE;
    return instance.size > 0 ? AHOYD_GRUU_PUBLIC : AHOYD_GRUU_TEMPORARY;
}

/* What "gr" says of an instance: its URN without the angle brackets. */
static void put_instance(struct span instance, struct ahoy_buf *buf)
{
    bool in_brackets = instance.size > 2 && instance.at[0] == '<';
    if (in_brackets)
        instance = (struct span){ instance.at + 1, instance.size - 2 };
    ahoy_uri_put_escaped(buf, instance, AHOY_PARAMCHAR);
}

static struct ahoyd_gruu_target target_of(struct span aor, const struct ahoy_binding *binding)
{
    size_t at = ahoy_span_find(aor, '@');
    return (struct ahoyd_gruu_target){ .name = { aor.at, at },
                                       .domain = ahoy_span_after(aor, at + 1),
                                       .instance = binding->instance,
                                       .era_ms = binding->era_ms };
}

/* R5630-5.2.1-2, R5630-5.2.1-3 */
static struct span scheme_of(const struct ahoy_binding *binding)
{
    return ahoy_span_starts_nocase(binding->contact, SPAN("sips:")) ? SPAN("sips:") : SPAN("sip:");
}

void ahoyd_gruu_print_public(struct span aor, const struct ahoy_binding *binding,
                             struct ahoy_buf *gruu)
{
    if (binding->instance.size == 0)
        return;
    ahoy_buf_put(gruu, scheme_of(binding));
    ahoy_buf_put(gruu, aor);
    ahoy_buf_put(gruu, SPAN(";gr=")); /* R5627-5.1-4 */
    put_instance(binding->instance, gruu);
}

static void put_temporary(struct ahoyd_server *server, struct span aor,
                          const struct ahoy_binding *binding, struct ahoy_buf *row)
{
    const struct ahoyd_gruu_target target = target_of(aor, binding);
    char space[AHOYD_GRUU_TOKEN_SIZE];
    struct ahoy_buf token = ahoy_buf_over(space, sizeof space);
    if (!ahoyd_gruu_token_print(&server->gruu_key, ahoy_rng_next(&server->rng), &target, &token))
        return;
    ahoy_buf_put(row, SPAN(";temp-gruu=\""));
    ahoy_buf_put(row, scheme_of(binding));
    ahoy_buf_put(row, prefix);
    ahoy_buf_put(row, ahoy_buf_text(&token));
    ahoy_buf_put_byte(row, '@');
    ahoy_buf_put(row, target.domain);
    ahoy_buf_put(row, SPAN(";gr\""));
}

void ahoyd_gruu_print(struct ahoyd_server *server, struct span aor,
                      const struct ahoy_binding *binding, struct ahoy_buf *row)
{
    if (binding->instance.size == 0)
        return;
    ahoy_buf_put(row, SPAN(";pub-gruu=\""));
    ahoyd_gruu_print_public(aor, binding, row);
    ahoy_buf_put_byte(row, '"');
    put_temporary(server, aor, binding, row);
}

static bool read_token(struct span user, struct span *token)
{
    if (!ahoy_span_starts_nocase(user, prefix))
        return false;
    *token = ahoy_span_after(user, prefix.size);
    return true;
}

bool ahoyd_gruu_open(const struct ahoyd_server *server, struct span user, struct ahoy_buf *name)
{
    struct span token;
    return read_token(user, &token) && ahoyd_gruu_token_open(&server->gruu_key, token, name);
}

static bool is_bound(const struct ahoyd_server *server, const struct ahoy_uri *uri, struct span aor,
                     const struct ahoy_binding *binding)
{
    char space[3 * AHOY_INSTANCE_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct span wanted, token;
    if (binding->instance.size == 0 || !ahoy_uri_param(uri, SPAN("gr"), &wanted))
        return false;
    if (wanted.size > 0) {
        put_instance(binding->instance, &buf);
        return ahoy_escaped_equal_nocase(wanted, ahoy_buf_text(&buf));
    }
    const struct ahoyd_gruu_target target = target_of(aor, binding);
    return read_token(uri->user, &token) &&
           ahoyd_gruu_token_fits(&server->gruu_key, token, &target);
}

void ahoyd_gruu_narrow(const struct ahoyd_server *server, const struct ahoy_uri *uri,
                       struct span aor, struct ahoy_bindings *bindings)
{
    size_t count = 0;
    for (size_t i = 0; i < bindings->count; i++) {
        if (is_bound(server, uri, aor, &bindings->list[i]))
            bindings->list[count++] = bindings->list[i];
    }
    bindings->count = count;
}
