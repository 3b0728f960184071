/* The socket of a listener. */
#include "libahoy/io/door.h"

#include <errno.h>
#include <unistd.h>

#include "libahoy/io/socket.h"
#include "libahoy/io/tls_context.h"

bool ahoy_door_is_held(const struct ahoy_listener *listener, size_t index,
                       const struct ahoy_driver_options *options)
{
    return ahoy_transport_is_secure(listener->transport) && options->tls != NULL &&
           !ahoy_tls_context_listens(options->tls, (uint8_t)index);
}

static int open_socket(const struct ahoy_listener *listener, size_t index,
                       const struct ahoy_driver_options *options, bool share_port)
{
    if (listener->transport == AHOY_UDP)
        return ahoy_socket_datagram(&listener->local, share_port);
    if (ahoy_door_is_held(listener, index, options))
        return ahoy_socket_hold(&listener->local);
    if (listener->transport == AHOY_TCP || listener->transport == AHOY_WS ||
        (ahoy_transport_is_secure(listener->transport) && options->tls != NULL))
        return ahoy_socket_listen(&listener->local, share_port);
    errno = EPROTONOSUPPORT;
    return -1;
}

/* Sockets that share a port tolerate every other that shares it, those of another process too; so
 * the first one asks for the address alone, and gives it back. */
static bool is_vacant(const struct ahoy_listener *listener, size_t index,
                      const struct ahoy_driver_options *options)
{
    int fd = open_socket(listener, index, options, false);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

int ahoy_door_open(const struct ahoy_listener *listener, size_t index,
                   const struct ahoy_driver_options *options)
{
    if (options->passed != NULL && options->passed[index] >= 0)
        return ahoy_socket_take(options->passed[index], &listener->local);
    if (options->share_port && options->first && !is_vacant(listener, index, options))
        return -1;
    return open_socket(listener, index, options, options->share_port);
}
