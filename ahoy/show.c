/* Showing the news.  What strangers wrote is escaped before it reaches a terminal (attack 29). */
#include "ahoy/show.h"

#include <stdio.h>

#include "ahoy/json.h"

/* Room for a text of strangers with each byte escaped, and escaped again as JSON. */
enum { SHOWN_LIMIT = AHOY_NEWS_TEXT_LIMIT * 8 };

static const char *const kinds[] = {
    [AHOY_NEWS_REGISTERED] = "registered",
    [AHOY_NEWS_UNREGISTERED] = "unregistered",
    [AHOY_NEWS_REGISTRATION_FAILED] = "registration-failed",
    [AHOY_NEWS_INCOMING] = "incoming",
    [AHOY_NEWS_REDIRECTED] = "redirected",
    [AHOY_NEWS_RINGING] = "ringing",
    [AHOY_NEWS_EARLY] = "early-media",
    [AHOY_NEWS_ANSWERED] = "answered",
    [AHOY_NEWS_CHANGED] = "changed",
    [AHOY_NEWS_CHANGE_REFUSED] = "change-refused",
    [AHOY_NEWS_REFUSED] = "refused",
    [AHOY_NEWS_ENDED] = "ended",
    [AHOY_NEWS_TRANSFER_ASKED] = "transfer-asked",
    [AHOY_NEWS_TRANSFER_ACCEPTED] = "transfer-accepted",
    [AHOY_NEWS_TRANSFER_PROGRESS] = "transfer-progress",
    [AHOY_NEWS_TRANSFER_ENDED] = "transfer-ended",
    [AHOY_NEWS_NOTIFIED] = "notified",
    [AHOY_NEWS_WATCH_ENDED] = "watch-ended",
    [AHOY_NEWS_MESSAGE] = "message",
    [AHOY_NEWS_REPLY] = "reply",
    [AHOY_NEWS_PUBLISHED] = "published",
    [AHOY_NEWS_PUBLISH_ENDED] = "publish-ended",
};

static const char *const sides[] = {
    [AHOY_SIDE_US] = "us",
    [AHOY_SIDE_PEER] = "the peer",
    [AHOY_SIDE_NETWORK] = "the network",
};

const char *phone_advice(unsigned status)
{
    switch (status) {
    case 401:
    case 403:
    case 407:
        return "check --user and the password; a user is made by: ahoyctl user add";
    case 404:
        return "check the address: the server knows nobody by that name";
    case 408:
    case 503:
        return "is the server running, and is --server right?";
    case 423:
        return "ask for longer with --expires";
    case 480:
        return "nobody is registered there now; try again later";
    case 488:
    case 606:
        return "the other phone has no codec in common with this one";
    default:
        return "";
    }
}

/* |text| as it may stand in JSON between quotes, or plainly on a terminal; terminated by NUL. */
static void print_text(struct span text, bool json, char space[SHOWN_LIMIT])
{
    char escaped[AHOY_NEWS_TEXT_LIMIT * 4];
    struct ahoy_buf first = ahoy_buf_over(escaped, sizeof escaped);
    struct ahoy_buf last = ahoy_buf_over(space, SHOWN_LIMIT - 1);
    ahoy_buf_put_escaped(&first, text);
    if (json)
        phone_json_put(&last, ahoy_buf_text(&first));
    else
        ahoy_buf_put(&last, ahoy_buf_text(&first));
    space[last.overflow ? 0 : last.size] = '\0';
}

static bool has_document(const struct ahoy_ua_news *news)
{
    return news->kind == AHOY_NEWS_NOTIFIED || news->kind == AHOY_NEWS_MESSAGE;
}

/* Who wants us to call somebody, where he is in no call with us. */
static bool has_sender(const struct ahoy_ua_news *news, struct span notice)
{
    return news->kind == AHOY_NEWS_TRANSFER_ASKED && notice.size > 0;
}

static void show_json(const struct phone_options *options, const struct ahoy_ua_news *news,
                      const char *text, struct span notice)
{
    struct span codec = ahoy_codec_name(news->agreed.codec);
    struct span direction = ahoy_direction_name(news->agreed.direction);
    printf("{\"news\":\"%s\",\"account\":\"%.*s\"", kinds[news->kind], (int)options->address.size,
           options->address.at);
    if (news->session.generation != 0)
        printf(",\"call\":%u", news->session.slot);
    if (news->reg_id > 1)
        printf(",\"server\":%u", news->reg_id);
    if (news->replaced.generation != 0)
        printf(",\"replaces\":%u", news->replaced.slot);
    if (news->status != 0)
        printf(",\"status\":%u", news->status);
    if (news->expires_s != 0)
        printf(",\"expires\":%u", news->expires_s);
    if (news->agreed.codec != AHOY_NO_CODEC)
        printf(",\"codec\":\"%.*s\",\"direction\":\"%.*s\"", (int)codec.size, codec.at,
               (int)direction.size, direction.at);
    if (news->by != 0)
        printf(",\"by\":\"%s\"", sides[news->by]);
    printf(",\"text\":\"%s\"", text);
    if (has_sender(news, notice)) {
        printf(",\"from\":\"");
        phone_json_print(notice);
        putchar('"');
    }
    if (has_document(news)) {
        printf(",\"document\":\"");
        phone_json_print(notice);
        putchar('"');
        if (news->kind == AHOY_NEWS_NOTIFIED)
            phone_show_told(options, notice); /* Or not: there is the document. */
    }
    printf("}\n");
}

