/* The dialog parameter is a keyed hash of the Call-ID.  It need not be kept anywhere, and all
 * workers, and the next start of the server, find it right. */
#include "ahoyd/path.h"

#include "ahoyd/gruu.h"
#include "libahoy/syntax/params.h"

/* Two, where the Record-Route that we put was double (RFC 3261 16.6 step 4, RFC 5658). */
enum { OWN_ROUTES_LIMIT = 2 };

static void print_token(const struct ahoyd_server *server, struct span call_id,
                        char token[AHOY_TOKEN_SIZE])
{
    ahoy_token_print(ahoy_siphash(&server->dialog_key, call_id), token);
}

static void print_param(const struct ahoyd_server *server, struct span call_id,
                        char param[AHOYD_DIALOG_PARAM_SIZE])
{
    struct span name = SPAN(";dialog=");
    memcpy(param, name.at, name.size);
    print_token(server, call_id, param + name.size);
}

/* Notes what the user part of |uri|, a Route value that names us, says of a flow (RFC 5626 5.3). */
static void take_token(const struct ahoyd_server *server, const struct ahoy_event *event,
                       const struct ahoy_uri *uri, struct ahoyd_path *path)
{
    path->has_flow = false;
    if (!uri->has_user)
        return;
    switch (ahoyd_flow_read(&server->flow_key, uri->user, event->routing->call_id, &path->flow_kind,
                            &path->flow)) {
    case AHOYD_FLOW_NONE:
        break;
    case AHOYD_FLOW_FORGED:
        path->forged = true;
        break;
    case AHOYD_FLOW_SOUND:
        path->has_flow = true;
        path->in_dialog |= path->flow_kind == AHOYD_FLOW_OF_CALL;
        break;
    }
}

/* Whether |uri|, which leads to us, has the mark of this call: this server wrote it into a
 * Record-Route, as nobody else could make it. */
static bool is_marked(const struct ahoyd_server *server, const struct ahoy_event *event,
                      const struct ahoy_uri *uri)
{
    char token[AHOY_TOKEN_SIZE];
    struct span value;
    if (!ahoy_uri_param(uri, SPAN("dialog"), &value))
        return false;
    print_token(server, event->routing->call_id, token);
    return ahoy_span_equal(value, (struct span){ token, sizeof token });
}

/* Whether the request came by |flow|. */
static bool is_source(const struct ahoy_event *event, const struct ahoy_hop *flow)
{
    return ahoy_hop_leads_where(event->hop, flow) &&
           ahoy_handle_equal(event->hop->connection, flow->connection);
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
    if (path->own_routes == OWN_ROUTES_LIMIT ||
        !ahoyd_names_is_own_route(&walk->server->names, uri)) {
        path->has_next = true;
        path->next = *uri;
        return;
    }
    path->own_routes++;
    take_token(walk->server, walk->event, uri, path); /* The last one is that of the far side. */
    if (is_marked(walk->server, walk->event, uri))
        path->in_dialog = true;
}

/* The last value is kept back until it is known whether there is another one. */
static bool read_routes(const struct walk *walk, bool strict, struct ahoy_err *err)
{
    struct ahoy_values values = ahoy_message_values(walk->event->message, AHOY_HEADER_ROUTE);
    struct ahoy_address route;
    struct ahoy_uri last;
    struct ahoy_err fault;
    bool any = false;
    while (ahoy_addresses_next(&values, &route, &fault)) {
        if (any)
            take_route(walk, &last);
        last = route.uri;
        any = true;
    }
    if (fault.expected != NULL)
        return ahoy_fail(err, fault.status, fault.at, fault.expected);
    if (any && strict) {
        walk->path->restored = true;
        walk->path->target = last;
    } else if (any) {
        take_route(walk, &last);
    }
    return true;
}

