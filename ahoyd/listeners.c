/* The words that others learn of our listeners: RFC 3261 18.1.1 (sent-by), 16.6 (Record-Route). */
#include "ahoyd/listeners.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 320 /* "sip:", a host name of 253 bytes, a port, and a transport. */ };

static bool is_wildcard(const struct ahoy_ip *ip)
{
    static const uint8_t zeros[sizeof ip->bytes];
    return memcmp(ip->bytes, zeros, sizeof zeros) == 0;
}

/* Whether "host" or "host:port" names a port; an IPv6 address has colons of its own. */
static bool has_port(struct span text)
{
    size_t end = text.size;
    while (end > 0 && text.at[end - 1] != ':' && text.at[end - 1] != ']')
        end--;
    return end > 0 && text.at[end - 1] == ':';
}

/* Prints host and port as others must see them; false where nobody knows the host. */
static bool put_sent_by(const struct ahoyd_listen *listen, const struct ahoyd_own_addresses *own,
                        struct ahoy_buf *buf)
{
    if (listen->advertise.size > 0) {
        ahoy_buf_put(buf, listen->advertise);
        if (!has_port(listen->advertise)) {
            ahoy_buf_put_byte(buf, ':');
            ahoy_buf_put_number(buf, listen->ip.port);
        }
        return true;
    }
    struct ahoy_ip ip = listen->ip;
    if (is_wildcard(&ip)) {
        ip = ip.family == AHOY_IPV4 ? own->v4 : own->v6;
        ip.port = listen->ip.port;
    }
    ahoy_ip_print(&ip, buf);
    return ip.family != AHOY_NO_FAMILY;
}

void ahoyd_listener_print(const struct ahoyd_listen *listen, struct ahoy_buf *buf)
{
    ahoy_buf_put(buf, ahoy_transport_uri_name(listen->transport));
    ahoy_buf_put_byte(buf, ':');
    ahoy_ip_print(&listen->ip, buf);
}

static void fault_unknown_host(const struct ahoyd_config *config, const struct ahoyd_listen *listen,
                               struct ahoyd_config_faults *faults)
{
    char name[AHOYD_LISTEN_SIZE];
    struct ahoy_buf buf = ahoy_buf_over(name, sizeof name);
    ahoyd_listener_print(listen, &buf);
    struct span text = ahoy_buf_text(&buf);
    char what[256];
    snprintf(what, sizeof what,
             "no address of this machine is known that \"%.*s\" could give to others; "
             "write listen(\"%.*s\", { advertise = \"192.0.2.1\" })",
             (int)text.size, text.at, (int)text.size, text.at);
    faults->count++;
    if (faults->told != NULL)
        faults->told(faults->context, config->path.at, listen->line, what);
}

/* Fills |listener|; its texts stand in |texts|, two of TEXT_SIZE. */
static bool fill(struct ahoy_listener *listener, const struct ahoyd_listen *listen,
                 const struct ahoyd_own_addresses *own, char *texts)
{
    struct ahoy_buf sent_by = ahoy_buf_over(texts, TEXT_SIZE);
    struct ahoy_buf uri = ahoy_buf_over(texts + TEXT_SIZE, TEXT_SIZE);
    *listener = (struct ahoy_listener){ .transport = AHOY_TRANSPORT_OTHER, .leaving = true };
    if (listen->is_free)
        return true;
    if (!put_sent_by(listen, own, &sent_by))
        return false;
    ahoy_buf_put(&uri, SPAN("sip:"));
    ahoy_buf_put(&uri, ahoy_buf_text(&sent_by));
    ahoy_buf_put(&uri, SPAN(";transport="));
    /* DEPARTS: R5630-5.3-10 wants no transport=tls; but nothing else leads by TLS to a sip URI
     * (docs/decisions/0057).  A URI says ws, whether it is above TLS or not (RFC 7118 5.2). */
    bool is_websocket = ahoy_transport_is_websocket(listen->transport);
    ahoy_buf_put(&uri, ahoy_transport_uri_name(is_websocket ? AHOY_WS : listen->transport));
    *listener = (struct ahoy_listener){ .transport = listen->transport,
                                        .leaving = listen->until_ms > 0,
                                        .local = listen->ip,
                                        .sent_by = ahoy_buf_text(&sent_by),
                                        .uri = ahoy_buf_text(&uri),
                                        .origins = listen->origins };
    return !sent_by.overflow && !uri.overflow;
}

bool ahoyd_listeners_init(struct ahoyd_listeners *listeners, const struct ahoyd_config *config,
                          const struct ahoyd_own_addresses *own, struct ahoyd_config_faults *faults)
{
    listeners->count = config->listen_count;
    listeners->at = calloc(config->listen_count + 1, sizeof *listeners->at);
    listeners->texts = calloc(config->listen_count + 1, 2 * (size_t)TEXT_SIZE);
    if (listeners->at == NULL || listeners->texts == NULL) {
        ahoyd_listeners_fini(listeners);
        return false;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        char *texts = listeners->texts + i * 2 * TEXT_SIZE;
        if (!fill(&listeners->at[i], &config->listens[i], own, texts)) {
            fault_unknown_host(config, &config->listens[i], faults);
            ahoyd_listeners_fini(listeners);
            return false;
        }
    }
    return true;
}

void ahoyd_listeners_fini(struct ahoyd_listeners *listeners)
{
    free(listeners->at);
    free(listeners->texts);
    *listeners = (struct ahoyd_listeners){ 0 };
}
