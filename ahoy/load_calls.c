/* The calls and REGISTERs of a load, from their beginning to what became of them. */
#include "ahoy/load.h"
#include "libahoy/base/unset.h"

enum {
    RING_LIMIT_S = 180, /* Where nothing else is asked for. */
    LEAVE_MS = 40000    /* By then a BYE or CANCEL has been given up (RFC 3261: 64*T1 is 32 s). */
};

static struct load_call *find_call(const struct load *load, struct load_user *user,
                                   struct ahoy_handle session)
{
    if (session.generation == 0 || session.slot >= load->user_sessions)
        return NULL;
    struct load_call *call = &user->calls[session.slot];
    return call->step != LOAD_FREE && ahoy_handle_equal(call->session, session) ? call : NULL;
}

/* Its next step; how many are at the first one is known. */
static void set_step(struct load *load, struct load_call *call, enum load_step step)
{
    load->calling -= call->step == LOAD_CALLING;
    load->calling += step == LOAD_CALLING;
    call->step = step;
}

static struct load_call *add_call(struct load *load, struct load_user *user,
                                  struct ahoy_handle session, enum load_step step)
{
    struct load_call *call = &user->calls[session.slot];
    *call = (struct load_call){ .session = session, .asked_us = load->now_us };
    set_step(load, call, step);
    call->due.what = (uint64_t)user->due.what << 32 | session.slot;
    load->tally.begun++;
    if (++load->tally.now > load->tally.most)
        load->tally.most = load->tally.now;
    load->tally.ended_us = call->asked_us;
    if (load->tally.begun == 1)
        load->tally.begun_us = call->asked_us;
    return call;
}

/* It is over, as |counter| says. */
static void end_call(struct load *load, struct load_call *call, uint64_t *counter)
{
    ahoy_heap_set(&load->calls_due, &call->due, UINT64_MAX);
    set_step(load, call, LOAD_FREE);
    load->tally.now--;
    (*counter)++;
}

static void note_status(struct load *load, unsigned status)
{
    if (status < LOAD_STATUS_LIMIT)
        load->tally.statuses[status]++;
}

static void set_due(struct load *load, struct load_call *call, uint64_t ms)
{
    ahoy_heap_set(&load->calls_due, &call->due, load_now(load) + ms);
}

void load_call_begin(struct load *load, struct load_user *user)
{
    const struct phone_options *options = load->options;
    struct ahoy_ip media = load_wire_media(load->wire);
    AHOY_UNSET char callee[PHONE_TEXT_LIMIT];
    struct span text = ahoy_span(options->callee);
    memcpy(callee, text.at, text.size);
    load_put_number(callee, &options->load.callee, user->due.what);
    load_look_at_clock(load);
    struct ahoy_handle session =
        ahoy_ua_call(user->ua, (struct span){ callee, text.size }, &media, load_now(load));
    if (session.generation == 0) {
        load->tally.not_sent++;
        return;
    }
    struct load_call *call = add_call(load, user, session, LOAD_CALLING);
    set_due(load, call,
            UINT64_C(1000) * (options->has_ring_limit ? options->ring_limit_s : RING_LIMIT_S));
    load_user_settle(load, user);
}

void load_register_begin(struct load *load, struct load_user *user)
{
    load_look_at_clock(load);
    user->register_us = load->now_us;
    load->registering++;
    ahoy_ua_register(user->ua, load->options->expires_s, load_now(load));
    load_user_settle(load, user);
}

static void hang_up(struct load *load, struct load_user *user, struct load_call *call)
{
    set_step(load, call, call->step == LOAD_CALLING ? LOAD_CANCELLING : LOAD_LEAVING);
    call->asked_us = load->now_us;
    set_due(load, call, LEAVE_MS);
    ahoy_ua_hangup(user->ua, call->session, load_now(load));
}

static void pick_up(struct load *load, struct load_user *user, struct ahoy_handle session)
{
    struct ahoy_ip media = load_wire_media(load->wire);
    ahoy_ua_answer(user->ua, session, &media, load_now(load));
}

static void take_incoming(struct load *load, struct load_user *user, struct ahoy_handle session)
{
    if (load->is_leaving || load->tally.now >= load->options->load.at_once) {
        load->tally.held_back++;
        ahoy_ua_reject(user->ua, session, load->is_leaving ? 480 : 486, load_now(load));
        return;
    }
    struct load_call *call = add_call(load, user, session, LOAD_RINGING);
    ahoy_ua_ring(user->ua, session, load_now(load));
    if (load->options->ring_s == 0)
        pick_up(load, user, session);
    else
        set_due(load, call, UINT64_C(1000) * load->options->ring_s);
}

static void take_answer(struct load *load, struct load_user *user, struct load_call *call)
{
    const struct phone_load *wished = &load->options->load;
    bool is_ours = call->step == LOAD_CALLING;
    load->tally.answered++;
    set_step(load, call, LOAD_TALKING);
    if (is_ours)
        load_histogram_add(&load->tally.answer, load->heard_us - call->asked_us);
    if (is_ours && wished->hold_s == 0)
        hang_up(load, user, call);
    else if (is_ours || wished->has_hold)
        set_due(load, call, UINT64_C(1000) * wished->hold_s);
    else
        ahoy_heap_set(&load->calls_due, &call->due, UINT64_MAX);
}

