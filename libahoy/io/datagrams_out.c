/* Sending in batches, and what comes back when it fails (RFC 3261 18.4).
 *
 * A socket that listens is not connected, so the kernel has no one peer to blame: an ICMP error
 * makes the next call on the socket fail, whoever that datagram is for.  The truth is in the error
 * queue, which names the peer; so a failing send first empties the queue and is tried once more,
 * and only what fails twice is this datagram's own fault.  A train that fails is sent again as
 * plain datagrams, each of which then stands for itself. */
#include "libahoy/io/datagrams_out.h"

#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/mman.h>

enum {
    ROOM_WAIT_MS = 5,    /* For a full socket buffer, once a flush: a worker must not be held up. */
    ERRORS_A_TURN = 256, /* Read from the error queue. */
    /* A request of more may not leave by UDP (RFC 3261 18.1.1), so none becomes larger in a train;
     * and whatever Ethernet carries, tunnels included, carries that. */
    SEGMENT = 1300,
    SMALL_SEGMENT = 1280 - 48 /* What every path of IPv6 carries. */
};

bool ahoy_datagrams_out_init(struct ahoy_datagrams_out *out, unsigned padding)
{
    memset(out, 0, sizeof *out);
    void *area = mmap(NULL, AHOY_OUT_AREA, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return false;
    out->area = area;
    out->padding = padding < AHOY_PADDING_LIMIT ? padding : AHOY_PADDING_LIMIT;
    return true;
}

void ahoy_datagrams_out_fini(struct ahoy_datagrams_out *out)
{
    if (out->area != NULL)
        munmap(out->area, AHOY_OUT_AREA);
    out->area = NULL;
}

void ahoy_datagrams_out_couple(struct ahoy_datagrams_out *out, int fd, uint8_t listener)
{
    /* A kernel that does not know the option would send a train as one datagram. */
    int segment = 0;
    socklen_t size = sizeof segment;
    if (getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &size) == 0)
        out->sockets[listener] = SEGMENT;
}

/* The number of the peer: a new one where nothing goes there yet. */
static unsigned find_peer(struct ahoy_datagrams_out *out, int fd, uint8_t listener,
                          const struct ahoy_ip *remote)
{
    uint64_t key = ahoy_ip_hash_host(remote) + remote->port;
    for (unsigned i = out->peer_count; i > 0; i--) {
        const struct ahoy_out_peer *known = &out->peers[i - 1];
        if (known->key == key && known->fd == fd && ahoy_ip_equal(&known->remote, remote))
            return i - 1;
    }
    struct ahoy_out_peer *peer = &out->peers[out->peer_count];
    peer->key = key;
    peer->remote = *remote;
    peer->fd = fd;
    peer->listener = listener;
    peer->name_size = ahoy_socket_name(remote, &peer->name);
    return out->peer_count++;
}

void ahoy_datagrams_out_put(struct ahoy_datagrams_out *out, int fd, uint8_t listener,
                            const struct ahoy_ip *remote, struct span bytes,
                            struct ahoy_glance known)
{
    size_t room = bytes.size + out->padding; /* It may grow. */
    if (room > AHOY_OUT_AREA) {
        ahoy_datagrams_out_fail(out, listener, remote);
        return;
    }
    if (out->count == AHOY_OUT_LIMIT || room > AHOY_OUT_AREA - out->used)
        ahoy_datagrams_out_flush(out);
    char *copy = out->area + out->used;
    if (bytes.size > 0)
        memcpy(copy, bytes.at, bytes.size);
    out->used += room;
    out->wagons[out->count++] =
        (struct ahoy_wagon){ .bytes = { copy, bytes.size },
                             .peer = (uint8_t)find_peer(out, fd, listener, remote),
                             .glance = known };
}

/* What one flush has met. */
struct flush {
    bool waited;      /* For room in a socket. */
    unsigned accused; /* The datagram whose failure may have been another's. */
};

/* Whether the socket takes more, after a short wait at most once a flush. */
static bool wait_for_room(int fd, struct flush *flush)
{
    if (flush->waited)
        return false;
    flush->waited = true;
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    return poll(&room, 1, ROOM_WAIT_MS) == 1;
}

/* Decides what becomes of |wagon|, which has just failed alone; false: it is tried again.  One that
 * finds no room is dropped without a word: like one that a router dropped, it will be sent again
 * by its transaction. */
