/* What the configuration says of TLS: the word tls, and the options of listen and domain.  Whether
 * the files are there and fit is found where they are read: main_tls.c. */
#include "ahoyd/config_reader.h"

/* The path that |option| gives, NULL where it gives none; false, and a fault, where it is too
 * long. */
static bool read_path(lua_State *lua, const char *word, const struct option *option, char **path)
{
    struct reader *reader = config_reader_of(lua);
    *path = NULL;
    if (!option->given)
        return true;
    if (option->text.size > 0 && memchr(option->text.at, '\0', option->text.size) == NULL)
        *path = config_keep_path(reader, option->text);
    if (*path == NULL && !reader->out_of_memory)
        config_fault(reader, config_line(lua), "%s: %s = \"%.100s\" is no path", word, option->name,
                     option->text.at);
    return *path != NULL;
}

bool config_read_pair(lua_State *lua, const char *word, const struct option *options,
                      struct ahoyd_pair *pair)
{
    const struct option *certificate = &options[CONFIG_CERTIFICATE];
    const struct option *key = &options[CONFIG_KEY];
    if (certificate->given != key->given) {
        config_fault(
            config_reader_of(lua), config_line(lua), "%s: %s is missing; write %s = \"%s\"", word,
            key->given ? "the key's certificate" : "the certificate's key",
            key->given ? certificate->name : key->name, key->given ? "certificate.pem" : "key.pem");
        return false;
    }
    return read_path(lua, word, certificate, &pair->certificate) &&
           read_path(lua, word, key, &pair->key);
}

static bool read_verify(lua_State *lua, const struct option *options, struct ahoyd_listen *listen)
{
    static const char *const names[] = { [AHOYD_VERIFY_NONE] = "none",
                                         [AHOYD_VERIFY_OPTIONAL] = "optional",
                                         [AHOYD_VERIFY_REQUIRED] = "required" };
    const struct option *verify = &options[CONFIG_VERIFY];
    unsigned i = 0;
    while (verify->given && i < 3 && !ahoy_span_equal(verify->text, ahoy_span(names[i])))
        i++;
    listen->verify = (enum ahoyd_verify)i;
    if (i == 3) {
        config_fault(config_reader_of(lua), listen->line,
                     "listen: verify = \"%.64s\" is unknown; write \"none\", \"optional\" or "
                     "\"required\"",
                     verify->text.at);
        return false;
    }
    if ((listen->verify != AHOYD_VERIFY_NONE) == options[CONFIG_AUTHORITIES].given)
        return true;
    config_fault(config_reader_of(lua), listen->line,
                 "listen: verify and authorities go together; write { verify = \"required\", "
                 "authorities = \"ca.pem\" }");
    return false;
}

bool config_read_listen_tls(lua_State *lua, const struct option *options,
                            struct ahoyd_listen *listen)
{
    struct reader *reader = config_reader_of(lua);
    bool is_secure = ahoy_transport_is_secure(listen->transport);
    for (int i = 0; !is_secure && i < CONFIG_TLS_OPTIONS; i++) {
        if (options[i].given) {
            config_fault(reader, listen->line,
                         "listen: %s is for tls and wss; remove it, or write \"tls:ADDRESS\"",
                         options[i].name);
            return false;
        }
    }
    if (!is_secure)
        return true;
    if (!options[CONFIG_CERTIFICATE].given && !options[CONFIG_KEY].given) {
        config_fault(reader, listen->line,
                     "listen by %s needs a certificate: write listen(\"%s:ADDRESS\", "
                     "{ certificate = \"certificate.pem\", key = \"key.pem\" })",
                     ahoy_transport_uri_name(listen->transport).at,
                     ahoy_transport_uri_name(listen->transport).at);
        return false;
    }
    return config_read_pair(lua, "listen", options, &listen->pair) &&
           read_verify(lua, options, listen) &&
           read_path(lua, "listen", &options[CONFIG_AUTHORITIES], &listen->authorities);
}

int config_word_tls(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_outward *outward = &reader->config->outward;
    struct option options[] = {
        [CONFIG_CERTIFICATE] = { .name = "certificate", .type = OPTION_TEXT },
        [CONFIG_KEY] = { .name = "key", .type = OPTION_TEXT },
        [CONFIG_AUTHORITIES] = { .name = "authorities", .type = OPTION_TEXT },
    };
    if (!config_once(lua, "tls", &outward->line) ||
        !config_options(lua, 1, "tls", options, sizeof options / sizeof *options) ||
        !config_read_pair(lua, "tls", options, &outward->pair))
        return 0;
    (void)read_path(lua, "tls", &options[CONFIG_AUTHORITIES], &outward->authorities); /* Told. */
    return 0;
}

static bool listens_by(const struct ahoyd_config *config, enum ahoy_transport transport)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listens[i].transport == transport)
            return true;
    }
    return false;
}

static bool goes_by_tls(const struct ahoyd_trunk *trunk)
{
    for (size_t i = 0; i < trunk->count; i++) {
        if (trunk->targets[i].transport == AHOY_TLS)
            return true;
    }
    return false;
}

static bool looks_at_certificates(const struct ahoyd_config *config)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listens[i].verify != AHOYD_VERIFY_NONE)
            return true;
    }
    return false;
}

static void check_user_certificates(struct reader *reader)
{
    const struct ahoyd_config *config = reader->config;
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct ahoyd_domain *domain = &config->domains[i];
        if (!domain->takes_certificates)
            continue;
        if (!looks_at_certificates(config))
            config_fault(reader, domain->line,
                         "domain \"%.100s\" has user_certificates while no listener asks for any; "
                         "write listen(\"tls:ADDRESS\", { verify = \"optional\", authorities = "
                         "\"ca.pem\", ... })",
                         domain->name.at);
        else if (domain->auth == AHOYD_AUTH_NONE)
            config_fault(reader, domain->line,
                         "domain \"%.100s\" has user_certificates, but auth = \"none\": nobody is "
                         "asked who he is; remove one of them",
                         domain->name.at);
    }
}

/* Who says tls anywhere needs an address for answers: a Via has no other. */
void config_check_tls(struct reader *reader)
{
    const struct ahoyd_config *config = reader->config;
    static const char mend[] = "listen(\"tls:ADDRESS\", { certificate = \"certificate.pem\", "
                               "key = \"key.pem\" })";
    check_user_certificates(reader);
    if (listens_by(config, AHOY_TLS))
        return;
    for (size_t i = 0; i < config->trunk_count; i++) {
        if (goes_by_tls(&config->trunks[i]))
            config_fault(reader, config->trunks[i].line,
                         "trunk \"%.64s\" goes by tls while nothing listens there; add %s",
                         config->trunks[i].name.at, mend);
    }
    for (size_t i = 0; i < config->domain_count; i++) {
        if (config->domains[i].pair.key != NULL && !listens_by(config, AHOY_WSS))
            config_fault(reader, config->domains[i].line,
                         "domain \"%.100s\" has a certificate while nothing listens by tls; add %s",
                         config->domains[i].name.at, mend);
    }
    if (config->outward.line != 0)
        config_fault(reader, config->outward.line,
                     "tls is set up while nothing listens by tls; add %s", mend);
}
