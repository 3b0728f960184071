/* bench-relay: the floor.  It moves the datagrams of a call between caller and callee, and sends
 * a 100 for each INVITE, without understanding anything: what is left is the price of the
 * kernel. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { DATAGRAM = 4096 };

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("Usage: bench-relay PORT CALLER-PORT CALLEE-PORT\n", stderr);
        return 2;
    }
    struct sockaddr_in own = loopback(argv[1]);
    struct sockaddr_in caller = loopback(argv[2]), callee = loopback(argv[3]);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int room = 4 << 20;
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0) {
        perror("bench-relay");
        return 1;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    static char bytes[DATAGRAM], trying[600];
    memset(trying, ' ', sizeof trying); /* As large as a 100 is. */
    for (;;) {
        struct sockaddr_in from;
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &from_size);
        if (size <= 0)
            continue;
        int from_caller = from.sin_port == caller.sin_port;
        if (from_caller && memcmp(bytes, "INVITE", 6) == 0)
            sendto(fd, trying, 350, 0, (struct sockaddr *)&caller, sizeof caller);
        sendto(fd, bytes, (size_t)size, 0, (struct sockaddr *)(from_caller ? &callee : &caller),
               sizeof caller);
    }
}
