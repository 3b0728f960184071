/* The words of the configuration that have no file of their own: listen, domain, workers, control,
 * trace, udp, overload.  Each notes what it was told, or a fault, and lets the rest of the file
 * run. */
#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoyd/config_reader.h"
#include "libahoy/tu/bindings.h"

enum { EXPIRES_LEAST_S = 10, EXPIRES_MOST_S = 604800, WORKERS_MOST = 64, PADDING_MOST = 1024 };
enum { RING_LEAST_S = 5, RING_MOST_S = 180, OVERLOAD_MOST_MS = 10000 };

bool config_text(lua_State *lua, int index, const char *word, const char *usage, struct span *text)
{
    if (lua_type(lua, index) != LUA_TSTRING) {
        config_fault(config_reader_of(lua), config_line(lua), "%s takes a text, not %s: write %s",
                     word, luaL_typename(lua, index), usage);
        return false;
    }
    text->at = lua_tolstring(lua, index, &text->size);
    if (memchr(text->at, '\0', text->size) != NULL) {
        config_fault(config_reader_of(lua), config_line(lua), "%s: a NUL byte in the text", word);
        return false;
    }
    return true;
}

/* "udp:127.0.0.1:5060", "tcp:[::1]:5060"; the transport's port where none is given. */
static bool parse_listen(struct span text, enum ahoy_transport *transport, struct ahoy_ip *ip)
{
    size_t colon = ahoy_span_find(text, ':');
    if (colon == text.size)
        return false;
    *transport = ahoy_transport_parse((struct span){ text.at, colon });
    struct span host = ahoy_span_after(text, colon + 1);
    struct span port = SPAN("");
    size_t end = host.size;
    while (end > 0 && host.at[end - 1] != ':' && host.at[end - 1] != ']')
        end--;
    if (end > 0 && host.at[end - 1] == ':') {
        port = ahoy_span_after(host, end);
        host.size = end - 1;
    }
    uint64_t number = 0;
    if (port.size == 0)
        number = ahoy_transport_port(*transport);
    else if (!ahoy_span_number(port, 65535, &number))
        return false;
    if (number == 0 || !ahoy_ip_parse(host, ip))
        return false;
    ip->port = (uint16_t)number;
    return true;
}

/* "host" or "host:port": what a Via can hold. */
static bool is_advertisable(struct span text)
{
    char uri_text[300];
    int size = snprintf(uri_text, sizeof uri_text, "sip:%.*s", (int)text.size, text.at);
    struct ahoy_uri uri;
    return size > 0 && (size_t)size < sizeof uri_text &&
           ahoy_uri_parse((struct span){ uri_text, (size_t)size }, &uri, NULL) && !uri.has_user &&
           uri.params.size == 0 && uri.headers.size == 0;
}

static bool listen_is_known(const struct ahoyd_config *config, enum ahoy_transport transport,
                            const struct ahoy_ip *ip)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listens[i].transport == transport && ahoy_ip_equal(&config->listens[i].ip, ip))
            return true;
    }
    return false;
}

static int word_listen(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    int line = config_line(lua);
    struct span text;
    enum { ADVERTISE = CONFIG_TLS_OPTIONS, ORIGINS, OPTIONS };
    struct option options[OPTIONS] = {
        [CONFIG_CERTIFICATE] = { .name = "certificate", .type = OPTION_TEXT },
        [CONFIG_KEY] = { .name = "key", .type = OPTION_TEXT },
        [CONFIG_AUTHORITIES] = { .name = "authorities", .type = OPTION_TEXT },
        [CONFIG_VERIFY] = { .name = "verify", .type = OPTION_TEXT },
        [ADVERTISE] = { .name = "advertise", .type = OPTION_TEXT },
        [ORIGINS] = { .name = "origins", .type = OPTION_TEXTS },
    };
    if (!config_text(lua, 1, "listen", "listen \"udp:127.0.0.1:5060\"", &text) ||
        !config_options(lua, 2, "listen", options, OPTIONS))
        return 0;
    struct ahoyd_listen listen = { .line = line };
    if (!parse_listen(text, &listen.transport, &listen.ip)) {
        config_fault(reader, line,
                     "listen \"%.100s\" is no transport and address; write \"udp:127.0.0.1:5060\" "
                     "or \"tcp:[::1]:5060\"",
                     text.at);
    } else if (listen.transport == AHOY_TRANSPORT_OTHER || listen.transport == AHOY_SCTP) {
        config_fault(reader, line,
                     "listen \"%.100s\": Ahoy listens on udp, tcp, tls, ws and wss, not on others",
                     text.at);
    } else if (listen_is_known(config, listen.transport, &listen.ip)) {
        config_fault(reader, line, "listen \"%.100s\" stands here twice; remove one", text.at);
    } else if (options[ADVERTISE].given && !is_advertisable(options[ADVERTISE].text)) {
        config_fault(reader, line, "listen: advertise = \"%.100s\" is no host or host:port",
                     options[ADVERTISE].text.at);
    } else if (config_read_listen_tls(lua, options, &listen) &&
               config_read_origins(lua, &options[ORIGINS], &listen) &&
               config_room(lua, "listen", &config->listens, config->listen_count, sizeof listen,
                           AHOY_LISTENERS_LIMIT)) {
        listen.advertise = config_keep(reader, options[ADVERTISE].text);
        config->listens[config->listen_count++] = listen;
    }
    return 0;
}

