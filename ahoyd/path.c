/* The parameters are keyed hashes of the Call-ID.  They need not be kept anywhere, and all workers,
 * and the next start of the server, find them right. */
#include "ahoyd/path.h"

/* Two, where the Record-Route that we put was double (RFC 3261 16.6 step 4, RFC 5658). */
enum { OWN_ROUTES_LIMIT = 2, FLOW_SIZE = 21 };

static void print_token(const struct ahoyd_server *server, struct span call_id,
                        char token[AHOY_TOKEN_SIZE])
{
    ahoy_token_print(ahoy_siphash(&server->dialog_key, call_id), token);
}

/* What a flow parameter says of |hop|, byte by byte. */
static void pack_flow(const struct ahoy_hop *hop, unsigned char bytes[FLOW_SIZE])
{
    bytes[0] = hop->transport;
    bytes[1] = hop->listener;
    bytes[2] = hop->remote.family;
    bytes[3] = (unsigned char)(hop->remote.port >> 8);
    bytes[4] = (unsigned char)(hop->remote.port & 0xff);
    memcpy(bytes + 5, hop->remote.bytes, sizeof hop->remote.bytes);
}

static void print_flow_token(const struct ahoyd_server *server, struct span flow,
                             struct span call_id, char token[AHOY_TOKEN_SIZE])
{
    const struct span parts[] = { flow, call_id };
    ahoy_token_print(ahoy_siphash_parts(&server->flow_key, parts, 2), token);
}

static void put_flow(const struct ahoyd_server *server, const struct ahoy_event *event,
                     struct ahoy_buf *params)
{
    unsigned char bytes[FLOW_SIZE];
    char token[AHOY_TOKEN_SIZE];
    pack_flow(event->hop, bytes);
    print_flow_token(server, (struct span){ (const char *)bytes, FLOW_SIZE },
                     event->routing->call_id, token);
    ahoy_buf_put(params, SPAN(";flow="));
    ahoy_buf_put_hex(params, bytes, FLOW_SIZE);
    ahoy_buf_put(params, (struct span){ token, sizeof token });
}

void ahoyd_path_print_params(const struct ahoyd_server *server, const struct ahoy_event *event,
                             struct ahoy_buf *params)
{
    char token[AHOY_TOKEN_SIZE];
    print_token(server, event->routing->call_id, token);
    ahoy_buf_put(params, SPAN(";dialog="));
    ahoy_buf_put(params, (struct span){ token, sizeof token });
    if (ahoy_transport_is_websocket((enum ahoy_transport)event->hop->transport))
        put_flow(server, event, params);
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

static bool read_hex(struct span text, unsigned char *bytes)
{
    for (size_t i = 0; i + 1 < text.size; i += 2) {
        int high = hex_digit(text.at[i]);
        int low = hex_digit(text.at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* Reads the flow parameter of a Route of ours. */
static bool read_flow(const struct ahoyd_server *server, const struct ahoy_event *event,
                      const struct ahoy_uri *uri, struct ahoy_hop *flow)
{
    unsigned char bytes[FLOW_SIZE];
    char token[AHOY_TOKEN_SIZE];
    struct span value;
    if (!ahoy_uri_param(uri, SPAN("flow"), &value) ||
        value.size != 2 * FLOW_SIZE + AHOY_TOKEN_SIZE ||
        !read_hex((struct span){ value.at, 2 * FLOW_SIZE }, bytes))
        return false;
    print_flow_token(server, (struct span){ (const char *)bytes, FLOW_SIZE },
                     event->routing->call_id, token);
    if (memcmp(value.at + 2 * FLOW_SIZE, token, sizeof token) != 0)
        return false;
    *flow = (struct ahoy_hop){ .transport = bytes[0],
                               .listener = bytes[1],
                               .remote = { .family = bytes[2],
                                           .port = (uint16_t)(bytes[3] << 8 | bytes[4]) } };
    memcpy(flow->remote.bytes, bytes + 5, sizeof flow->remote.bytes);
    return flow->listener < server->options.listener_count;
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
    if (!is_ours(walk->server, walk->event, uri))
        return;
    path->in_dialog = true;
    path->has_flow = path->has_flow || read_flow(walk->server, walk->event, uri, &path->flow);
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
    path->in_dialog = path->has_flow = false;
    if (!read_routes(&walk, strict, err))
        return false;
    bool fits = path->in_dialog || path->restored;
    path->in_dialog = fits && event->routing->to_tag.size > 0;
    path->domain = ahoyd_names_domain(&server->names, &path->target);
    return true;
}
