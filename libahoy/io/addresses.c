/* Asked for by rtnetlink(7). */
#include "libahoy/io/addresses.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 32768, ANSWERS = 64 /* At most, whatever the kernel does. */ };

static bool is_on_loopback(int fd, uint32_t interface)
{
    struct ifreq request = { .ifr_name = "" };
    return if_indextoname(interface, request.ifr_name) != NULL &&
           ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_LOOPBACK) != 0;
}

static bool read_ip(const struct rtattr *attribute, unsigned family, struct ahoy_ip *ip)
{
    size_t size = family == AF_INET6 ? 16 : 4;
    *ip = (struct ahoy_ip){ .family = family == AF_INET6 ? AHOY_IPV6 : AHOY_IPV4 };
    if (RTA_PAYLOAD(attribute) < size)
        return false;
    memcpy(ip->bytes, RTA_DATA(attribute), size);
    return true;
}

/* IFA_LOCAL is ours where IFA_ADDRESS is that of the other end. */
static bool read_address(const struct nlmsghdr *message, struct ahoy_own_address *address)
{
    const struct ifaddrmsg *head = NLMSG_DATA(message);
    const struct rtattr *attribute = IFA_RTA(head);
    unsigned size = (unsigned)IFA_PAYLOAD(message);
    uint32_t flags = head->ifa_flags;
    bool has_local = false, has_any = false;
    if (head->ifa_family != AF_INET && head->ifa_family != AF_INET6)
        return false;
    *address = (struct ahoy_own_address){ .interface = head->ifa_index,
                                          .prefix_size = head->ifa_prefixlen };
    for (; RTA_OK(attribute, size); attribute = RTA_NEXT(attribute, size)) {
        if (attribute->rta_type == IFA_FLAGS && RTA_PAYLOAD(attribute) >= sizeof flags)
            memcpy(&flags, RTA_DATA(attribute), sizeof flags);
        if (attribute->rta_type != IFA_LOCAL && (attribute->rta_type != IFA_ADDRESS || has_local))
            continue;
        has_local |= attribute->rta_type == IFA_LOCAL;
        has_any |= read_ip(attribute, head->ifa_family, &address->ip);
    }
    if (address->ip.family == AHOY_IPV6 && ahoy_ip_is_link_local(&address->ip))
        address->ip.scope = address->interface;
    address->is_temporary = head->ifa_family == AF_INET6 && (flags & IFA_F_TEMPORARY) != 0;
    address->is_unfit = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0;
    return has_any;
}

/* One answer of several; false behind the last. */
static bool read_answer(int fd, struct ahoy_own_address *addresses, size_t *count)
{
    _Alignas(struct nlmsghdr) char room[ROOM];
    ssize_t got = recv(fd, room, sizeof room, 0);
    if (got <= 0)
        return false;
    unsigned size = (unsigned)got;
    for (const struct nlmsghdr *message = (const struct nlmsghdr *)room; NLMSG_OK(message, size);
         message = NLMSG_NEXT(message, size)) {
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
            return false;
        if (message->nlmsg_type != RTM_NEWADDR || *count == AHOY_OWN_ADDRESSES_LIMIT ||
            !read_address(message, &addresses[*count]))
            continue;
        addresses[*count].is_loopback = is_on_loopback(fd, addresses[*count].interface);
        (*count)++;
    }
    return true;
}

static int open_netlink(uint32_t groups)
{
    const struct sockaddr_nl name = { .nl_family = AF_NETLINK, .nl_groups = groups };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) == 0)
        return fd;
    close(fd);
    return -1;
}

