/* A datagram is "HEP3", its size, and chunks: vendor (0), type, size, value, all numbers as the
 * network has them (HEP3 Network Protocol Specification, revision 36, 3). */
#include "ahoyd/hep.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ahoyd/mask.h"

enum chunk {
    CHUNK_FAMILY = 1,
    CHUNK_PROTOCOL,
    CHUNK_IPV4_FROM,
    CHUNK_IPV4_TO,
    CHUNK_IPV6_FROM,
    CHUNK_IPV6_TO,
    CHUNK_PORT_FROM,
    CHUNK_PORT_TO,
    CHUNK_SECONDS,
    CHUNK_MICROSECONDS,
    CHUNK_PAYLOAD_TYPE,
    CHUNK_AGENT,
    CHUNK_PAYLOAD = 15,
    CHUNK_CORRELATION = 17
};

enum { HEAD_SIZE = 6, CHUNK_HEAD_SIZE = 6, FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, PAYLOAD_SIP = 1 };

struct ahoyd_hep {
    struct ahoyd_hep_options options;
    int fd;
    atomic_uint_fast64_t sent, lost;
};

/* The last |size| bytes of |number|, the highest first. */
static void put_number(struct ahoy_buf *buf, uint64_t number, size_t size)
{
    while (size-- > 0)
        ahoy_buf_put_byte(buf, (char)(number >> 8 * size));
}

static void put_chunk(struct ahoy_buf *buf, enum chunk type, struct span value)
{
    put_number(buf, 0, 2);
    put_number(buf, type, 2);
    put_number(buf, CHUNK_HEAD_SIZE + value.size, 2);
    ahoy_buf_put(buf, value);
}

static void put_number_chunk(struct ahoy_buf *buf, enum chunk type, uint64_t number, size_t size)
{
    char space[8];
    struct ahoy_buf value = ahoy_buf_over(space, sizeof space);
    put_number(&value, number, size);
    put_chunk(buf, type, ahoy_buf_text(&value));
}

/* Where a message came from and went to; nowhere, of the peer's family, where that is not known. */
static void put_ends(struct ahoy_buf *buf, const struct ahoy_ip *from, const struct ahoy_ip *to,
                     bool is_ipv4)
{
    const size_t size = is_ipv4 ? 4 : 16;
    put_number_chunk(buf, CHUNK_FAMILY, is_ipv4 ? FAMILY_IPV4 : FAMILY_IPV6, 1);
    put_chunk(buf, is_ipv4 ? CHUNK_IPV4_FROM : CHUNK_IPV6_FROM,
              (struct span){ (const char *)from->bytes, size });
    put_chunk(buf, is_ipv4 ? CHUNK_IPV4_TO : CHUNK_IPV6_TO,
              (struct span){ (const char *)to->bytes, size });
    put_number_chunk(buf, CHUNK_PORT_FROM, from->port, 2);
    put_number_chunk(buf, CHUNK_PORT_TO, to->port, 2);
}

static struct ahoy_ip local_of(const struct ahoyd_hep_options *options,
                               const struct ahoy_note *note)
{
    const struct ahoy_ip nowhere = { .family = AHOY_NO_FAMILY };
    struct ahoy_ip local = options->local(options->context, note->listener);
    return local.family == note->remote.family ? local : nowhere;
}

void ahoyd_hep_print(const struct ahoyd_hep_options *options, const struct ahoyd_noted *noted,
                     struct ahoy_buf *buf)
{
    const struct ahoy_note *note = noted->note;
    const struct ahoy_ip local = local_of(options, note);
    const bool comes = note->kind == AHOY_NOTE_IN;
    const bool is_udp = note->transport == AHOY_UDP;
    char space[2 * AHOY_RING_TEXT_LIMIT];
    struct ahoy_buf masked = ahoy_buf_over(space, sizeof space);
    ahoyd_mask(noted->text, &masked);
    char *head = buf->at + buf->size;
    const size_t before = buf->size;
    ahoy_buf_put(buf, SPAN("HEP3"));
    put_number(buf, 0, 2);
    put_ends(buf, comes ? &note->remote : &local, comes ? &local : &note->remote,
             note->remote.family == AHOY_IPV4);
    put_number_chunk(buf, CHUNK_PROTOCOL, is_udp ? IPPROTO_UDP : IPPROTO_TCP, 1);
    put_number_chunk(buf, CHUNK_SECONDS, note->now_ms / 1000, 4);
    put_number_chunk(buf, CHUNK_MICROSECONDS, note->now_ms % 1000 * 1000, 4);
    put_number_chunk(buf, CHUNK_PAYLOAD_TYPE, PAYLOAD_SIP, 1);
    put_number_chunk(buf, CHUNK_AGENT, options->id, 4);
    put_chunk(buf, CHUNK_CORRELATION, noted->call_id);
    put_chunk(buf, CHUNK_PAYLOAD, ahoy_buf_text(&masked));
    if (buf->overflow)
        return;
    struct ahoy_buf size = ahoy_buf_over(head + 4, 2);
    put_number(&size, buf->size - before, 2);
}

static void take(void *self, const struct ahoyd_noted *noted)
{
    struct ahoyd_hep *hep = self;
    char space[AHOYD_HEP_LIMIT];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (noted->note->kind != AHOY_NOTE_IN && noted->note->kind != AHOY_NOTE_OUT)
        return;
    ahoyd_hep_print(&hep->options, noted, &buf);
    struct span text = ahoy_buf_text(&buf);
    bool sent = text.size > 0 && send(hep->fd, text.at, text.size, MSG_DONTWAIT) >= 0;
    atomic_fetch_add(sent ? &hep->sent : &hep->lost, 1);
}

static void look(void *self, uint64_t now_ms)
{
    (void)self, (void)now_ms; /* Each left as it was taken. */
}

static bool connect_to(int fd, const struct ahoy_ip *ip)
{
    if (ip->family == AHOY_IPV4) {
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(ip->port) };
        memcpy(&to.sin_addr, ip->bytes, sizeof to.sin_addr);
        return connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
    }
    struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                               .sin6_port = htons(ip->port),
                               .sin6_scope_id = ip->scope };
    memcpy(&to.sin6_addr, ip->bytes, sizeof to.sin6_addr);
    return connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;
}

struct ahoyd_hep *ahoyd_hep_open(const struct ahoyd_hep_options *options, char *fault,
                                 size_t fault_size)
{
    struct ahoyd_hep *hep = calloc(1, sizeof *hep);
    if (hep == NULL) {
        snprintf(fault, fault_size, "hep: memory ran out");
        return NULL;
    }
    hep->options = *options;
    hep->fd = socket(options->server.family == AHOY_IPV4 ? AF_INET : AF_INET6,
                     SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (hep->fd >= 0 && connect_to(hep->fd, &options->server))
        return hep;
    snprintf(fault, fault_size, "hep: there is no way to its server: %s", strerror(errno));
    ahoyd_hep_close(hep);
    return NULL;
}

struct ahoyd_taker ahoyd_hep_taker(struct ahoyd_hep *hep)
{
    return (struct ahoyd_taker){ take, look, hep };
}

void ahoyd_hep_close(struct ahoyd_hep *hep)
{
    if (hep == NULL)
        return;
    if (hep->fd >= 0)
        close(hep->fd);
    free(hep);
}

struct ahoyd_hep_counters ahoyd_hep_count(struct ahoyd_hep *hep)
{
    return (struct ahoyd_hep_counters){ .hep_sent = atomic_load(&hep->sent),
                                        .hep_lost = atomic_load(&hep->lost) };
}
