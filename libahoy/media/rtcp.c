/* RTCP: RFC 3550 6.  A compound is judged as a whole before any of it is believed. */
#include "libahoy/media/rtcp.h"

#include <assert.h>

#include "libahoy/media/octets.h"

enum {
    VERSION = 2 << 6,
    VERSION_MASK = 3 << 6,
    PADDING = 1 << 5,
    COUNT_MASK = 31,
    HEAD_SIZE = 4,
    SSRC_SIZE = 4,
    SENDER_SIZE = 20,
    BLOCK_SIZE = 24,
    CNAME = 1
};

bool ahoy_rtcp_next(struct span *rest, struct ahoy_rtcp *packet)
{
    if (rest->size < HEAD_SIZE)
        return false;
    uint8_t flags = ahoy_octet(rest->at);
    size_t size = HEAD_SIZE + (size_t)ahoy_octets_two(rest->at + 2) * 4;
    if ((flags & VERSION_MASK) != VERSION || size > rest->size)
        return false;
    size_t padding = (flags & PADDING) != 0 ? ahoy_octet(rest->at + size - 1) : 0;
    if (padding > size - HEAD_SIZE || ((flags & PADDING) != 0 && padding == 0))
        return false;
    *packet = (struct ahoy_rtcp){ .type = ahoy_octet(rest->at + 1),
                                  .count = flags & COUNT_MASK,
                                  .body = { rest->at + HEAD_SIZE, size - HEAD_SIZE - padding } };
    *rest = ahoy_span_after(*rest, size);
    return true;
}

/* The first is a report (R3550-6.1-7), only the last is padded (R3550-6.4.1-1), and together they
 * are as long as what came. */
bool ahoy_rtcp_is_sound(struct span compound)
{
    struct ahoy_rtcp packet = { .type = 0 };
    bool is_first = true;
    while (compound.size > 0) {
        bool is_padded = (ahoy_octet(compound.at) & PADDING) != 0;
        if (!ahoy_rtcp_next(&compound, &packet) || (is_padded && (is_first || compound.size > 0)) ||
            (is_first && packet.type != AHOY_RTCP_SR && packet.type != AHOY_RTCP_RR))
            return false;
        is_first = false;
    }
    return !is_first;
}

static size_t blocks_offset(const struct ahoy_rtcp *packet)
{
    return SSRC_SIZE + (packet->type == AHOY_RTCP_SR ? SENDER_SIZE : 0);
}

bool ahoy_rtcp_read_report(const struct ahoy_rtcp *packet, uint32_t *ssrc,
                           struct ahoy_rtcp_sender *sender)
{
    const char *at = packet->body.at;
    *sender = (struct ahoy_rtcp_sender){ .ntp = 0 };
    if ((packet->type != AHOY_RTCP_SR && packet->type != AHOY_RTCP_RR) ||
        packet->body.size < blocks_offset(packet) + (size_t)packet->count * BLOCK_SIZE)
        return false;
    *ssrc = ahoy_octets_four(at);
    if (packet->type == AHOY_RTCP_SR)
        *sender = (struct ahoy_rtcp_sender){
            .ntp = (uint64_t)ahoy_octets_four(at + 4) << 32 | ahoy_octets_four(at + 8),
            .timestamp = ahoy_octets_four(at + 12),
            .packets = ahoy_octets_four(at + 16),
            .bytes = ahoy_octets_four(at + 20),
        };
    return true;
}

void ahoy_rtcp_read_block(const struct ahoy_rtcp *packet, size_t index,
                          struct ahoy_rtcp_block *block)
{
    assert(index < packet->count);
    const char *at = packet->body.at + blocks_offset(packet) + index * BLOCK_SIZE;
    uint32_t lost = ahoy_octets_four(at + 4) & 0xffffff;
    *block = (struct ahoy_rtcp_block){
        .ssrc = ahoy_octets_four(at),
        .fraction_lost = ahoy_octet(at + 4),
        .lost = (int32_t)lost - (lost >= 0x800000 ? 0x1000000 : 0),
        .highest = ahoy_octets_four(at + 8),
        .jitter = ahoy_octets_four(at + 12),
        .last_report = ahoy_octets_four(at + 16),
        .last_report_ago = ahoy_octets_four(at + 20),
    };
}

