/* Datagrams to the kernel: gathered over a turn, sent in batches (sendmmsg), to one peer in trains
 * (trains.h) where that is allowed.  What the messages of one call say to one peer leaves in the
 * order in which it came. */
#pragma once

#include "libahoy/io/socket.h"
#include "libahoy/io/trains.h"

enum {
    AHOY_OUT_AREA = 256 * 1024,  /* Their bytes. */
    AHOY_UNREACHABLE_LIMIT = 128 /* Failures that wait to be told; more are forgotten. */
};

/* A datagram that could not be sent, or that its peer's host refused. */
struct ahoy_unreachable {
    struct ahoy_ip remote;
    uint8_t listener;
};

/* Where datagrams go: from a socket to an address. */
struct ahoy_out_peer {
    uint64_t key; /* A hash of the address. */
    struct ahoy_ip remote;
    int fd;
    uint8_t listener;
    socklen_t name_size;
    union ahoy_socket_name name;
};

/* What tells the kernel of a train. */
struct ahoy_out_control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
};

struct ahoy_datagrams_out {
    char *area;
    size_t used;
    unsigned count;
    struct ahoy_wagon wagons[AHOY_OUT_LIMIT];
    unsigned peer_count;
    struct ahoy_out_peer peers[AHOY_OUT_LIMIT];
    uint16_t segments[AHOY_OUT_LIMIT]; /* By peer: see trains.h. */
    unsigned padding;
    uint16_t sockets[UINT8_MAX + 1]; /* By listener: the largest segment that its socket takes. */
    struct ahoy_trains trains;
    struct mmsghdr headers[AHOY_OUT_LIMIT]; /* By train. */
    struct ahoy_out_control controls[AHOY_OUT_LIMIT];
    struct iovec pieces[AHOY_OUT_LIMIT];
    struct ahoy_unreachable failed[AHOY_UNREACHABLE_LIMIT]; /* A ring. */
    unsigned failed_first, failed_count;
    uint64_t sent, unsent, unreachable, trains_sent; /* Counted for good. */
};

/* Each datagram of a train may grow by |padding| bytes, at most AHOY_PADDING_LIMIT.  False where
 * memory is refused. */
bool ahoy_datagrams_out_init(struct ahoy_datagrams_out *out, unsigned padding);
void ahoy_datagrams_out_fini(struct ahoy_datagrams_out *out);
/* Lets datagrams leave |fd|, which is listener |listener|, in trains, if the kernel can do it. */
void ahoy_datagrams_out_couple(struct ahoy_datagrams_out *out, int fd, uint8_t listener);

/* Copies one datagram, to leave from |fd|, which is listener |listener|; sends what has gathered
 * where there is no more room. */
void ahoy_datagrams_out_put(struct ahoy_datagrams_out *out, int fd, uint8_t listener,
                            const struct ahoy_ip *remote, struct span bytes,
                            struct ahoy_glance known);
void ahoy_datagrams_out_flush(struct ahoy_datagrams_out *out);
/* Notes that |remote| cannot be reached. */
void ahoy_datagrams_out_fail(struct ahoy_datagrams_out *out, uint8_t listener,
                             const struct ahoy_ip *remote);
/* Reads what hosts and routers have answered (ICMP) to datagrams that left from |fd| before. */
void ahoy_datagrams_out_errors(struct ahoy_datagrams_out *out, int fd, uint8_t listener);
/* The oldest failure that has not been told yet, until false. */
bool ahoy_datagrams_out_failed(struct ahoy_datagrams_out *out, struct ahoy_unreachable *failure);
void ahoy_datagrams_out_trim(struct ahoy_datagrams_out *out);
