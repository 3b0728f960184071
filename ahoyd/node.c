/* The token in the store is for no call at all, so it is of no use to anybody who can send us a
 * request; the one that travels is for one Call-ID, and ends at the node that it names. */
#include "ahoyd/node.h"

#include "libahoy/syntax/params.h"

static const struct span lr = SPAN_INIT(";lr");

static bool read_token(const struct ahoyd_server *server, struct span user, struct ahoy_hop *flow)
{
    enum ahoyd_flow_kind kind;
    return ahoyd_flow_read(&server->flow_key, user, SPAN(""), &kind, flow) == AHOYD_FLOW_SOUND &&
           kind == AHOYD_FLOW_OF_NODE;
}

/* Whether it ends as what we write does. */
static bool ends_in_lr(struct span uri)
{
    return uri.size > lr.size && memcmp(ahoy_span_end(uri) - lr.size, lr.at, lr.size) == 0;
}

bool ahoyd_node_read(const struct ahoyd_server *server, struct span path,
                     struct ahoyd_node_way *way)
{
    struct span first;
    struct ahoy_address address;
    if (!ahoy_list_next(&path, &first, NULL) || !ahoy_address_parse(first, &address, NULL) ||
        !address.uri.has_user || !ends_in_lr(address.uri.text) ||
        !read_token(server, address.uri.user, &way->flow))
        return false;
    way->uri = address.uri;
    way->is_own = ahoyd_names_is_own_address(&server->names, &way->uri);
    return true;
}

/* "<sip:", a token, "@", the rest of the node's URI, ";lr>" */
static void print_way(const struct ahoyd_server *server, struct span uri, struct span call_id,
                      const struct ahoy_hop *flow, struct ahoy_buf *buf)
{
    size_t scheme_size = ahoy_span_find(uri, ':') + 1;
    ahoy_buf_put_byte(buf, '<');
    ahoy_buf_put(buf, (struct span){ uri.at, scheme_size });
    ahoyd_flow_print(&server->flow_key, AHOYD_FLOW_OF_NODE, flow, call_id, buf);
    ahoy_buf_put_byte(buf, '@');
    ahoy_buf_put(buf, ahoy_span_after(uri, scheme_size));
    ahoy_buf_put(buf, lr);
    ahoy_buf_put_byte(buf, '>');
}

void ahoyd_node_mark(const struct ahoyd_server *server, struct ahoy_register *read)
{
    struct ahoy_registration *registration = &read->asks;
    bool by_flow = ahoy_transport_is_reliable(registration->hop.transport);
    for (size_t i = 0; i < registration->count; i++)
        by_flow |= registration->asked[i].reg_id != 0;
    if (server->options.config->node.size == 0 || registration->path.size > 0 || !by_flow)
        return;
    struct ahoy_buf path = ahoy_buf_over(read->path, sizeof read->path);
    print_way(server, server->options.config->node, SPAN(""), &registration->hop, &path);
    registration->path = ahoy_buf_text(&path);
}

bool ahoyd_node_find(struct ahoyd_server *server, struct span aor, uint64_t now_ms)
{
    struct ahoyd_node_way way;
    struct ahoy_bindings *bindings = &server->bindings;
    if (!ahoyd_store_find(server->options.store, aor, now_ms, bindings))
        return false;
    for (size_t i = 0; i < bindings->count; i++) {
        struct ahoy_binding *binding = &bindings->list[i];
        if (!ahoyd_node_read(server, binding->path, &way) || !way.is_own)
            continue;
        binding->hop = way.flow;
        binding->path = SPAN("");
    }
    return true;
}

void ahoyd_node_print_route(const struct ahoyd_server *server, const struct ahoyd_node_way *way,
                            struct span call_id, struct ahoy_buf *route)
{
    struct span host = ahoy_span_after(way->uri.text, ahoy_span_find(way->uri.text, '@') + 1);
    char space[AHOYD_NODE_LIMIT];
    struct ahoy_buf uri = ahoy_buf_over(space, sizeof space);
    ahoy_buf_put(&uri, way->uri.scheme == AHOY_SCHEME_SIPS ? SPAN("sips:") : SPAN("sip:"));
    ahoy_buf_put(&uri, (struct span){ host.at, host.size - lr.size });
    print_way(server, ahoy_buf_text(&uri), call_id, &way->flow, route);
}
