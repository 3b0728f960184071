/* What the configuration says of the API and the console. */
#include "ahoyd/config_reader.h"

enum { API_PORT = 9465 };

_Static_assert((int)OPTION_TEXTS_LIMIT <= (int)AHOYD_API_HOSTS_LIMIT, "there is room for all");

int config_word_api(lua_State *lua)
{
    enum { HTTP, TOKEN, WRITE, HOSTS, INSECURE, OPTIONS };
    struct option options[OPTIONS] = {
        [HTTP] = { .name = "http", .type = OPTION_TEXT },
        [TOKEN] = { .name = "token", .type = OPTION_TEXT },
        [WRITE] = { .name = "write", .type = OPTION_FLAG },
        [HOSTS] = { .name = "hosts", .type = OPTION_TEXTS },
        [INSECURE] = { .name = "insecure", .type = OPTION_FLAG },
    };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_api_door *door = &reader->config->api;
    if (!config_once(lua, "api", &reader->api_line) ||
        !config_options(lua, 1, "api", options, OPTIONS))
        return 0;
    struct span address = options[HTTP].given ? options[HTTP].text : SPAN("127.0.0.1");
    struct span token = options[TOKEN].given ? options[TOKEN].text : SPAN("ahoyd.token");
    if (!config_read_address(address, API_PORT, &door->ip))
        config_fault(reader, config_line(lua),
                     "api: http = \"%.100s\" is no address and port; write \"127.0.0.1:9465\"",
                     address.at);
    else if (!config_is_local(&door->ip) && !options[INSECURE].flag)
        config_fault(reader, config_line(lua),
                     "api: http = \"%.100s\" has the token cross the network for all to read; "
                     "write \"127.0.0.1:9465\" behind a proxy with TLS, or insecure = true",
                     address.at);
    door->token_path = config_keep_path(reader, token);
    door->writes = options[WRITE].flag;
    for (size_t i = 0; i < options[HOSTS].number; i++)
        door->hosts[i] = config_keep(reader, options[HOSTS].texts[i]);
    door->host_count = options[HOSTS].number;
    return 0;
}