static bool is_lost(struct ahoy_datagrams_out *out, unsigned wagon, struct flush *flush)
{
    int why = errno;
    const struct ahoy_out_peer *peer = &out->peers[out->wagons[wagon].peer];
    if (why == EINTR || (why == EAGAIN && wait_for_room(peer->fd, flush)))
        return false;
    if (why == EAGAIN || why == ENOBUFS || why == ENOMEM) {
        out->unsent++;
        return true;
    }
    if (flush->accused != wagon) {
        flush->accused = wagon;
        ahoy_datagrams_out_errors(out, peer->fd, peer->listener);
        return false;
    }
    struct ahoy_ip remote = ahoy_socket_ip(&peer->name);
    ahoy_datagrams_out_fail(out, peer->listener, &remote);
    out->unsent++;
    return true;
}

/* The wagon at |index| of |train|. */
static unsigned wagon_at(const struct ahoy_datagrams_out *out, const struct ahoy_train *train,
                         unsigned index)
{
    return out->trains.order[train->first + index];
}

static struct ahoy_out_peer *peer_of(struct ahoy_datagrams_out *out, const struct ahoy_train *train)
{
    return &out->peers[out->wagons[wagon_at(out, train, 0)].peer];
}

/* Whether a train with segments of that size was refused as such: then they are smaller from now
 * on, or none leave that socket any more. */
static void learn(struct ahoy_datagrams_out *out, const struct ahoy_train *train, int why)
{
    if (why != EMSGSIZE && why != EINVAL && why != EIO)
        return;
    bool large = why != EIO && train->segment > SMALL_SEGMENT;
    out->sockets[peer_of(out, train)->listener] = large ? SMALL_SEGMENT : 0;
}

/* Sends the datagrams of a train that has just failed one by one. */
static void break_up(struct ahoy_datagrams_out *out, const struct ahoy_train *train,
                     struct flush *flush)
{
    struct ahoy_out_peer *peer = peer_of(out, train);
    learn(out, train, errno);
    for (unsigned i = 0; i < train->count;) {
        unsigned wagon = wagon_at(out, train, i);
        struct span bytes = out->wagons[wagon].bytes;
        if (sendto(peer->fd, bytes.at, bytes.size, MSG_DONTWAIT, &peer->name.any,
                   peer->name_size) >= 0) {
            out->sent++;
            i++;
        } else if (is_lost(out, wagon, flush)) {
            i++;
        }
    }
}

/* Sends the trains from |first| to before |end|, which all leave from one socket.  The kernel
 * stops at the first that fails. */
static void send_run(struct ahoy_datagrams_out *out, unsigned first, unsigned end,
                     struct flush *flush)
{
    const struct ahoy_train *trains = out->trains.list;
    int fd = peer_of(out, &trains[first])->fd;
    while (first < end) {
        int sent = sendmmsg(fd, out->headers + first, end - first, MSG_DONTWAIT);
        if (sent <= 0 && trains[first].count > 1) {
            break_up(out, &trains[first++], flush);
        } else if (sent <= 0 && is_lost(out, wagon_at(out, &trains[first], 0), flush)) {
            first++;
        }
        for (; sent > 0; sent--, first++) {
            out->sent += trains[first].count;
            out->trains_sent += trains[first].count > 1;
        }
    }
}

/* Puts spaces into the gap of |wagon|, in place: the kernel takes one piece sooner than three. */
static void grow(struct ahoy_datagrams_out *out, struct ahoy_wagon *wagon, size_t padding)
{
    char *gap = out->area + (wagon->bytes.at - out->area) + wagon->glance.gap;
    memmove(gap + padding, gap, wagon->bytes.size - wagon->glance.gap);
    memset(gap, ' ', padding);
    wagon->bytes.size += padding;
}

/* Fills in the header of train |index|, its pieces from |pieces| on; returns where they end. */
static struct iovec *load(struct ahoy_datagrams_out *out, unsigned index, struct iovec *pieces)
{
    const struct ahoy_train *train = &out->trains.list[index];
    struct ahoy_out_peer *peer = peer_of(out, train);
    struct msghdr *header = &out->headers[index].msg_hdr;
    *header = (struct msghdr){ .msg_name = &peer->name,
                               .msg_namelen = peer->name_size,
                               .msg_iov = pieces,
                               .msg_iovlen = train->count };
    for (unsigned i = 0; i < train->count; i++) {
        struct ahoy_wagon *wagon = &out->wagons[wagon_at(out, train, i)];
        if (i + 1 < train->count && wagon->bytes.size < train->segment)
            grow(out, wagon, train->segment - wagon->bytes.size);
        pieces[i] = (struct iovec){ .iov_base = out->area + (wagon->bytes.at - out->area),
                                    .iov_len = wagon->bytes.size };
    }
    if (train->count > 1) {
        header->msg_control = out->controls[index].bytes;
        header->msg_controllen = sizeof out->controls[index].bytes;
        struct cmsghdr *control = CMSG_FIRSTHDR(header);
        *control = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof train->segment),
                                     .cmsg_level = IPPROTO_UDP,
                                     .cmsg_type = UDP_SEGMENT };
        memcpy(CMSG_DATA(control), &train->segment, sizeof train->segment);
    }
    return pieces + train->count;
}

