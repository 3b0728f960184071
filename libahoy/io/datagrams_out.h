/* Datagrams to the kernel: gathered over a turn, sent in batches (sendmmsg), in the order in which
 * they came. */
#pragma once

#include "libahoy/io/socket.h"

enum {
    AHOY_OUT_LIMIT = 128,        /* Datagrams that gather. */
    AHOY_OUT_AREA = 256 * 1024,  /* Their bytes. */
    AHOY_UNREACHABLE_LIMIT = 128 /* Failures that wait to be told; more are forgotten. */
};

/* A datagram that could not be sent, or that its peer's host refused. */
struct ahoy_unreachable {
    struct ahoy_ip remote;
    uint8_t listener;
};

struct ahoy_datagrams_out {
    char *area;
    size_t used;
    unsigned count;
    struct mmsghdr headers[AHOY_OUT_LIMIT];
    struct iovec pieces[AHOY_OUT_LIMIT];
    union ahoy_socket_name names[AHOY_OUT_LIMIT];
    int fds[AHOY_OUT_LIMIT];
    uint8_t listeners[AHOY_OUT_LIMIT];
    struct ahoy_unreachable failed[AHOY_UNREACHABLE_LIMIT]; /* A ring. */
    unsigned failed_first, failed_count;
    uint64_t sent, unsent, unreachable; /* Counted for good. */
};

/* False where memory is refused. */
bool ahoy_datagrams_out_init(struct ahoy_datagrams_out *out);
void ahoy_datagrams_out_fini(struct ahoy_datagrams_out *out);

/* Copies one datagram, to leave from |fd|, which is listener |listener|; sends what has gathered
 * where there is no more room. */
void ahoy_datagrams_out_put(struct ahoy_datagrams_out *out, int fd, uint8_t listener,
                            const struct ahoy_ip *remote, struct span bytes);
void ahoy_datagrams_out_flush(struct ahoy_datagrams_out *out);
/* Notes that |remote| cannot be reached. */
void ahoy_datagrams_out_fail(struct ahoy_datagrams_out *out, uint8_t listener,
                             const struct ahoy_ip *remote);
/* Reads what hosts and routers have answered (ICMP) to datagrams that left from |fd| before. */
void ahoy_datagrams_out_errors(struct ahoy_datagrams_out *out, int fd, uint8_t listener);
/* The oldest failure that has not been told yet, until false. */
bool ahoy_datagrams_out_failed(struct ahoy_datagrams_out *out, struct ahoy_unreachable *failure);
void ahoy_datagrams_out_trim(struct ahoy_datagrams_out *out);
