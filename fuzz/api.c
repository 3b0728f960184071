/* What a browser says of itself, and the names in paths: lines of a path, the name of a part of a
 * query, its value, a Host and an Origin. */
#include "ahoyd/api_guard.h"
#include "ahoyd/api_paths.h"
#include "fuzz/target.h"

enum { LINES = 5, LINE_LIMIT = 256 };

/* Takes the next line off |bytes|, as a text of C. */
static void take_line(struct span *bytes, char line[LINE_LIMIT])
{
    size_t size = ahoy_span_find(*bytes, '\n');
    size_t kept = size < LINE_LIMIT ? size : LINE_LIMIT - 1;
    if (kept > 0)
        memcpy(line, bytes->at, kept);
    line[kept] = '\0';
    *bytes = ahoy_span_after(*bytes, size < bytes->size ? size + 1 : size);
}

static void try_path(const char *method, const char *path, json_t *request)
{
    char space[64];
    struct ahoy_buf allowed = ahoy_buf_over(space, sizeof space);
    const struct ahoyd_api_path *row = ahoyd_api_find(method, path, &allowed);
    MUST(!allowed.overflow);
    if (row == NULL || !ahoyd_api_read_name(row, path, request) || row->name == NULL)
        return;
    MUST(json_is_string(json_object_get(request, row->name)));
    MUST(!row->in_realm || json_is_string(json_object_get(request, "realm")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span names[] = { SPAN_INIT("ahoy.example") };
    static const char *const methods[] = { "GET", "PUT", "POST", "DELETE", "PATCH" };
    struct span bytes = { (const char *)data, size };
    char lines[LINES][LINE_LIMIT];
    json_t *request = json_object();
    for (size_t i = 0; i < LINES; i++)
        take_line(&bytes, lines[i]);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        try_path(methods[i], lines[0], request);
    if (ahoyd_api_read_query(lines[1], lines[2], request))
        MUST(json_object_get(request, lines[1]) != NULL);
    struct span host = ahoy_span(lines[3]), origin = ahoy_span(lines[4]);
    MUST(!ahoyd_api_host_is_ours(host, names, 1) || host.size > 0);
    MUST(!ahoyd_api_origin_is_ours(origin, host) || origin.size > host.size);
    json_decref(request);
    return 0;
}