/* The list beside config->domains grows with it. */
static bool make_domain_room(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    size_t count = reader->config->domain_count;
    return config_room(lua, "domain", &reader->config->domains, count, sizeof(struct ahoyd_domain),
                       CONFIG_DOMAINS_LIMIT) &&
           config_room(lua, "domain", &reader->insecure, count, sizeof(bool), CONFIG_DOMAINS_LIMIT);
}

static uint32_t number_or(const struct option *option, uint32_t otherwise)
{
    return option->given ? (uint32_t)option->number : otherwise;
}

#define EXPIRES .type = OPTION_NUMBER, .least = EXPIRES_LEAST_S, .most = EXPIRES_MOST_S

/* How long registrations last: the least, the most, and where nobody asks. */
static bool read_expires(lua_State *lua, const struct option options[3],
                         struct ahoyd_domain *domain)
{
    uint32_t least_s = number_or(&options[0], 60);
    uint32_t most_s = number_or(&options[1], 7200);
    uint32_t usual_s = number_or(&options[2], most_s < 3600 ? most_s : 3600);
    if (usual_s < least_s && !options[2].given)
        usual_s = least_s;
    domain->min_expires_s = least_s;
    domain->max_expires_s = most_s;
    domain->default_expires_s = usual_s;
    if (least_s <= usual_s && usual_s <= most_s)
        return true;
    config_fault(config_reader_of(lua), config_line(lua),
                 "domain: it must be min_expires <= default_expires <= max_expires");
    return false;
}

static int word_domain(lua_State *lua)
{
    enum { LEAST = CONFIG_PAIR, MOST, DEFAULT, LIMITS };
    enum { INSECURE = LIMITS + CONFIG_LIMITS_OPTIONS, NUMBERS, AUTH };
    enum { SERVING = AUTH + CONFIG_AUTH_OPTIONS, OPTIONS = SERVING + CONFIG_SERVING_OPTIONS };
    struct option options[OPTIONS] = {
        [CONFIG_CERTIFICATE] = { .name = "certificate", .type = OPTION_TEXT },
        [CONFIG_KEY] = { .name = "key", .type = OPTION_TEXT },
        [LEAST] = { .name = "min_expires", EXPIRES },
        [MOST] = { .name = "max_expires", EXPIRES },
        [DEFAULT] = { .name = "default_expires", EXPIRES },
        [LIMITS + CONFIG_CONTACTS] = { .name = "user_contacts", CONFIG_CONTACTS_RANGE },
        [LIMITS + CONFIG_CALLS] = { .name = "user_calls_per_second", CONFIG_CALLS_RANGE },
        [LIMITS + CONFIG_UNANSWERED] = { .name = "user_unanswered_calls", CONFIG_CALLS_RANGE },
        [INSECURE] = { .name = "insecure", .type = OPTION_FLAG },
        [NUMBERS] = { .name = "numbers", .type = OPTION_MAP },
        [AUTH + CONFIG_AUTH] = { .name = "auth", .type = OPTION_TEXT },
        [AUTH + CONFIG_ALGORITHMS] = { .name = "algorithms", .type = OPTION_TEXTS },
        [AUTH + CONFIG_QOP] = { .name = "qop", .type = OPTION_TEXTS },
        [AUTH + CONFIG_USERHASH] = { .name = "userhash", .type = OPTION_FLAG },
        [AUTH + CONFIG_RSPAUTH] = { .name = "rspauth", .type = OPTION_FLAG },
        [AUTH + CONFIG_USER_CERTIFICATES] = { .name = "user_certificates", .type = OPTION_FLAG },
        [SERVING + CONFIG_MODE] = { .name = "mode", .type = OPTION_TEXT },
        [SERVING + CONFIG_RING] = { .name = "ring", .type = OPTION_TEXT },
        [SERVING + CONFIG_RING_TIME] = { .name = "ring_time",
                                         .type = OPTION_NUMBER,
                                         .least = RING_LEAST_S,
                                         .most = RING_MOST_S },
        [SERVING + CONFIG_REDIRECTIONS] = { .name = "redirections", .type = OPTION_TEXT },
        [SERVING + CONFIG_SERVICE_ROUTE] = { .name = "service_route", .type = OPTION_TEXTS },
    };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_domain domain = { .line = config_line(lua) };
    struct span text;
    if (!config_text(lua, 1, "domain", "domain(\"atlanta.example\", { auth = \"digest\" })",
                     &text) ||
        !config_options(lua, 2, "domain", options, OPTIONS) ||
        !config_domain_name(lua, "domain", text, &domain.name) ||
        !config_read_auth(lua, &options[AUTH], &domain) ||
        !config_read_serving(lua, &options[SERVING], &domain) ||
        !config_read_pair(lua, "domain", options, &domain.pair) ||
        !config_prefixes(lua, 2, "domain", &options[NUMBERS], &domain.numbers) ||
        !make_domain_room(lua))
        return 0;
    const struct ahoyd_limits without = { 0 };
    domain.limits = config_read_limits(&options[LIMITS], &without);
    if (!read_expires(lua, &options[LEAST], &domain))
        return 0;
    for (size_t i = 0; i < reader->config->domain_count; i++) {
        if (ahoy_span_equal(reader->config->domains[i].name, domain.name)) {
            config_fault(reader, config_line(lua), "domain \"%s\" stands here twice; remove one",
                         domain.name.at);
            return 0;
        }
    }
    size_t index = reader->config->domain_count++;
    reader->config->domains[index] = domain;
    reader->insecure[index] = options[INSECURE].flag;
    return 0;
}

