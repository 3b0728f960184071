/* Trunks: peers to which calls are sent, and from which they come. */
#include "ahoyd/config_reader.h"
#include "libahoy/resolve/locate.h"
#include "libahoy/resolve/name.h"

enum { PROBE_LEAST_S = 5, PROBE_MOST_S = 3600 };

/* Whether |text| is the URI of a trunk's target.  An address is read once; a name is looked up when
 * the trunk is used. */
static bool parse_target(const struct ahoy_uri *uri, struct ahoyd_trunk_target *target)
{
    struct ahoy_place place;
    struct ahoy_dns_name name;
    if (!ahoy_place_read(uri, &ahoy_all_means, false, &place, NULL))
        return false;
    target->transport = place.transport;
    target->ip = place.ip;
    return place.ip.family != AHOY_NO_FAMILY || ahoy_dns_name_make(&name, SPAN(""), place.host);
}

/* The host of |uri|, with its port where it has one. */
static struct span place_of(const struct ahoy_uri *uri)
{
    const char *end = ahoy_span_end(uri->text);
    if (uri->params.size > 0)
        end = uri->params.at;
    else if (uri->headers.size > 0)
        end = uri->headers.at - 1;
    return ahoy_span_between(uri->host.at, end);
}

static bool read_target(lua_State *lua, struct span text, struct ahoyd_trunk_target *target,
                        struct span *kept)
{
    struct ahoy_uri uri;
    struct ahoy_err err;
    struct reader *reader = config_reader_of(lua);
    if (!ahoy_uri_parse(text, &uri, &err)) {
        config_fault(reader, config_line(lua), "trunk: \"%.100s\" is no URI: expected %s", text.at,
                     err.expected);
        return false;
    }
    if (!parse_target(&uri, target)) {
        config_fault(
            reader, config_line(lua),
            "trunk: \"%.100s\" must be a SIP URI with an address or a name, by udp, tcp or tls: "
            "write \"sip:192.0.2.1:5060;transport=tcp\" or \"sip:carrier.example\"",
            text.at);
        return false;
    }
    *kept = config_keep(reader, text);
    target->domain = config_keep(reader, uri.host);
    target->place = config_keep(reader, place_of(&uri));
    return true;
}

/* "sip:192.0.2.1", or { "sip:192.0.2.1", priority = 1, weight = 3 }. */
static bool take_target(lua_State *lua, struct ahoyd_trunk *trunk)
{
    struct option options[] = {
        { .name = "1", .type = OPTION_TEXT },
        { .name = "priority", .type = OPTION_NUMBER, .most = UINT16_MAX },
        { .name = "weight", .type = OPTION_NUMBER, .most = UINT16_MAX },
    };
    struct ahoyd_trunk_target *target = &trunk->targets[trunk->count];
    if (!config_item(lua, "trunk", "\"sip:192.0.2.1:5060\"", options, 3) ||
        !read_target(lua, options[0].text, target, &trunk->uris[trunk->count]))
        return false;
    target->priority = options[1].given ? (uint16_t)options[1].number : 1;
    target->weight = options[2].given ? (uint16_t)options[2].number : 1;
    trunk->is_weighed = trunk->is_weighed || options[1].given || options[2].given;
    trunk->count++;
    return true;
}

static bool read_targets(lua_State *lua, struct ahoyd_trunk *trunk)
{
    lua_Unsigned count = lua_istable(lua, 2) ? lua_rawlen(lua, 2) : 0;
    if (count == 0 || count > AHOYD_TRUNK_TARGETS_LIMIT) {
        config_fault(config_reader_of(lua), config_line(lua),
                     "trunk takes a name and 1 to %d URIs: "
                     "write trunk(\"carrier\", { \"sip:192.0.2.1:5060\" })",
                     AHOYD_TRUNK_TARGETS_LIMIT);
        return false;
    }
    for (lua_Unsigned i = 1; i <= count; i++) {
        lua_rawgeti(lua, 2, (lua_Integer)i);
        bool sound = take_target(lua, trunk);
        lua_pop(lua, 1);
        if (!sound)
            return false;
    }
    return true;
}

