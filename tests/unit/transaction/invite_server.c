/* RFC 3261 figure 7 as RFC 6026 8.6 redraws it, arrow by arrow. */
#include "libahoy/transaction/invite_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/aborts.h"

/* An arrow of the figure. */
struct arrow {
    enum ins_state state;
    enum ins_event event;
    enum ins_state next;
    unsigned effects;
};

/* clang-format off */
static const struct arrow arrows[] = {
    /* R3261-17.2.1-4 */
    { INS_PROCEEDING, INS_INVITE,      INS_PROCEEDING, INS_RESEND },
    { INS_PROCEEDING, INS_ACK,         INS_PROCEEDING, 0 },
    /* R3261-17.2.1-3 */
    { INS_PROCEEDING, INS_PROVISIONAL, INS_PROCEEDING, INS_SEND },
    /* R6026-7.1-1, R6026-8.5-1, -2, R6026-8.7-2: sent, not kept, L runs. */
    { INS_PROCEEDING, INS_SUCCESS,     INS_ACCEPTED,   INS_SEND_ONCE | INS_FORGET | INS_START_L },
    /* R3261-17.2.1-7, -8 */
    { INS_PROCEEDING, INS_FAILURE,     INS_COMPLETED,  INS_SEND | INS_START_G | INS_START_H },
    /* R6026-7.1-7, -8, R6026-8.8-1: told, and nothing ends. */
    { INS_PROCEEDING, INS_SEND_FAILED, INS_PROCEEDING, INS_TELL_UNREACHABLE },
    /* S3261-17.2.1-2 */
    { INS_COMPLETED,  INS_INVITE,      INS_COMPLETED,  INS_RESEND },
    /* R3261-17.2.1-9 */
    { INS_COMPLETED,  INS_ACK,         INS_CONFIRMED,  INS_STOP | INS_FORGET | INS_START_I },
    { INS_COMPLETED,  INS_PROVISIONAL, INS_COMPLETED,  0 },
    { INS_COMPLETED,  INS_SUCCESS,     INS_COMPLETED,  0 },
    { INS_COMPLETED,  INS_FAILURE,     INS_COMPLETED,  0 },
    { INS_COMPLETED,  INS_SEND_FAILED, INS_COMPLETED,  INS_TELL_UNREACHABLE },
    { INS_COMPLETED,  INS_TIMER_G,     INS_COMPLETED,  INS_RESEND | INS_START_G },
    /* R3261-17.2.1-10 */
    { INS_COMPLETED,  INS_TIMER_H,     INS_TERMINATED, INS_TELL_NO_ACK },
    { INS_CONFIRMED,  INS_INVITE,      INS_CONFIRMED,  0 },
    { INS_CONFIRMED,  INS_ACK,         INS_CONFIRMED,  0 },
    { INS_CONFIRMED,  INS_PROVISIONAL, INS_CONFIRMED,  0 },
    { INS_CONFIRMED,  INS_SUCCESS,     INS_CONFIRMED,  0 },
    { INS_CONFIRMED,  INS_FAILURE,     INS_CONFIRMED,  0 },
    { INS_CONFIRMED,  INS_SEND_FAILED, INS_CONFIRMED,  0 },
    /* R3261-17.2.1-11 */
    { INS_CONFIRMED,  INS_TIMER_I,     INS_TERMINATED, 0 },
    /* R6026-7.1-2: absorbed. */
    { INS_ACCEPTED,   INS_INVITE,      INS_ACCEPTED,   0 },
    /* R6026-7.1-4 */
    { INS_ACCEPTED,   INS_ACK,         INS_ACCEPTED,   INS_TELL_ACK },
    { INS_ACCEPTED,   INS_PROVISIONAL, INS_ACCEPTED,   0 },
    /* R6026-7.1-3, R6026-8.7-1 */
    { INS_ACCEPTED,   INS_SUCCESS,     INS_ACCEPTED,   INS_SEND_ONCE },
    { INS_ACCEPTED,   INS_FAILURE,     INS_ACCEPTED,   0 },
    { INS_ACCEPTED,   INS_SEND_FAILED, INS_ACCEPTED,   INS_TELL_UNREACHABLE },
    /* R6026-7.1-5, R6026-8.7-3 */
    { INS_ACCEPTED,   INS_TIMER_L,     INS_TERMINATED, 0 },
};
/* clang-format on */

enum { ARROWS = sizeof arrows / sizeof arrows[0] };

static const struct arrow *find(enum ins_state state, enum ins_event event)
{
    const struct arrow *found = NULL;
    for (size_t i = 0; i < ARROWS; i++) {
        if (arrows[i].state != state || arrows[i].event != event)
            continue;
        assert_null(found); /* Once is enough. */
        found = &arrows[i];
    }
    return found;
}

static void take(const void *context)
{
    const struct arrow *arrow = context;
    struct ahoy_invite_server machine = { .state = arrow->state };
    (void)ahoy_invite_server_step(&machine, arrow->event); /* It must not come back. */
}

/* Every cell: an arrow of the figure, or what only a wrong owner could bring about. */
static void test_every_cell(void **state)
{
    (void)state;
    size_t seen = 0;
    for (enum ins_state from = INS_PROCEEDING; from < INS_TERMINATED; from++) {
        for (enum ins_event event = 0; event < INS_EVENT_COUNT; event++) {
            const struct arrow *arrow = find(from, event);
            struct ahoy_invite_server machine = { .state = from };
            if (arrow == NULL) {
                const struct arrow impossible = { .state = from, .event = event };
                assert_true(aborts(take, &impossible));
                continue;
            }
            seen++;
            assert_int_equal(ahoy_invite_server_step(&machine, event), arrow->effects);
            assert_int_equal(machine.state, arrow->next);
        }
    }
    assert_int_equal(seen, ARROWS);
}

static void test_nothing_after_the_end(void **state)
{
    (void)state;
    for (enum ins_event event = 0; event < INS_EVENT_COUNT; event++) {
        const struct arrow late = { .state = INS_TERMINATED, .event = event };
        assert_true(aborts(take, &late));
    }
}

static void test_start(void **state)
{
    (void)state;
    struct ahoy_invite_server machine = { 0 };
    ahoy_invite_server_start(&machine);
    assert_int_equal(machine.state, INS_PROCEEDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_every_cell),
        cmocka_unit_test(test_nothing_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
