/* Between the terminal, the view and the user agent.  Keys are read when the driver says that there
 * are some; what they wish for is done at once, as the worker's turn sends it afterwards. */
#include "ahoy/worker_screen.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ahoy/keys.h"
#include "ahoy/terminal.h"
#include "ahoy/worker_talk.h"
#include "libahoy/io/driver.h"

enum { DRAW_MS = 200 };

struct phone_screen {
    struct phone *phone;
    struct ahoy_handle answered; /* That a key has wished to answer, until somebody asks. */
    bool is_stale;               /* Something has happened since it was drawn. */
    uint64_t due_ms;             /* When it is drawn again all the same. */
    struct phone_view view;
    struct span shown; /* In one of the pages; the next one is made in the other. */
    char pages[2][PHONE_VIEW_PAGE_SIZE];
};

static void hand_on(struct phone_screen *screen, struct phone_view_call *call)
{
    char space[PHONE_TEXT_LIMIT], typed[PHONE_VIEW_PROMPT_SIZE + 1] = "";
    memcpy(typed, screen->view.typed, screen->view.typed_size);
    struct span uri = phone_with_scheme(typed, space, sizeof space);
    call->is_handed_on = ahoy_ua_transfer(phone_ua(screen->phone), call->session, uri, phone_now());
    if (!call->is_handed_on)
        printf("cannot be handed on to %s\n", typed);
    fflush(stdout);
}

static void hold_or_resume(struct phone_screen *screen, const struct phone_view_call *call)
{
    struct ahoy_ua *ua = phone_ua(screen->phone);
    if ((call->agreed.direction & AHOY_SENDONLY) != 0)
        ahoy_ua_resume(ua, call->session, phone_now());
    else
        ahoy_ua_hold(ua, call->session, phone_now());
}

static void dial(const struct phone_screen *screen, struct ahoy_handle session, char digit)
{
    struct phone_talk *talk = phone_talk_find(screen->phone, session);
    if (talk == NULL || !phone_talk_dial(talk, (struct span){ &digit, 1 }))
        printf("the other phone takes no digits\n");
    else
        printf("dialled %c\n", digit);
    fflush(stdout);
}

static void press(struct phone_screen *screen, char key)
{
    enum phone_wish wish = phone_key_press(&screen->view, key);
    struct phone_view_call *call = phone_view_selected(&screen->view);
    if (wish == PHONE_WISH_QUIT)
        raise(SIGINT); /* As ^C. */
    if (call == NULL)
        return;
    switch (wish) {
    case PHONE_WISH_ANSWER:
        screen->answered = call->session;
        return;
    case PHONE_WISH_DECLINE: /* For this phone: others may go on ringing. */
        ahoy_ua_reject(phone_ua(screen->phone), call->session, 486, phone_now());
        return;
    case PHONE_WISH_END:
        ahoy_ua_hangup(phone_ua(screen->phone), call->session, phone_now());
        return;
    case PHONE_WISH_HOLD:
        hold_or_resume(screen, call);
        return;
    case PHONE_WISH_MUTE:
        phone_talk_mute(phone_talk_find(screen->phone, call->session));
        return;
    case PHONE_WISH_TRANSFER:
        hand_on(screen, call);
        return;
    case PHONE_WISH_DIGIT:
        dial(screen, call->session, key);
        return;
    default:
        return;
    }
}

static void read_keys(void *context)
{
    struct phone_screen *screen = context;
    char space[64];
    char key;
    struct span keys = phone_terminal_keys(space, sizeof space);
    screen->is_stale = true;
    if (keys.size == 0) { /* Nobody is there any more. */
        ahoy_driver_unwatch(phone_driver(screen->phone), STDIN_FILENO);
        raise(SIGTERM);
    }
    while (phone_key_next(&keys, &key))
        press(screen, key);
}

static bool is_wanted(const struct phone_options *options)
{
    return (options->verb & (PHONE_CALL | PHONE_ANSWER)) != 0 && !options->json;
}