bool ahoy_rtcp_read_cname(const struct ahoy_rtcp *packet, uint32_t *ssrc, struct span *cname)
{
    if (packet->type != AHOY_RTCP_SDES || packet->count == 0 || packet->body.size < SSRC_SIZE)
        return false;
    *ssrc = ahoy_octets_four(packet->body.at);
    struct span rest = ahoy_span_after(packet->body, SSRC_SIZE);
    while (rest.size >= 2 && rest.at[0] != '\0') {
        size_t size = ahoy_octet(rest.at + 1);
        if (size > rest.size - 2)
            return false;
        *cname = (struct span){ rest.at + 2, size };
        if (rest.at[0] == CNAME)
            return true;
        rest = ahoy_span_after(rest, 2 + size);
    }
    return false;
}

bool ahoy_rtcp_is_bye_of(const struct ahoy_rtcp *packet, uint32_t ssrc)
{
    if (packet->type != AHOY_RTCP_BYE || packet->body.size < (size_t)packet->count * SSRC_SIZE)
        return false;
    for (size_t i = 0; i < packet->count; i++) {
        if (ahoy_octets_four(packet->body.at + i * SSRC_SIZE) == ssrc)
            return true;
    }
    return false;
}

/* |size| is that of the body, whole words. */
static void put_head(struct ahoy_buf *buf, uint8_t type, unsigned count, size_t size)
{
    ahoy_buf_put_byte(buf, (char)((unsigned)VERSION | count));
    ahoy_buf_put_byte(buf, (char)type);
    ahoy_octets_put_two(buf, (uint16_t)(size / 4));
}

static void put_block(struct ahoy_buf *buf, const struct ahoy_rtcp_block *block)
{
    ahoy_octets_put_four(buf, block->ssrc);
    ahoy_octets_put_four(buf,
                         (uint32_t)block->fraction_lost << 24 | ((uint32_t)block->lost & 0xffffff));
    ahoy_octets_put_four(buf, block->highest);
    ahoy_octets_put_four(buf, block->jitter);
    ahoy_octets_put_four(buf, block->last_report);
    ahoy_octets_put_four(buf, block->last_report_ago);
}

static void put_report(struct ahoy_buf *buf, const struct ahoy_rtcp_report *report)
{
    const struct ahoy_rtcp_sender *sender = report->sender;
    unsigned count = report->block != NULL ? 1 : 0;
    size_t size = SSRC_SIZE + (size_t)count * BLOCK_SIZE;
    if (sender != NULL)
        size += SENDER_SIZE;
    put_head(buf, sender != NULL ? AHOY_RTCP_SR : AHOY_RTCP_RR, count, size);
    ahoy_octets_put_four(buf, report->ssrc);
    if (sender != NULL) {
        ahoy_octets_put_four(buf, (uint32_t)(sender->ntp >> 32));
        ahoy_octets_put_four(buf, (uint32_t)sender->ntp);
        ahoy_octets_put_four(buf, sender->timestamp);
        ahoy_octets_put_four(buf, sender->packets);
        ahoy_octets_put_four(buf, sender->bytes);
    }
    if (report->block != NULL)
        put_block(buf, report->block);
}

/* A chunk ends in at least one null byte, and on a word: R3550-6.5-1, -2. */
static void put_cname(struct ahoy_buf *buf, uint32_t ssrc, struct span cname)
{
    assert(cname.size <= AHOY_CNAME_LIMIT);
    size_t padding = 4 - (2 + cname.size) % 4;
    put_head(buf, AHOY_RTCP_SDES, 1, SSRC_SIZE + 2 + cname.size + padding);
    ahoy_octets_put_four(buf, ssrc);
    ahoy_buf_put_byte(buf, CNAME);
    ahoy_buf_put_byte(buf, (char)cname.size);
    ahoy_buf_put(buf, cname);
    for (; padding > 0; padding--)
        ahoy_buf_put_byte(buf, '\0');
}

void ahoy_rtcp_print(const struct ahoy_rtcp_report *report, struct ahoy_buf *buf)
{
    put_report(buf, report);                     /* R3550-6.1-7, -8 */
    put_cname(buf, report->ssrc, report->cname); /* R3550-6.1-9 */
    if (report->bye) {
        put_head(buf, AHOY_RTCP_BYE, 1, SSRC_SIZE);
        ahoy_octets_put_four(buf, report->ssrc);
    }
}
