/* How a domain serves its users: as a proxy or as a redirect server, one phone after the other
 * or all at once, with their redirections or without. */
#include <stdio.h>

#include "ahoyd/config_reader.h"

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

bool config_read_serving(lua_State *lua, const struct option *options, struct ahoyd_domain *domain)
{
    static const char *const modes[] = { "proxy", "redirect" };
    static const char *const rings[] = { "all", "order" };
    static const char *const redirections[] = { "follow", "pass" };
    unsigned mode, ring, redirection;
    if (!config_choice(lua, "domain", &options[CONFIG_MODE], modes, 2, &mode) ||
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
