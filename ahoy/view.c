/* What happens, as the screen remembers it. */
#include "ahoy/view.h"

#include <assert.h>

enum { PART = 56 };
static_assert(PHONE_VIEW_LINE_SIZE >= 2 * 4 * PART + 64, "two parts, escaped, and the time");

struct phone_view_call *phone_view_selected(struct phone_view *view)
{
    struct phone_view_call *call = &view->calls[view->selected];
    return call->session.generation != 0 ? call : NULL;
}

/* The call of |session|, or with the null handle a free place; NULL where there is none. */
static struct phone_view_call *find(struct phone_view *view, struct ahoy_handle session)
{
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (ahoy_handle_equal(view->calls[i].session, session))
            return &view->calls[i];
    }
    return NULL;
}

static void set_who(struct phone_view_call *call, struct span who)
{
    call->who_size = who.size < sizeof call->who ? who.size : sizeof call->who;
    memcpy(call->who, who.at, call->who_size);
}

/* NULL where there are too many. */
static struct phone_view_call *add(struct phone_view *view, struct ahoy_handle session,
                                   enum phone_call_state state)
{
    bool is_first = phone_view_selected(view) == NULL;
    struct phone_view_call *call = find(view, (struct ahoy_handle){ 0, 0 });
    if (call == NULL)
        return NULL;
    *call = (struct phone_view_call){ .session = session, .state = state };
    if (is_first)
        view->selected = (size_t)(call - view->calls);
    return call;
}

/* Another one is selected then, where there is one. */
static void drop(struct phone_view *view, struct phone_view_call *call)
{
    bool is_selected = call == phone_view_selected(view);
    *call = (struct phone_view_call){ .session = { 0, 0 } };
    if (!is_selected)
        return;
    view->is_asking = false;
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (view->calls[i].session.generation != 0)
            view->selected = i;
    }
}

void phone_view_call(struct phone_view *view, struct ahoy_handle session, struct span callee)
{
    struct phone_view_call *call = add(view, session, PHONE_CALLING);
    if (call != NULL)
        set_who(call, callee);
}

static void take_registration(struct phone_view *view, const struct ahoy_ua_news *news)
{
    unsigned bit = 1U << news->reg_id;
    view->registered =
        news->kind == AHOY_NEWS_REGISTERED ? view->registered | bit : view->registered & ~bit;
}

static void take_session(struct phone_view *view, const struct ahoy_ua_news *news)
{
    struct phone_view_call *call = find(view, news->session);
    struct span who = { news->text, news->text_size };
    if (news->kind == AHOY_NEWS_INCOMING)
        call = add(view, news->session, PHONE_INCOMING);
    if (call == NULL)
        return;
    switch (news->kind) {
    case AHOY_NEWS_INCOMING:
        set_who(call, who);
        break;
    case AHOY_NEWS_RINGING:
    case AHOY_NEWS_EARLY:
        if (call->state == PHONE_CALLING)
            call->state = PHONE_RINGING;
        break;
    case AHOY_NEWS_ANSWERED:
        call->state = PHONE_TALKING;
        call->since_ms = view->now_ms;
        set_who(call, who);
        break;
    case AHOY_NEWS_REFUSED:
    case AHOY_NEWS_ENDED:
        drop(view, call);
        return;
    default:
        break;
    }
    if (news->agreed.codec != AHOY_NO_CODEC)
        call->agreed = news->agreed;
}

void phone_view_take(struct phone_view *view, const struct ahoy_ua_news *news)
{
    switch (news->kind) {
    case AHOY_NEWS_REGISTERED:
    case AHOY_NEWS_UNREGISTERED:
    case AHOY_NEWS_REGISTRATION_FAILED:
        take_registration(view, news);
        break;
    default:
        if (news->session.generation != 0)
            take_session(view, news);
        break;
    }
}

static char *new_line(struct phone_view_lines *lines, size_t **size)
{
    size_t place = lines->count++ % PHONE_VIEW_LINES;
    *size = &lines->sizes[place];
    **size = 0;
    return lines->texts[place];
}

/* Whoever printed it has escaped what strangers wrote.  A control byte that is left does not reach
 * the terminal all the same. */
void phone_view_say(struct phone_view *view, struct span text)
{
    while (text.size > 0) {
        struct span line = { text.at, ahoy_span_find(text, '\n') };
        size_t *size;
        char *to = new_line(&view->said, &size);
        text = ahoy_span_after(text, line.size + (line.size < text.size));
        for (size_t i = 0; i < line.size && *size < PHONE_VIEW_LINE_SIZE; i++) {
            bool is_control = (unsigned char)line.at[i] < ' ' || line.at[i] == 0x7f;
            to[(*size)++] = is_control ? '?' : line.at[i];
        }
    }
}

/* Of a text of strangers as much as surely fits into a line, twice. */
static void put_part(struct ahoy_buf *line, struct span text)
{
    if (text.size > PART)
        text.size = PART;
    ahoy_buf_put_escaped(line, text);
}

/* Seconds and milliseconds since the beginning, an arrow, and what it is. */
static void put_step(const struct phone_view *view, bool is_sent,
                     const struct ahoy_message *message, struct ahoy_buf *line)
{
    uint64_t ms = view->now_ms - view->begin_ms;
    ahoy_buf_put_number(line, ms / 1000);
    ahoy_buf_put_byte(line, '.');
    for (uint64_t unit = 100; unit > 0; unit /= 10)
        ahoy_buf_put_number(line, ms / unit % 10);
    ahoy_buf_put(line, is_sent ? SPAN(" ---> ") : SPAN(" <--- "));
    if (message->is_request) {
        put_part(line, message->method_text);
        ahoy_buf_put_byte(line, ' ');
        put_part(line, message->request_uri);
        return;
    }
    ahoy_buf_put_number(line, message->status);
    ahoy_buf_put_byte(line, ' ');
    put_part(line, message->reason);
    ahoy_buf_put(line, SPAN(" ("));
    put_part(line, ahoy_message_value(message, AHOY_HEADER_CSEQ));
    ahoy_buf_put_byte(line, ')');
}

void phone_view_pass(struct phone_view *view, bool is_sent, struct span bytes)
{
    static struct ahoy_message message; /* Large. */
    while (bytes.size > 0 && ahoy_message_parse(bytes, &message, NULL)) {
        size_t *size;
        char *to = new_line(&view->ladder, &size);
        struct ahoy_buf line = ahoy_buf_over(to, PHONE_VIEW_LINE_SIZE);
        put_step(view, is_sent, &message, &line);
        *size = line.size;
        bytes = ahoy_span_between(ahoy_span_end(message.bytes), ahoy_span_end(bytes));
    }
}
