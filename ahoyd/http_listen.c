#include "ahoyd/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS_MOST = 32, PATIENCE_S = 5 };

static const struct sockaddr *address_of(const struct ahoy_ip *ip, struct sockaddr_storage *space)
{
    if (ip->family == AHOY_IPV6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)space;
        *v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6,
                                     .sin6_port = htons(ip->port),
                                     .sin6_scope_id = ip->scope };
        memcpy(&v6->sin6_addr, ip->bytes, sizeof v6->sin6_addr);
    } else {
        struct sockaddr_in *v4 = (struct sockaddr_in *)space;
        *v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(ip->port) };
        memcpy(&v4->sin_addr, ip->bytes, sizeof v4->sin_addr);
    }
    return (const struct sockaddr *)space;
}

struct MHD_Daemon *ahoyd_http_listen(const struct ahoy_ip *ip, const char *word,
                                     MHD_AccessHandlerCallback answer,
                                     MHD_RequestCompletedCallback ended, void *self, char *fault,
                                     size_t fault_size)
{
    struct sockaddr_storage space;
    unsigned flags =
        MHD_USE_AUTO_INTERNAL_THREAD | (ip->family == AHOY_IPV6 ? (unsigned)MHD_USE_IPv6 : 0);
    errno = 0;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, ip->port, NULL, NULL, answer, self, MHD_OPTION_SOCK_ADDR, address_of(ip, &space),
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CLIENTS_MOST, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)PATIENCE_S, MHD_OPTION_NOTIFY_COMPLETED, ended, self, MHD_OPTION_END);
    if (daemon != NULL)
        return daemon;
    int why = errno;
    char text[64];
    struct ahoy_buf buf = ahoy_buf_over(text, sizeof text);
    ahoy_ip_print(ip, &buf);
    snprintf(fault, fault_size,
             "%s: http = \"%.*s\" cannot be listened on: %s; choose another address", word,
             (int)buf.size, text, why != 0 ? strerror(why) : "libmicrohttpd refuses");
    return NULL;
}

struct MHD_Response *ahoyd_http_response(char *text, size_t size, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(size, text, mode);
    if (response == NULL && mode == MHD_RESPMEM_MUST_FREE)
        free(text);
    return response;
}

enum MHD_Result ahoyd_http_reply(struct MHD_Connection *connection, unsigned status,
                                 const char *type, struct MHD_Response *response)
{
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (result == MHD_YES)
        result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}
