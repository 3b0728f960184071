/* Sockets for sound. */
#include "libahoy/io/rtp_pair.h"

#include <string.h>
#include <unistd.h>

#include "libahoy/io/socket.h"

enum { TRIES = 64, AT_ONCE = 64 /* Packets of strangers that one turn drops at most. */ };

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Both at |port|, or with 0 at a pair that the kernel begins. */
static bool open_at(struct ahoy_rtp_pair *pair, const struct ahoy_ip *address, uint16_t port)
{
    pair->local = *address;
    pair->local.port = port;
    pair->fds[AHOY_RTP_SIDE] = ahoy_socket_media(&pair->local);
    if (pair->fds[AHOY_RTP_SIDE] >= 0 &&
        ahoy_socket_local(pair->fds[AHOY_RTP_SIDE], &pair->local) && pair->local.port % 2 == 0) {
        struct ahoy_ip above = pair->local;
        above.port++;
        pair->fds[AHOY_RTCP_SIDE] = ahoy_socket_media(&above);
        if (pair->fds[AHOY_RTCP_SIDE] >= 0)
            return true;
    }
    ahoy_rtp_pair_close(pair);
    return false;
}

bool ahoy_rtp_pair_open(struct ahoy_rtp_pair *pair, const struct ahoy_ip *address,
                        struct ahoy_port_range range, uint64_t random)
{
    unsigned first = range.low + range.low % 2U;
    unsigned pairs = range.high > first ? (range.high - first + 1) / 2 : 0;
    unsigned tries = range.high == 0 ? TRIES : pairs;
    *pair = (struct ahoy_rtp_pair){ .fds = { -1, -1 }, .base_count = 1 };
    for (unsigned i = 0; i < tries; i++) {
        uint64_t port = range.high == 0 ? 0 : first + (random + i) % pairs * 2;
        if (open_at(pair, address, (uint16_t)port))
            return true;
    }
    return false;
}

void ahoy_rtp_pair_close(struct ahoy_rtp_pair *pair)
{
    close_one(&pair->fds[AHOY_RTP_SIDE]);
    close_one(&pair->fds[AHOY_RTCP_SIDE]);
    for (; pair->base_count > 1; pair->base_count--)
        close_one(&pair->further[pair->base_count - 2]);
}

bool ahoy_rtp_pair_add(struct ahoy_rtp_pair *pair, const struct ahoy_ip *address, int *fd)
{
    struct ahoy_ip local = *address;
    local.port = pair->local.port;
    *fd = -1;
    if (pair->base_count > 0 && pair->base_count < AHOY_RTP_BASES_LIMIT)
        *fd = ahoy_socket_media(&local);
    if (*fd >= 0)
        pair->further[pair->base_count++ - 1] = *fd;
    return *fd >= 0;
}

static int fd_of(const struct ahoy_rtp_pair *pair, size_t base)
{
    return base == 0 ? pair->fds[AHOY_RTP_SIDE] : pair->further[base - 1];
}

static void aim(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side, const struct ahoy_ip *remote)
{
    if (ahoy_ip_equal(&pair->signalled[side], remote))
        return;
    pair->signalled[side] = *remote;
    pair->remotes[side] = *remote;
    pair->is_latched[side] = false;
}

void ahoy_rtp_pair_aim(struct ahoy_rtp_pair *pair, const struct ahoy_ip *rtp,
                       const struct ahoy_ip *rtcp, bool is_muxed)
{
    pair->is_muxed = is_muxed;
    pair->base = 0;
    aim(pair, AHOY_RTP_SIDE, rtp);
    aim(pair, AHOY_RTCP_SIDE, rtcp);
}

void ahoy_rtp_pair_nominate(struct ahoy_rtp_pair *pair, size_t base, const struct ahoy_ip *ip)
{
    pair->is_muxed = true;
    pair->base = base;
    for (int side = 0; side < AHOY_RTP_SIDES; side++) {
        pair->remotes[side] = *ip;
        pair->is_latched[side] = true;
    }
}

/* STUN of whomever, and DTLS before it is known who that is (RFC 7983 7): R5763-5-3. */
static bool is_for_anybody(const struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side,
                           struct span packet)
{
    unsigned first = packet.size > 0 ? (unsigned char)packet.at[0] : UINT8_MAX;
    bool is_hello = first >= 20 && first <= 63 && pair->remotes[side].family == AHOY_NO_FAMILY;
    return pair->takes_checks && (first <= 3 || is_hello);
}

