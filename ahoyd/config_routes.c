/* Routes and groups, as they are written; what only the whole can tell of them is in
 * config_check_routes.c. */
#include <ctype.h>

#include "ahoyd/config_reader.h"
#include "libahoy/syntax/message.h"
#include "libahoy/syntax/scan.h"

enum { TIME_LEAST_S = 5, TIME_MOST_S = 180, REASON_LIMIT = 128 };

#define RING_TIME .type = OPTION_NUMBER, .least = TIME_LEAST_S, .most = TIME_MOST_S

bool config_find_group(const struct ahoyd_config *config, struct span name, size_t *index)
{
    for (*index = 0; *index < config->group_count; ++*index) {
        if (ahoy_span_equal(config->groups[*index].name, name))
            return true;
    }
    return false;
}

int config_word_group(lua_State *lua)
{
    static const char usage[] = "group(\"sales\", { \"alice@atlanta.example\" })";
    static const char *const rings[] = { "all", "order", "hunt" };
    struct option options[] = { { .name = "ring", .type = OPTION_TEXT },
                                { .name = "ring_time", RING_TIME } };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct ahoyd_group group = { .line = config_line(lua), .ring_time_s = AHOYD_RING_TIME_S };
    struct span name;
    unsigned ring;
    if (!config_text(lua, 1, "group", usage, &name) ||
        !config_options(lua, 3, "group", options, 2) ||
        !config_choice(lua, "group", &options[0], rings, 3, &ring) ||
        !config_name_is_free(lua, "group", name))
        return 0;
    lua_pushvalue(lua, 2);
    if (!config_read_goals(lua, "group", &group.members))
        return 0;
    group.ring = (enum ahoyd_ring)ring;
    if (options[1].given)
        group.ring_time_s = (uint32_t)options[1].number;
    group.name = config_keep(reader, name);
    if (config_room(lua, "group", &config->groups, config->group_count, sizeof group,
                    CONFIG_GROUPS_LIMIT))
        config->groups[config->group_count++] = group;
    return 0;
}

/* What one text of a condition must be: each takes the text at |index| of its list. */
static bool take_any(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index)
{
    (void)lua; /* Any text will do, or is looked at in the end. */
    (void)route;
    (void)index;
    return text.size > 0 && text.size <= AHOYD_USER_LIMIT;
}

static bool take_method(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index)
{
    return take_any(lua, route, text, index) && ahoy_method_parse(text) != AHOY_METHOD_OTHER;
}

static bool take_transport(lua_State *lua, struct ahoyd_route *route, struct span text,
                           size_t index)
{
    enum ahoy_transport transport = ahoy_transport_parse(text);
    route->transports |= 1u << transport;
    return take_any(lua, route, text, index) && transport != AHOY_TRANSPORT_OTHER &&
           transport != AHOY_SCTP; /* Nothing comes by that. */
}

static bool take_number(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index)
{
    return take_any(lua, route, text, index) && ahoyd_pattern_is_sound(text);
}

/* "10.0.0.0/8", "[2001:db8::]/32" or an address. */
static bool take_source(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index)
{
    struct ahoyd_net *nets = (struct ahoyd_net *)(uintptr_t)route->sources;
    if (index == 0) {
        size_t size = route->said[AHOYD_IF_SOURCE].count * sizeof *nets;
        route->sources = nets = ahoy_arena_take(config_reader_of(lua)->texts, size);
    }
    if (nets == NULL) {
        config_reader_of(lua)->out_of_memory = true;
        return true;
    }
    struct ahoyd_net *net = &nets[index];
    size_t slash = ahoy_span_find(text, '/');
    if (!ahoy_ip_parse((struct span){ text.at, slash }, &net->ip))
        return false;
    uint64_t bits = net->ip.family == AHOY_IPV4 ? 32 : 128;
    bool sound =
        slash == text.size || ahoy_span_number(ahoy_span_after(text, slash + 1), bits, &bits);
    net->bits = (unsigned)bits;
    return sound;
}

