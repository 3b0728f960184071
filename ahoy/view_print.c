/* The screen as text: a head, the calls, the sound of one of them, what happened of late, the keys.
 * Where rows are few, those in the middle are left out; where columns are, lines are cut. */
#include <stdarg.h>
#include <stdio.h>

#include "ahoy/keys.h"

enum { BAR_CELLS = 20, BAR_DB = 60, DETAIL_SIZE = 512 };

enum style { PLAIN, BOLD, FAINT, GREEN, YELLOW };

static const struct span styles[] = { [PLAIN] = SPAN_INIT(""),
                                      [BOLD] = SPAN_INIT("\033[1m"),
                                      [FAINT] = SPAN_INIT("\033[2m"),
                                      [GREEN] = SPAN_INIT("\033[32m"),
                                      [YELLOW] = SPAN_INIT("\033[33m") };

struct page {
    const struct phone_view *view;
    struct ahoy_buf *out;
    size_t left; /* Rows. */
};

/* The first |columns| characters.  One that is two columns wide counts as one: the terminal cuts,
 * too. */
static struct span cut(struct span text, size_t columns)
{
    size_t size = 0;
    for (; size < text.size; size++) {
        bool begins = ((unsigned char)text.at[size] & 0xc0) != 0x80;
        if (begins && columns-- == 0)
            break;
    }
    return (struct span){ text.at, size };
}

static void put_line(struct page *page, enum style style, struct span text)
{
    bool is_styled = page->view->has_colours && style != PLAIN && text.size > 0;
    if (page->left == 0)
        return;
    page->left--;
    if (is_styled)
        ahoy_buf_put(page->out, styles[style]);
    ahoy_buf_put(page->out, cut(text, page->view->columns));
    if (is_styled)
        ahoy_buf_put(page->out, SPAN("\033[0m"));
    ahoy_buf_put_byte(page->out, '\n');
}

__attribute__((format(printf, 3, 4))) static void print_line(struct page *page, enum style style,
                                                             const char *format, ...)
{
    char text[DETAIL_SIZE + AHOY_NEWS_TEXT_LIMIT * 4];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* What is longer is cut. */
    va_end(arguments);
    put_line(page, style, ahoy_span(text));
}

static const char *state_of(const struct phone_view_call *call)
{
    static const char *const states[] = { [PHONE_CALLING] = "calling",
                                          [PHONE_RINGING] = "ringing",
                                          [PHONE_INCOMING] = "incoming",
                                          [PHONE_TALKING] = "talking" };
    static const char *const held[] = { [AHOY_SENDRECV] = "talking",
                                        [AHOY_SENDONLY] = "on hold",
                                        [AHOY_RECVONLY] = "held by the other side",
                                        [AHOY_INACTIVE] = "on hold by both" };
    return call->state == PHONE_TALKING ? held[call->agreed.direction] : states[call->state];
}

static enum style style_of(const struct phone_view_call *call)
{
    if (call->state == PHONE_TALKING)
        return call->agreed.direction == AHOY_SENDRECV ? GREEN : YELLOW;
    return call->state == PHONE_INCOMING ? BOLD : PLAIN;
}

static void put_call(struct page *page, const struct phone_view_call *call, bool is_selected)
{
    char who[AHOY_NEWS_TEXT_LIMIT * 4];
    struct ahoy_buf escaped = ahoy_buf_over(who, sizeof who);
    uint64_t seconds = (page->view->now_ms - call->since_ms) / 1000;
    char time[32] = "";
    ahoy_buf_put_escaped(&escaped, (struct span){ call->who, call->who_size });
    if (call->state == PHONE_TALKING)
        (void)snprintf(time, sizeof time, " %llu:%02llu", (unsigned long long)(seconds / 60),
                       (unsigned long long)(seconds % 60));
    print_line(page, style_of(call), "%c %s%s  %.*s", is_selected ? '>' : ' ', state_of(call), time,
               (int)escaped.size, who);
}

static void put_level(struct page *page, const char *what, double dbov, const char *more)
{
    char bar[BAR_CELLS + 1];
    for (int i = 0; i < BAR_CELLS; i++)
        bar[i] = dbov > i * BAR_DB / BAR_CELLS - BAR_DB ? '#' : '-';
    bar[BAR_CELLS] = '\0';
    print_line(page, PLAIN, "  %-9s [%s] %4.0f dBov%s", what, bar, dbov, more);
}