struct phone_screen *phone_screen_open(struct phone *phone, const struct phone_options *options)
{
    const char *no_colour = getenv("NO_COLOR");
    struct phone_screen *screen = is_wanted(options) ? calloc(1, sizeof *screen) : NULL;
    if (screen == NULL || !phone_terminal_open()) {
        free(screen);
        return NULL;
    }
    screen->phone = phone;
    screen->view.account = options->address;
    screen->view.has_colours = no_colour == NULL || no_colour[0] == '\0';
    screen->view.begin_ms = phone_now();
    if (ahoy_driver_watch(phone_driver(phone), STDIN_FILENO, read_keys, screen))
        return screen;
    phone_screen_close(screen);
    return NULL;
}

void phone_screen_close(struct phone_screen *screen)
{
    if (screen == NULL)
        return;
    ahoy_driver_unwatch(phone_driver(screen->phone), STDIN_FILENO);
    phone_terminal_close();
    free(screen);
}

void phone_screen_call(struct phone_screen *screen, struct ahoy_handle session, struct span callee)
{
    if (screen == NULL)
        return;
    phone_view_call(&screen->view, session, callee);
    screen->is_stale = true;
}

/* A call that was handed on is over for us (RFC 5589 6.1). */
static void end_handed_on(struct phone_screen *screen, const struct ahoy_ua_news *news)
{
    const struct phone_view *view = &screen->view;
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (view->calls[i].is_handed_on && news->status / 100 == 2 &&
            ahoy_handle_equal(view->calls[i].session, news->session))
            ahoy_ua_hangup(phone_ua(screen->phone), news->session, phone_now());
    }
}

void phone_screen_take(struct phone_screen *screen, const struct ahoy_ua_news *news)
{
    if (screen == NULL)
        return;
    screen->is_stale = true;
    screen->view.now_ms = phone_now();
    if (news->kind == AHOY_NEWS_TRANSFER_ENDED)
        end_handed_on(screen, news);
    if (news->kind == AHOY_NEWS_INCOMING)
        phone_terminal_ring();
    phone_view_take(&screen->view, news);
}

void phone_screen_pass(struct phone_screen *screen, bool is_sent, struct span bytes)
{
    if (screen == NULL)
        return;
    screen->is_stale = true;
    screen->view.now_ms = phone_now();
    phone_view_pass(&screen->view, is_sent, bytes);
}

bool phone_screen_answers(struct phone_screen *screen, struct ahoy_handle session)
{
    if (screen == NULL || session.generation == 0 || !ahoy_handle_equal(screen->answered, session))
        return false;
    screen->answered = (struct ahoy_handle){ 0, 0 };
    return true;
}

/* What there is to see now, beside what was told. */
static void look(struct phone_screen *screen)
{
    struct phone_view *view = &screen->view;
    char space[4096];
    struct span text;
    uint16_t columns, rows;
    view->now_ms = phone_now();
    phone_terminal_size(&columns, &rows);
    columns = columns < PHONE_VIEW_COLUMNS_MAX ? columns : PHONE_VIEW_COLUMNS_MAX;
    rows = rows < PHONE_VIEW_ROWS_MAX ? rows : PHONE_VIEW_ROWS_MAX;
    if (columns != view->columns || rows != view->rows)
        screen->shown.size = 0; /* Whatever is there now, it is not that. */
    view->columns = columns;
    view->rows = rows;
    while ((text = phone_terminal_printed(space, sizeof space)).size > 0)
        phone_view_say(view, text);
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        struct phone_view_call *call = &view->calls[i];
        const struct phone_talk *talk = phone_talk_find(screen->phone, call->session);
        call->has_sound = talk != NULL && phone_talk_read(talk, &call->sounding);
    }
}

uint64_t phone_screen_turn(struct phone_screen *screen)
{
    if (screen == NULL)
        return UINT64_MAX;
    if (!screen->is_stale && phone_now() < screen->due_ms)
        return screen->due_ms;
    look(screen);
    char *space = screen->pages[screen->shown.at == screen->pages[0]];
    struct ahoy_buf page = ahoy_buf_over(space, PHONE_VIEW_PAGE_SIZE);
    phone_view_print(&screen->view, &page);
    if (!ahoy_span_equal(ahoy_buf_text(&page), screen->shown))
        phone_terminal_draw(ahoy_buf_text(&page));
    screen->shown = ahoy_buf_text(&page);
    screen->is_stale = false;
    screen->due_ms = screen->view.now_ms + DRAW_MS;
    return screen->due_ms;
}
