#include "ahoyd/api_paths.h"

#include <string.h>

const struct ahoyd_api_path ahoyd_api_paths[] = {
    { "GET", "/api/session", NULL, NULL, false },
    { "POST", "/api/session", NULL, NULL, false },
    { "DELETE", "/api/session", NULL, NULL, false },
    { "GET", "/api/status", "status", NULL, false },
    { "GET", "/api/counters", "counters", NULL, false },
    { "GET", "/api/metrics", "metrics", NULL, false },
    { "POST", "/api/reload", "reload", NULL, false },
    { "POST", "/api/trim", "trim", NULL, false },
    { "GET", "/api/calls", "calls", NULL, false },
    { "GET", "/api/calls/", "explain", "call_id", false },
    { "GET", "/api/notes", "follow", NULL, false },
    { "GET", "/api/registrations", "registrations", NULL, false },
    { "GET", "/api/registrations/", "registrations", "aor", false },
    { "DELETE", "/api/registrations/", "registration-remove", "aor", false },
    { "GET", "/api/users", "user-list", NULL, false },
    { "POST", "/api/users", "users-add", NULL, false },
    { "PUT", "/api/users/", "user-add", "user", true },
    { "DELETE", "/api/users/", "user-remove", "user", true },
    { "GET", "/api/aliases", "alias-list", NULL, false },
    { "PUT", "/api/aliases/", "alias-add", "alias", true },
    { "DELETE", "/api/aliases/", "alias-remove", "alias", true },
};
const size_t ahoyd_api_path_count = sizeof ahoyd_api_paths / sizeof *ahoyd_api_paths;

/* Whether |path| is of that row, by whatever method. */
static bool fits(const struct ahoyd_api_path *row, const char *path)
{
    size_t size = strlen(row->path);
    if (row->name == NULL)
        return strcmp(row->path, path) == 0;
    return strncmp(row->path, path, size) == 0 && path[size] != '\0';
}

const struct ahoyd_api_path *ahoyd_api_find(const char *method, const char *path,
                                            struct ahoy_buf *allowed)
{
    for (size_t i = 0; i < ahoyd_api_path_count; i++) {
        const struct ahoyd_api_path *row = &ahoyd_api_paths[i];
        if (!fits(row, path))
            continue;
        if (strcmp(row->method, method) == 0)
            return row;
        ahoy_buf_put(allowed, allowed->size > 0 ? SPAN(", ") : SPAN(""));
        ahoy_buf_put(allowed, ahoy_span(row->method));
    }
    return NULL;
}

bool ahoyd_api_read_name(const struct ahoyd_api_path *row, const char *path, json_t *request)
{
    if (row->name == NULL)
        return true;
    const char *name = path + strlen(row->path);
    const char *at = row->in_realm ? strrchr(name, '@') : name + strlen(name);
    return at != NULL &&
           json_object_set_new(request, row->name, json_stringn(name, (size_t)(at - name))) == 0 &&
           (!row->in_realm || json_object_set_new(request, "realm", json_string(at + 1)) == 0);
}

bool ahoyd_api_read_query(const char *name, const char *value, json_t *request)
{
    /* Those that are no texts are written as JSON has them. */
    static const struct {
        const char *name;
        bool is_text, is_flag;
    } known[] = { { "search", true, false }, { "state", true, false }, { "skip", false, false },
                  { "limit", false, false }, { "from", false, false }, { "check", false, true } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, name) != 0 || (value == NULL && !known[i].is_flag))
            continue;
        if (value == NULL) /* "?check" */
            value = "true";
        json_t *member =
            known[i].is_text ? json_string(value) : json_loads(value, JSON_DECODE_ANY, NULL);
        return json_object_set_new(request, name, member) == 0;
    }
    return false;
}