static void show_refusal(unsigned status, const char *what, const char *text)
{
    const char *advice = phone_advice(status);
    printf("%s: %u %s\n", what, status, text);
    if (advice[0] != '\0')
        printf("  %s\n", advice);
}

/* A transfer that is asked of us, or how ours goes. */
static void show_transfer(const struct ahoy_ua_news *news, const char *text)
{
    if (news->kind == AHOY_NEWS_TRANSFER_ASKED)
        printf("the other side sends us to %s\n", text);
    else if (news->kind == AHOY_NEWS_TRANSFER_ACCEPTED)
        printf("transfer accepted\n");
    else if (news->kind == AHOY_NEWS_TRANSFER_PROGRESS)
        printf("transfer: %u %s\n", news->status, text);
    else if (news->status / 100 == 2)
        printf("transferred\n");
    else
        show_refusal(news->status, "not transferred", text);
}

static void show_plain(const struct phone_options *options, const struct ahoy_ua_news *news,
                       const char *text)
{
    struct span address = options->address;
    struct span server = options->servers[news->reg_id > 0 ? news->reg_id - 1 : 0].uri;
    struct span direction = ahoy_direction_name(news->agreed.direction);
    struct span codec = ahoy_codec_name(news->agreed.codec);
    switch (news->kind) {
    case AHOY_NEWS_REGISTERED:
        printf("registered %.*s at %.*s for %u s\n", (int)address.size, address.at,
               (int)server.size, server.at, news->expires_s);
        return;
    case AHOY_NEWS_UNREGISTERED:
        printf("unregistered %.*s\n", (int)address.size, address.at);
        return;
    case AHOY_NEWS_REGISTRATION_FAILED:
        show_refusal(news->status, "not registered", text);
        return;
    case AHOY_NEWS_INCOMING:
        printf("incoming call from %s\n", text);
        return;
    case AHOY_NEWS_REDIRECTED:
        printf("redirected: %u, to %s\n", news->status, text);
        return;
    case AHOY_NEWS_RINGING:
        printf("ringing\n");
        return;
    case AHOY_NEWS_EARLY:
        printf("early media: %.*s\n", (int)direction.size, direction.at);
        return;
    case AHOY_NEWS_ANSWERED:
        printf("answered: %s, %.*s\n", text, (int)codec.size, codec.at);
        return;
    case AHOY_NEWS_CHANGED:
        printf("changed: %.*s\n", (int)direction.size, direction.at);
        return;
    case AHOY_NEWS_CHANGE_REFUSED:
        show_refusal(news->status, "not changed", text);
        return;
    case AHOY_NEWS_REFUSED:
        show_refusal(news->status, "not answered", text);
        return;
    case AHOY_NEWS_ENDED:
        printf("ended by %s: %s\n", sides[news->by], text);
        return;
    case AHOY_NEWS_TRANSFER_ASKED:
    case AHOY_NEWS_TRANSFER_ACCEPTED:
    case AHOY_NEWS_TRANSFER_PROGRESS:
    case AHOY_NEWS_TRANSFER_ENDED:
        show_transfer(news, text);
        return;
    case AHOY_NEWS_NOTIFIED:
        printf("told (%s):\n", text);
        return;
    case AHOY_NEWS_MESSAGE:
        printf("message from %s:\n", text);
        return;
    case AHOY_NEWS_REPLY:
    case AHOY_NEWS_PUBLISHED:
    case AHOY_NEWS_PUBLISH_ENDED:
        printf("%s: %u %s\n", kinds[news->kind], news->status, text);
        return;
    case AHOY_NEWS_WATCH_ENDED:
        if (news->status >= 300)
            show_refusal(news->status, "not watched", text);
        else
            printf("watched no longer: %s\n", text);
        return;
    }
}

/* In parts that fit; a character that is cut is shown by its bytes. */
void phone_print_strange(struct span text, bool json)
{
    if (json) {
        phone_json_print(text);
        return;
    }
    while (text.size > 0) {
        char space[SHOWN_LIMIT];
        struct span part = text;
        if (part.size > AHOY_NEWS_TEXT_LIMIT)
            part.size = AHOY_NEWS_TEXT_LIMIT;
        print_text(part, false, space);
        printf("%s", space);
        text = ahoy_span_after(text, part.size);
    }
}

