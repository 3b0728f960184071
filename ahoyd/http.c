/* libmicrohttpd does the work; a few clients are served at once, and each for some seconds only. */
#include "ahoyd/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS_MOST = 16, PATIENCE_S = 5 };

struct ahoyd_http {
    const struct ahoyd_http_means *means;
    struct MHD_Daemon *daemon;
};

/* Sends |text|, which is freed, or a text of the program's own. */
static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             char *text, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(strlen(text), text, mode);
    if (response == NULL) {
        if (mode == MHD_RESPMEM_MUST_FREE)
            free(text);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_add_response_header(response, "Content-Type", type);
    if (result == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, bool well)
{
    static char yes[] = "ok\n", no[] = "no\n";
    return reply(connection, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain",
                 well ? yes : no, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result answer(void *self, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    const struct ahoyd_http *http = self;
    const struct ahoyd_http_means *means = http->means;
    static char nothing[] = "there are /metrics, /health and /ready\n";
    (void)version, (void)upload, (void)request; /* Whatever else is asked, the answer is this. */
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    bool gets =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (gets && strcmp(url, "/health") == 0)
        return say(connection, means->lives(means->context));
    if (gets && strcmp(url, "/ready") == 0)
        return say(connection, means->ready(means->context));
    if (!gets || strcmp(url, "/metrics") != 0)
        return reply(connection, gets ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED,
                     "text/plain", nothing, MHD_RESPMEM_PERSISTENT);
    char *text = means->metrics(means->context);
    if (text == NULL)
        return say(connection, false);
    return reply(connection, MHD_HTTP_OK, "text/plain; version=0.0.4", text, MHD_RESPMEM_MUST_FREE);
}

static struct MHD_Daemon *start(struct ahoyd_http *http, const struct ahoy_ip *ip)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(ip->port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                               .sin6_port = htons(ip->port),
                               .sin6_scope_id = ip->scope };
    bool is_v6 = ip->family == AHOY_IPV6;
    memcpy(&v4.sin_addr, ip->bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, ip->bytes, sizeof v6.sin6_addr);
    return MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | (is_v6 ? MHD_USE_IPv6 : 0), ip->port,
                            NULL, NULL, answer, http, MHD_OPTION_SOCK_ADDR,
                            is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MOST,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S, MHD_OPTION_END);
}

struct ahoyd_http *ahoyd_http_open(const struct ahoy_ip *ip, const struct ahoyd_http_means *means,
                                   char *fault, size_t fault_size)
{
    char text[64];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    struct ahoyd_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        return NULL;
    }
    http->means = means;
    errno = 0;
    http->daemon = start(http, ip);
    if (http->daemon != NULL)
        return http;
    int why = errno;
    ahoy_ip_print(ip, &buf);
    snprintf(fault, fault_size,
             "observe: http = \"%.*s\" cannot be listened on: %s; choose another address",
             (int)buf.size, text, why != 0 ? strerror(why) : "libmicrohttpd refuses");
    free(http);
    return NULL;
}

void ahoyd_http_close(struct ahoyd_http *http)
{
    if (http == NULL)
        return;
    MHD_stop_daemon(http->daemon);
    free(http);
}