static bool take_header(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index)
{
    const char *end = ahoy_span_end(text);
    return take_any(lua, route, text, index) && ahoy_skip(text.at, end, AHOY_TOKEN) == end;
}

static bool take_hours(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index)
{
    (void)lua; /* It stands alone. */
    return index == 0 && ahoyd_hours_parse(text, &route->hours);
}

static const struct {
    bool (*take)(lua_State *lua, struct ahoyd_route *route, struct span text, size_t index);
    const char *usage;
} conditions[AHOYD_CONDITION_COUNT] = {
    [AHOYD_IF_FROM] = { take_any, "\"users\", \"trunks\", \"anyone\", the name of a trunk or "
                                  "\"alice@atlanta.example\"" },
    [AHOYD_IF_METHOD] = { take_method, "\"INVITE\" or another method of SIP" },
    [AHOYD_IF_TRANSPORT] = { take_transport, "\"udp\", \"tcp\", \"tls\", \"ws\" or \"wss\"" },
    [AHOYD_IF_NUMBER] = { take_number, "\"112\", \"+4930XXXX\" or \"+49.\"" },
    [AHOYD_IF_USER] = { take_any, "\"sales\", a user's name" },
    [AHOYD_IF_SOURCE] = { take_source, "\"10.0.0.0/8\" or \"2001:db8::/32\"" },
    [AHOYD_IF_HEADER] = { take_header, "\"X-Priority\", a header field's name" },
    [AHOYD_IF_HOURS] = { take_hours, "\"Mon-Fri 08:00-18:00, Sat 09:00-13:00\", one text" },
};

/* All that |options|, in the order of the conditions, ask. */
static bool read_conditions(lua_State *lua, const struct option *options, struct ahoyd_route *route)
{
    for (unsigned i = 0; i < AHOYD_IF_WHEN; i++) {
        struct ahoyd_texts *said = &route->said[i];
        if (!config_texts(lua, 1, "route", &options[i], said))
            return false;
        if (options[i].given)
            route->conditions |= 1u << i;
        for (size_t j = 0; j < said->count; j++) {
            if (conditions[i].take(lua, route, said->at[j], j))
                continue;
            config_fault(config_reader_of(lua), config_line(lua),
                         "route: %s = \"%.64s\" is not understood; write %s", options[i].name,
                         said->at[j].at, conditions[i].usage);
            return false;
        }
    }
    return true;
}

/* A function stays where it is; whoever asks it runs the file again (script.h). */
static void read_when(const struct option *option, struct ahoyd_config *config,
                      struct ahoyd_route *route)
{
    static const struct span yes = SPAN_INIT("true");
    if (!option->given)
        return;
    route->conditions |= 1u << AHOYD_IF_WHEN;
    route->said[AHOYD_IF_WHEN] = (struct ahoyd_texts){ &yes, 1 };
    route->when = config->when_count++;
}

/* The options of a route, conditions first. */
enum {
    DOMAIN = AHOYD_CONDITION_COUNT,
    ZONE,
    REWRITE,
    TO,
    REDIRECT,
    REJECT,
    RING_TIME_OPTION,
    REASON,
    RETRY_AFTER,
    STATELESS,
    OPTIONS
};

static bool fault(lua_State *lua, const char *what)
{
    config_fault(config_reader_of(lua), config_line(lua), "route%s", what);
    return false;
}

static bool read_hours(lua_State *lua, const struct option *options, struct ahoyd_route *route)
{
    if (options[AHOYD_IF_HOURS].given != options[ZONE].given)
        return fault(lua, ": hours and zone go together; write zone = \"Europe/Berlin\", or "
                          "\"UTC\"");
    return !options[ZONE].given || config_read_zone(lua, options[ZONE].text, &route->hours.zone);
}

/* A SIP URI without what it cannot have in a Contact. */
static bool is_contact(struct span text)
{
    struct ahoy_uri uri;
    return ahoy_uri_parse(text, &uri, NULL) && uri.scheme != AHOY_SCHEME_OTHER;
}

