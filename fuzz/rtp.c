/* Packets of RTP and RTCP: what is read lies inside, what is printed is read again, and a session
 * bears whatever comes.  The input is packets, each behind a byte for its kind and two for its
 * size. */
#include <stdlib.h>

#include "fuzz/target.h"
#include "libahoy/media/media.h"
#include "libahoy/media/rtcp.h"

static bool lies_within(struct span part, struct span whole)
{
    return part.size == 0 || (part.at >= whole.at && ahoy_span_end(part) <= ahoy_span_end(whole));
}

static void check_rtp(struct span packet)
{
    struct ahoy_rtp rtp;
    struct ahoy_rtp again;
    static char space[1 << 16];
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    if (!ahoy_rtp_parse(packet, &rtp))
        return;
    MUST(lies_within(rtp.sources, packet) && lies_within(rtp.extension, packet));
    MUST(lies_within(rtp.payload, packet) && rtp.payload_type < 128);
    ahoy_rtp_print(&rtp, &buf);
    MUST(ahoy_rtp_parse(ahoy_buf_text(&buf), &again));
    MUST(again.sequence == rtp.sequence && again.ssrc == rtp.ssrc && again.marker == rtp.marker);
    MUST(ahoy_span_equal(again.payload, rtp.payload));
}

static void check_rtcp(struct span compound)
{
    struct span rest = compound;
    struct ahoy_rtcp packet;
    struct ahoy_rtcp_sender sender;
    struct ahoy_rtcp_block block;
    struct span cname;
    uint32_t ssrc;
    bool is_sound = ahoy_rtcp_is_sound(compound);
    while (ahoy_rtcp_next(&rest, &packet)) {
        MUST(lies_within(packet.body, compound));
        if (ahoy_rtcp_read_report(&packet, &ssrc, &sender)) {
            for (size_t i = 0; i < packet.count; i++)
                ahoy_rtcp_read_block(&packet, i, &block);
        }
        if (ahoy_rtcp_read_cname(&packet, &ssrc, &cname))
            MUST(lies_within(cname, packet.body) && cname.size <= AHOY_CNAME_LIMIT);
        ahoy_rtcp_is_bye_of(&packet, 7);
    }
    MUST(!is_sound || rest.size == 0);
}

/* A session that hears |packet|, and goes on by |wait_us|. */
static void hear(struct ahoy_media *media, struct span packet, bool is_rtcp, uint64_t *now_us)
{
    int16_t samples[AHOY_FRAME_SAMPLES_MAX];
    struct ahoy_media_packet out;
    ahoy_media_step(media, packet, is_rtcp, *now_us);
    *now_us += packet.size * 100;
    while (ahoy_media_hear(media, *now_us, samples)) {
        ahoy_media_say(media, samples, *now_us);
        while (ahoy_media_poll(media, *now_us, &out))
            MUST(!out.is_rtcp || ahoy_rtcp_is_sound(out.bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ahoy_media_options options = { .coder = ahoy_coder(AHOY_PCMU),
                                                .has_events = true,
                                                .events = 101,
                                                .cname = SPAN("fuzz"),
                                                .seed = { 1, 2 } };
    struct span rest = { (const char *)data, size };
    uint64_t now_us = 1000000;
    struct ahoy_media *media = ahoy_media_new(&options, now_us);
    if (media == NULL)
        return 0;
    while (rest.size >= 3) {
        bool is_rtcp = (rest.at[0] & 1) != 0;
        size_t length = (size_t)(uint8_t)rest.at[1] << 8 | (uint8_t)rest.at[2];
        rest = ahoy_span_after(rest, 3);
        struct span packet = { rest.at, length < rest.size ? length : rest.size };
        rest = ahoy_span_after(rest, packet.size);
        check_rtp(packet);
        check_rtcp(packet);
        hear(media, packet, is_rtcp, &now_us);
    }
    ahoy_media_free(media);
    return 0;
}