bool config_find_trunk(const struct ahoyd_config *config, struct span name, size_t *index)
{
    for (*index = 0; *index < config->trunk_count; ++*index) {
        if (ahoy_span_equal(config->trunks[*index].name, name))
            return true;
    }
    return false;
}

/* Names that say something else where a trunk's or a group's may stand. */
static bool is_reserved(struct span name)
{
    return name.size == 0 || ahoy_span_find(name, '@') < name.size ||
           ahoy_span_equal(name, SPAN("users")) || ahoy_span_equal(name, SPAN("trunks")) ||
           ahoy_span_equal(name, SPAN("anyone"));
}

bool config_name_is_free(lua_State *lua, const char *word, struct span name)
{
    struct reader *reader = config_reader_of(lua);
    size_t index;
    if (is_reserved(name))
        config_fault(reader, config_line(lua),
                     "%s \"%.64s\" cannot be told from users; choose another name", word, name.at);
    else if (config_find_trunk(reader->config, name, &index))
        config_fault(reader, config_line(lua), "trunk \"%.64s\" stands here twice; rename one",
                     name.at);
    else if (config_find_group(reader->config, name, &index))
        config_fault(reader, config_line(lua), "group \"%.64s\" stands here twice; rename one",
                     name.at);
    else
        return true;
    return false;
}

/* Whether all targets are addresses, where |option| needs that. */
static bool check_targets(lua_State *lua, const struct option *option,
                          const struct ahoyd_trunk *trunk)
{
    for (size_t i = 0; option->given && i < trunk->count; i++) {
        if (trunk->targets[i].ip.family != AHOY_NO_FAMILY)
            continue;
        config_fault(config_reader_of(lua), config_line(lua),
                     "trunk: %s is for targets that are addresses, not for \"%.100s\"",
                     option->name, trunk->uris[i].at);
        return false;
    }
    return true;
}

int config_word_trunk(lua_State *lua)
{
    enum { TRUSTED, RECEIVES, SENDS, PROBE, CALLS, RATE, OPTIONS };
    struct option options[OPTIONS] = { [TRUSTED] = { .name = "trusted", .type = OPTION_FLAG },
                                       [RECEIVES] = { .name = "receives", .type = OPTION_MAP },
                                       [SENDS] = { .name = "sends", .type = OPTION_MAP },
                                       [PROBE] = { .name = "probe",
                                                   .type = OPTION_NUMBER,
                                                   .least = PROBE_LEAST_S,
                                                   .most = PROBE_MOST_S },
                                       [CALLS] = { .name = "calls", CONFIG_CALLS_RANGE },
                                       [RATE] = { .name = "rate", CONFIG_CALLS_RANGE } };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    struct ahoyd_trunk trunk = { .line = config_line(lua) };
    struct span name;
    if (!config_text(lua, 1, "trunk", "trunk(\"carrier\", { \"sip:192.0.2.1:5060\" })", &name) ||
        !read_targets(lua, &trunk) || !config_options(lua, 3, "trunk", options, OPTIONS) ||
        !config_prefixes(lua, 3, "trunk", &options[RECEIVES], &trunk.receives) ||
        !config_prefixes(lua, 3, "trunk", &options[SENDS], &trunk.sends) ||
        !config_name_is_free(lua, "trunk", name) || !check_targets(lua, &options[PROBE], &trunk) ||
        !check_targets(lua, &options[CALLS], &trunk))
        return 0;
    trunk.probe_s = (uint32_t)options[PROBE].number;
    trunk.first_probe = config->probe_count;
    trunk.calls = (uint32_t)options[CALLS].number;
    trunk.rate = (uint32_t)options[RATE].number;
    trunk.trusted = options[TRUSTED].flag;
    trunk.name = config_keep(reader, name);
    if (config_room(lua, "trunk", &config->trunks, config->trunk_count, sizeof trunk,
                    CONFIG_TRUNKS_LIMIT))
        config->trunks[config->trunk_count++] = trunk;
    config->probe_count += trunk.probe_s > 0 ? trunk.count : 0;
    return 0;
}
