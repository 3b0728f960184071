#include "ahoyd/api_files.h"

#include <string.h>

/* Path, type, and the name that cmake/embed.cmake gives the file. */
#define FILES(FILE)                                                                                \
    FILE("/", "text/html; charset=utf-8", console_index_html)                                      \
    FILE("/console.css", "text/css; charset=utf-8", console_console_css)                           \
    FILE("/console.js", "text/javascript; charset=utf-8", console_console_js)                      \
    FILE("/chart.js", "text/javascript; charset=utf-8", console_chart_js)                          \
    FILE("/ladder.js", "text/javascript; charset=utf-8", console_ladder_js)                        \
    FILE("/icon.svg", "image/svg+xml", console_icon_svg)                                           \
    FILE("/api/openapi.json", "application/json", docs_openapi_json)

#define DECLARE(path, type, name)                                                                  \
    extern const unsigned char ahoyd_file_##name[];                                                \
    extern const size_t ahoyd_file_##name##_size;
FILES(DECLARE)
#undef DECLARE

const struct ahoyd_api_file *ahoyd_api_file(const char *path)
{
#define ROW(path, type, name) { path, type, ahoyd_file_##name, &ahoyd_file_##name##_size },
    static const struct ahoyd_api_file files[] = { FILES(ROW) };
#undef ROW
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    }
    return NULL;
}
