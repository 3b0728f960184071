/* Overload control with callers as RFC 3261 has them by UDP, in virtual time: what is not answered
 * is sent again (17.1.1.2, 17.1.2.2, 13.3.1.4), and who is refused makes no call before the
 * Retry-After is over (21.5.4).  The server has a tenth of a processor, 10 ms in each 100, and a
 * socket that holds so much and no more.  The network takes no time.  bench/overload.py does the
 * same with the real ones. */
#include "libahoy/tu/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum {
    TARGET_MS = 100,
    PERIOD_MS = 100,
    SHARE = 10, /* The server has one of so many milliseconds. */
    /* Microseconds of work: a call is one of each, a refusal a seventh of it with its ACK. */
    INVITE_US = 56,
    RINGING_US = 24,
    OK_US = 24,
    ACK_US = 20,
    BYE_US = 40,
    BYE_OK_US = 32,
    CALL_US = INVITE_US + RINGING_US + OK_US + ACK_US + BYE_US + BYE_OK_US,
    REFUSAL_US = 21,
    REFUSAL_ACK_US = 8,
    REPEATED_US = 16,
    DROP_US = 6,
    CAPACITY = 1000000 / SHARE / CALL_US, /* Calls a second. */
    CALLERS = 20 * CAPACITY,
    CALLS_LIMIT = 1 << 19,
    SOCKET_LIMIT = 3200, /* Messages: six seconds of calls, as RECEIVE_SIZE in io/socket.c is. */
    SMALL_SOCKET = 770,
    WHEEL = 1 << 15,
    T1_MS = 500,
    T2_MS = 4000,
    B_MS = 64 * T1_MS,
    PATIENCE_MS = 5000 /* A call that takes longer to be answered is none. */
};

enum kind { INVITE, RINGING, OK, ACK, REFUSAL_ACK, BYE, BYE_OK };
enum step { IDLE, INVITED, PROCEEDING, HUNG_UP };

/* What is sent again. */
struct timer {
    struct timer *next, **link; /* In the wheel; |link| NULL: not there. */
    unsigned interval_ms;
};

struct call {
    struct timer caller, callee; /* Its request; its 200. */
    struct call *next_free;
    enum step step;
    unsigned number;
    uint64_t begun_ms, since_ms;
    bool is_late, let_in, hung_up; /* The last two as the server knows. */
};

struct message {
    struct call *call;
    unsigned number;
    enum kind kind;
    uint64_t came_us;
};

/* What happened in a while. */
struct tally {
    unsigned good, resent, refused, withheld, lost;
};

struct world {
    struct ahoy_overload overload;
    struct ahoy_rng rng;
    uint64_t now_us, turned_ms;
    unsigned owed; /* Thousandths of a call that will have begun. */
    unsigned number;
    struct tally tally;
    bool overflowed;
    bool is_without_sieve; /* The kernel loses whatever comes when there is no room. */
    bool is_heedless;      /* Callers do not wait for a Retry-After to be over. */
    size_t room;           /* Of the socket. */
    struct message socket[SOCKET_LIMIT];
    size_t first, count;
    uint64_t silent_until_ms[CALLERS];
    struct timer *wheel[WHEEL];
    struct call calls[CALLS_LIMIT], *free;
};

static struct world *world;

static uint64_t now_ms(void)
{
    return world->now_us / 1000;
}

static void stop(struct timer *timer)
{
    if (timer->link == NULL)
        return;
    *timer->link = timer->next;
    if (timer->next != NULL)
        timer->next->link = timer->link;
    timer->link = NULL;
}

static void start(struct timer *timer, unsigned interval_ms)
{
    stop(timer);
    struct timer **head = &world->wheel[(now_ms() + interval_ms) % WHEEL];
    timer->interval_ms = interval_ms;
    timer->next = *head;
    timer->link = head;
    if (*head != NULL)
        (*head)->link = &timer->next;
    *head = timer;
}

