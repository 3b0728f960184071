/* What the configuration says of the process itself: who it is, and what it may ask of the
 * kernel. */
#include "ahoyd/config_reader.h"

int config_word_process(lua_State *lua)
{
    enum { USER, FILTER, OPTIONS };
    struct option options[OPTIONS] = {
        [USER] = { .name = "user", .type = OPTION_TEXT },
        [FILTER] = { .name = "filter", .type = OPTION_FLAG },
    };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_process *process = &reader->config->process;
    if (!config_once(lua, "process", &process->line) ||
        !config_options(lua, 1, "process", options, OPTIONS))
        return 0;
    if (options[USER].given && options[USER].text.size == 0)
        config_fault(reader, config_line(lua), "process: user = \"\" is no user; write \"ahoyd\"");
    if (options[USER].given)
        process->user = config_keep(reader, options[USER].text).at;
    if (options[FILTER].given)
        process->filters = options[FILTER].flag;
    return 0;
}
