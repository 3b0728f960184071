/* How a domain serves its users: as a proxy or as a redirect server, one phone after the other
 * or all at once, with their redirections or without; and which way it has their requests come. */
#include <stdio.h>

#include "ahoyd/config_reader.h"
#include "libahoy/syntax/uri.h"
#include "libahoy/tu/granted.h"

enum { RING_TIME_S = 20 };

bool config_choice(lua_State *lua, const char *word, const struct option *option,
                   const char *const *names, size_t count, unsigned *choice)
{
    char list[128];
    size_t size = 0;
    *choice = 0;
    if (!option->given)
        return true;
    for (unsigned i = 0; i < count; i++) {
        if (ahoy_span_equal(option->text, ahoy_span(names[i]))) {
            *choice = i;
            return true;
        }
        const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        size += (size_t)snprintf(list + size, sizeof list - size, "%s\"%s\"", before, names[i]);
    }
    config_fault(config_reader_of(lua), config_line(lua), "%s: %s = \"%.64s\" is unknown; write %s",
                 word, option->name, option->text.at, list);
    return false;
}

/* R3608-5-1, R3608-5-2: what a Route can hold, of a proxy that routes loosely. */
static bool is_route(struct span text)
{
    struct ahoy_uri uri;
    struct span lr;
    return ahoy_uri_parse(text, &uri, NULL) && uri.scheme != AHOY_SCHEME_OTHER &&
           uri.headers.size == 0 && ahoy_uri_param(&uri, SPAN("lr"), &lr);
}

/* Keeps the proxies, first to last, as the values of one row. */
static bool read_service_route(lua_State *lua, const struct option *option,
                               struct ahoyd_domain *domain)
{
    char space[AHOY_SERVICE_ROUTE_LIMIT];
    struct ahoy_buf row = ahoy_buf_over(space, sizeof space);
    for (size_t i = 0; option->given && i < option->number; i++) {
        struct span text = option->texts[i];
        if (!is_route(text)) {
            config_fault(config_reader_of(lua), config_line(lua),
                         "domain: service_route = { \"%.100s\" } is no proxy; write "
                         "\"sip:proxy.example;lr\"",
                         text.at);
            return false;
        }
        ahoy_buf_put(&row, i == 0 ? SPAN("<") : SPAN(", <"));
        ahoy_buf_put(&row, text);
        ahoy_buf_put_byte(&row, '>');
    }
    if (row.overflow)
        config_fault(config_reader_of(lua), config_line(lua),
                     "domain: service_route is longer than %d bytes", AHOY_SERVICE_ROUTE_LIMIT);
    domain->service_route = config_keep(config_reader_of(lua), ahoy_buf_text(&row));
    return !row.overflow;
}

bool config_read_serving(lua_State *lua, const struct option *options, struct ahoyd_domain *domain)
{
    static const char *const modes[] = { "proxy", "redirect" };
    static const char *const rings[] = { "all", "order" };
    static const char *const redirections[] = { "follow", "pass" };
    unsigned mode, ring, redirection;
    if (!config_choice(lua, "domain", &options[CONFIG_MODE], modes, 2, &mode) ||
        !read_service_route(lua, &options[CONFIG_SERVICE_ROUTE], domain) ||
        !config_choice(lua, "domain", &options[CONFIG_RING], rings, 2, &ring) ||
        !config_choice(lua, "domain", &options[CONFIG_REDIRECTIONS], redirections, 2, &redirection))
        return false;
    domain->mode = (enum ahoyd_mode)mode;
    domain->in_order = ring == 1;
    domain->follows = redirection == 0;
    domain->ring_time_s = RING_TIME_S;
    if (options[CONFIG_RING_TIME].given)
        domain->ring_time_s = (uint32_t)options[CONFIG_RING_TIME].number;
    return true;
}