/* To the server. */
static void transmit(struct call *call, enum kind kind)
{
    if (kind == INVITE && !world->is_without_sieve && /* Decision 177. */
        ahoy_rng_below(&world->rng, AHOY_OVERLOAD_ALL) >= world->overload.heard)
        return;
    if (world->count == world->room) {
        world->overflowed = true;
        world->tally.lost++;
        return;
    }
    world->socket[(world->first + world->count++) % SOCKET_LIMIT] =
        (struct message){ call, call->number, kind, world->now_us };
}

static void end(struct call *call)
{
    stop(&call->caller);
    stop(&call->callee);
    call->step = IDLE;
    call->next_free = world->free;
    world->free = call;
}

/* The next caller wants to make a call. */
static void begin(void)
{
    struct call *call = world->free;
    unsigned number = world->number++;
    assert_non_null(call);
    if (world->silent_until_ms[number % CALLERS] > now_ms()) {
        world->tally.withheld++;
        return;
    }
    world->free = call->next_free;
    *call = (struct call){
        .step = INVITED, .number = number, .begun_ms = now_ms(), .since_ms = now_ms()
    };
    transmit(call, INVITE);
    start(&call->caller, T1_MS);
}

static void hear_ok(struct call *call)
{
    transmit(call, ACK);
    if (call->step == HUNG_UP)
        return;
    call->is_late = now_ms() > call->begun_ms + PATIENCE_MS;
    call->step = HUNG_UP;
    call->since_ms = now_ms();
    transmit(call, BYE);
    start(&call->caller, T1_MS);
}

static void hear_refusal(struct call *call, unsigned retry_s)
{
    transmit(call, REFUSAL_ACK);
    world->tally.refused++;
    if (!world->is_heedless)
        world->silent_until_ms[call->number % CALLERS] = now_ms() + 1000 * retry_s;
    end(call);
}

/* The callee rings and answers at once. */
static void ring(struct call *call)
{
    transmit(call, RINGING);
    transmit(call, OK);
    start(&call->callee, T1_MS);
}

static void send_again(struct timer *timer)
{
    size_t offset = (size_t)((char *)timer - (char *)world->calls);
    struct call *call = &world->calls[offset / sizeof *call];
    bool is_callee = timer == &call->callee;
    if (!is_callee && (call->step == PROCEEDING || now_ms() >= call->since_ms + B_MS)) {
        end(call);
        return;
    }
    world->tally.resent++;
    unsigned interval_ms = 2 * timer->interval_ms;
    transmit(call, is_callee ? OK : call->step == HUNG_UP ? BYE : INVITE);
    if ((is_callee || call->step == HUNG_UP) && interval_ms > T2_MS)
        interval_ms = T2_MS;
    start(timer, interval_ms);
}

/* The server has let an INVITE in. */
static void forward_invite(struct call *call)
{
    call->let_in = true;
    if (call->step == INVITED) {
        call->step = PROCEEDING;
        start(&call->caller, B_MS - 1);
    }
    ring(call);
}

/* What has begun nothing yet.  Returns the work. */
static unsigned serve_new(const struct message *message, bool is_known)
{
    struct call *call = message->call;
    if (!ahoy_overload_admits(&world->overload, AHOY_URGENCY_NEW, false)) {
        if (world->overload.waited_us >= 1000 * AHOY_OVERLOAD_STALE_MS)
            return DROP_US;
        if (is_known)
            hear_refusal(call, ahoy_overload_retry_s(&world->overload, &world->rng));
        return REFUSAL_US;
    }
    if (is_known)
        forward_invite(call);
    return INVITE_US;
}

/* Where the answer was lost the server has sent the BYE again by now, as its caller has. */
static unsigned serve_bye(struct call *call)
{
    bool is_repeated = call->hung_up;
    if (!is_repeated && !ahoy_overload_admits(&world->overload, AHOY_URGENCY_KEPT, false)) {
        end(call);
        return REFUSAL_US;
    }
    call->hung_up = true;
    transmit(call, BYE_OK);
    return is_repeated ? REPEATED_US : BYE_US;
}