char *config_keep_path(struct reader *reader, struct span path)
{
    char full[PATH_MAX];
    bool absolute = path.size > 0 && path.at[0] == '/';
    struct span folder = absolute ? SPAN("") : reader->folder;
    int size = snprintf(full, sizeof full, "%.*s%.*s", (int)folder.size, folder.at, (int)path.size,
                        path.at);
    if (size < 0 || (size_t)size >= sizeof full)
        return NULL;
    struct span kept = config_keep(reader, (struct span){ full, (size_t)size });
    return reader->out_of_memory ? NULL : (char *)(uintptr_t)kept.at;
}

bool config_once(lua_State *lua, const char *word, int *line)
{
    if (*line != 0) {
        config_fault(config_reader_of(lua), config_line(lua),
                     "%s was said in line %d already; remove one", word, *line);
        return false;
    }
    *line = config_line(lua);
    return true;
}

char *config_scheme_path(lua_State *lua, struct span text, struct span scheme, const char *usage)
{
    struct reader *reader = config_reader_of(lua);
    if (text.size <= scheme.size || memcmp(text.at, scheme.at, scheme.size) != 0) {
        config_fault(reader, config_line(lua), "\"%.100s\" is not understood; write %s", text.at,
                     usage);
        return NULL;
    }
    char *path = config_keep_path(reader, ahoy_span_after(text, scheme.size));
    if (path == NULL && !reader->out_of_memory)
        config_fault(reader, config_line(lua), "the path is too long");
    return path;
}

static int word_control(lua_State *lua)
{
    static const char usage[] = "control \"unix:ahoyd.sock\"";
    struct reader *reader = config_reader_of(lua);
    struct span text;
    if (!config_once(lua, "control", &reader->control_line) ||
        !config_text(lua, 1, "control", usage, &text))
        return 0;
    char *path = config_scheme_path(lua, text, SPAN("unix:"), usage);
    if (path != NULL && strlen(path) > 107)
        config_fault(reader, config_line(lua), "control: a socket's path has at most 107 bytes");
    reader->config->control_path = path;
    return 0;
}

static int word_trace(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    struct span text;
    if (!config_once(lua, "trace", &reader->trace_line) ||
        !config_text(lua, 1, "trace", "trace \"messages.jsonl\"", &text))
        return 0;
    reader->config->trace_path = config_keep_path(reader, text);
    if (reader->config->trace_path == NULL && !reader->out_of_memory)
        config_fault(reader, config_line(lua), "trace: the path is too long");
    return 0;
}

static int word_workers(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    int is_whole = 0;
    lua_Integer count = lua_tointegerx(lua, 1, &is_whole);
    if (!config_once(lua, "workers", &reader->workers_line))
        return 0;
    if (!is_whole || lua_type(lua, 1) != LUA_TNUMBER || count < 1 || count > WORKERS_MOST) {
        config_fault(reader, config_line(lua), "workers takes a whole number from 1 to %d",
                     WORKERS_MOST);
        return 0;
    }
    reader->config->workers = (unsigned)count;
    return 0;
}

static int word_udp(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    struct option padding = { .name = "padding", .type = OPTION_NUMBER, .most = PADDING_MOST };
    if (config_once(lua, "udp", &reader->udp_line) && config_options(lua, 1, "udp", &padding, 1) &&
        padding.given)
        reader->config->padding = (unsigned)padding.number;
    return 0;
}

