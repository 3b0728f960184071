/* What the configuration says of what can be seen of the server. */
#include "ahoyd/config_reader.h"

enum { MEMORY_MOST_MB = 1024 };

int config_word_observe(lua_State *lua)
{
    enum { MEMORY, OPTIONS };
    struct option options[OPTIONS] = {
        [MEMORY] = { .name = "memory", .type = OPTION_NUMBER, .most = MEMORY_MOST_MB },
    };
    struct reader *reader = config_reader_of(lua);
    if (!config_once(lua, "observe", &reader->observe_line) ||
        !config_options(lua, 1, "observe", options, OPTIONS))
        return 0;
    if (options[MEMORY].given)
        reader->config->ring_size = (size_t)options[MEMORY].number << 20;
    return 0;
}
