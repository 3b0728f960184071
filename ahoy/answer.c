/* ahoy answer: registered and waiting; rings for a while, then answers. */
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker_screen.h"
#include "ahoy/worker_talk.h"

struct line {
    struct ahoy_handle session; /* Null: free. */
    uint64_t answer_ms;         /* UINT64_MAX once answered, or where a key is to do it. */
    struct phone_talk *talk;
    bool follows; /* From another call, by a transfer. */
};

struct answering {
    const struct phone_options *options;
    struct phone *phone;
    struct line lines[AHOY_UA_SESSIONS_LIMIT];
    bool registered, had_call;
    int outcome; /* Of its registration; and with `once` of the call. */
};

static struct line *find_line(struct answering *answering, struct ahoy_handle session)
{
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        if (ahoy_handle_equal(answering->lines[i].session, session))
            return &answering->lines[i];
    }
    return NULL;
}

/* What takes the place of another call does not ring (RFC 3891 3). */
static void take_call(struct answering *answering, const struct ahoy_ua_news *news)
{
    const struct phone_options *options = answering->options;
    struct ahoy_ua *ua = phone_ua(answering->phone);
    struct line *line = find_line(answering, (struct ahoy_handle){ 0, 0 });
    bool replaces = news->replaced.generation != 0;
    if (options->busy || line == NULL || (replaces && !options->accepts_transfers)) {
        ahoy_ua_reject(ua, news->session, replaces ? 603 : 486, phone_now());
        return;
    }
    *line =
        (struct line){ .session = news->session, .answer_ms = phone_now(), .follows = replaces };
    if (replaces)
        return;
    if (phone_screen(answering->phone) != NULL && !options->has_ring)
        line->answer_ms = UINT64_MAX; /* When whoever sits there says so. */
    else
        line->answer_ms += (uint64_t)options->ring_s * 1000;
    ahoy_ua_ring(ua, news->session, phone_now());
}

/* The caller would have us call somebody else. */
static void go_on(struct answering *answering, const struct ahoy_ua_news *news)
{
    struct ahoy_handle session = news->session;
    struct ahoy_ua *ua = phone_ua(answering->phone);
    struct line *line = find_line(answering, (struct ahoy_handle){ 0, 0 });
    struct ahoy_ip media;
    struct phone_talk *talk = NULL;
    if (line != NULL)
        talk = phone_talk_open(answering->phone, answering->options, &media);
    if (talk == NULL) {
        ahoy_ua_refuse_transfer(ua, session, phone_now());
        return;
    }
    *line = (struct line){ .answer_ms = UINT64_MAX, .talk = talk, .follows = true };
    line->session = ahoy_ua_accept_transfer(ua, session, &media, phone_now());
    if (line->session.generation != 0) {
        phone_screen_call(phone_screen(answering->phone), line->session,
                          (struct span){ news->text, news->text_size });
        return;
    }
    phone_talk_close(talk, line->session);
    *line = (struct line){ .talk = NULL };
}

static void end_call(struct answering *answering, struct ahoy_handle session)
{
    struct line *line = find_line(answering, session);
    answering->had_call = true;
    if (line == NULL)
        return;
    if (answering->options->once && phone_talk_is_cut(line->talk))
        answering->outcome = PHONE_UNREACHABLE;
    phone_talk_close(line->talk, session);
    *line = (struct line){ .talk = NULL };
}

static void agree(struct answering *answering, const struct ahoy_ua_news *news)
{
    const struct line *line = find_line(answering, news->session);
    if (line == NULL)
        return;
    if (news->kind == AHOY_NEWS_CHANGE_REFUSED)
        phone_talk_refused(line->talk);
    else
        phone_talk_agree(line->talk, news);
}

static void take_news(struct answering *answering)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(answering->phone), &news)) {
        if (news.kind == AHOY_NEWS_REFUSED || news.kind == AHOY_NEWS_ENDED)
            end_call(answering, news.session);
        phone_show(answering->options, &news, ahoy_ua_notice(phone_ua(answering->phone)));
        phone_screen_take(phone_screen(answering->phone), &news);
        switch (news.kind) {
        case AHOY_NEWS_REGISTERED:
            answering->registered = true;
            break;
        case AHOY_NEWS_REGISTRATION_FAILED:
            if (!answering->registered)
                answering->outcome = phone_outcome(news.status);
            break;
        case AHOY_NEWS_INCOMING:
            take_call(answering, &news);
            break;
        case AHOY_NEWS_TRANSFER_ASKED:
            go_on(answering, &news);
            break;
        case AHOY_NEWS_EARLY:
        case AHOY_NEWS_ANSWERED:
        case AHOY_NEWS_CHANGED:
        case AHOY_NEWS_CHANGE_REFUSED:
            agree(answering, &news);
            break;
        default:
            break;
        }
    }
}

/* It has rung long enough, or a key was pressed. */
static bool is_due(const struct answering *answering, const struct line *line, uint64_t now_ms)
{
    if (line->talk != NULL)
        return false; /* Answered, or a call of ours. */
    return line->answer_ms <= now_ms ||
           phone_screen_answers(phone_screen(answering->phone), line->session);
}

/* Answers the calls that are due; returns when the next one will be. */
static uint64_t pick_up(struct answering *answering)
{
    uint64_t next_ms = UINT64_MAX;
    uint64_t now_ms = phone_now();
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++) {
        struct line *line = &answering->lines[i];
        struct ahoy_ip media;
        if (line->session.generation == 0)
            continue;
        if (!is_due(answering, line, now_ms)) {
            next_ms = line->answer_ms < next_ms ? line->answer_ms : next_ms;
            continue;
        }
        line->answer_ms = UINT64_MAX;
        line->talk = phone_talk_open(answering->phone, answering->options, &media);
        if (line->talk != NULL)
            ahoy_ua_answer(phone_ua(answering->phone), line->session, &media, phone_now());
        else
            ahoy_ua_reject(phone_ua(answering->phone), line->session, 500, phone_now());
    }
    return next_ms;
}

/* There was a call, and none that followed from it goes on. */
static bool is_over(const struct answering *answering)
{
    bool goes_on = false;
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++)
        goes_on |= answering->lines[i].follows;
    return answering->had_call && !goes_on;
}

static void leave(struct answering *answering)
{
    struct ahoy_ua *ua = phone_ua(answering->phone);
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++)
        ahoy_ua_hangup(ua, answering->lines[i].session, phone_now());
    if (answering->registered)
        ahoy_ua_unregister(ua, phone_now());
    phone_drain(answering->phone, PHONE_PATIENCE_MS);
    take_news(answering);
    for (size_t i = 0; i < AHOY_UA_SESSIONS_LIMIT; i++)
        phone_talk_close(answering->lines[i].talk, answering->lines[i].session);
}

int phone_answer(const struct phone_options *options)
{
    struct answering answering = { .options = options };
    int fault;
    answering.phone = phone_open(options, &fault);
    if (answering.phone == NULL)
        return fault;
    ahoy_ua_register(phone_ua(answering.phone), options->expires_s, phone_now());
    while (!phone_is_leaving() && answering.outcome == PHONE_DONE &&
           !(options->once && is_over(&answering))) {
        phone_turn(answering.phone, pick_up(&answering));
        take_news(&answering);
    }
    leave(&answering);
    phone_close(answering.phone);
    return answering.outcome;
}
