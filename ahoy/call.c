/* ahoy call: one call, from INVITE to BYE or CANCEL, or until it was handed on. */
#include "ahoy/handover.h"
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker_screen.h"

struct call {
    const struct phone_options *options;
    struct phone *phone;
    struct phone_talk *talk;
    struct ahoy_handle session;
    struct phone_handover handover;
    uint64_t due_ms; /* When we hang up, or hand it on; UINT64_MAX for never. */
    bool answered, over, hung_up;
    bool is_cut;     /* There was no way for its sound. */
    unsigned status; /* What refused it, or 408 where we had no more patience. */
};

static uint64_t time_to_talk(const struct call *call)
{
    const struct phone_options *options = call->options;
    if (!options->has_for && !phone_handover_is_wanted(&call->handover))
        return UINT64_MAX;
    return phone_now() + (uint64_t)options->for_s * 1000;
}

static void take_own(struct call *call, const struct ahoy_ua_news *news)
{
    if (news->kind == AHOY_NEWS_EARLY || news->kind == AHOY_NEWS_ANSWERED ||
        news->kind == AHOY_NEWS_CHANGED)
        phone_talk_agree(call->talk, news);
    if (news->kind == AHOY_NEWS_CHANGE_REFUSED)
        phone_talk_refused(call->talk);
    if (news->kind == AHOY_NEWS_ANSWERED) {
        call->answered = true;
        call->due_ms = time_to_talk(call);
        if (phone_handover_is_wanted(&call->handover))
            phone_handover_begin(&call->handover, call->session);
    }
}

static void take_news(struct call *call)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(call->phone), &news)) {
        bool is_own = ahoy_handle_equal(news.session, call->session);
        if (is_own && (news.kind == AHOY_NEWS_ENDED || news.kind == AHOY_NEWS_REFUSED)) {
            call->is_cut = phone_talk_is_cut(call->talk);
            phone_talk_close(call->talk, call->session);
            call->talk = NULL;
            call->over = true;
        }
        if (is_own && news.kind == AHOY_NEWS_REFUSED)
            call->status = news.status;
        phone_show(call->options, &news, ahoy_ua_notice(phone_ua(call->phone)));
        phone_screen_take(phone_screen(call->phone), &news);
        if (is_own)
            take_own(call, &news);
        phone_handover_take(&call->handover, &news);
        /* Until somebody answers there, there is nobody to hand it to. */
        if (news.kind == AHOY_NEWS_ANSWERED && !is_own)
            call->due_ms = time_to_talk(call);
    }
}

static void hang_up(struct call *call)
{
    call->hung_up = true;
    call->due_ms = phone_now() + PHONE_PATIENCE_MS;
    ahoy_ua_hangup(phone_ua(call->phone), call->session, phone_now());
    phone_handover_close(&call->handover);
    take_news(call);
}

/* Runs until the call is over.  Once hung up, the peer has its time to agree. */
static void run(struct call *call)
{
    struct phone_handover *handover = &call->handover;
    while (!call->over || (handover->is_asked && !handover->is_over && !call->hung_up)) {
        phone_turn(call->phone, call->due_ms);
        take_news(call);
        bool is_due = phone_now() >= call->due_ms;
        if (is_due && call->hung_up)
            return; /* Not even the CANCEL was answered. */
        if (call->hung_up || (call->over && !phone_is_leaving()))
            continue;
        if (phone_is_leaving() || handover->is_over ||
            (is_due && (!call->answered || !phone_handover_is_wanted(handover)))) {
            call->status = is_due ? 408 : 0;
            hang_up(call);
        } else if (is_due) {
            call->due_ms = UINT64_MAX;
            if (handover->is_ready && !handover->is_asked)
                phone_handover_ask(handover);
        }
    }
}

/* A call that was to be handed on is done when that is. */
static int outcome(const struct call *call)
{
    if (!call->answered)
        return phone_outcome(call->status);
    if (call->is_cut)
        return PHONE_UNREACHABLE;
    return phone_handover_is_wanted(&call->handover) ? phone_outcome(call->handover.status)
                                                     : PHONE_DONE;
}

int phone_call(const struct phone_options *options)
{
    struct call call = { .options = options, .due_ms = UINT64_MAX };
    struct ahoy_ip media;
    int fault;
    call.phone = phone_open(options, &fault);
    if (call.phone == NULL)
        return fault;
    call.handover = (struct phone_handover){ .options = options, .phone = call.phone };
    call.talk = phone_talk_open(call.phone, options, &media);
    struct span callee = ahoy_span(options->callee);
    if (call.talk != NULL)
        call.session = ahoy_ua_call(phone_ua(call.phone), callee, &media, phone_now());
    if (call.session.generation != 0) {
        phone_show_note(options, "calling", callee);
        phone_screen_call(phone_screen(call.phone), call.session, callee);
        if (options->has_ring_limit)
            call.due_ms = phone_now() + (uint64_t)options->ring_limit_s * 1000;
        run(&call);
        phone_handover_close(&call.handover);
        phone_drain(call.phone, PHONE_PATIENCE_MS);
    }
    phone_talk_close(call.talk, call.session);
    phone_close(call.phone);
    return outcome(&call);
}