static bool is_line(struct span text)
{
    return ahoy_scan_control(text.at, ahoy_span_end(text)) == ahoy_span_end(text) &&
           text.size <= REASON_LIMIT;
}

/* Where the requests go: exactly one is said of to, redirect and reject. */
static bool read_aim(lua_State *lua, const struct option *options, struct ahoyd_route *route)
{
    struct reader *reader = config_reader_of(lua);
    if (options[TO].given + options[REDIRECT].given + options[REJECT].given != 1)
        return fault(lua, " needs to, redirect or reject, one of them: "
                          "write route { domain = \"carrier.example\", to = \"carrier\" }");
    if (options[REDIRECT].given && !is_contact(options[REDIRECT].text))
        return fault(lua, ": redirect is no SIP URI; write \"sip:*@biloxi.example\"");
    if ((options[REASON].given || options[RETRY_AFTER].given) && !options[REJECT].given)
        return fault(lua, ": reason and retry_after are for reject");
    if (!is_line(options[REASON].text))
        return fault(lua, ": reason must be one short line");
    if ((options[RING_TIME_OPTION].given || options[STATELESS].flag) && !options[TO].given)
        return fault(lua, ": ring_time and stateless are for to");
    route->redirect = config_keep(reader, options[REDIRECT].text);
    route->reason = config_keep(reader, options[REASON].text);
    route->reject = (unsigned)options[REJECT].number;
    route->retry_after_s = (uint32_t)options[RETRY_AFTER].number;
    route->stateless = options[STATELESS].flag;
    route->ring_time_s = AHOYD_RING_TIME_S;
    if (options[RING_TIME_OPTION].given)
        route->ring_time_s = (uint32_t)options[RING_TIME_OPTION].number;
    if (!options[TO].given)
        return true;
    lua_getfield(lua, 1, "to");
    return config_read_goals(lua, "route", &route->to);
}

int config_word_route(lua_State *lua)
{
#define LIST(constant, text) [AHOYD_IF_##constant] = { .name = (text), .type = OPTION_LIST },
    struct option options[OPTIONS] = {
        AHOYD_CONDITIONS(LIST)[DOMAIN] = { .name = "domain", .type = OPTION_TEXT },
        [ZONE] = { .name = "zone", .type = OPTION_TEXT },
        [REWRITE] = { .name = "rewrite", .type = OPTION_MAP },
        [TO] = { .name = "to", .type = OPTION_LIST },
        [REDIRECT] = { .name = "redirect", .type = OPTION_TEXT },
        [REJECT] = { .name = "reject", .type = OPTION_NUMBER, .least = 400, .most = 699 },
        [RING_TIME_OPTION] = { .name = "ring_time", RING_TIME },
        [REASON] = { .name = "reason", .type = OPTION_TEXT },
        [RETRY_AFTER] = { .name = "retry_after", .type = OPTION_NUMBER, .least = 1, .most = 86400 },
        [STATELESS] = { .name = "stateless", .type = OPTION_FLAG },
    };
#undef LIST
    options[AHOYD_IF_WHEN].type = OPTION_FUNCTION;
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct ahoyd_route route = { .line = config_line(lua) };
    bool sound = config_options(lua, 1, "route", options, OPTIONS);
    read_when(&options[AHOYD_IF_WHEN], config, &route);
    if (!sound || !read_conditions(lua, options, &route) || !read_hours(lua, options, &route) ||
        !config_prefixes(lua, 1, "route", &options[REWRITE], &route.rewrite) ||
        !read_aim(lua, options, &route) ||
        (options[DOMAIN].given &&
         !config_domain_name(lua, "route", options[DOMAIN].text, &route.domain)) ||
        !config_room(lua, "route", &config->routes, config->route_count, sizeof route,
                     CONFIG_ROUTES_LIMIT))
        return 0;
    config->routes[config->route_count++] = route;
    return 0;
}