static int word_overload(lua_State *lua)
{
    struct reader *reader = config_reader_of(lua);
    struct option target = { .name = "target", .type = OPTION_NUMBER, .most = OVERLOAD_MOST_MS };
    if (config_once(lua, "overload", &reader->overload_line) &&
        config_options(lua, 1, "overload", &target, 1) && target.given)
        reader->config->overload_ms = (uint32_t)target.number;
    return 0;
}

static int word_trunk(lua_State *lua)
{
    return config_word_trunk(lua);
}

static int word_group(lua_State *lua)
{
    return config_word_group(lua);
}

static int word_route(lua_State *lua)
{
    return config_word_route(lua);
}

static int word_store(lua_State *lua)
{
    return config_word_store(lua);
}

static int word_log(lua_State *lua)
{
    return config_word_log(lua);
}

static int word_hep(lua_State *lua)
{
    return config_word_hep(lua);
}

static int word_records(lua_State *lua)
{
    return config_word_records(lua);
}

static int word_users(lua_State *lua)
{
    return config_word_users(lua);
}

static int word_node(lua_State *lua)
{
    return config_word_node(lua);
}

static int word_dns(lua_State *lua)
{
    return config_word_dns(lua);
}

static int word_observe(lua_State *lua)
{
    return config_word_observe(lua);
}

static int word_api(lua_State *lua)
{
    return config_word_api(lua);
}

static int word_process(lua_State *lua)
{
    return config_word_process(lua);
}

static int word_tls(lua_State *lua)
{
    return config_word_tls(lua);
}

static int word_user(lua_State *lua)
{
    return config_word_user(lua);
}

static int word_push(lua_State *lua)
{
    return config_word_push(lua);
}

/* Each word once. */
/* clang-format off */
#define WORDS(WORD)                                                                                \
    WORD(listen) WORD(domain) WORD(store) WORD(trunk) WORD(route) WORD(workers) WORD(control)      \
    WORD(trace) WORD(dns) WORD(tls) WORD(udp) WORD(overload) WORD(node) WORD(users) WORD(user)     \
    WORD(push) WORD(group) WORD(observe) WORD(records) WORD(log) WORD(hep) WORD(api)      \
    WORD(process)
/* clang-format on */

/* Each is noted, and then carried out. */
#define NOTED(name)                                                                                \
    static int noted_##name(lua_State *lua)                                                        \
    {                                                                                              \
        config_note(lua, #name);                                                                   \
        return word_##name(lua);                                                                   \
    }
WORDS(NOTED)
#undef NOTED

static void define(lua_State *lua)
{
#define DEFINE(name) lua_register(lua, #name, noted_##name);
    WORDS(DEFINE)
#undef DEFINE
}

static const char *const *list_names(size_t *count)
{
#define NAME(name) #name,
    static const char *const names[] = { WORDS(NAME) };
#undef NAME
    *count = sizeof names / sizeof *names;
    return names;
}

const struct vocabulary config_words = { define, list_names };

bool config_is_local(const struct ahoy_ip *ip)
{
    const struct ahoy_ip one = { .family = AHOY_IPV6, .bytes[15] = 1 };
    return (ahoy_ip_is_loopback(ip) && ip->bytes[0] != 0) || ahoy_ip_equal_host(ip, &one);
}

static void check_domain(struct reader *reader, size_t index)
{
    const struct ahoyd_config *config = reader->config;
    if (config->domains[index].auth != AHOYD_AUTH_NONE || reader->insecure[index])
        return;
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config_is_local(&config->listens[i].ip))
            continue;
        config_fault(reader, config->domains[index].line,
                     "domain \"%s\" with auth = \"none\" while line %d listens off loopback lets "
                     "strangers take over its users; write auth = \"digest\", or insecure = true",
                     config->domains[index].name.at, config->listens[i].line);
        return;
    }
}

void config_finish(struct reader *reader)
{
    struct ahoyd_config *config = reader->config;
    config_check_routes(reader);
    for (size_t i = 0; i < config->domain_count; i++)
        check_domain(reader, i);
    if (reader->faults->count > 0)
        return;
    config_check_tls(reader);
    config_check_store(reader);
    config_check_users(reader);
    if (config->listen_count == 0)
        config_fault(reader, 0, "listens nowhere; add listen \"udp:127.0.0.1:5060\"");
    if (config->domain_count == 0 && config->route_count == 0)
        config_fault(reader, 0, "serves nobody; add domain(\"atlanta.example\")");
    if (reader->control_line == 0)
        config->control_path = config_keep_path(reader, SPAN("ahoyd.sock"));
}
