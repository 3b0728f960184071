/* What the configuration says of the DNS. */
#include "ahoyd/config_reader.h"

bool config_read_address(struct span text, uint16_t usual_port, struct ahoy_ip *ip)
{
    uint64_t port = 0;
    if (ahoy_ip_parse(text, ip)) {
        ip->port = usual_port;
        return true;
    }
    size_t end = text.size;
    while (end > 0 && text.at[end - 1] != ':')
        end--;
    if (end == 0 || !ahoy_span_number(ahoy_span_after(text, end), UINT16_MAX, &port) || port == 0)
        return false;
    text.size = end - 1;
    if (!ahoy_ip_parse(text, ip))
        return false;
    ip->port = (uint16_t)port;
    return true;
}

enum { DNS_PORT = 53 };

_Static_assert((int)OPTION_TEXTS_LIMIT <= (int)AHOYD_NAME_SERVERS_LIMIT, "there is room for all");

int config_word_dns(lua_State *lua)
{
    enum { SERVERS, ANCHOR, OPTIONS };
    struct option options[OPTIONS] = { [SERVERS] = { .name = "servers", .type = OPTION_TEXTS },
                                       [ANCHOR] = { .name = "anchor", .type = OPTION_TEXT } };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    if (!config_once(lua, "dns", &reader->dns_line) ||
        !config_options(lua, 1, "dns", options, OPTIONS))
        return 0;
    for (size_t i = 0; i < options[SERVERS].number; i++) {
        struct span text = options[SERVERS].texts[i];
        if (!config_read_address(text, DNS_PORT, &config->name_servers[i])) {
            config_fault(reader, config_line(lua),
                         "dns: \"%.100s\" is no address of a name server; write "
                         "dns { servers = { \"192.0.2.53\", \"[2001:db8::53]:5353\" } }",
                         text.at);
            return 0;
        }
        config->name_server_count++;
    }
    if (!options[ANCHOR].given)
        return 0;
    config->anchor_path = config_keep_path(reader, options[ANCHOR].text);
    if (config->anchor_path == NULL && !reader->out_of_memory)
        config_fault(reader, config_line(lua), "dns: the path is too long");
    return 0;
}
