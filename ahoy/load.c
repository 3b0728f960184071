/* ahoy load: begins what is due, and ends when all is done, or was asked to. */
#include "ahoy/load.h"

#include "ahoy/verbs.h"
#include "ahoy/worker.h"

enum {
    AT_A_TIME = 128, /* So many are begun before we listen again. */
    LOOK_US = 2000,  /* Most who answer have done so by then. */
    SHOW_MS = 1000
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void load_look_at_clock(struct load *load)
{
    load->now_us = phone_now_us();
}

uint64_t load_now(const struct load *load)
{
    return load->now_us / 1000;
}

static uint64_t first_of(const struct ahoy_heap *heap)
{
    const struct ahoy_due *due = ahoy_heap_first(heap);
    return due != NULL ? due->deadline_ms : UINT64_MAX;
}

static bool has_more_calls(const struct load *load)
{
    const struct phone_load *wished = &load->options->load;
    return !load->is_leaving && wished->calls.to > 0 &&
           (!wished->has_count || load->tally.begun + load->tally.not_sent < load->options->count);
}

/* Beside calls, registrations go round for as long as there are calls to begin. */
static bool has_more_registers(const struct load *load)
{
    const struct phone_options *options = load->options;
    uint64_t most = options->load.has_count ? options->count : load->user_count;
    if (load->is_leaving || options->load.registers.to == 0)
        return false;
    if (options->verb == PHONE_LOAD_CALL)
        return has_more_calls(load);
    return load->registers_begun < (options->verb == PHONE_LOAD_ANSWER ? load->user_count : most);
}

/* Whether there are too many at this moment. */
static bool is_held_back(struct load *load, uint64_t now)
{
    bool is_held = now >= load->options->load.at_once;
    load->tally.held_back += is_held;
    return is_held;
}

/* The next user registers, unless his last REGISTER is unanswered. */
static void register_next(struct load *load)
{
    struct load_user *user = &load->users[load->registers_begun % load->user_count];
    if (user->register_us != 0) {
        load->tally.held_back++;
        return;
    }
    load->registers_begun++;
    load_register_begin(load, user);
}

/* How long a step is; who answers rests at no time. */
static uint64_t step_us(const struct load *load, uint64_t elapsed_ms)
{
    if (load->options->verb == PHONE_LOAD_ANSWER)
        return 0;
    return earlier(load_pace_step_us(&load->calls, elapsed_ms),
                   load_pace_step_us(&load->registers, elapsed_ms));
}

/* A step begins where the last one is over and something is due, or nothing will be any more. */
static bool begins_step(struct load *load, uint64_t elapsed_ms, bool is_due)
{
    uint64_t now_us = phone_now_us();
    bool waits_for_more = !is_due && (has_more_calls(load) || has_more_registers(load));
    if (now_us < load->step_end_us || waits_for_more)
        return false;
    load->step_end_us = now_us + step_us(load, elapsed_ms);
    return true;
}

/* Whether anything was due. */
static bool begin_due(struct load *load)
{
    uint64_t elapsed_ms = phone_now() - load->begun_ms;
    uint64_t calls = has_more_calls(load) ? load_pace_due(&load->calls, elapsed_ms) : 0;
    uint64_t registers = has_more_registers(load) ? load_pace_due(&load->registers, elapsed_ms) : 0;
    bool is_step = begins_step(load, elapsed_ms, calls + registers > 0);
    calls = load_pace_take(&load->calls, calls, is_step);
    for (unsigned i = 0; i < calls && i < AT_A_TIME && has_more_calls(load); i++) {
        struct load_user *user = &load->users[load->calls.count++ % load->user_count];
        if (!is_held_back(load, load->tally.now))
            load_call_begin(load, user);
    }
    registers = load_pace_take(&load->registers, registers, is_step);
    for (unsigned i = 0; i < registers && i < AT_A_TIME && has_more_registers(load); i++) {
        load->registers.count++;
        if (!is_held_back(load, load->registering))
            register_next(load);
    }
    return calls + registers > 0;
}

/* Until when to rest: to the end of the step, but for a look after a little where somebody may have
 * answered, or more is to begin.  The processor still has his call in its caches then; after a long
 * rest it has nothing. */
static uint64_t rest_us(const struct load *load)
{
    bool looks = load->calling > 0 || load->registering > 0 || load->calls.second > 0 ||
                 load->registers.second > 0;
    uint64_t look_us = phone_now_us() + load->look_us;
    return looks && look_us + load->look_us / 2 < load->step_end_us ? look_us : load->step_end_us;
}

/* One turn: rests, waits until |deadline_ms| at the latest; what comes is taken, what is due is
 * begun, and all that arises leaves together.  In this order, as a call that begins takes the
 * memory of one that has just ended, which the processor still has in its caches. */
static void turn(struct load *load, uint64_t deadline_ms)
{
    struct ahoy_event event;
    uint64_t elapsed_ms = phone_now() - load->begun_ms;
    if (has_more_calls(load))
        deadline_ms = earlier(deadline_ms, load->begun_ms + elapsed_ms +
                                               load_pace_wait_ms(&load->calls, elapsed_ms));
    if (has_more_registers(load))
        deadline_ms = earlier(deadline_ms, load->begun_ms + elapsed_ms +
                                               load_pace_wait_ms(&load->registers, elapsed_ms));
    deadline_ms = earlier(deadline_ms, first_of(&load->users_due));
    load_wire_wait(load->wire, rest_us(load), earlier(deadline_ms, first_of(&load->calls_due)));
    bool is_lively = false;
    for (; load_wire_next(load->wire, &event); is_lively = true)
        load_users_step(load, &event);
    is_lively |= begin_due(load);
    uint64_t longest_us = is_lively ? LOOK_US : 2 * load->look_us;
    load->look_us = earlier(longest_us, step_us(load, elapsed_ms) / 2);
    load_users_expire(load, phone_now());
    load_calls_expire(load, phone_now());
}

static bool is_over(const struct load *load)
{
    if (load->options->verb == PHONE_LOAD_ANSWER && !load->is_leaving)
        return false;
    return !has_more_calls(load) && !has_more_registers(load) && load->tally.now == 0 &&
           load->registering == 0;
}

/* Until all is done, or a signal has come. */
static void run(struct load *load)
{
    const struct phone_options *options = load->options;
    uint64_t end_ms =
        options->has_for ? load->begun_ms + UINT64_C(1000) * options->for_s : UINT64_MAX;
    uint64_t show_ms = load->begun_ms + SHOW_MS;
    while (!is_over(load) && !phone_is_leaving()) {
        turn(load, earlier(show_ms, end_ms));
        load->is_leaving |= phone_now() >= end_ms;
        if (load->is_leaving)
            end_ms = UINT64_MAX;
        if (phone_now() >= show_ms) {
            load_tally_show(&load->tally, show_ms - load->begun_ms, false);
            show_ms += SHOW_MS;
        }
    }
    load_tally_show(&load->tally, phone_now() - load->begun_ms, true);
}

static bool is_busy(const struct load *load)
{
    for (size_t i = 0; i < load->user_count; i++) {
        if (ahoy_ua_busy(load->users[i].ua) > 0)
            return true;
    }
    return false;
}

/* Says goodbye: hangs up, and, where users were registered to be called, unregisters them. */
static void leave(struct load *load)
{
    uint64_t end_ms = phone_now() + PHONE_PATIENCE_MS;
    load->is_leaving = true;
    load_calls_leave(load);
    for (size_t i = 0; i < load->user_count && load->options->verb == PHONE_LOAD_ANSWER; i++) {
        if (load->registers_begun > i)
            ahoy_ua_unregister(load->users[i].ua, phone_now());
        load_user_settle(load, &load->users[i]);
    }
    while (is_busy(load) && phone_now() < end_ms)
        turn(load, end_ms);
    load->tally.interrupted += load->tally.now; /* Nobody has answered us any more. */
}

int phone_load(const struct phone_options *options)
{
    struct load load = { .options = options };
    int outcome;
    load.wire = load_wire_open(options, LOAD_SESSIONS_LIMIT, &outcome);
    if (load.wire == NULL)
        return outcome;
    outcome = PHONE_REFUSED;
    if (load_users_open(&load)) {
        uint64_t ramp_ms = UINT64_C(1000) * options->load.ramp_s;
        bool calls_grow = options->load.calls.from != options->load.calls.to;
        bool registers_grow = options->load.registers.from != options->load.registers.to;
        load.calls.rate = options->load.calls;
        load.calls.ramp_ms = calls_grow ? ramp_ms : 0;
        load.registers.rate = options->load.registers;
        load.registers.ramp_ms = registers_grow ? ramp_ms : 0;
        load.begun_ms = phone_now();
        run(&load);
        leave(&load);
        load_tally_report(&load.tally, options->json);
        outcome = load_tally_outcome(&load.tally);
    }
    load_users_close(&load);
    load_wire_close(load.wire);
    return outcome;
}