size_t ahoy_own_addresses(struct ahoy_own_address addresses[AHOY_OWN_ADDRESSES_LIMIT])
{
    const struct {
        struct nlmsghdr head;
        struct ifaddrmsg what;
    } question = { .head = { .nlmsg_len = sizeof question,
                             .nlmsg_type = RTM_GETADDR,
                             .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
    size_t count = 0;
    int fd = open_netlink(0);
    if (fd < 0)
        return 0;
    bool goes_on = send(fd, &question, sizeof question, 0) == (ssize_t)sizeof question;
    for (int i = 0; i < ANSWERS && goes_on; i++) /* They are there when send returns. */
        goes_on = read_answer(fd, addresses, &count);
    close(fd);
    return count;
}

/* The same network, seen from one interface. */
static bool are_neighbours(const struct ahoy_own_address *a, const struct ahoy_own_address *b)
{
    size_t bytes = a->prefix_size / 8;
    return a->interface == b->interface && a->prefix_size == b->prefix_size && bytes <= 16 &&
           a->ip.family == b->ip.family && memcmp(a->ip.bytes, b->ip.bytes, bytes) == 0;
}

/* Whether there is one beside it that tells less of us. */
static bool is_telling(const struct ahoy_own_address *addresses, size_t count,
                       const struct ahoy_own_address *address)
{
    for (size_t i = 0; i < count && !address->is_temporary; i++) {
        if (addresses[i].is_temporary && !addresses[i].is_unfit &&
            are_neighbours(&addresses[i], address))
            return true;
    }
    return false;
}

/* IPv4 within IPv6 (::/96, ::ffff:0:0/96), and what was of a site once (fec0::/10). */
static bool is_of_old(const struct ahoy_ip *ip)
{
    static const uint8_t zeros[10];
    return ip->family == AHOY_IPV6 && ((ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0xc0) ||
                                       (memcmp(ip->bytes, zeros, sizeof zeros) == 0 &&
                                        ((ip->bytes[10] == 0 && ip->bytes[11] == 0) ||
                                         (ip->bytes[10] == 0xff && ip->bytes[11] == 0xff))));
}

static bool may_be_told(const struct ahoy_own_address *addresses, size_t count,
                        const struct ahoy_own_address *address)
{
    const struct ahoy_ip *ip = &address->ip;
    return !address->is_loopback && !address->is_unfit && !ahoy_ip_is_loopback(ip) &&
           !ahoy_ip_is_link_local(ip) && !ahoy_ip_is_wildcard(ip) && !ahoy_ip_is_multicast(ip) &&
           !is_of_old(ip) && !is_telling(addresses, count, address);
}

/* The next that may be told, of |family|, from |*place| on. */
static bool next(const struct ahoy_own_address *addresses, size_t count, uint8_t family,
                 const struct ahoy_ip *first, size_t *place, struct ahoy_ip *ip)
{
    while (*place < count) {
        const struct ahoy_own_address *address = &addresses[(*place)++];
        if (address->ip.family == family && !ahoy_ip_equal_host(&address->ip, first) &&
            may_be_told(addresses, count, address)) {
            *ip = address->ip;
            return true;
        }
    }
    return false;
}

size_t ahoy_own_addresses_choose(const struct ahoy_own_address *addresses, size_t count,
                                 const struct ahoy_ip *first, struct ahoy_ip *chosen, size_t limit)
{
    const uint8_t families[2] = { first->family == AHOY_IPV4 ? AHOY_IPV6 : AHOY_IPV4,
                                  first->family };
    size_t places[2] = { 0, 0 };
    size_t found = 0;
    if (limit > 0)
        chosen[found++] = *first;
    for (unsigned turn = 0, missed = 0; found < limit && missed < 2; turn = 1 - turn) {
        bool has = next(addresses, count, families[turn], first, &places[turn], &chosen[found]);
        found += has;
        missed = has ? 0 : missed + 1;
    }
    return found;
}

int ahoy_own_addresses_watch(void)
{
    return open_netlink(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
}

void ahoy_own_addresses_watched(int fd)
{
    char room[ROOM];
    for (int i = 0; i < ANSWERS && recv(fd, room, sizeof room, 0) > 0; i++)
        continue;
}
