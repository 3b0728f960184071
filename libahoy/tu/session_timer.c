/* The rules; session_refresh.c does what they ask for. */
#include "libahoy/tu/session_timer.h"

#include "libahoy/syntax/value.h"

enum { END_EARLY_MS = 32000 };

void ahoy_session_timer_stop(struct ahoy_session_timer *timer)
{
    timer->interval_s = 0;
    timer->is_ours = timer->is_due = false;
    timer->refresh_ms = timer->end_ms = UINT64_MAX;
}

void ahoy_session_timer_init(struct ahoy_session_timer *timer)
{
    *timer = (struct ahoy_session_timer){ .interval_s = 0 };
    ahoy_session_timer_stop(timer);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static bool read_interval(const struct ahoy_message *message, enum ahoy_header header,
                          struct ahoy_value *value)
{
    const struct ahoy_field *field = ahoy_message_first(message, header);
    return field != NULL && ahoy_value_parse(header, field->value, value, NULL);
}

void ahoy_session_terms_read(const struct ahoy_message *message, struct ahoy_session_terms *terms)
{
    struct ahoy_value value;
    struct span refresher;
    *terms = (struct ahoy_session_terms){ .is_known = ahoy_ua_lists(message, AHOY_HEADER_SUPPORTED,
                                                                    SPAN("timer")) };
    if (read_interval(message, AHOY_HEADER_MIN_SE, &value))
        terms->least_s = (uint32_t)value.as.number;
    if (!read_interval(message, AHOY_HEADER_SESSION_EXPIRES, &value))
        return;
    terms->interval_s = (uint32_t)value.as.number;
    if (!ahoy_value_param(&value, SPAN("refresher"), &refresher))
        return;
    if (ahoy_span_equal_nocase(refresher, SPAN("uac")))
        terms->refresher = AHOY_REFRESHER_UAC;
    else if (ahoy_span_equal_nocase(refresher, SPAN("uas")))
        terms->refresher = AHOY_REFRESHER_UAS;
}

static void put_least(uint32_t least_s, struct ahoy_buf *rows)
{
    ahoy_buf_put(rows, SPAN("Min-SE: "));
    ahoy_buf_put_number(rows, least_s);
    ahoy_buf_put(rows, SPAN("\r\n"));
}

unsigned ahoy_session_timer_refuses(const struct ahoy_message *request, struct ahoy_buf *rows)
{
    struct ahoy_session_terms asked;
    ahoy_session_terms_read(request, &asked);
    if (!asked.is_known || asked.interval_s == 0 || asked.interval_s >= AHOY_SESSION_LEAST_S)
        return 0;
    put_least(AHOY_SESSION_LEAST_S, rows); /* R4028-6-1, R4028-9-1 */
    return 422;
}

struct ahoy_session_terms ahoy_session_timer_grant(const struct ahoy_session_timer *timer,
                                                   const struct ahoy_session_terms *asked,
                                                   uint32_t wanted_s)
{
    struct ahoy_session_terms granted = *asked;
    if (granted.interval_s == 0 && asked->is_known && wanted_s > 0)
        granted.interval_s = larger(wanted_s, asked->least_s); /* R4028-9-5 */
    /* Who cannot be told by 422 is not worn out by less than what all must take. */
    if (granted.interval_s < AHOY_SESSION_LEAST_S)
        granted.interval_s = 0;
    if (!asked->is_known)
        granted.refresher = AHOY_REFRESHER_UAS;
    else if (asked->refresher == AHOY_REFRESHER_OPEN) /* Roles do not change without need. */
        granted.refresher = timer->is_ours ? AHOY_REFRESHER_UAS : AHOY_REFRESHER_UAC;
    return granted;
}

static void put_interval(uint32_t interval_s, enum ahoy_refresher refresher, struct ahoy_buf *rows)
{
    static const struct span words[] = { SPAN_INIT(""), SPAN_INIT(";refresher=uac"),
                                         SPAN_INIT(";refresher=uas") };
    ahoy_buf_put(rows, SPAN("Session-Expires: "));
    ahoy_buf_put_number(rows, interval_s);
    ahoy_buf_put(rows, words[refresher]);
    ahoy_buf_put(rows, SPAN("\r\n"));
}

void ahoy_session_terms_put(const struct ahoy_session_terms *granted, struct ahoy_buf *rows)
{
    if (granted->interval_s == 0)
        return;
    put_interval(granted->interval_s, granted->refresher, rows); /* R4028-9-6 */
    if (granted->is_known)
        ahoy_buf_put(rows, SPAN("Require: timer\r\n")); /* R4028-9-7 */
}

/* Who does not refresh gives up a little before the time is over (10), and so does who tried in
 * vain. */
static void start(struct ahoy_session_timer *timer, uint32_t interval_s, bool is_ours,
                  uint64_t now_ms)
{
    uint64_t whole_ms = interval_s * UINT64_C(1000);
    ahoy_session_timer_stop(timer);
    if (interval_s == 0)
        return;
    timer->interval_s = interval_s;
    timer->is_ours = is_ours;
    timer->end_ms = now_ms + whole_ms - (whole_ms / 3 < END_EARLY_MS ? whole_ms / 3 : END_EARLY_MS);
    if (is_ours)
        timer->refresh_ms = now_ms + whole_ms / 2;
}

void ahoy_session_timer_granted(struct ahoy_session_timer *timer,
                                const struct ahoy_session_terms *granted, uint64_t now_ms)
{
    timer->least_s = larger(timer->least_s, granted->least_s); /* R4028-7.4-4 */
    start(timer, granted->interval_s, granted->refresher == AHOY_REFRESHER_UAS, now_ms);
}

/* What we ask for: R4028-7.1-4. */
static uint32_t interval_of(const struct ahoy_session_timer *timer, uint32_t wanted_s)
{
    uint32_t interval_s = timer->interval_s != 0 ? timer->interval_s : wanted_s;
    return interval_s == 0 ? 0 : larger(interval_s, timer->least_s);
}

void ahoy_session_timer_put(const struct ahoy_session_timer *timer, uint32_t wanted_s,
                            struct ahoy_buf *rows)
{
    uint32_t interval_s = interval_of(timer, wanted_s);
    enum ahoy_refresher refresher = timer->is_ours ? AHOY_REFRESHER_UAC : AHOY_REFRESHER_UAS;
    if (interval_s != 0)
        put_interval(interval_s, timer->interval_s != 0 ? refresher : AHOY_REFRESHER_OPEN, rows);
    if (timer->least_s != 0)
        put_least(timer->least_s, rows); /* R4028-7.4-2, R4028-7.4-3 */
}

void ahoy_session_timer_take(struct ahoy_session_timer *timer, const struct ahoy_message *response,
                             uint32_t wanted_s, uint64_t now_ms)
{
    struct ahoy_session_terms granted;
    ahoy_session_terms_read(response, &granted);
    timer->raises = 0;
    /* Where the peer knows nothing of it, we refresh alone: the time is as we asked for it. */
    uint32_t interval_s =
        granted.interval_s != 0 ? granted.interval_s : interval_of(timer, wanted_s);
    if (granted.interval_s != 0 && granted.interval_s < AHOY_SESSION_LEAST_S)
        interval_s = AHOY_SESSION_LEAST_S;
    start(timer, interval_s, granted.refresher != AHOY_REFRESHER_UAS, now_ms); /* R4028-7.2-3 */
}

bool ahoy_session_timer_raise(struct ahoy_session_timer *timer, const struct ahoy_message *response,
                              uint32_t wanted_s)
{
    struct ahoy_session_terms terms;
    ahoy_session_terms_read(response, &terms);
    if (response->status != 422 || terms.least_s <= interval_of(timer, wanted_s) ||
        timer->raises == AHOY_SESSION_RAISES_LIMIT)
        return false;
    timer->raises++;
    timer->least_s = terms.least_s;
    return true;
}

void ahoy_session_timer_failed(struct ahoy_session_timer *timer, uint64_t now_ms)
{
    bool has_time = timer->is_ours && timer->end_ms > now_ms + END_EARLY_MS;
    timer->refresh_ms = has_time ? now_ms + (timer->end_ms - now_ms) / 2 : UINT64_MAX;
}
