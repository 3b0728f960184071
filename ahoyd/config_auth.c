/* How the users of a domain prove who they are: whether at all, by which digests, and how much of a
 * request those cover (RFC 7616, RFC 8760). */
#include "ahoyd/config_reader.h"

/* Sets the flags of the texts that are given.  False, and a fault, where one is not among
 * |names|. */
static bool read_set(lua_State *lua, const struct option *option, const char *const *names,
                     size_t count, bool *flags)
{
    for (size_t i = 0; option->given && i < option->number; i++) {
        const struct option one = { .name = option->name, .given = true, .text = option->texts[i] };
        unsigned choice;
        if (!config_choice(lua, "domain", &one, names, count, &choice))
            return false;
        flags[choice] = true;
    }
    return true;
}

static bool read_algorithms(lua_State *lua, const struct option *option,
                            struct ahoyd_domain *domain)
{
#define NAME(id, text, size) text,
    static const char *const names[] = { AHOY_DIGESTS(NAME) };
#undef NAME
    if (!option->given)
        memset(domain->algorithms, true, sizeof domain->algorithms);
    return read_set(lua, option, names, sizeof names / sizeof *names,
                    domain->algorithms + AHOY_DIGEST_OTHER + 1);
}

static bool read_qop(lua_State *lua, const struct option *option, struct ahoyd_domain *domain)
{
    static const char *const names[] = { "auth-int", "auth" };
    bool flags[2] = { false, !option->given };
    if (!read_set(lua, option, names, 2, flags))
        return false;
    domain->takes_auth_int = flags[0];
    domain->takes_auth = flags[1];
    return true;
}

bool config_read_auth(lua_State *lua, const struct option *options, struct ahoyd_domain *domain)
{
    static const char *const names[] = {
        [AHOYD_AUTH_DIGEST] = "digest", [AHOYD_AUTH_NONE] = "none"
    };
    unsigned choice;
    if (!config_choice(lua, "domain", &options[CONFIG_AUTH], names, 2, &choice) ||
        !read_algorithms(lua, &options[CONFIG_ALGORITHMS], domain) ||
        !read_qop(lua, &options[CONFIG_QOP], domain))
        return false;
    domain->auth = (enum ahoyd_auth)choice;
    domain->userhash = options[CONFIG_USERHASH].flag;
    domain->rspauth = options[CONFIG_RSPAUTH].flag;
    domain->takes_certificates = options[CONFIG_USER_CERTIFICATES].flag;
    return true;
}

bool ahoyd_config_hashes(const struct ahoyd_config *config)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        if (config->domains[i].userhash)
            return true;
    }
    return false;
}