/* Each line by itself. */
static void show_lines(struct span document)
{
    while (document.size > 0) {
        struct span line = { document.at, ahoy_span_find(document, '\n') };
        document = ahoy_span_after(document, line.size + (line.size < document.size));
        if (line.size > 0 && line.at[line.size - 1] == '\r')
            line.size--;
        printf("  ");
        phone_print_strange(line, false);
        printf("\n");
    }
}

void phone_show(const struct phone_options *options, const struct ahoy_ua_news *news,
                struct span notice)
{
    char text[SHOWN_LIMIT];
    print_text((struct span){ news->text, news->text_size }, options->json, text);
    if (options->json) {
        show_json(options, news, text, notice);
    } else {
        if (has_sender(news, notice)) {
            phone_print_strange(notice, false);
            printf(": ");
        }
        show_plain(options, news, text);
        bool is_shown = news->kind == AHOY_NEWS_NOTIFIED && phone_show_told(options, notice);
        if (has_document(news) && !is_shown)
            show_lines(notice);
    }
    fflush(stdout);
}

void phone_show_note(const struct phone_options *options, const char *what, struct span about)
{
    char text[SHOWN_LIMIT];
    print_text(about, options->json, text);
    if (options->json)
        printf("{\"news\":\"%s\",\"account\":\"%.*s\",\"text\":\"%s\"}\n", what,
               (int)options->address.size, options->address.at, text);
    else
        printf("%s %s\n", what, text);
    fflush(stdout);
}

void phone_show_way(const struct phone_options *options, struct ahoy_handle session,
                    enum phone_reach reach)
{
    static const struct {
        const char *news, *plain, *text;
    } rows[] = {
        [PHONE_REACHED] = { "way-found", "sound again", "there is a way to the other phone" },
        [PHONE_LOST] = { "way-lost", "no more sound", "the other phone is not reached any more" },
        [PHONE_NO_WAY] = { "no-way", "no sound", "no way was found to the other phone" },
    };
    if (options->json)
        printf("{\"news\":\"%s\",\"account\":\"%.*s\",\"call\":%u,\"text\":\"%s\"}\n",
               rows[reach].news, (int)options->address.size, options->address.at, session.slot,
               rows[reach].text);
    else
        printf("%s: %s\n", rows[reach].plain, rows[reach].text);
    fflush(stdout);
}

static void show_heard_json(const struct phone_options *options, struct ahoy_handle session,
                            const struct phone_heard *heard)
{
    const struct ahoy_media_stats *stats = &heard->stats;
    struct span codec = ahoy_codec_name(heard->codec);
    printf("{\"news\":\"heard\",\"account\":\"%.*s\",\"call\":%u,\"codec\":\"%.*s\"",
           (int)options->address.size, options->address.at, session.slot, (int)codec.size,
           codec.at);
    struct span suite = ahoy_suite_name(heard->suite);
    if (heard->suite != AHOY_NO_SUITE)
        printf(",\"srtp\":\"%.*s\"", (int)suite.size, suite.at);
    printf(",\"sent\":%llu,\"received\":%llu,\"lost\":%lld,\"loss\":%.4f,\"jitter_ms\":%.3f",
           (unsigned long long)stats->sent, (unsigned long long)stats->received,
           (long long)stats->lost, stats->loss, (double)stats->jitter_us / 1000);
    printf(",\"delay_ms\":%.1f", (double)stats->delay_us / 1000);
    if (stats->has_round_trip)
        printf(",\"rtt_ms\":%.3f", (double)stats->round_trip_us / 1000);
    if (stats->opinion > 0)
        printf(",\"mos\":%.2f", stats->opinion);
    if (heard->has_tone)
        printf(",\"heard_hz\":%.1f,\"heard_dbov\":%.1f", heard->hz, heard->level_dbov);
    printf(",\"digits\":\"%s\"}\n", stats->digits);
}

static void show_heard_plain(const struct phone_heard *heard)
{
    const struct ahoy_media_stats *stats = &heard->stats;
    if (heard->has_tone)
        printf("heard: %.0f Hz at %.1f dBov", heard->hz, heard->level_dbov);
    else
        printf("heard: no tone");
    if (heard->suite != AHOY_NO_SUITE)
        printf(", secured");
    if (stats->digits[0] != '\0')
        printf(", digits %s", stats->digits);
    printf("; %llu packets, %.1f %% lost, jitter %.1f ms", (unsigned long long)stats->received,
           stats->loss * 100, (double)stats->jitter_us / 1000);
    if (stats->has_round_trip)
        printf(", round trip %.1f ms", (double)stats->round_trip_us / 1000);
    if (stats->opinion > 0)
        printf(", MOS %.1f", stats->opinion);
    printf("\n");
}

void phone_show_heard(const struct phone_options *options, struct ahoy_handle session,
                      const struct phone_heard *heard)
{
    if (options->json)
        show_heard_json(options, session, heard);
    else
        show_heard_plain(heard);
    fflush(stdout);
}
