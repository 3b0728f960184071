/* What the screen of a phone shows: its calls, what was said of late, which messages passed.  Pure:
 * what happens comes in, keys too; lines of text go out.  No terminal and no clock. */
#pragma once

#include "libahoy/media/media.h"
#include "libahoy/tu/ua.h"

enum {
    PHONE_VIEW_COLUMNS_MAX = 200,
    PHONE_VIEW_ROWS_MAX = 80,
    PHONE_VIEW_PAGE_SIZE = PHONE_VIEW_ROWS_MAX * (PHONE_VIEW_COLUMNS_MAX * 4 + 16),
    PHONE_VIEW_LINE_SIZE = 512, /* Bytes of what was said; the rest of a line is cut. */
    PHONE_VIEW_LINES = 64,
    PHONE_VIEW_PROMPT_SIZE = 128
};

enum phone_call_state { PHONE_CALLING = 1, PHONE_RINGING, PHONE_INCOMING, PHONE_TALKING };

/* How the sound of a call is just now. */
struct phone_sounding {
    double said_dbov, heard_dbov;
    bool is_muted; /* We say nothing. */
    struct ahoy_media_stats stats;
};

struct phone_view_call {
    struct ahoy_handle session; /* Null: no call. */
    enum phone_call_state state;
    uint64_t since_ms; /* TALKING: since then. */
    bool is_handed_on; /* We have asked the other side to call somebody else. */
    bool has_sound;
    struct ahoy_sdp_agreed agreed;
    struct phone_sounding sounding;
    size_t who_size;
    char who[AHOY_NEWS_TEXT_LIMIT]; /* Bytes of strangers. */
};

/* The latest lines, the oldest of which give way. */
struct phone_view_lines {
    size_t count; /* Of all that there were. */
    size_t sizes[PHONE_VIEW_LINES];
    char texts[PHONE_VIEW_LINES][PHONE_VIEW_LINE_SIZE]; /* Fit for a terminal. */
};

struct phone_view {
    struct span account;
    uint16_t columns, rows; /* At most PHONE_VIEW_..._MAX. */
    bool has_colours;
    uint64_t now_ms, begin_ms;
    unsigned registered; /* Bits: the servers at which this phone is. */
    struct phone_view_call calls[AHOY_UA_SESSIONS_LIMIT];
    size_t selected;                      /* The call that keys are for. */
    struct phone_view_lines said, ladder; /* What happened; which messages passed. */
    bool shows_ladder;
    bool is_asking; /* Whom the call is to be handed to: typed so far ... */
    size_t typed_size;
    char typed[PHONE_VIEW_PROMPT_SIZE];
};

/* A call of ours to |callee| begins. */
void phone_view_call(struct phone_view *view, struct ahoy_handle session, struct span callee);
void phone_view_take(struct phone_view *view, const struct ahoy_ua_news *news);
/* |text| was printed: any number of lines, of which the last may be cut off. */
void phone_view_say(struct phone_view *view, struct span text);
/* |bytes| of SIP passed: what of it is no whole message is not shown. */
void phone_view_pass(struct phone_view *view, bool is_sent, struct span bytes);
/* The one that is selected, or NULL. */
struct phone_view_call *phone_view_selected(struct phone_view *view);

/* As many lines as there are rows, each ended by LF but the last; no control bytes but those of
 * colours. */
void phone_view_print(const struct phone_view *view, struct ahoy_buf *page);
