/* Whose scripts a listener for WebSockets lets in (RFC 6454, RFC 6455 10.2). */
#include "ahoyd/config_reader.h"
#include "libahoy/base/buf.h"

/* Whether |text| is "scheme://host" or "scheme://host:port", as a browser writes it. */
static bool is_origin(struct span text)
{
    size_t colon = ahoy_span_find(text, ':');
    struct span rest = ahoy_span_after(text, colon);
    return colon > 0 && rest.size > 3 && text.size < 256 &&
           ahoy_span_find(text, ' ') == text.size && ahoy_span_starts_nocase(rest, SPAN("://")) &&
           ahoy_span_find(ahoy_span_after(rest, 3), '/') == rest.size - 3;
}

bool config_read_origins(lua_State *lua, const struct option *option, struct ahoyd_listen *listen)
{
    struct reader *reader = config_reader_of(lua);
    char space[OPTION_TEXTS_LIMIT * 256];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (option->given && !ahoy_transport_is_websocket(listen->transport)) {
        config_fault(reader, listen->line, "listen: origins is for ws and wss; remove it");
        return false;
    }
    for (size_t i = 0; option->given && i < option->number; i++) {
        struct span text = option->texts[i];
        if (!is_origin(text)) {
            config_fault(reader, listen->line,
                         "listen: \"%.100s\" is no origin; write \"https://phone.example\"",
                         text.at);
            return false;
        }
        ahoy_buf_put(&buf, i > 0 ? SPAN(" ") : SPAN(""));
        ahoy_buf_put(&buf, text);
    }
    listen->origins = config_keep(reader, ahoy_buf_text(&buf));
    return true;
}