static void make_up(struct ahoy_datagrams_out *out)
{
    for (unsigned i = 0; i < out->peer_count; i++)
        out->segments[i] = out->sockets[out->peers[i].listener];
    struct ahoy_trains_options options = { .padding = out->padding,
                                           .segment = out->segments,
                                           .peer_count = out->peer_count };
    ahoy_trains_plan(&out->trains, out->wagons, out->count, &options);
    struct iovec *pieces = out->pieces;
    for (unsigned i = 0; i < out->trains.count; i++)
        pieces = load(out, i, pieces);
}

void ahoy_datagrams_out_flush(struct ahoy_datagrams_out *out)
{
    make_up(out);
    struct flush flush = { .accused = AHOY_OUT_LIMIT };
    const struct ahoy_train *trains = out->trains.list;
    for (unsigned first = 0, end = 0; first < out->trains.count; first = end) {
        while (end < out->trains.count &&
               peer_of(out, &trains[end])->fd == peer_of(out, &trains[first])->fd)
            end++;
        send_run(out, first, end, &flush);
    }
    out->count = 0;
    out->peer_count = 0;
    out->used = 0;
}

void ahoy_datagrams_out_fail(struct ahoy_datagrams_out *out, uint8_t listener,
                             const struct ahoy_ip *remote)
{
    out->unreachable++;
    if (out->failed_count == AHOY_UNREACHABLE_LIMIT)
        return; /* Their transactions will notice by their timers. */
    unsigned last = (out->failed_first + out->failed_count++) % AHOY_UNREACHABLE_LIMIT;
    out->failed[last] = (struct ahoy_unreachable){ .remote = *remote, .listener = listener };
}

bool ahoy_datagrams_out_failed(struct ahoy_datagrams_out *out, struct ahoy_unreachable *failure)
{
    if (out->failed_count == 0)
        return false;
    *failure = out->failed[out->failed_first];
    out->failed_first = (out->failed_first + 1) % AHOY_UNREACHABLE_LIMIT;
    out->failed_count--;
    return true;
}

/* Unreachable networks, hosts, protocols and ports count, and parameter problems; TTL exceeded and
 * source quench do not (18.4).  "Fragmentation needed" is no failure either: the kernel has noted
 * the path's MTU, and the next one to that peer leaves in pieces. */
static bool is_fatal(const struct sock_extended_err *error)
{
    if (error->ee_origin == SO_EE_ORIGIN_ICMP) {
        if (error->ee_type == ICMP_DEST_UNREACH)
            return error->ee_code != ICMP_FRAG_NEEDED;
        return error->ee_type == ICMP_PARAMETERPROB;
    }
    if (error->ee_origin == SO_EE_ORIGIN_ICMP6)
        return error->ee_type == ICMP6_DST_UNREACH || error->ee_type == ICMP6_PARAM_PROB;
    return false;
}

static bool holds_fatal(struct msghdr *header)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        bool v4 = cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR;
        bool v6 = cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR;
        if (!v4 && !v6)
            continue;
        struct sock_extended_err error;
        memcpy(&error, CMSG_DATA(cmsg), sizeof error);
        return is_fatal(&error);
    }
    return false;
}

void ahoy_datagrams_out_errors(struct ahoy_datagrams_out *out, int fd, uint8_t listener)
{
    for (int i = 0; i < ERRORS_A_TURN; i++) {
        union ahoy_socket_name name = { 0 };
        _Alignas(struct cmsghdr) char control[256];
        /* The name is where the datagram went; its bytes are of no interest. */
        struct msghdr header = { .msg_name = &name,
                                 .msg_namelen = sizeof name,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control };
        if (recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            return;
        struct ahoy_ip remote = ahoy_socket_ip(&name);
        if (remote.family != AHOY_NO_FAMILY && holds_fatal(&header))
            ahoy_datagrams_out_fail(out, listener, &remote);
    }
}

void ahoy_datagrams_out_trim(struct ahoy_datagrams_out *out)
{
    assert(out->count == 0);
    /* Where it fails, the pages merely stay. */
    (void)madvise(out->area, AHOY_OUT_AREA, MADV_DONTNEED);
}
