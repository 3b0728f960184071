/* ahoy call: one call, from INVITE to BYE or CANCEL. */
#include "ahoy/show.h"
#include "ahoy/verbs.h"
#include "ahoy/worker_talk.h"

struct call {
    const struct phone_options *options;
    struct phone *phone;
    struct phone_talk *talk;
    struct ahoy_handle session;
    uint64_t hang_up_ms; /* UINT64_MAX for never. */
    bool answered, over, hung_up;
    unsigned status; /* What refused it, or 408 where we had no more patience. */
};

static void take_news(struct call *call)
{
    struct ahoy_ua_news news;
    while (ahoy_ua_poll(phone_ua(call->phone), &news)) {
        if (news.kind == AHOY_NEWS_ENDED || news.kind == AHOY_NEWS_REFUSED) {
            phone_talk_close(call->talk, call->session);
            call->talk = NULL;
            call->over = true;
        }
        if (news.kind == AHOY_NEWS_REFUSED)
            call->status = news.status;
        phone_show(call->options, &news, ahoy_ua_notice(phone_ua(call->phone)));
        if (news.kind == AHOY_NEWS_EARLY || news.kind == AHOY_NEWS_ANSWERED ||
            news.kind == AHOY_NEWS_CHANGED)
            phone_talk_agree(call->talk, &news.agreed);
        if (news.kind == AHOY_NEWS_ANSWERED) {
            call->answered = true;
            call->hang_up_ms = call->options->has_for
                                   ? phone_now() + (uint64_t)call->options->for_s * 1000
                                   : UINT64_MAX;
        }
    }
}

/* Runs until the call is over.  Once hung up, the peer has its time to agree. */
static void run(struct call *call)
{
    while (!call->over) {
        phone_turn(call->phone, call->hang_up_ms);
        take_news(call);
        bool is_due = phone_now() >= call->hang_up_ms;
        if (call->over || (!is_due && (!phone_is_leaving() || call->hung_up)))
            continue;
        if (call->hung_up)
            return; /* Not even the CANCEL was answered. */
        call->hung_up = true;
        call->status = is_due ? 408 : 0;
        call->hang_up_ms = phone_now() + PHONE_PATIENCE_MS;
        ahoy_ua_hangup(phone_ua(call->phone), call->session, phone_now());
        take_news(call);
    }
}

int phone_call(const struct phone_options *options)
{
    struct call call = { .options = options, .hang_up_ms = UINT64_MAX };
    struct ahoy_ip media;
    int fault;
    call.phone = phone_open(options, &fault);
    if (call.phone == NULL)
        return fault;
    call.talk = phone_talk_open(call.phone, options, &media);
    struct span callee = ahoy_span(options->callee);
    if (call.talk != NULL)
        call.session = ahoy_ua_call(phone_ua(call.phone), callee, &media, phone_now());
    if (call.session.generation != 0) {
        phone_show_note(options, "calling", callee);
        if (options->has_ring_limit)
            call.hang_up_ms = phone_now() + (uint64_t)options->ring_limit_s * 1000;
        run(&call);
        phone_drain(call.phone, PHONE_PATIENCE_MS);
    }
    phone_talk_close(call.talk, call.session);
    phone_close(call.phone);
    return call.answered ? PHONE_DONE : phone_outcome(call.status);
}
