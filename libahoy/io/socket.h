/* Sockets as the loop wants them: not blocking, closed on exec, IPv6 ones for IPv6 only.  Calls
 * that fail return -1 or false, and errno says why. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "libahoy/base/ip.h"

union ahoy_socket_name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Fills |name| and returns its size. */
socklen_t ahoy_socket_name(const struct ahoy_ip *ip, union ahoy_socket_name *name);
/* The other way; AHOY_NO_FAMILY where it is neither IPv4 nor IPv6. */
struct ahoy_ip ahoy_socket_ip(const union ahoy_socket_name *name);
/* The same in place: a copy of what was written just now makes a processor wait. */
void ahoy_socket_read_ip(const union ahoy_socket_name *name, struct ahoy_ip *ip);

/* A UDP socket bound to |local|, its errors queued (IP_RECVERR). */
int ahoy_socket_datagram(const struct ahoy_ip *local, bool share_port);
/* The same for media: errors of the way are not told, as the next packet comes anyhow. */
int ahoy_socket_media(const struct ahoy_ip *local);
/* A TCP socket that listens on |local|. */
int ahoy_socket_listen(const struct ahoy_ip *local, bool share_port);
/* A TCP socket that keeps |local| for connections of ours that leave from there, and takes none. */
int ahoy_socket_hold(const struct ahoy_ip *local);
/* A copy of |fd|, a socket that somebody else has opened on |local|, by UDP or listening by TCP; in
 * all else as those above. */
int ahoy_socket_take(int fd, const struct ahoy_ip *local);
/* A TCP socket on its way to |remote|, from |local| where that is neither NULL nor a wildcard; from
 * its port where that is not 0 and held. */
int ahoy_socket_connect(const struct ahoy_ip *local, const struct ahoy_ip *remote);
int ahoy_socket_accept(int listener, struct ahoy_ip *remote);

/* Where |fd| is bound. */
bool ahoy_socket_local(int fd, struct ahoy_ip *ip);