/* What is always served. */
static unsigned serve_rest(const struct message *message, bool is_known)
{
    static const unsigned work_us[] = { [RINGING] = RINGING_US,
                                        [OK] = OK_US,
                                        [ACK] = ACK_US,
                                        [REFUSAL_ACK] = REFUSAL_ACK_US,
                                        [BYE_OK] = BYE_OK_US };
    struct call *call = message->call;
    ahoy_overload_serves(&world->overload);
    if (!is_known)
        return work_us[message->kind];
    if (message->kind == OK) {
        hear_ok(call);
    } else if (message->kind == ACK) {
        stop(&call->callee);
    } else if (message->kind == BYE_OK) {
        world->tally.good += !call->is_late;
        end(call);
    }
    return work_us[message->kind];
}

/* The next message of the socket. */
static void serve(void)
{
    const struct message message = world->socket[world->first];
    bool is_known = message.number == message.call->number && message.call->step != IDLE;
    uint32_t waited_us = (uint32_t)(world->now_us - message.came_us);
    world->first = (world->first + 1) % SOCKET_LIMIT;
    world->count--;
    (void)ahoy_overload_waited(&world->overload, 0, waited_us, world->overflowed, now_ms());
    world->overflowed = false;
    if (message.kind == INVITE && !(is_known && message.call->let_in))
        world->now_us += serve_new(&message, is_known);
    else if (message.kind == INVITE || (message.kind == BYE && !is_known))
        world->now_us += REPEATED_US;
    else
        world->now_us +=
            message.kind == BYE ? serve_bye(message.call) : serve_rest(&message, is_known);
}

/* A millisecond of the world. */
static void live(unsigned rate)
{
    uint64_t end_us = (now_ms() + 1) * 1000;
    for (; world->turned_ms <= now_ms(); world->turned_ms++) {
        struct timer *timer;
        while ((timer = world->wheel[world->turned_ms % WHEEL]) != NULL) {
            stop(timer);
            send_again(timer);
        }
    }
    for (world->owed += rate; world->owed >= 1000; world->owed -= 1000)
        begin();
    bool is_its_turn = now_ms() % PERIOD_MS < PERIOD_MS / SHARE;
    while (is_its_turn && world->now_us < end_us && world->count > 0)
        serve();
    if (world->now_us < end_us)
        world->now_us = end_us;
}

/* Callers make |rate| calls a second for so long; returns what happened. */
static struct tally run(unsigned rate, unsigned seconds)
{
    world->tally = (struct tally){ 0 };
    for (uint64_t end_us = world->now_us + 1000000 * seconds; world->now_us < end_us;)
        live(rate);
    return world->tally;
}

static int open_world(void **state)
{
    (void)state;
    world = calloc(1, sizeof *world);
    if (world == NULL)
        return 1;
    for (size_t i = CALLS_LIMIT; i > 0; i--) {
        world->calls[i - 1].next_free = world->free;
        world->free = &world->calls[i - 1];
    }
    ahoy_rng_init(&world->rng, (const uint64_t[2]){ 1, 2 });
    world->room = SOCKET_LIMIT;
    ahoy_overload_init(&world->overload, TARGET_MS, 0);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    free(world);
    return 0;
}

/* Calls of which |percent| of the capacity come about in so many seconds. */
static unsigned part(unsigned percent, unsigned seconds)
{
    return CAPACITY * seconds * percent / 100;
}

/* Nobody is refused at 95 % of the capacity, though all wait for 90 ms now and then. */
static void nobody_is_refused_without_need(void **state)
{
    (void)state;
    run(CAPACITY * 95 / 100, 5);
    struct tally tally = run(CAPACITY * 95 / 100, 20);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.resent, 0);
    assert_in_range(tally.good, part(94, 20), part(96, 20));
}

/* A load of so many percent of the capacity, of which the first five seconds do not count. */
static struct tally flood(unsigned percent)
{
    run(CAPACITY * percent / 100, 5);
    return run(CAPACITY * percent / 100, 25);
}