/* Our offer is out, and nobody has said yet from where he sends: R3264-5.1-12. */
static bool is_first(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side, struct span packet,
                     const struct ahoy_ip *source)
{
    bool is_rtp = packet.size > 0 && (unsigned char)packet.at[0] >> 6 == 2;
    if (!pair->takes_first || side != AHOY_RTP_SIDE || !is_rtp ||
        pair->remotes[side].family != AHOY_NO_FAMILY)
        return false;
    if (pair->first.family == AHOY_NO_FAMILY)
        pair->first = *source;
    return ahoy_ip_equal(&pair->first, source);
}

/* Whether |source| is the peer. */
static bool is_peer(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side,
                    const struct ahoy_ip *source)
{
    struct ahoy_ip *remote = &pair->remotes[side];
    if (!ahoy_ip_equal_host(remote, source))
        return false;
    if (pair->is_latched[side])
        return remote->port == source->port;
    pair->is_latched[side] = true;
    *remote = *source;
    return true;
}

bool ahoy_rtp_pair_takes(struct ahoy_rtp_pair *pair, struct span packet,
                         const struct ahoy_ip *source)
{
    return is_for_anybody(pair, AHOY_RTP_SIDE, packet) || is_peer(pair, AHOY_RTP_SIDE, source) ||
           is_first(pair, AHOY_RTP_SIDE, packet, source);
}

static bool receive(struct ahoy_rtp_pair *pair, int fd, enum ahoy_rtp_side side, char *bytes,
                    struct span *packet, struct ahoy_ip *source)
{
    for (int i = 0; i < AT_ONCE; i++) {
        union ahoy_socket_name name = { 0 };
        socklen_t name_size = sizeof name;
        ssize_t size = recvfrom(fd, bytes, AHOY_RTP_DATAGRAM_LIMIT, 0, &name.any, &name_size);
        if (size < 0)
            return false;
        *source = ahoy_socket_ip(&name);
        *packet = (struct span){ bytes, (size_t)size };
        if (is_for_anybody(pair, side, *packet) || is_peer(pair, side, source) ||
            is_first(pair, side, *packet, source) || (pair->takes_all && side == AHOY_RTP_SIDE))
            return true;
        pair->strangers++;
    }
    return false;
}

bool ahoy_rtp_pair_receive(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side, char *bytes,
                           struct span *packet, struct ahoy_ip *source)
{
    return receive(pair, pair->fds[side], side, bytes, packet, source);
}

bool ahoy_rtp_pair_receive_at(struct ahoy_rtp_pair *pair, size_t base, char *bytes,
                              struct span *packet, struct ahoy_ip *source)
{
    return base < pair->base_count &&
           receive(pair, fd_of(pair, base), AHOY_RTP_SIDE, bytes, packet, source);
}

static void send_to(int fd, struct span packet, const struct ahoy_ip *remote)
{
    union ahoy_socket_name name;
    socklen_t size = ahoy_socket_name(remote, &name);
    (void)sendto(fd, packet.at, packet.size, 0, &name.any, size); /* Lost, then. */
}

/* Zeros, which a peer signals who wants nothing, would mean this very host. */
static bool is_nowhere(const struct ahoy_ip *ip)
{
    static const struct ahoy_ip nowhere;
    return memcmp(ip->bytes, nowhere.bytes, sizeof ip->bytes) == 0;
}

void ahoy_rtp_pair_send(struct ahoy_rtp_pair *pair, enum ahoy_rtp_side side, struct span packet)
{
    if (pair->is_muxed)
        side = AHOY_RTP_SIDE;
    const struct ahoy_ip *remote = &pair->remotes[side];
    if (remote->family != AHOY_NO_FAMILY && !is_nowhere(remote))
        send_to(side == AHOY_RTP_SIDE ? fd_of(pair, pair->base) : pair->fds[side], packet, remote);
}

void ahoy_rtp_pair_answer(struct ahoy_rtp_pair *pair, size_t base, struct span packet,
                          const struct ahoy_ip *remote)
{
    if (base < pair->base_count)
        send_to(fd_of(pair, base), packet, remote);
}
