/* What the configuration says of what can be seen of the server. */
#include "ahoyd/config_reader.h"
#include "ahoyd/diary.h"

enum { MEMORY_MOST_MB = 1024, HTTP_PORT = 9464, HEP_PORT = 9060 };

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

int config_word_log(lua_State *lua)
{
    enum { FORMAT, TO, LEVEL, OPTIONS };
    static const char *const formats[] = { "text", "json" };
    static const char *const places[] = { "stderr", "stdout" };
    struct option options[OPTIONS] = { [FORMAT] = { .name = "format", .type = OPTION_TEXT },
                                       [TO] = { .name = "to", .type = OPTION_TEXT },
                                       [LEVEL] = { .name = "level", .type = OPTION_TEXT } };
    struct reader *reader = config_reader_of(lua);
    unsigned format, place, level;
    if (!config_once(lua, "log", &reader->log_line) ||
        !config_options(lua, 1, "log", options, OPTIONS) ||
        !config_choice(lua, "log", &options[FORMAT], formats, 2, &format) ||
        !config_choice(lua, "log", &options[TO], places, 2, &place) ||
        !config_choice(lua, "log", &options[LEVEL], ahoyd_diary_levels, AHOY_LOG_DEBUG + 1, &level))
        return 0;
    reader->config->log.json = format == 1;
    reader->config->log.to_stdout = place == 1;
    if (options[LEVEL].given)
        reader->config->log.level = (enum ahoy_log_level)level;
    return 0;
}

int config_word_hep(lua_State *lua)
{
    static const char usage[] = "hep \"udp:192.0.2.1:9060\"";
    struct option id = { .name = "id", .type = OPTION_NUMBER, .most = UINT32_MAX };
    struct reader *reader = config_reader_of(lua);
    struct ahoyd_config *config = reader->config;
    const struct span scheme = SPAN("udp:");
    struct span text;
    if (!config_once(lua, "hep", &reader->hep_line) || !config_text(lua, 1, "hep", usage, &text) ||
        !config_options(lua, 2, "hep", &id, 1))
        return 0;
    if (!ahoy_span_starts_nocase(text, scheme) ||
        !config_read_address(ahoy_span_after(text, scheme.size), HEP_PORT, &config->hep))
        config_fault(reader, config_line(lua), "hep \"%.100s\" is no address of a server; write %s",
                     text.at, usage);
    config->hep_id = id.given ? (uint32_t)id.number : 1;
    return 0;
}
