/* RFC 3261 figure 5 as RFC 6026 8.4 redraws it, arrow by arrow. */
#include "libahoy/transaction/invite_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/aborts.h"

/* An arrow of the figure. */
struct arrow {
    enum inc_state state;
    enum inc_event event;
    enum inc_state next;
    unsigned effects;
};

/* clang-format off */
static const struct arrow arrows[] = {
    /* R3261-17.1.1.2-10: what is provisional goes up and stops clock A. */
    { INC_CALLING,    INC_PROVISIONAL, INC_PROCEEDING, INC_STOP | INC_TELL },
    /* R6026-7.2-1, R6026-8.4-7, -8, -9: a 2xx goes up, no ACK is made, M runs. */
    { INC_CALLING,    INC_SUCCESS,     INC_ACCEPTED,
      INC_STOP | INC_TELL | INC_FORGET | INC_START_M },
    /* R6026-8.4-1, -2, -4: what else is final goes up, an ACK goes out, D runs. */
    { INC_CALLING,    INC_FAILURE,     INC_COMPLETED,
      INC_STOP | INC_TELL | INC_SEND_ACK | INC_START_D },
    /* S3261-17.1.4-1 */
    { INC_CALLING,    INC_SEND_FAILED, INC_TERMINATED, INC_TELL_UNREACHABLE },
    /* R3261-17.1.1.2-5, -6, -7 */
    { INC_CALLING,    INC_TIMER_A,     INC_CALLING,    INC_SEND_REQUEST | INC_START_A },
    /* S3261-17.1.1.2-5 */
    { INC_CALLING,    INC_TIMER_B,     INC_TERMINATED, INC_TELL_TIMEOUT },
    /* R3261-17.1.1.2-11 */
    { INC_PROCEEDING, INC_PROVISIONAL, INC_PROCEEDING, INC_TELL },
    { INC_PROCEEDING, INC_SUCCESS,     INC_ACCEPTED,
      INC_STOP | INC_TELL | INC_FORGET | INC_START_M },
    { INC_PROCEEDING, INC_FAILURE,     INC_COMPLETED,
      INC_STOP | INC_TELL | INC_SEND_ACK | INC_START_D },
    /* S3261-9.1-4: once cancelled, 64*T1 are left. */
    { INC_PROCEEDING, INC_CANCEL_SENT, INC_PROCEEDING, INC_START_B },
    { INC_PROCEEDING, INC_SEND_FAILED, INC_PROCEEDING, 0 },
    { INC_PROCEEDING, INC_TIMER_B,     INC_TERMINATED, INC_TELL_TIMEOUT },
    { INC_COMPLETED,  INC_PROVISIONAL, INC_COMPLETED,  0 },
    { INC_COMPLETED,  INC_SUCCESS,     INC_COMPLETED,  0 },
    /* R6026-8.4-5: acknowledged again, but not told again. */
    { INC_COMPLETED,  INC_FAILURE,     INC_COMPLETED,  INC_RESEND_ACK },
    { INC_COMPLETED,  INC_SEND_FAILED, INC_TERMINATED, INC_TELL_UNREACHABLE },
    /* R6026-8.4-6 */
    { INC_COMPLETED,  INC_TIMER_D,     INC_TERMINATED, 0 },
    { INC_ACCEPTED,   INC_PROVISIONAL, INC_ACCEPTED,   0 },
    /* R6026-7.2-2, R6026-8.4-10, -11 */
    { INC_ACCEPTED,   INC_SUCCESS,     INC_ACCEPTED,   INC_TELL },
    { INC_ACCEPTED,   INC_FAILURE,     INC_ACCEPTED,   0 },
    { INC_ACCEPTED,   INC_SEND_FAILED, INC_ACCEPTED,   0 },
    /* R6026-7.2-4, R6026-8.4-12 */
    { INC_ACCEPTED,   INC_TIMER_M,     INC_TERMINATED, 0 },
};
/* clang-format on */

enum { ARROWS = sizeof arrows / sizeof arrows[0] };

static const struct arrow *find(enum inc_state state, enum inc_event event)
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
    struct ahoy_invite_client machine = { .state = arrow->state };
    (void)ahoy_invite_client_step(&machine, arrow->event); /* It must not come back. */
}

/* Every cell: an arrow of the figure, or what only a wrong owner could bring about. */
static void test_every_cell(void **state)
{
    (void)state;
    size_t seen = 0;
    for (enum inc_state from = INC_CALLING; from < INC_TERMINATED; from++) {
        for (enum inc_event event = 0; event < INC_EVENT_COUNT; event++) {
            const struct arrow *arrow = find(from, event);
            struct ahoy_invite_client machine = { .state = from };
            if (arrow == NULL) {
                const struct arrow impossible = { .state = from, .event = event };
                assert_true(aborts(take, &impossible));
                continue;
            }
            seen++;
            assert_int_equal(ahoy_invite_client_step(&machine, event), arrow->effects);
            assert_int_equal(machine.state, arrow->next);
        }
    }
    assert_int_equal(seen, ARROWS);
}

static void test_nothing_after_the_end(void **state)
{
    (void)state;
    for (enum inc_event event = 0; event < INC_EVENT_COUNT; event++) {
        const struct arrow late = { .state = INC_TERMINATED, .event = event };
        assert_true(aborts(take, &late));
    }
}

static void test_start(void **state)
{
    (void)state;
    struct ahoy_invite_client machine = { 0 };
    assert_int_equal(ahoy_invite_client_start(&machine),
                     INC_SEND_REQUEST | INC_START_A | INC_START_B);
    assert_int_equal(machine.state, INC_CALLING);
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