static void take_end(struct load *load, struct load_call *call, enum ahoy_side by)
{
    struct load_tally *tally = &load->tally;
    if (call->step == LOAD_CANCELLING)
        end_call(load, call, load->is_leaving ? &tally->interrupted : &tally->unanswered);
    else if (call->step == LOAD_RINGING)
        end_call(load, call, &tally->unanswered);
    else if (by == AHOY_SIDE_PEER)
        end_call(load, call, &tally->completed);
    else if (by == AHOY_SIDE_NETWORK || call->step == LOAD_TALKING)
        end_call(load, call, &tally->broken);
    /* Else our BYE has left: load_take_bye. */
}

void load_take_bye(struct load *load, struct load_user *user, const struct ahoy_event *event)
{
    struct load_call *call = find_call(load, user, ahoy_ua_session(event));
    struct load_tally *tally = &load->tally;
    if (call == NULL || call->step != LOAD_LEAVING || event->is_server)
        return;
    if (event->kind == AHOY_EVENT_TIMEOUT || event->kind == AHOY_EVENT_UNREACHABLE) {
        note_status(load, event->kind == AHOY_EVENT_TIMEOUT ? 408 : 503);
        end_call(load, call, &tally->broken);
    }
    if (event->kind != AHOY_EVENT_RESPONSE || event->routing->cseq.method != AHOY_METHOD_BYE ||
        event->message->status < 200)
        return;
    unsigned status = event->message->status;
    if (status == 407 && !call->was_challenged) {
        call->was_challenged = true; /* It is sent again. */
        return;
    }
    load_histogram_add(&tally->bye, load->heard_us - call->asked_us);
    if (status >= 300)
        note_status(load, status);
    end_call(load, call, status < 300 ? &tally->completed : &tally->broken);
}

static void take_registration(struct load *load, struct load_user *user, unsigned status)
{
    struct load_tally *tally = &load->tally;
    uint64_t begun_us = user->register_us;
    user->register_us = 0;
    load->registering -= begun_us != 0;
    if (status != 200) {
        tally->unregistered++;
        note_status(load, status);
    } else if (begun_us != 0) { /* What is refreshed in between takes part in no rate. */
        tally->registered++;
        load_histogram_add(&tally->registration, load->heard_us - begun_us);
    }
}

void load_take_news(struct load *load, struct load_user *user, const struct ahoy_ua_news *news)
{
    struct load_call *call = find_call(load, user, news->session);
    if (news->kind == AHOY_NEWS_INCOMING)
        take_incoming(load, user, news->session);
    else if (news->kind == AHOY_NEWS_REGISTERED)
        take_registration(load, user, 200);
    else if (news->kind == AHOY_NEWS_REGISTRATION_FAILED)
        take_registration(load, user, news->status);
    if (call == NULL)
        return;
    if (news->kind == AHOY_NEWS_RINGING) {
        load_histogram_add(&load->tally.ringing, load->heard_us - call->asked_us);
    } else if (news->kind == AHOY_NEWS_ANSWERED) {
        take_answer(load, user, call);
    } else if (news->kind == AHOY_NEWS_REFUSED) {
        note_status(load, news->status);
        end_call(load, call, &load->tally.refused);
    } else if (news->kind == AHOY_NEWS_ENDED) {
        take_end(load, call, news->by);
    }
}

/* Its time has come: we have rung, talked, or waited long enough. */
static void take_due(struct load *load, struct load_user *user, struct load_call *call)
{
    ahoy_heap_set(&load->calls_due, &call->due, UINT64_MAX);
    if (call->step == LOAD_RINGING)
        pick_up(load, user, call->session);
    else if (call->step == LOAD_LEAVING || call->step == LOAD_CANCELLING)
        end_call(load, call, &load->tally.broken);
    else
        hang_up(load, user, call);
    load_user_settle(load, user);
}

void load_calls_expire(struct load *load, uint64_t now_ms)
{
    for (;;) {
        struct ahoy_due *due = ahoy_heap_first(&load->calls_due);
        if (due == NULL || due->deadline_ms > now_ms)
            return;
        struct load_user *user = &load->users[due->what >> 32];
        load_look_at_clock(load);
        take_due(load, user, &user->calls[(uint32_t)due->what]);
    }
}

void load_calls_leave(struct load *load)
{
    load_look_at_clock(load);
    for (size_t i = 0; i < load->user_count && load->tally.now > 0; i++) {
        struct load_user *user = &load->users[i];
        for (uint32_t slot = 0; slot < load->user_sessions; slot++) {
            struct load_call *call = &user->calls[slot];
            if (call->step != LOAD_FREE && call->step < LOAD_LEAVING)
                hang_up(load, user, call);
        }
        load_user_settle(load, user);
    }
}
