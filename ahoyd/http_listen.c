/* libmicrohttpd knows how long a connection may be silent, but not how long a request may take: a
 * thread looks after that, and sleeps while nobody is there. */
#include "ahoyd/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct guest {
    bool is_there;
    int fd;
    time_t until_s; /* His request and its answer have so long. */
};

struct ahoyd_http_port {
    struct MHD_Daemon *daemon;
    MHD_RequestCompletedCallback ended;
    void *self;
    pthread_t watcher;
    pthread_mutex_t lock; /* Of what is below. */
    pthread_cond_t changed;
    bool is_ending;
    struct guest guests[AHOYD_HTTP_CLIENTS_LIMIT];
};

static time_t now_s(void)
{
    struct timespec now = { 0 };
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* It cannot fail with that clock. */
    return now.tv_sec;
}

/* Breaks off whose time is over: libmicrohttpd reads an end, and closes.  Returns when the next one
 * is due; 0: nobody is there. */
static time_t end_late(struct ahoyd_http_port *port)
{
    time_t now = now_s(), next = 0;
    for (size_t i = 0; i < AHOYD_HTTP_CLIENTS_LIMIT; i++) {
        struct guest *guest = &port->guests[i];
        if (!guest->is_there)
            continue;
        if (guest->until_s <= now) {
            (void)shutdown(guest->fd, SHUT_RDWR); /* It may have ended itself. */
            guest->until_s = now + AHOYD_HTTP_PATIENCE_S;
        }
        if (next == 0 || guest->until_s < next)
            next = guest->until_s;
    }
    return next;
}

static void *watch(void *self)
{
    struct ahoyd_http_port *port = self;
    pthread_mutex_lock(&port->lock);
    while (!port->is_ending) {
        struct timespec until = { .tv_sec = end_late(port) };
        if (until.tv_sec == 0)
            pthread_cond_wait(&port->changed, &port->lock);
        else
            pthread_cond_timedwait(&port->changed, &port->lock, &until);
    }
    pthread_mutex_unlock(&port->lock);
    return NULL;
}

/* A connection has come; libmicrohttpd takes no more than there is room for. */
static void admit(struct ahoyd_http_port *port, struct MHD_Connection *connection, void **place)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    for (size_t i = 0; info != NULL && i < AHOYD_HTTP_CLIENTS_LIMIT; i++) {
        if (port->guests[i].is_there)
            continue;
        port->guests[i] = (struct guest){ true, info->connect_fd, now_s() + AHOYD_HTTP_REQUEST_S };
        *place = &port->guests[i];
        pthread_cond_signal(&port->changed);
        return;
    }
}

/* It comes, or goes: then its descriptor is still its own. */
static void see(void *self, struct MHD_Connection *connection, void **place,
                enum MHD_ConnectionNotificationCode code)
{
    struct ahoyd_http_port *port = self;
    pthread_mutex_lock(&port->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        admit(port, connection, place);
    else if (*place != NULL)
        ((struct guest *)*place)->is_there = false;
    pthread_mutex_unlock(&port->lock);
}

/* A request is over: the next one has its own time. */
static void complete(void *self, struct MHD_Connection *connection, void **request,
                     enum MHD_RequestTerminationCode code)
{
    struct ahoyd_http_port *port = self;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info != NULL && info->socket_context != NULL) {
        struct guest *guest = info->socket_context;
        pthread_mutex_lock(&port->lock);
        guest->until_s = now_s() + AHOYD_HTTP_REQUEST_S;
        pthread_mutex_unlock(&port->lock);
    }
    if (port->ended != NULL)
        port->ended(port->self, connection, request, code);
}

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

/* The lock, the condition by the clock of |now_s|, and the thread. */
static bool begin_watch(struct ahoyd_http_port *port)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&port->changed, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&port->lock, NULL) != 0) {
        pthread_cond_destroy(&port->changed);
        made = false;
    }
    if (made && pthread_create(&port->watcher, NULL, watch, port) != 0) {
        pthread_mutex_destroy(&port->lock);
        pthread_cond_destroy(&port->changed);
        made = false;
    }
    return made;
}

void ahoyd_http_stop(struct ahoyd_http_port *port)
{
    if (port == NULL)
        return;
    if (port->daemon != NULL)
        MHD_stop_daemon(port->daemon);
    pthread_mutex_lock(&port->lock);
    port->is_ending = true;
    pthread_cond_signal(&port->changed);
    pthread_mutex_unlock(&port->lock);
    pthread_join(port->watcher, NULL);
    pthread_mutex_destroy(&port->lock);
    pthread_cond_destroy(&port->changed);
    free(port);
}

struct ahoyd_http_port *ahoyd_http_listen(const struct ahoy_ip *ip, const char *word,
                                          MHD_AccessHandlerCallback answer,
                                          MHD_RequestCompletedCallback ended, void *self,
                                          char *fault, size_t fault_size)
{
    struct sockaddr_storage space;
    struct ahoyd_http_port *port = calloc(1, sizeof *port);
    if (port == NULL || !begin_watch(port)) {
        snprintf(fault, fault_size, "%s: there is no memory, or no thread", word);
        free(port);
        return NULL;
    }
    port->ended = ended;
    port->self = self;
    unsigned flags =
        MHD_USE_AUTO_INTERNAL_THREAD | (ip->family == AHOY_IPV6 ? (unsigned)MHD_USE_IPv6 : 0);
    errno = 0;
    port->daemon =
        MHD_start_daemon(flags, ip->port, NULL, NULL, answer, self, MHD_OPTION_SOCK_ADDR,
                         address_of(ip, &space), MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)AHOYD_HTTP_CLIENTS_LIMIT, MHD_OPTION_CONNECTION_TIMEOUT,
                         (unsigned)AHOYD_HTTP_PATIENCE_S, MHD_OPTION_NOTIFY_CONNECTION, see, port,
                         MHD_OPTION_NOTIFY_COMPLETED, complete, port, MHD_OPTION_END);
    if (port->daemon != NULL)
        return port;
    int why = errno;
    ahoyd_http_stop(port);
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
