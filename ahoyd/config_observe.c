/* What the configuration says of what can be seen of the server. */
#include "ahoyd/config_reader.h"

enum { MEMORY_MOST_MB = 1024, HTTP_PORT = 9464 };

int config_word_observe(lua_State *lua)
{
    enum { MEMORY, HTTP, OPTIONS };
    struct option options[OPTIONS] = {
        [MEMORY] = { .name = "memory", .type = OPTION_NUMBER, .most = MEMORY_MOST_MB },
        [HTTP] = { .name = "http", .type = OPTION_TEXT },
    };
    struct reader *reader = config_reader_of(lua);
    if (!config_once(lua, "observe", &reader->observe_line) ||
        !config_options(lua, 1, "observe", options, OPTIONS))
        return 0;
    if (options[MEMORY].given)
        reader->config->ring_size = (size_t)options[MEMORY].number << 20;
    if (options[HTTP].given &&
        !config_read_address(options[HTTP].text, HTTP_PORT, &reader->config->http))
        config_fault(reader, config_line(lua),
                     "observe: http = \"%.100s\" is no address and port; write \"127.0.0.1:9464\"",
                     options[HTTP].text.at);
    return 0;
}