/* The goodput holds, as nothing that stands is sent again: the schedule of the benchmark. */
static void the_goodput_holds(void **state)
{
    (void)state;
    const unsigned loads[] = { 120, 200, 1000, 2000 }, least[] = { 97, 95, 93, 92 };
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        struct tally tally = flood(loads[i]);
        assert_in_range(tally.good, part(least[i], 25), part(101, 25));
        assert_true(tally.resent < tally.good / 100);
    }
}

/* Twice the capacity straight from calm: those who were refused come back soon enough, and late
 * enough, for the server to be busy with calls. */
static void nothing_stands_idle(void **state)
{
    (void)state;
    run(CAPACITY / 2, 5);
    assert_in_range(flood(200).good, part(94, 25), part(101, 25));
}

/* Straight from calm to ten times the capacity; when it is over, refusals are too. */
static void it_recovers(void **state)
{
    (void)state;
    run(CAPACITY / 2, 5);
    assert_in_range(flood(1000).good, part(80, 25), part(101, 25));
    run(CAPACITY * 7 / 10, 5);
    struct tally tally = run(CAPACITY * 7 / 10, 20);
    assert_int_equal(tally.refused, 0);
    assert_int_equal(tally.lost, 0);
    assert_in_range(tally.good + tally.withheld, part(70, 20) * 98 / 100, part(71, 20));
}

/* What percent of the capacity is good where many more come at once than can be refused, and what
 * percent of those who want to is or stays away afterwards. */
static void rush(unsigned percent, bool is_without_sieve, unsigned *during, unsigned *after)
{
    void *state = NULL;
    assert_int_equal(open_world(&state), 0);
    world->is_without_sieve = is_without_sieve;
    run(CAPACITY * 2, 30);
    *during = flood(percent).good * 100 / part(100, 25);
    run(CAPACITY * 7 / 10, 5);
    struct tally tally = run(CAPACITY * 7 / 10, 15);
    *after = (tally.good + tally.withheld) * 100 / part(70, 15);
    close_world(&state);
}

/* More than the socket holds comes, and nobody but who begins something is lost. */
static void what_stands_is_not_lost(void **state)
{
    (void)state;
    unsigned during[2], after[2];
    rush(4000, true, &during[0], &after[0]);
    rush(4000, false, &during[1], &after[1]);
    assert_in_range(during[1], 80, 101);
    assert_true(during[1] > during[0] + 5);
    assert_true(after[0] >= 98 && after[1] >= 98);
}

/* Where there is little room, callers are told first, and served afterwards. */
static void little_room_is_enough(void **state)
{
    (void)state;
    const unsigned loads[] = { 200, 1000, 2000 }, least[] = { 90, 85, 80 };
    world->room = SMALL_SOCKET;
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        unsigned good = flood(loads[i]).good * 100 / part(100, 25);
        assert_in_range(good, least[i], 101);
    }
}

/* Callers who call again at once, whatever they are told: what cannot be served is not heard, and
 * once it is over all is as before. */
static void who_does_not_heed_is_not_heard(void **state)
{
    (void)state;
    world->is_heedless = true;
    run(CAPACITY, 10);
    const unsigned loads[] = { 200, 400, 1000 }, least[] = { 80, 65, 55 };
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        unsigned good = flood(loads[i]).good * 100 / part(100, 25);
        assert_in_range(good, least[i], 101);
    }
    run(CAPACITY * 7 / 10, 60); /* What was not heard is sent again for 32 s. */
    assert_in_range(run(CAPACITY * 7 / 10, 15).good, part(68, 15), part(72, 15));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_refused_without_need),
        TEST(the_goodput_holds),
        TEST(nothing_stands_idle),
        TEST(it_recovers),
        TEST(little_room_is_enough),
        TEST(who_does_not_heed_is_not_heard),
        cmocka_unit_test(what_stands_is_not_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
