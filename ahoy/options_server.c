/* Which servers the options name, and what they ask of them. */
#include <stdio.h>

#include "ahoy/options.h"
#include "ahoy/options_read.h"
#include "libahoy/resolve/locate.h"

enum { LOADS = PHONE_LOAD_CALL | PHONE_LOAD_ANSWER | PHONE_LOAD_REGISTER };

static void set_route(struct phone_server *server)
{
    struct ahoy_buf buf = ahoy_buf_over(server->route_space, sizeof server->route_space);
    ahoy_buf_put_byte(&buf, '<');
    ahoy_buf_put(&buf, server->uri);
    ahoy_buf_put(&buf, SPAN(";lr>"));
    server->route = ahoy_buf_text(&buf);
}

static int set_server(struct phone_options *options, const char *given)
{
    struct ahoy_uri uri;
    struct ahoy_err err;
    enum ahoy_transport transport;
    struct phone_server *server = &options->servers[options->server_count++];
    server->uri = phone_with_scheme(given, server->uri_space, sizeof server->uri_space);
    if (!ahoy_uri_parse(server->uri, &uri, NULL) || uri.headers.size > 0)
        return phone_misuse(options->verb, "no server's URI: ", given);
    bool is_load = (options->verb & LOADS) != 0;
    if (!(is_load ? ahoy_locate_with_websocket : ahoy_locate)(&uri, &transport, &server->hop.remote,
                                                              &err)) {
        fprintf(stderr, "ahoy %s: %s: needed is %s; give --server sip:ADDRESS:PORT\n",
                phone_verb_name(options->verb), given, err.expected);
        return PHONE_MISUSED;
    }
    server->host = uri.host;
    server->hop.transport = (uint8_t)transport;
    server->hop.listener = AHOY_ANY_LISTENER;
    if (options->listen.family != AHOY_NO_FAMILY &&
        options->listen.family != server->hop.remote.family)
        return phone_misuse(options->verb, "--listen and the server are IPv4 and IPv6: ", given);
    if (server->hop.remote.family != options->servers[0].hop.remote.family)
        return phone_misuse(options->verb, "the servers are of IPv4 and IPv6: ", given);
    set_route(server);
    return -1;
}

int phone_set_servers(struct phone_options *options, const char *const *given, size_t count)
{
    char domain[PHONE_TEXT_LIMIT];
    snprintf(domain, sizeof domain, "%.*s", (int)options->account.domain.size,
             options->account.domain.at);
    /* Who calls somebody very often may do that without a server. */
    bool is_direct = options->verb == PHONE_LOAD_CALL && count == 0;
    int code = -1;
    if (count == 0)
        code = set_server(options, is_direct ? options->callee : domain);
    if (is_direct)
        options->servers[0].route = SPAN("");
    for (size_t i = 0; i < count && code == -1; i++)
        code = set_server(options, given[i]);
    return code;
}

/* Keys stand in descriptions, which strangers must not read. */
int phone_check_security(const struct phone_options *options)
{
    bool is_secure = options->security != AHOY_SECURITY_KEYS;
    for (size_t i = 0; !is_secure && i < options->server_count; i++)
        is_secure =
            ahoy_transport_is_secure((enum ahoy_transport)options->servers[i].hop.transport);
    return is_secure ? -1
                     : phone_misuse(options->verb,
                                    "--srtp sdes needs a server that is called by TLS", "");
}