static void put_quality(struct page *page, const struct ahoy_media_stats *stats)
{
    char trip[48] = "";
    char opinion[32] = "";
    if (stats->has_round_trip)
        (void)snprintf(trip, sizeof trip, ", round trip %.1f ms",
                       (double)stats->round_trip_us / 1000);
    if (stats->opinion > 0)
        (void)snprintf(opinion, sizeof opinion, ", MOS %.1f", stats->opinion);
    print_line(page, PLAIN, "  %-9s %llu sent, %llu received, %.1f %% lost", "packets",
               (unsigned long long)stats->sent, (unsigned long long)stats->received,
               stats->loss * 100);
    print_line(page, PLAIN, "  %-9s jitter %.1f ms, delay %.0f ms%s%s", "quality",
               (double)stats->jitter_us / 1000, (double)stats->delay_us / 1000, trip, opinion);
    if (stats->digits[0] != '\0')
        print_line(page, PLAIN, "  %-9s %s", "digits", stats->digits);
}

static void put_sound(struct page *page, const struct phone_view_call *call)
{
    struct span codec = ahoy_codec_name(call->agreed.codec);
    struct span direction = ahoy_direction_name(call->agreed.direction);
    const struct phone_sounding *sounding = &call->sounding;
    print_line(page, PLAIN, "  %-9s %.*s, %.*s", "codec", (int)codec.size, codec.at,
               (int)direction.size, direction.at);
    put_level(page, "we hear", sounding->heard_dbov, "");
    put_level(page, "we say", sounding->said_dbov, sounding->is_muted ? ", muted" : "");
    put_quality(page, &sounding->stats);
}

static void put_calls(struct page *page)
{
    const struct phone_view *view = page->view;
    const struct phone_view_call *selected = &view->calls[view->selected];
    bool is_any = false;
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (view->calls[i].session.generation == 0)
            continue;
        put_call(page, &view->calls[i], i == view->selected);
        is_any = true;
    }
    if (!is_any)
        put_line(page, PLAIN, SPAN("  no call"));
    put_line(page, PLAIN, SPAN(""));
    if (selected->has_sound) {
        put_sound(page, selected);
        put_line(page, PLAIN, SPAN(""));
    }
}

/* The latest ones that there are rows for. */
static void put_lines(struct page *page, const struct phone_view_lines *lines)
{
    size_t count = lines->count < PHONE_VIEW_LINES ? lines->count : PHONE_VIEW_LINES;
    if (count > page->left)
        count = page->left;
    for (size_t i = lines->count - count; i < lines->count; i++) {
        size_t place = i % PHONE_VIEW_LINES;
        put_line(page, FAINT, (struct span){ lines->texts[place], lines->sizes[place] });
    }
}

static void put_help(struct page *page, struct span help)
{
    while (help.size > 0) {
        struct span line = { help.at, ahoy_span_find(help, '\n') };
        put_line(page, BOLD, line);
        help = ahoy_span_after(help, line.size + (line.size < help.size));
    }
}

void phone_view_print(const struct phone_view *view, struct ahoy_buf *out)
{
    char space[DETAIL_SIZE];
    struct ahoy_buf help = ahoy_buf_over(space, sizeof space);
    struct page page = { .view = view, .out = out };
    phone_keys_print(view, view->columns, &help);
    size_t help_rows = 1;
    for (size_t i = 0; i < help.size; i++)
        help_rows += space[i] == '\n';
    page.left = view->rows > help_rows ? view->rows - help_rows : 0;
    print_line(&page, BOLD, "%.*s%s", (int)view->account.size, view->account.at,
               view->registered != 0 ? "  registered" : "");
    put_line(&page, PLAIN, SPAN(""));
    put_calls(&page);
    put_lines(&page, view->shows_ladder ? &view->ladder : &view->said);
    while (page.left > 0)
        put_line(&page, PLAIN, SPAN(""));
    page.left = help_rows < view->rows ? help_rows : view->rows;
    put_help(&page, ahoy_buf_text(&help));
    if (out->size > 0)
        out->size--; /* The last line is not ended. */
}
