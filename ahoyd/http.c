#include "ahoyd/http.h"

#include <stdio.h>
#include <stdlib.h>

#include "ahoyd/http_listen.h"

struct ahoyd_http {
    const struct ahoyd_http_means *means;
    struct ahoyd_http_port *port;
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
                             char *text, enum MHD_ResponseMemoryMode mode)
{
    return ahoyd_http_reply(connection, status, type,
                            ahoyd_http_response(text, strlen(text), mode));
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

struct ahoyd_http *ahoyd_http_open(const struct ahoy_ip *ip, const struct ahoyd_http_means *means,
                                   char *fault, size_t fault_size)
{
    struct ahoyd_http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        snprintf(fault, fault_size, "memory ran out");
        return NULL;
    }
    http->means = means;
    http->port = ahoyd_http_listen(ip, "observe", answer, NULL, http, fault, fault_size);
    if (http->port != NULL)
        return http;
    free(http);
    return NULL;
}

void ahoyd_http_close(struct ahoyd_http *http)
{
    if (http == NULL)
        return;
    ahoyd_http_stop(http->port);
    free(http);
}
