/* The dialog parameter is a keyed hash of the Call-ID.  It need not be kept anywhere, and all
 * workers, and the next start of the server, find it right. */
#include "ahoyd/path.h"

/* Two, where the Record-Route that we put was double (RFC 3261 16.6 step 4, RFC 5658). */
enum { OWN_ROUTES_LIMIT = 2 };

static void print_token(const struct ahoyd_server *server, struct span call_id,
                        char token[AHOY_TOKEN_SIZE])
{
    ahoy_token_print(ahoy_siphash(&server->dialog_key, call_id), token);
}

void ahoyd_path_print_param(const struct ahoyd_server *server, struct span call_id,
                            char param[AHOYD_DIALOG_PARAM_SIZE])
{
    struct span name = SPAN(";dialog=");
    memcpy(param, name.at, name.size);
    print_token(server, call_id, param + name.size);
}

/* Whether |uri| is one that this server wrote into a Record-Route of this call. */
static bool is_ours(const struct ahoyd_server *server, const struct ahoy_event *event,
                    const struct ahoy_uri *uri)
{
    char token[AHOY_TOKEN_SIZE];
    struct span value;
    if (!ahoy_uri_param(uri, SPAN("dialog"), &value))
        return false;
    print_token(server, event->routing->call_id, token);
    return ahoy_span_equal(value, (struct span){ token, sizeof token }) &&
           ahoyd_names_is_own_address(&server->names, uri);
}

struct walk {
    const struct ahoyd_server *server;
    const struct ahoy_event *event;
    struct ahoyd_path *path;
};

static void take_route(const struct walk *walk, const struct ahoy_uri *uri)
{
    struct ahoyd_path *path = walk->path;
    if (path->has_next)
        return;
    bool own =
        path->own_routes < OWN_ROUTES_LIMIT && ahoyd_names_is_own_route(&walk->server->names, uri);
    if (!own) {
        path->has_next = true;
        path->next = *uri;
        return;
    }
    path->own_routes++;
    if (is_ours(walk->server, walk->event, uri))
        path->in_dialog = true;
}

/* The last value is kept back until it is known whether there is another one. */
static bool read_routes(const struct walk *walk, bool strict, struct ahoy_err *err)
{
    struct ahoy_values values = ahoy_message_values(walk->event->message, AHOY_HEADER_ROUTE);
    struct ahoy_address last;
    struct span text;
    struct ahoy_err fault;
    bool any = false;
    while (ahoy_values_next(&values, &text, &fault)) {
        if (any)
            take_route(walk, &last.uri);
        if (!ahoy_address_parse(text, &last, err))
            return false;
        any = true;
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    if (any && strict) {
        walk->path->restored = true;
        walk->path->target = last.uri;
    } else if (any) {
        take_route(walk, &last.uri);
    }
    return true;
}

bool ahoyd_path_read(const struct ahoyd_server *server, const struct ahoy_event *event,
                     struct ahoyd_path *path, struct ahoy_err *err)
{
    const struct walk walk = { server, event, path };
    bool strict = is_ours(server, event, &event->routing->request_uri); /* R3261-16.4-2 */
    path->target = event->routing->request_uri;
    path->restored = false;
    path->own_routes = 0;
    path->has_next = false;
    path->in_dialog = false;
    if (!read_routes(&walk, strict, err))
        return false;
    bool fits = path->in_dialog || path->restored;
    path->in_dialog = fits && event->routing->to_tag.size > 0;
    path->domain = ahoyd_names_domain(&server->names, &path->target);
    return true;
}
