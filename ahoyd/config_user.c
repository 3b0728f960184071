/* What users may have (decisions 107 and 129): all of a domain, and some of them otherwise. */
#include <stdlib.h>

#include "ahoyd/config_reader.h"
#include "ahoyd/store/store.h"

struct ahoyd_limits config_read_limits(const struct option *options,
                                       const struct ahoyd_limits *otherwise)
{
    struct ahoyd_limits limits = *otherwise;
    uint32_t *const numbers[CONFIG_LIMITS_OPTIONS] = { [CONFIG_CONTACTS] = &limits.contacts,
                                                       [CONFIG_CALLS] = &limits.calls,
                                                       [CONFIG_UNANSWERED] = &limits.unanswered };
    for (unsigned i = 0; i < CONFIG_LIMITS_OPTIONS; i++) {
        if (options[i].given)
            *numbers[i] = (uint32_t)options[i].number;
    }
    return limits;
}

/* The domain behind the "@" of |aor|, which has to be said before; NULL where there is none. */
static const struct ahoyd_domain *find_domain(const struct ahoyd_config *config, struct span aor)
{
    size_t at = ahoy_span_find(aor, '@');
    for (size_t i = 0; at > 0 && at < aor.size && i < config->domain_count; i++) {
        if (ahoy_span_equal_nocase(config->domains[i].name, ahoy_span_after(aor, at + 1)))
            return &config->domains[i];
    }
    return NULL;
}

/* "user@domain", the domain as it is written there. */
static struct span keep_aor(struct reader *reader, struct span aor,
                            const struct ahoyd_domain *domain)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&buf, (struct span){ aor.at, aor.size - domain->name.size });
    ahoy_buf_put(&buf, domain->name);
    return config_keep(reader, ahoy_buf_text(&buf));
}

int config_word_user(lua_State *lua)
{
    struct option options[CONFIG_LIMITS_OPTIONS] = {
        [CONFIG_CONTACTS] = { .name = "contacts", CONFIG_CONTACTS_RANGE },
        [CONFIG_CALLS] = { .name = "calls_per_second", CONFIG_CALLS_RANGE },
        [CONFIG_UNANSWERED] = { .name = "unanswered_calls", CONFIG_CALLS_RANGE },
    };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct span text;
    if (!config_text(lua, 1, "user", "user(\"alice@atlanta.example\", { contacts = 2 })", &text) ||
        !config_options(lua, 2, "user", options, CONFIG_LIMITS_OPTIONS))
        return 0;
    const struct ahoyd_domain *domain = find_domain(config, text);
    if (domain == NULL || text.size > AHOYD_AOR_LIMIT) {
        config_fault(reader, config_line(lua),
                     "user \"%.100s\" is of no domain that stands above; write "
                     "\"alice@atlanta.example\" below domain(\"atlanta.example\")",
                     text.at);
        return 0;
    }
    if (config_room(lua, "user", &config->exceptions, config->exception_count,
                         sizeof *config->exceptions, CONFIG_USERS_LIMIT))
        config->exceptions[config->exception_count++] =
            (struct ahoyd_exception){ .aor = keep_aor(reader, text, domain),
                                      .line = config_line(lua),
                                      .limits = config_read_limits(options, &domain->limits) };
    return 0;
}

/* The order of names: by size, then by bytes. */
static int compare(const void *a, const void *b)
{
    const struct ahoyd_exception *one = a, *other = b;
    if (one->aor.size != other->aor.size)
        return one->aor.size < other->aor.size ? -1 : 1;
    return memcmp(one->aor.at, other->aor.at, one->aor.size);
}

void config_check_users(struct reader *reader)
{
    struct ahoyd_config *config = reader->config;
    if (config->exception_count == 0)
        return;
    qsort(config->exceptions, config->exception_count, sizeof *config->exceptions, compare);
    for (size_t i = 1; i < config->exception_count; i++) {
        const struct ahoyd_exception *one = &config->exceptions[i - 1];
        if (compare(one, one + 1) == 0)
            config_fault(reader, one[1].line, "user \"%.100s\" stands here twice; remove one",
                         one->aor.at);
    }
}

const struct ahoyd_limits *ahoyd_config_limits(const struct ahoyd_config *config,
                                               const struct ahoyd_domain *domain, struct span user)
{
    char space[AHOYD_AOR_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (config->exception_count == 0)
        return &domain->limits;
    ahoy_buf_put(&buf, user);
    ahoy_buf_put_byte(&buf, '@');
    ahoy_buf_put(&buf, domain->name);
    const struct ahoyd_exception key = { .aor = ahoy_buf_text(&buf) };
    const struct ahoyd_exception *found =
        bsearch(&key, config->exceptions, config->exception_count, sizeof key, compare);
    return found != NULL ? &found->limits : &domain->limits;
}
