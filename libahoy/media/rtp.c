/* The RTP header: RFC 3550 5.1.  Every length in it is the sender's word, and is held against the
 * bytes that came. */
#include "libahoy/media/rtp.h"

#include "libahoy/media/octets.h"

enum {
    VERSION = 2 << 6,
    VERSION_MASK = 3 << 6,
    PADDING = 1 << 5,
    EXTENSION = 1 << 4,
    COUNT_MASK = 15,
    MARKER = 1 << 7
};

/* Payload types 64 to 95 with the marker are packet types 192 to 223 of RTCP: R5761-4-1. */
bool ahoy_rtp_is_rtcp(struct span packet)
{
    return packet.size >= 2 && ahoy_octet(packet.at + 1) >= 192 && ahoy_octet(packet.at + 1) < 224;
}

/* Takes |size| bytes off |rest|. */
static bool take(struct span *rest, size_t size, struct span *taken)
{
    if (rest->size < size)
        return false;
    *taken = (struct span){ rest->at, size };
    *rest = ahoy_span_after(*rest, size);
    return true;
}

/* R3550-5.3.1-1: one extension, behind the sources; its length counts words and may be 0. */
static bool take_extension(struct span *rest, struct ahoy_rtp *rtp)
{
    struct span head;
    if (!take(rest, 4, &head))
        return false;
    rtp->has_extension = true;
    rtp->profile = ahoy_octets_two(head.at);
    return take(rest, (size_t)ahoy_octets_two(head.at + 2) * 4, &rtp->extension);
}

/* The last byte counts the padding, itself included. */
static bool drop_padding(struct span *rest)
{
    size_t size = rest->size > 0 ? ahoy_octet(ahoy_span_end(*rest) - 1) : 0;
    if (size == 0 || size > rest->size)
        return false;
    rest->size -= size;
    return true;
}

bool ahoy_rtp_parse(struct span packet, struct ahoy_rtp *rtp)
{
    struct span head;
    *rtp = (struct ahoy_rtp){ .marker = false };
    if (!take(&packet, AHOY_RTP_HEADER_SIZE, &head))
        return false;
    uint8_t flags = ahoy_octet(head.at);
    if ((flags & VERSION_MASK) != VERSION)
        return false;
    rtp->marker = (ahoy_octet(head.at + 1) & MARKER) != 0;
    rtp->payload_type = ahoy_octet(head.at + 1) & (uint8_t)~MARKER;
    rtp->sequence = ahoy_octets_two(head.at + 2);
    rtp->timestamp = ahoy_octets_four(head.at + 4);
    rtp->ssrc = ahoy_octets_four(head.at + 8);
    if (!take(&packet, (size_t)(flags & COUNT_MASK) * 4, &rtp->sources) ||
        ((flags & EXTENSION) != 0 && !take_extension(&packet, rtp)) ||
        ((flags & PADDING) != 0 && !drop_padding(&packet)))
        return false;
    rtp->payload = packet;
    return true;
}

void ahoy_rtp_print(const struct ahoy_rtp *rtp, struct ahoy_buf *buf)
{
    ahoy_buf_put_byte(buf, (char)VERSION);
    ahoy_buf_put_byte(buf, (char)(rtp->payload_type | (rtp->marker ? MARKER : 0)));
    ahoy_octets_put_two(buf, rtp->sequence);
    ahoy_octets_put_four(buf, rtp->timestamp);
    ahoy_octets_put_four(buf, rtp->ssrc);
    ahoy_buf_put(buf, rtp->payload);
}