bool ahoyd_path_read(const struct ahoyd_server *server, const struct ahoy_event *event,
                     struct ahoyd_path *path, struct ahoy_err *err)
{
    const struct walk walk = { server, event, path };
    const struct ahoy_uri *uri = &event->routing->request_uri;
    path->in_dialog = false;
    path->forged = false;
    path->has_flow = false;
    bool strict = false;
    if (ahoyd_names_is_own_address(&server->names, uri)) {
        take_token(server, event, uri, path);
        strict = path->has_flow || is_marked(server, event, uri); /* R3261-16.4-2 */
    }
    path->target = event->routing->request_uri;
    path->restored = false;
    path->own_routes = 0;
    path->has_next = false;
    if (!read_routes(&walk, strict, err))
        return false;
    if (path->has_flow && path->own_routes < OWN_ROUTES_LIMIT && is_source(event, &path->flow))
        path->has_flow = false; /* It goes out, not in (RFC 5626 5.3). */
    bool fits = path->in_dialog || path->restored;
    path->in_dialog = fits && event->routing->to_tag.size > 0;
    path->domain = ahoyd_names_domain(&server->names, &path->target);
    path->names_instance =
        path->domain != NULL && ahoyd_gruu_kind(&path->target) != AHOYD_GRUU_NONE;
    return true;
}

/* The URI of the request's first Contact. */
static bool read_contact(const struct ahoy_event *event, struct ahoy_address *contact)
{
    struct ahoy_values values = ahoy_message_values(event->message, AHOY_HEADER_CONTACT);
    return ahoy_addresses_next(&values, contact, NULL);
}

bool ahoyd_path_is_outbound(const struct ahoy_event *event)
{
    struct ahoy_address contact;
    struct span ob;
    return ahoy_method_forms_dialog(event->message->method) && read_contact(event, &contact) &&
           ahoy_uri_param(&contact.uri, SPAN("ob"), &ob);
}

/* Whether the sender of a request that forms a dialog takes an address for his own, in Via and
 * Contact alike, that he is not seen at: a NAT is between us.  A proxy would be in Via too, and who
 * names another in Contact alone means it. */
static bool is_behind_nat(const struct ahoy_event *event)
{
    const struct ahoy_ip *source = &event->hop->remote;
    struct ahoy_address contact;
    struct ahoy_ip named, sent_by;
    struct span maddr;
    return ahoy_method_forms_dialog(event->message->method) &&
           ahoy_ip_parse(event->routing->via.host, &sent_by) && sent_by.family == source->family &&
           !ahoy_ip_equal_host(&sent_by, source) && ahoy_registrar_is_first_hop(event->message) &&
           read_contact(event, &contact) && ahoy_ip_parse(contact.uri.host, &named) &&
           ahoy_ip_equal_host(&named, &sent_by) &&
           !ahoy_uri_param(&contact.uri, SPAN("maddr"), &maddr);
}

void ahoyd_path_print_marks(const struct ahoyd_server *server, const struct ahoy_event *event,
                            struct ahoyd_marks *marks)
{
    struct ahoy_buf flow = ahoy_buf_over(marks->flow, sizeof marks->flow);
    print_param(server, event->routing->call_id, marks->param);
    if (ahoyd_path_is_outbound(event) || is_behind_nat(event) ||
        ahoy_transport_is_websocket((enum ahoy_transport)event->hop->transport))
        ahoyd_flow_print(&server->flow_key, AHOYD_FLOW_OF_CALL, event->hop, event->routing->call_id,
                         &flow);
    marks->flow_size = ahoy_buf_text(&flow).size;
}

/* R5626-5.1-5 */
static bool is_flow_registered(const struct ahoy_event *event)
{
    struct ahoy_address contact;
    struct ahoy_param reg_id;
    return event->message->method == AHOY_METHOD_REGISTER &&
           ahoy_registrar_is_first_hop(event->message) && read_contact(event, &contact) &&
           ahoy_params_find(contact.params, SPAN("reg-id"), &reg_id);
}

void ahoyd_path_print_path(const struct ahoyd_server *server, const struct ahoy_event *event,
                           struct ahoy_buf *rows)
{
    if (!is_flow_registered(event))
        return;
    const struct ahoy_listener *listener =
        ahoy_transaction_listener(server->transactions, event->hop);
    if (listener == NULL)
        return;
    size_t colon = ahoy_span_find(listener->uri, ':');
    ahoy_buf_put(rows, SPAN("Path: <")); /* R5626-5.1-1 */
    ahoy_buf_put(rows, (struct span){ listener->uri.at, colon + 1 });
    ahoyd_flow_print(&server->flow_key, AHOYD_FLOW_OF_PHONE, event->hop, SPAN(""), rows);
    ahoy_buf_put_byte(rows, '@'); /* R5626-5.1-2, -3 */
    ahoy_buf_put(rows, ahoy_span_after(listener->uri, colon + 1));
    ahoy_buf_put(rows, SPAN(";lr;ob>\r\n")); /* R5626-5.1-4 */
}
