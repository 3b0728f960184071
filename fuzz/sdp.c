/* Session descriptions: what is printed can be read and prints to itself, all can be walked, and an
 * answer of ours can be read, has as many media as its offer and the same
 * timing, and agrees on the same codec from either side (RFC 3264 6). */
#include "fuzz/target.h"
#include "libahoy/sdp/attribute.h"
#include "libahoy/sdp/negotiate.h"

enum { ANSWER_LIMIT = 1 << 17 };

static struct ahoy_sdp offer;
static struct ahoy_sdp answer;
static char space[ANSWER_LIMIT];
static char again[ANSWER_LIMIT];

/* A key that can be read can be told, and read again. */
static void check_crypto(const struct ahoy_sdp_crypto *crypto)
{
    char line[256];
    struct ahoy_sdp_crypto back;
    struct ahoy_buf buf = ahoy_buf_over(line, sizeof line);
    ahoy_sdp_put_crypto(crypto, &buf);
    MUST(!buf.overflow && crypto->suite != AHOY_NO_SUITE);
    struct span value = ahoy_span_after(ahoy_buf_text(&buf), strlen("a=crypto:"));
    MUST(ahoy_sdp_read_crypto(ahoy_span_trim(value), &back, NULL));
    MUST(back.suite == crypto->suite && back.tag == crypto->tag);
    MUST(memcmp(back.master, crypto->master, ahoy_suite_master_size(back.suite)) == 0);
}

/* Whatever the walks give lies inside, and typed readers bear all of it. */
static void check_lines(struct span lines)
{
    struct span rest = lines;
    struct ahoy_sdp_attribute attribute;
    struct ahoy_sdp_rtpmap map;
    struct ahoy_sdp_fmtp fmtp;
    struct ahoy_sdp_rtcp rtcp;
    uint64_t time_us;
    struct ahoy_sdp_crypto crypto;
    while (ahoy_sdp_attribute_next(&rest, &attribute)) {
        MUST(attribute.name.at >= lines.at &&
             ahoy_span_end(attribute.value) <= ahoy_span_end(lines));
        struct ahoy_err err = { .expected = NULL };
        if (!ahoy_sdp_read_rtpmap(attribute.value, &map, &err))
            MUST(err.status == 400);
        if (!ahoy_sdp_read_fmtp(attribute.value, &fmtp, &err))
            MUST(err.status == 400);
        if (!ahoy_sdp_read_rtcp(attribute.value, &rtcp, &err))
            MUST(err.status == 400);
        if (!ahoy_sdp_read_ptime(attribute.value, &time_us, &err))
            MUST(err.status == 400);
        if (ahoy_sdp_read_crypto(attribute.value, &crypto, &err))
            check_crypto(&crypto);
        else
            MUST(err.status == 400 || err.status == 488);
    }
    struct ahoy_sdp_bandwidth bandwidth;
    for (rest = lines; ahoy_sdp_bandwidth_next(&rest, &bandwidth);)
        MUST(bandwidth.type.size > 0);
    struct ahoy_sdp_time time;
    for (rest = lines; ahoy_sdp_time_next(&rest, &time);) {
        struct ahoy_sdp_repeat repeat;
        while (ahoy_sdp_repeat_next(&time.lines, &repeat))
            MUST(repeat.interval_s > 0 && repeat.offsets.size > 0);
    }
}

static void check_print(void)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_buf second = ahoy_buf_over(again, sizeof again);
    ahoy_sdp_print(&offer, &buf);
    if (buf.overflow || offer.line_count == AHOY_SDP_LINES_LIMIT)
        return;
    MUST(ahoy_sdp_parse(ahoy_buf_text(&buf), &answer, NULL));
    MUST(answer.media_count == offer.media_count);
    MUST(answer.origin.session_id == offer.origin.session_id);
    MUST(answer.direction == offer.direction);
    MUST(ahoy_span_equal(answer.connection.address, offer.connection.address));
    ahoy_sdp_print(&answer, &second);
    MUST(ahoy_span_equal(ahoy_buf_text(&buf), ahoy_buf_text(&second)));
}

