/* Sending in batches, and what comes back when it fails (RFC 3261 18.4).
 *
 * A socket that listens is not connected, so the kernel has no one peer to blame: an ICMP error
 * makes the next call on the socket fail, whoever that datagram is for.  The truth is in the error
 * queue, which names the peer; so a failing send first empties the queue and is tried once more,
 * and only what fails twice is this datagram's own fault. */
#include "libahoy/io/datagrams_out.h"

#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/mman.h>

enum {
    ROOM_WAIT_MS = 5,   /* For a full socket buffer, once a flush: a worker must not be held up. */
    ERRORS_A_TURN = 256 /* Read from the error queue. */
};

bool ahoy_datagrams_out_init(struct ahoy_datagrams_out *out)
{
    memset(out, 0, sizeof *out);
    void *area = mmap(NULL, AHOY_OUT_AREA, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (area == MAP_FAILED)
        return false;
    out->area = area;
    for (int i = 0; i < AHOY_OUT_LIMIT; i++) {
        out->headers[i].msg_hdr = (struct msghdr){ .msg_name = &out->names[i],
                                                   .msg_iov = &out->pieces[i],
                                                   .msg_iovlen = 1 };
    }
    return true;
}

void ahoy_datagrams_out_fini(struct ahoy_datagrams_out *out)
{
    if (out->area != NULL)
        munmap(out->area, AHOY_OUT_AREA);
    out->area = NULL;
}

void ahoy_datagrams_out_put(struct ahoy_datagrams_out *out, int fd, uint8_t listener,
                            const struct ahoy_ip *remote, struct span bytes)
{
    if (bytes.size > AHOY_OUT_AREA) {
        ahoy_datagrams_out_fail(out, listener, remote);
        return;
    }
    if (out->count == AHOY_OUT_LIMIT || bytes.size > AHOY_OUT_AREA - out->used)
        ahoy_datagrams_out_flush(out);
    unsigned i = out->count++;
    out->fds[i] = fd;
    out->listeners[i] = listener;
    out->headers[i].msg_hdr.msg_namelen = ahoy_socket_name(remote, &out->names[i]);
    out->pieces[i] = (struct iovec){ out->area + out->used, bytes.size };
    if (bytes.size > 0)
        memcpy(out->pieces[i].iov_base, bytes.at, bytes.size);
    out->used += bytes.size;
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

/* Decides what becomes of the datagram at |i|, which has just failed; false: it is tried again.
 * One that finds no room is dropped without a word: like one that a router dropped, it will be
 * sent again by its transaction. */
static bool is_lost(struct ahoy_datagrams_out *out, unsigned i, struct flush *flush)
{
    int why = errno;
    if (why == EINTR || (why == EAGAIN && wait_for_room(out->fds[i], flush)))
        return false;
    if (why == EAGAIN || why == ENOBUFS || why == ENOMEM) {
        out->unsent++;
        return true;
    }
    if (flush->accused != i) {
        flush->accused = i;
        ahoy_datagrams_out_errors(out, out->fds[i], out->listeners[i]);
        return false;
    }
    struct ahoy_ip remote = ahoy_socket_ip(&out->names[i]);
    ahoy_datagrams_out_fail(out, out->listeners[i], &remote);
    out->unsent++;
    return true;
}

/* Sends the datagrams from |first| to before |end|, which all leave from one socket.  The kernel
 * stops at the first that fails. */
static void send_run(struct ahoy_datagrams_out *out, unsigned first, unsigned end,
                     struct flush *flush)
{
    while (first < end) {
        int sent = sendmmsg(out->fds[first], out->headers + first, end - first, MSG_DONTWAIT);
        if (sent > 0) {
            first += (unsigned)sent;
            out->sent += (unsigned)sent;
        } else if (is_lost(out, first, flush)) {
            first++;
        }
    }
}

void ahoy_datagrams_out_flush(struct ahoy_datagrams_out *out)
{
    struct flush flush = { .accused = AHOY_OUT_LIMIT };
    for (unsigned first = 0, end = 0; first < out->count; first = end) {
        while (end < out->count && out->fds[end] == out->fds[first])
            end++;
        send_run(out, first, end, &flush);
    }
    out->count = 0;
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