/* What a peer says of his handshake is read or not, and no further than he wrote. */
static void check_greeting(const struct ahoy_sdp_media *media)
{
    struct ahoy_sdp_greeting greeting;
    struct span value;
    bool has_print = ahoy_sdp_attribute(media->lines, SPAN("fingerprint"), &value) ||
                     ahoy_sdp_attribute(offer.lines, SPAN("fingerprint"), &value);
    if (ahoy_sdp_read_greeting(&offer, media, &greeting))
        MUST(has_print && greeting.setup <= AHOY_SETUP_OTHER);
}

/* What is looked for by name is what the walks find. */
static void check_search(const struct ahoy_sdp_media *media)
{
    struct span value;
    struct ahoy_sdp_rtpmap map;
    bool has_map = ahoy_sdp_attribute(media->lines, SPAN("rtpmap"), &value);
    for (uint8_t payload = 96; payload < 128; payload++) {
        if (ahoy_sdp_find_rtpmap(media, payload, &map))
            MUST(has_map && map.payload == payload);
    }
}

/* Our own offer can be read; and the input, as an answer to it, may take something of it. */
static void check_as_answer(const struct ahoy_sdp_local *local)
{
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_sdp_agreed agreed;
    ahoy_sdp_print_offer(local, NULL, &buf);
    MUST(ahoy_sdp_parse(ahoy_buf_text(&buf), &answer, NULL));
    if (ahoy_sdp_read_answer(&offer, local, &agreed))
        MUST(agreed.codec != AHOY_NO_CODEC && agreed.rtp.port > 0);
}

/* |text| answers the input; and what we offer later has a line for each of its media. */
static void check_answer(struct span text, const struct ahoy_sdp_local *local,
                         const struct ahoy_sdp_agreed *agreed)
{
    struct ahoy_buf later = ahoy_buf_over(again, sizeof again);
    struct ahoy_sdp_agreed back;
    struct ahoy_err err;
    MUST(ahoy_sdp_parse(text, &answer, &err));
    MUST(answer.media_count == offer.media_count);
    MUST(offer.timing.size == 0 || ahoy_span_equal(answer.timing, offer.timing));
    MUST(ahoy_sdp_read_answer(&answer, local, &back));
    MUST(back.codec == agreed->codec && back.has_events == agreed->has_events);
    ahoy_sdp_print_offer(local, &answer, &later);
    MUST(ahoy_sdp_parse(ahoy_buf_text(&later), &answer, NULL));
    MUST(answer.media_count == offer.media_count);
}

/* A side that would rather be secured takes as much, and answers a profile of keys by one. */
static void check_secured(const struct ahoy_sdp_local *local)
{
    struct ahoy_sdp_local ours = *local;
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_sdp_agreed agreed;
    ours.security.wish = AHOY_SECURITY_OPTIONAL;
    ours.security.tells_keys = ours.security.can_shake = true;
    bool is_secured = ahoy_sdp_print_answer(&offer, &ours, &buf, &agreed) &&
                      agreed.secured.suite != AHOY_NO_SUITE;
    struct span sign = agreed.secured.by_handshake ? SPAN("\r\na=setup:") : SPAN("\r\na=crypto:");
    if (!buf.overflow)
        MUST(is_secured == (memmem(buf.at, buf.size, sign.at, sign.size) != NULL));
    check_as_answer(&ours);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ahoy_sdp_local local = { .media = { .family = AHOY_IPV4, .port = 4000 },
                                                 .codecs = (1U << AHOY_CODECS) - 2 };
    struct span text = { (const char *)data, size };
    struct ahoy_buf buf = ahoy_buf_over(space, sizeof space);
    struct ahoy_sdp_agreed agreed;
    struct ahoy_err err = { .expected = NULL };
    if (!ahoy_sdp_parse(text, &offer, &err)) {
        MUST(err.expected != NULL && ahoy_err_offset(&err, text) <= size);
        MUST(err.status == 400 || err.status == 488);
        return 0;
    }
    check_lines(offer.lines);
    for (size_t i = 0; i < offer.media_count; i++)
        check_lines(offer.media[i].lines);
    for (size_t i = 0; i < offer.media_count; i++)
        check_search(&offer.media[i]);
    for (size_t i = 0; i < offer.media_count; i++)
        check_greeting(&offer.media[i]);
    check_as_answer(&local);
    check_print();
    check_secured(&local);
    if (ahoy_sdp_print_answer(&offer, &local, &buf, &agreed))
        check_answer(ahoy_buf_text(&buf), &local, &agreed);
    return 0;
}
